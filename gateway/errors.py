"""Exception hierarchy: what one part raises and another handles.

An error that never leaves its package is defined there (gateway.web.client and .problem,
gateway.sip.engine and .trace, gateway.store.database).

* GatewayError
  + ConfigError          (names the file, the key and the remedy)
  + AddressError         (not a SIP URI)
  + InvalidRequest       (what a caller asked for cannot be understood; says what to type)
  + ConflictError        (what is asked does not fit the present state)
  + StorageUnavailable   (the database cannot be reached, or refused; nothing was confirmed)
  + SendError            (no final response came; says whether the request may have left)
  + PhoneError           (MicroSIP is away, refused or does not respond)
  + AlreadyRunning       (the data folder, the database or a port is another process's)
"""


class GatewayError(Exception):
    """Base class: anything a caller can be expected to handle."""


class ConfigError(GatewayError):
    """The configuration is missing, malformed or contradictory."""


class AddressError(GatewayError, ValueError):
    """The text is not a SIP or SIPS URI."""

    def __init__(self, text: str, why: str = "") -> None:
        shown = text if len(text) <= 80 else text[:77] + "..."
        super().__init__(f"not a SIP URI: {shown!r}" + (f" ({why})" if why else ""))
        self.text = text


class InvalidRequest(GatewayError, ValueError):
    """The request cannot be understood; the text says what to type instead.

    *pointer* is a JSON Pointer (RFC 6901) to the offending member, where there is one.
    """

    def __init__(self, detail: str, *, pointer: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


class ConflictError(GatewayError):
    """The request is well-formed but does not fit the present state."""


class StorageUnavailable(GatewayError):
    """The database cannot be reached or refused.

    Nothing of the call took effect, unless the connection broke while it was confirmed: so
    a call may be repeated, with the same ids.
    """


class SendError(GatewayError):
    """No final response was received; *sent* is False when the request surely did not leave."""

    def __init__(self, detail: str, *, sent: bool = True) -> None:
        super().__init__(detail)
        self.sent = sent


class PhoneError(GatewayError):
    """The softphone could not be commanded; *problem* is a ``gateway.phone.Problem`` value."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


class AlreadyRunning(GatewayError):
    """The data folder, the database or a port is held by another process."""
