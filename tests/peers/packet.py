"""SIP packets as the plain-socket user agent reads and writes them."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

_DIGEST_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Packet:
    """One request or response, its headers in order and its body untouched."""

    start_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        head, _, body = data.partition(b"\r\n\r\n")
        start_line, *lines = head.decode(errors="replace").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return cls(start_line, tuple((k.strip(), v.strip()) for k, _, v in fields), body)

    def __bytes__(self) -> bytes:
        length = (("Content-Length", str(len(self.body))),)
        lines = [self.start_line, *(f"{k}: {v}" for k, v in self.headers + length)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body

    @property
    def is_response(self) -> bool:
        return self.start_line.startswith("SIP/2.0 ")

    @property
    def status_code(self) -> int:
        return int(self.start_line.split()[1])

    @property
    def method(self) -> str:
        return self.start_line.split()[0]

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(v for k, v in self.headers if k.lower() == name.lower())

    def header(self, name: str) -> str:
        """The first of that *name*, empty when absent."""
        return next(iter(self.all(name)), "")

    def response(self, status_code: int, reason: str) -> "Packet":
        """What a user agent server answers this request with (RFC 3261, section 8.2.6)."""
        copied = ("Via", "From", "To", "Call-ID", "CSeq")
        headers = tuple((k, v) for name in copied for k, v in self._named(name))
        return Packet(f"SIP/2.0 {status_code} {reason}", headers)

    def _named(self, name: str) -> tuple[tuple[str, str], ...]:
        values = self.all(name)
        if name == "To" and values and ";tag=" not in values[0]:
            values = (f"{values[0]};tag=peer",)
        return tuple((name, value) for value in values)


def credentials(challenge: str, *, username: str, password: str, method: str, uri: str) -> str:
    """The answer to a Digest *challenge* without qop (RFC 2617, section 3.2.2)."""
    given = {
        k.lower(): quoted or bare for k, quoted, bare in _DIGEST_PARAMETER.findall(challenge)
    }
    assert "qop" not in given, "the registrar of these tests asks for none"
    secret = _md5(f"{username}:{given['realm']}:{password}")
    response = _md5(f"{secret}:{given['nonce']}:{_md5(f'{method}:{uri}')}")
    return (
        f'Digest username="{username}", realm="{given["realm"]}", nonce="{given["nonce"]}", '
        f'uri="{uri}", response="{response}", algorithm=MD5'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
