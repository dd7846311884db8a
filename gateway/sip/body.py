"""The body of a MESSAGE: raw bytes -> text, with the bytes that the text does not show."""

import base64
import binascii
import codecs
import quopri
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.message import TEXT_PLAIN
from gateway.sip.headers import Headers, parse_content_type, parse_headers, split_block

CPIM = "message/cpim"
MAX_NESTING = 5

# Python encodings of text that are no charsets of text on the wire.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a body says."""

    content_type: str
    text: str = ""
    raw: bytes | None = None
    """The whole body, when *text* is not all of it."""
    undecodable: bool = False


def read_body(content_type: str, body: bytes) -> Content:
    """Unwrap and decode; never raises. Without a type a body is taken for UTF-8 text."""
    headers = Headers({"content-type": [content_type]}) if content_type else Headers()
    return _read(headers, body, body, MAX_NESTING)


def _read(headers: Headers, body: bytes, whole: bytes, depth: int) -> Content:
    media_type, parameters = parse_content_type(headers.first("content-type") or TEXT_PLAIN)
    if media_type == CPIM and depth and (inner := _unwrap_cpim(body)):
        return _read(*inner, whole, depth - 1)
    if media_type.startswith("multipart/") and depth:
        parts = _parts(parameters.get("boundary", ""), body)
        return _first_text(parts, whole, depth) or Content(media_type, raw=whole)
    if media_type.startswith("text/"):
        encoding = headers.first("content-transfer-encoding")
        return _decode(media_type, parameters.get("charset", ""), _plain(encoding, body), whole)
    return Content(media_type, raw=whole or None)


def _first_text(
    parts: Sequence[tuple[Headers, bytes]], whole: bytes, depth: int
) -> Content | None:
    for headers, part in parts:
        content = _read(headers, part, whole, depth - 1)
        if content.content_type.startswith("text/"):
            return content if len(parts) == 1 else replace(content, raw=whole)
    return None


def _unwrap_cpim(body: bytes) -> tuple[Headers, bytes] | None:
    """RFC 3862, section 2: the message's headers, an empty line, then a MIME entity."""
    _, entity = split_block(body)
    if not entity:
        return None
    mime, content = split_block(entity)
    return parse_headers(mime), content


def _parts(boundary: str, body: bytes) -> Sequence[tuple[Headers, bytes]]:
    """RFC 2046, section 5.1.1; what stands before the first delimiter is no part."""
    if not boundary:
        return []
    delimiter = b"\n--" + boundary.encode("utf-8", "replace")
    parts = []
    for chunk in (b"\n" + body).split(delimiter)[1:]:
        if chunk.startswith(b"--"):
            break
        _, _, entity = chunk.partition(b"\n")
        mime, content = split_block(entity if entity[:1] not in b"\r\n" else b"\n" + entity)
        parts.append((parse_headers(mime), content.removesuffix(b"\r")))
    return parts


def _plain(transfer_encoding: str, body: bytes) -> bytes:
    match transfer_encoding.strip().lower():
        case "base64":
            try:
                return base64.b64decode(body)
            except binascii.Error:
                return body
        case "quoted-printable":
            return quopri.decodestring(body)
        case _:
            return body


def _decode(media_type: str, charset: str, data: bytes, whole: bytes) -> Content:
    try:
        text = data.decode(_codec(charset))
        text.encode("utf-8")  # UTF-7 can hide a lone surrogate
        undecodable = "\0" in text  # PostgreSQL takes none
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
        undecodable = True
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Content(media_type, text, whole if undecodable else None, undecodable)


@lru_cache(maxsize=64)  # few are in use, and looking one up takes longer than decoding
def _codec(charset: str) -> str:
    name = codecs.lookup(charset.strip().lower() or "utf-8").name.replace("_", "-")
    if name in _NO_CHARSETS:
        raise LookupError(name)
    return name
