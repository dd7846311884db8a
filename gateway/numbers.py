"""What may be dialled, however it is written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from urllib.parse import unquote

from gateway.address import DEFAULT_PORT, SipUri
from gateway.errors import AddressError, InvalidRequest

INTERNATIONAL_PREFIX = "00"
"""What most of the world dials for the + of a number."""

_EXPECTED = "a number of 1 to 32 of 0-9 * # +, or a SIP URI"
_NUMBER = re.compile(r"[0-9*#+]{1,32}", re.ASCII)
# RFC 3966, section 5.1.1, with the space that people type.
_WITHOUT_SEPARATORS = str.maketrans("", "", " -.()")
# +49 (0)30 is dialled +4930: with the 0 it would be another number.
_TRUNK_ZERO = re.compile(r"\d\s*\(\s*0\s*\)")
_TEL = "tel:"
_SIP = ("sip:", "sips:")
# No brackets, no escape that stays one: %22 or %20 could come back to life behind the guard.
_URI = re.compile(r"[A-Za-z0-9:@.;=\-_+*#~!()%]{1,128}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9.\-_+*#~!=]{1,64}", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
# RFC 3261, section 19.1.1: the others could change whom the URI reaches.
_PARAMETERS = frozenset({"transport", "user", "maddr"})
_NOT_HEARD = str.maketrans("", "", " -.()~!_=")
_CODES = (re.compile(r"[*#]"), re.compile(r"^[*#]{1,2}\d\d", re.ASCII))
_SEPARATOR_IN_PATTERN = re.compile(r"(\[[^\]]+\])|[ \-.()]")


def read_number(written: str) -> str:
    """The number as it is dialled: ``+4930123``, or a SIP URI.

    Takes it as people and links write it: ``+49 30-123``, ``tel:+49-30-123``,
    ``sip:%2B4930123@office.example``. Raises InvalidRequest; its detail is what is expected.
    """
    if written.lower().startswith(_SIP):
        return str(_read_uri(written))
    if written.lower().startswith(_TEL):
        return _subscriber(written[len(_TEL) :])
    return _digits(written)


def spellings(number: str, prefix: str) -> frozenset[str]:
    """*number* in each way to write it that reaches the same phone for certain.

    *prefix* is the international one, dialled for a +.
    """
    if uri := _uri(number):
        # With maddr it reaches another host than the one it shows.
        return frozenset({number if uri.parameter("maddr") else _aor(uri)})
    if number.startswith("+"):
        return frozenset({number, prefix + number[1:]})
    if number.startswith(prefix):
        return frozenset({number, "+" + number.removeprefix(prefix)})
    return frozenset({number})


def readings(number: str, prefix: str) -> frozenset[str]:
    """All that a phone or a server on the way could take *number* for, in lower case."""
    uri = _uri(number)
    if uri is None:
        names = _heard(number)
    else:
        users = _heard(uri.user)
        names = users | {f"sip:{user}@{uri.host}" for user in users}
        names |= {_aor(replace(uri, user=user)) for user in users} | {number}
    return frozenset(same.lower() for name in names for same in spellings(name, prefix))


def fits(names: Iterable[str], pattern: str) -> bool:
    """Whether the glob *pattern*, written as freely as a number, matches one of *names*."""
    written = {pattern, _plain_pattern(pattern)}
    return any(fnmatchcase(name, glob) for name in names for glob in written)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRules:
    """The guard against toll fraud: which numbers may be dialled or transferred to.

    What is allowed must be the very number; denied is all that it may be taken for.
    """

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ("00*", "+*", "0900*")
    domains: frozenset[str] = frozenset()
    """The accounts' own domains: only these in a SIP URI, unless a pattern names the URI."""
    international_prefix: str = INTERNATIONAL_PREFIX

    def refusal(self, number: str) -> str:
        """Why *number*, as ``read_number`` gives it, may not be dialled; empty: it may."""
        prefix = self.international_prefix
        typed = {number}
        if uri := _uri(number):
            if host := self._foreign_host(uri):
                return f"{host} is not an own domain; allow it in [phone] allow_numbers"
            typed |= {uri.user}
        # What was typed first: it explains the refusal best.
        for heard in ({name.lower() for name in typed}, readings(number, prefix)):
            for pattern in self.deny:
                if fits(heard, pattern.lower()):
                    return f"{pattern} is denied by [phone] deny_numbers"
        names = {same for name in typed for same in spellings(name, prefix)}
        if not any(fits(names, pattern) for pattern in self.allow):
            return "not in [phone] allow_numbers"
        return ""

    def _foreign_host(self, uri: SipUri) -> str:
        """The host the call would go to, when it is neither an own domain nor listed."""
        listed = [p for p in self.allow if p.lower().startswith(_SIP)]
        # RFC 3261, section 19.1.1; parsers differ in which of two they follow.
        maddrs = (value.lower() for name, value in uri.parameters if name == "maddr")
        for host in (uri.host, *maddrs):
            there = _aor(replace(uri, host=host))
            if host not in self.domains and not any(fits({there}, p) for p in listed):
                return host
        return ""


def _read_uri(written: str) -> SipUri:
    uri = _uri(written) if _URI.fullmatch(written) else None
    if uri is None or not uri.user or not _VALUE.fullmatch(uri.host):
        raise InvalidRequest(_EXPECTED)
    for name, value in uri.parameters:
        if name not in _PARAMETERS or not _VALUE.fullmatch(value):
            raise InvalidRequest(f"a SIP URI without ;{name}")
    # A telephone-subscriber (RFC 3261, section 19.1.6): what RFC 3966 says holds for it.
    phone = uri.parameter("user") == "phone" or ";" in uri.user
    user = _subscriber(uri.user) if phone else unquote(uri.user)
    if not _USER.fullmatch(user):
        raise InvalidRequest(_EXPECTED)
    kept = tuple(item for item in uri.parameters if item[0] != "user")
    return replace(uri, user=user, parameters=kept)


def _subscriber(written: str) -> str:
    number, separator, parameters = written.partition(";")
    if separator:
        name = parameters.partition("=")[0]
        raise InvalidRequest(
            f"a whole number, such as +4930123, without ;{name[:32]} behind it"
            if name.isprintable()
            else _EXPECTED
        )
    return _digits(unquote(number))


def _digits(written: str) -> str:
    if _TRUNK_ZERO.search(written):
        raise InvalidRequest("a number without (0) in it")
    number = written.translate(_WITHOUT_SEPARATORS)
    if not _NUMBER.fullmatch(number):
        raise InvalidRequest(_EXPECTED)
    return number


def _uri(text: str) -> SipUri | None:
    try:
        return SipUri.parse(text)
    except AddressError:
        return None


def _aor(uri: SipUri) -> str:
    port = "" if uri.port in {None, DEFAULT_PORT} else f":{uri.port}"
    return f"sip:{uri.user}@{uri.host}{port}"


def _heard(name: str) -> frozenset[str]:
    """What is left when separators are dropped, and a + where there can be none.

    Behind a * or # may stand whom the code is for: ``*21*0044...`` forwards calls there,
    and ``*670044...`` dials with one's own number withheld.
    """
    plain = name.translate(_NOT_HEARD)
    tails = {plain[match.end() :] for code in _CODES for match in code.finditer(plain)}
    single = {tail[:1] + tail[1:].replace("+", "") for tail in {plain, *tails} if tail}
    return frozenset({name, *single, *(tail.lstrip("+") for tail in single if "+0" in tail)})


def _plain_pattern(pattern: str) -> str:
    if pattern.lower().startswith(_SIP):
        user, at, host = pattern.partition(":")[2].rpartition("@")
        return f"sip:{user}{at}{host.lower()}"
    if pattern.lower().startswith(_TEL):
        pattern = pattern[len(_TEL) :]
    if "@" in pattern:
        return pattern
    return _SEPARATOR_IN_PATTERN.sub(lambda match: match[1] or "", pattern)
