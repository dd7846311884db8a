"""SIP URIs, name-addrs and addresses-of-record (RFC 3261, sections 19.1 and 20.10)."""

import re
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NewType, Self
from urllib.parse import unquote

from gateway.errors import AddressError

Aor = NewType("Aor", str)
"""Address-of-record in canonical form (RFC 3261, section 10.3): ``sip:user@host``."""

MAX_URI_LENGTH = 256  # PJSIP's PJSIP_MAX_URL_SIZE, compiled into the wheel
DEFAULT_PORT = 5060
_REMEMBERED = 4096
"""URIs that are not read again: the same peers write, and are written to, many times."""

_URI = re.compile(
    r"""(?P<scheme>sips?):
        (?:(?P<user>[^@:;?<>"\s]+(?:;[^@:?<>"\s]*)?)(?::[^@<>"\s]*)?@)?
        (?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?\.?)
        (?::(?P<port>\d{1,5}))?
        (?P<parameters>(?:;[^;?<>"\s]*)*)
        (?:\?[^<>"\s]*)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_NAME_ADDR = re.compile(
    r"""(?:\s*+"(?:[^"\\]|\\.)*+"\s*+|[^<"]*+)<(?P<uri>[^>]*+)>(?P<rest>.*)""",
    re.VERBOSE | re.DOTALL,
)
_MEANS_SOMETHING = re.compile(r"""[\s"<>@:;?%]""")
_SCHEME = re.compile(r"sips?:", re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=\s*([^;\s>]+)", re.IGNORECASE)


@dataclass(frozen=True)  # without slots, as it keeps its AOR and its text
class SipUri:
    """A SIP or SIPS URI without password and headers."""

    scheme: str
    user: str
    host: str
    port: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def parse(text: str) -> "SipUri":
        """Read one URI; raises AddressError for anything else, control characters included."""
        return _parsed(text)

    @cached_property
    def aor(self) -> Aor:
        """The address-of-record: no parameters, escapes undone, ``sip:`` for both schemes.

        It is a URI again, of the same AOR: what must stay escaped for that does.
        """
        escaped = self.user.partition(";")[0]
        user = unquote(escaped)
        if not user.isprintable() or _MEANS_SOMETHING.search(user):
            user = escaped
        host = self.host if self.port in (None, DEFAULT_PORT) else f"{self.host}:{self.port}"
        return Aor(f"sip:{user}@{host}" if user else f"sip:{host}")

    @property
    def over_tls(self) -> bool:
        """Whether it can be reached by TLS alone (RFC 3261, section 26.2.2)."""
        return self.scheme == "sips" or (self.parameter("transport") or "").lower() == "tls"

    @property
    def bare(self) -> "SipUri":
        """Without its parameters."""
        return replace(self, parameters=()) if self.parameters else self

    def parameter(self, name: str) -> str | None:
        """The value of URI parameter *name* (empty when it has none), None when absent."""
        return next((value for key, value in self.parameters if key == name.lower()), None)

    def with_parameter(self, name: str, value: str) -> "SipUri":
        others = tuple(item for item in self.parameters if item[0] != name)
        return replace(self, parameters=(*others, (name, value)))

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        parameters = "".join(f";{k}={v}" if v else f";{k}" for k, v in self.parameters)
        return f"{self.scheme}:{user}{self.host}{port}{parameters}"


@lru_cache(maxsize=_REMEMBERED)
def _parsed(text: str) -> SipUri:
    if len(text) > MAX_URI_LENGTH:
        raise AddressError(text, f"longer than {MAX_URI_LENGTH} characters")
    if not text.isprintable() or (match := _URI.fullmatch(text)) is None:
        raise AddressError(text)
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise AddressError(text, "port out of range")
    parameters = tuple(
        (name.lower(), value)
        for name, _, value in (
            item.partition("=") for item in match["parameters"].split(";") if item
        )
    )
    host = match["host"].lower().rstrip(".")
    return SipUri(match["scheme"].lower(), match["user"] or "", host, port, parameters)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of a From, To or P-Asserted-Identity header."""

    uri: SipUri
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name-addr or a bare addr-spec, whose parameters are then the header's."""
        if match := _NAME_ADDR.fullmatch(text):
            return cls(SipUri.parse(match["uri"].strip()), _tag(match["rest"]))
        addr_spec, _, rest = text.strip().partition(";")
        return cls(SipUri.parse(addr_spec.strip()), _tag(";" + rest))


def _tag(parameters: str) -> str:
    match = _TAG.search(parameters)
    return match[1] if match else ""


def resolve_recipient(text: str, domain: str) -> SipUri:
    """A SIP URI as written, or a user part in *domain*; raises AddressError."""
    if _SCHEME.match(text):
        uri = SipUri.parse(text)
        if not uri.user:
            raise AddressError(text, "it names no user")
        return uri
    if ":" in text.partition("@")[0]:  # of user:password, the password would be dropped
        raise AddressError(text, "its scheme is not sip or sips")
    if "@" in text:
        return SipUri.parse(f"sip:{text}")
    return SipUri.parse(f"sip:{text}@{domain}")
