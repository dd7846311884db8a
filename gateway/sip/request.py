"""A journalled MESSAGE request: raw bytes -> InboundRequest."""

import re
from functools import lru_cache

from gateway.address import NameAddr
from gateway.errors import AddressError
from gateway.message import Flag, InboundRequest
from gateway.sip.body import Content, read_body
from gateway.sip.headers import Headers, parse_headers, split_block, split_list, storable
from gateway.sip.journal.record import JournalRow

MESSAGE_SIP = "message/sip"  # RFC 3261, section 27.5
MAX_PARTY = 512
"""Characters of a header that names a party. Nobody is named in more: reading them costs the
square of the length, and a packet has room for thousands."""
_MAX_CSEQ = 2**31 - 1  # RFC 3261, section 8.1.1.5
_LENGTH = re.compile("[0-9]{1,9}")
_NUMBER = re.compile("[0-9]{1,10}")
_SIP_URI = re.compile(r"(<|\A)\s*sips?:", re.IGNORECASE)


def inbound_request(row: JournalRow) -> InboundRequest:
    """Read headers and body; never raises: what cannot be read is empty, and kept raw."""
    head, rest = split_block(row.raw.lstrip(b"\r\n"))
    start_line, _, block = head.partition(b"\n")
    headers = parse_headers(block)
    body, truncated = _body(headers, rest, partial=row.partial)
    content = read_body(headers.first("content-type"), body)
    from_uri, from_tag = _party(headers.one("from"))
    return InboundRequest(
        id=row.id,
        received_at=row.received_at,
        transport=row.transport,
        source=row.source,
        request_uri=_request_uri(start_line),
        from_uri=from_uri,
        from_tag=from_tag,
        to_uri=_party(headers.one("to"))[0],
        asserted_identity=_asserted_identity(headers),
        call_id=headers.first("call-id"),
        cseq=_cseq(headers.first("cseq")),
        content_type=content.content_type,
        text=content.text,
        raw_body=content.raw,
        flags=_flags(content, truncated=truncated),
    )


def unread_request(row: JournalRow) -> InboundRequest:
    """A request that could not be read: for nobody, from nobody, with all its bytes."""
    return InboundRequest(
        id=row.id,
        received_at=row.received_at,
        transport=row.transport,
        source=row.source,
        request_uri="",
        from_uri="",
        from_tag="",
        to_uri="",
        call_id=str(row.id),  # by an empty one, all of them would be one message
        cseq=0,
        content_type=MESSAGE_SIP,
        text="",
        raw_body=row.raw,
        flags=frozenset({Flag.UNDECODABLE}),
    )


def _body(headers: Headers, rest: bytes, *, partial: bool) -> tuple[bytes, bool]:
    """What Content-Length says of *rest*; truncated when it says more than there is."""
    length = headers.first("content-length")
    if not _LENGTH.fullmatch(length):
        return rest, partial
    return rest[: int(length)], partial or len(rest) < int(length)


@lru_cache(maxsize=64)  # an account has few
def _request_uri(start_line: bytes) -> str:
    words = storable(start_line).split()
    return words[1] if len(words) > 1 else ""


def _party(value: str) -> tuple[str, str]:
    """URI with tag; a URI that SipUri does not take is given as it stands."""
    if len(value) > MAX_PARTY:
        return value, ""
    try:
        party = NameAddr.parse(value)
    except AddressError:
        return value, ""
    return str(party.uri), party.tag


def _asserted_identity(headers: Headers) -> str:
    """RFC 3325, section 9.1: at most one SIP URI; where there are two, nobody is named."""
    lines = headers.all("p-asserted-identity")
    if not lines or any(len(line) > MAX_PARTY for line in lines):
        return ""
    values = [value for line in lines for value in split_list(line)]
    identities = {_party(value)[0] for value in values if _SIP_URI.search(value)}
    return identities.pop() if len(identities) == 1 else ""


def _cseq(value: str) -> int:
    match = _NUMBER.match(value)
    number = int(match[0]) if match else 0
    return number if number <= _MAX_CSEQ else 0


def _flags(content: Content, *, truncated: bool) -> frozenset[Flag]:
    flags = set()
    if truncated:
        flags.add(Flag.TRUNCATED)
    if content.undecodable:
        flags.add(Flag.UNDECODABLE)
    return frozenset(flags)
