"""What the engine reports of a send: PJSIP's outcomes -> frames."""

import re

from gateway.sip.wire import Answered, Unsent

_RETRY_AFTER = re.compile(
    r"^Retry-After[ \t]*:[ \t]*([0-9]{1,9})", re.MULTILINE | re.IGNORECASE | re.ASCII
)

# Errors of pjsip/sip_errno.h that no second attempt can mend, by the response they amount to.
_REFUSALS = {
    171005: 400,  # PJSIP_ENOROUTESET: a tel: or http: URI
    171023: 513,  # PJSIP_EMSGTOOLONG: more than 4,000 bytes
    171039: 400,  # PJSIP_EINVALIDURI
    171040: 400,  # PJSIP_EINVALIDSCHEME
    171042: 400,  # PJSIP_EINVALIDREQURI
    171060: 400,  # PJSIP_EUNSUPTRANSPORT: over TLS, without tls_port
    171064: 400,  # PJSIP_ETPNOTSUITABLE: an IPv6 address
}


def retry_after(whole_message: str) -> int | None:
    """Seconds, from a response's headers (RFC 3261, section 20.33)."""
    match = _RETRY_AFTER.search(whole_message.partition("\r\n\r\n")[0])
    return int(match[1]) if match else None


def answered(
    send_id: int, status_code: int, reason_phrase: str, whole_message: str
) -> Answered:
    """A final response; a failure without a message is one that PJSIP made up."""
    return Answered(
        id=send_id,
        status_code=status_code,
        reason_phrase=reason_phrase,
        retry_after=retry_after(whole_message),
        local=status_code // 100 != 2 and not whole_message,
    )


def not_sent(send_id: int, error: int, reason: str) -> Answered | Unsent:
    """PJSIP did not take it: refused for good, or not possible now."""
    if error in _REFUSALS:
        return Answered(
            id=send_id, status_code=_REFUSALS[error], reason_phrase=reason, local=True
        )
    return Unsent(send_id, reason)
