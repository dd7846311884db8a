"""Whether an inbound webhook comes from who holds the secret."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from gateway.hooks.request import HookRequest, Reason, Rejected

SIGNATURE_HEADER = "X-Signature-256"
TIMESTAMP_HEADER = "X-Timestamp"
MAX_SKEW = timedelta(seconds=300)

_SECONDS = re.compile(r"\d{1,12}", re.ASCII)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Signature-256: HMAC-SHA256 over ``timestamp.body``."""
    content = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def verify_signed(secret: str, request: HookRequest, now: datetime) -> Rejected | None:
    """None when signature and time are right."""
    timestamp = request.header(TIMESTAMP_HEADER)
    # The signature first: only then is the timestamp the sender's own.
    if not _equal(request.header(SIGNATURE_HEADER), sign(secret, timestamp, request.body)):
        return Rejected(
            Reason.SIGNATURE,
            f"{SIGNATURE_HEADER} must be sha256= and the hexadecimal HMAC-SHA256, under the "
            f"shared secret, of the {TIMESTAMP_HEADER}, a full stop, then the body",
        )
    seconds = int(timestamp) if _SECONDS.fullmatch(timestamp) else 0
    if abs(now.timestamp() - seconds) > MAX_SKEW.total_seconds():
        return Rejected(
            Reason.TIMESTAMP,
            f"{TIMESTAMP_HEADER} must be the Unix time in seconds, at most "
            f"{MAX_SKEW.seconds} s from {now.timestamp():.0f}; check both clocks",
        )
    return None


def verify_bearer(secret: str, request: HookRequest) -> Rejected | None:
    """None when the secret itself was sent; for senders that cannot sign."""
    scheme, _, given = request.header("Authorization").partition(" ")
    if scheme.lower() == "bearer" and _equal(given.strip(), secret):
        return None
    return Rejected(Reason.SIGNATURE, "send Authorization: Bearer with the shared secret")


def verify_signed_or_bearer(
    secret: str, request: HookRequest, now: datetime
) -> Rejected | None:
    """None when either way is right; a signature decides alone where there is one."""
    if request.header(SIGNATURE_HEADER):
        return verify_signed(secret, request, now)
    if verify_bearer(secret, request) is None:
        return None
    return Rejected(
        Reason.SIGNATURE,
        f"send {TIMESTAMP_HEADER} with {SIGNATURE_HEADER}, "
        "or Authorization: Bearer with the shared secret",
    )


def _equal(given: str, expected: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
