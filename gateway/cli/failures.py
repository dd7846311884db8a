"""What a command that fails prints, with its exit code."""

from gateway.errors import ConfigError, GatewayError, InvalidRequest
from gateway.web.client import GatewayUnreachable, RequestRefused

FAILED = 1
USAGE = 2
NOT_REACHABLE = 3

_USAGE_CODES = frozenset(
    {"invalid_request", "cursor_invalid", "unsupported_media", "too_large"}
)


def explain(exc: GatewayError) -> tuple[str, int]:
    """The text for the user, and the exit code."""
    if isinstance(exc, GatewayUnreachable):
        return f"error: {exc}", NOT_REACHABLE
    if isinstance(exc, RequestRefused):
        return f"error: {_once(str(exc))}", USAGE if exc.code in _USAGE_CODES else FAILED
    wrong_usage = isinstance(exc, ConfigError | InvalidRequest)
    return f"error: {exc}", USAGE if wrong_usage else FAILED


def _once(text: str) -> str:
    """A problem document's detail, then its errors but for the one the detail is about."""
    detail, *errors = text.split("\n")
    return "\n".join([detail, *(error for error in errors if not error.endswith(detail))])
