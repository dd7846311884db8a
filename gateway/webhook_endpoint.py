"""What may be configured of an endpoint of outbound webhooks."""

import base64
import difflib
import hashlib
from urllib.parse import urlsplit

from pydantic import SecretStr

from gateway.events import EventType, matches

_PREFIX = "whsec_"
_EXAMPLE = "an URL is written like https://crm.example/sip-events"
HOW_TO_MAKE_A_SECRET = (
    f"a secret is {_PREFIX} with the base64 of 24 to 64 random bytes, such as this prints: "
    f"python -c \"import base64, os; print('{_PREFIX}'"
    ' + base64.b64encode(os.urandom(32)).decode())"'
)


def endpoint_id(url: str) -> str:
    """``whe_...``, the same as long as the URL is."""
    return f"whe_{hashlib.sha256(url.encode()).hexdigest()[:12]}"


def webhook_url(text: str) -> str:
    """*text*, which must be an HTTP URL; raises ValueError saying what to write."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as exc:
        raise ValueError(_EXAMPLE) from exc
    if not usable or not text.isprintable() or " " in text:
        raise ValueError(_EXAMPLE)
    if parts.username is not None or parts.fragment:
        raise ValueError("no user, password or # in it: the receiver checks the signature")
    return text


def event_pattern(text: str) -> str:
    """*text*, which must match an event; raises ValueError naming the nearest."""
    if any(matches(event_type, text) for event_type in EventType):
        return text
    near = difflib.get_close_matches(text, EventType, n=1, cutoff=0.4)
    hint = (
        f"did you mean {near[0]}?"
        if near
        else f"known are {', '.join(EventType)}, with globs like call.*"
    )
    raise ValueError(f"no event is named {text!r}; {hint}")


def signing_secret(secret: SecretStr) -> SecretStr:
    """*secret*, which must be readable by ``signing_keys``."""
    signing_keys(secret.get_secret_value())
    return secret


def signing_keys(text: str) -> tuple[bytes, ...]:
    """The keys in secrets of Standard Webhooks, separated by blanks or line ends."""
    return tuple(_key(word) for word in text.split())


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(HOW_TO_MAKE_A_SECRET)
    return key
