"""Nothing that comes from outside breaks its reader, or holds it up."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.address import NameAddr, resolve_recipient
from gateway.call import CallEventKind
from gateway.chat.command import parse_line
from gateway.errors import AddressError, InvalidRequest
from gateway.hooks.alertmanager import read_alertmanager
from gateway.hooks.generic import read_generic
from gateway.hooks.notification import flat_text
from gateway.message import MessageId
from gateway.microsip import call_records
from gateway.microsip.hand_over import HandOver, read_hand_over, write_hand_over
from gateway.microsip.ini_file import IniFile
from gateway.numbers import read_number
from gateway.phone import Verb, parse_command
from gateway.query import parse_query
from gateway.sip.answer import retry_after
from gateway.sip.journal.layout import Header, read_header
from gateway.sip.journal.record import (
    Completion,
    JournalRow,
    completion_record,
    next_record,
    read_record,
    row_record,
)
from gateway.sip.request import inbound_request
from gateway.sip.trace import parse_entry
from gateway.sip.wire import Journalled, Send, Stop, decode, encode
from tests.fuzz.mutation import mutants
from tests.sip.torture import ALL

pytestmark = pytest.mark.timeout(90)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32
SEED = 7
MUTANTS = 300
"""For each seed, times --examples."""


def request(raw: bytes) -> None:
    row = JournalRow(
        id=MessageId(UUID(int=7)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        raw=raw,
    )
    read = inbound_request(row)
    for text in (read.from_uri, read.to_uri, read.text, read.call_id, read.content_type):
        assert "\0" not in text
        text.encode()


def journal(raw: bytes) -> None:
    read_header(raw)
    at: int | None = 0
    while at is not None:
        while (record := read_record(raw, at, SEED)) is not None:
            assert record[1] > at
            at = record[1]
        behind = next_record(raw[at:], SEED)
        at = None if behind is None else at + behind


def trace(raw: bytes) -> None:
    parse_entry(raw.decode("utf-8", "surrogateescape"))


def response(raw: bytes) -> None:
    retry_after(raw.decode("utf-8", "replace"))


def frame(raw: bytes) -> None:
    with suppress(ValueError):
        decode(raw)


def ini(raw: bytes) -> None:
    file = IniFile.parse(raw)
    assert file.data == raw
    file.get("Calls", "0")
    for _, value in file.section("Calls"):
        call_records.decode(value)
    file.without("Settings", "cmdIncomingCall")


def hand_over(raw: bytes) -> None:
    read_hand_over(raw, KEY, NOON)


def hook(raw: bytes) -> None:
    with suppress(ValueError, InvalidRequest):
        document = json.loads(raw)
        if isinstance(document, dict):
            flat_text(document)
            read_alertmanager(document)
            read_generic(document)


def chat_line(raw: bytes) -> None:
    line = parse_line(raw.decode("utf-8", "replace"), "/")
    if line is None:
        return
    line.beyond(2)
    for verb in Verb:
        with suppress(InvalidRequest):
            parse_command(verb, line.words)


def history(raw: bytes) -> None:
    with suppress(InvalidRequest):
        parse_query(raw.decode("utf-8", "replace"), me=None, now=NOON)


def address(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    for read in (NameAddr.parse, lambda text: resolve_recipient(text, "office.example")):
        with suppress(AddressError):
            read(text)
    with suppress(InvalidRequest):
        read_number(text)


EVENT = HandOver(kind=CallEventKind.RING, user="101", at=NOON, nonce="0123456789abcdef")
SEND = Send(
    id=1, account="bot", to_uri="sip:1@o", target="", content_type="text/plain", body="x"
)
ALERT = {
    "status": "firing",
    "groupKey": "g",
    "alerts": [{"status": "firing", "labels": {"a": "b"}, "annotations": {"summary": "s"}}],
}
REQUESTS = [case.raw for case in ALL]
ROW = JournalRow(
    id=MessageId(UUID(int=7)),
    received_at=NOON,
    transport="UDP",
    source="[2001:db8::5]:5060",
    raw=b"MESSAGE",
)
JOURNAL = b"".join(
    (
        row_record(ROW, SEED) * 2,
        completion_record(Completion(ROW.id, b"MESSAGE sip"), SEED),
        bytes(99),
    )
)
TRACES = [
    b"RX %d bytes Request msg MESSAGE/cseq=1 (rdata0x1) from UDP 10.0.0.5:5060:\n" % len(raw)
    + raw
    + b"\n--end msg--"
    for raw in REQUESTS
]
TRACES += [
    b"TX 9 bytes Response msg 200/MESSAGE/cseq=1 (tdta0x1):\nSIP/2.0 200 OK\r\nCall-ID: c"
]
READERS: dict[str, tuple[Callable[[bytes], None], list[bytes]]] = {
    "request": (request, REQUESTS),
    "journal": (journal, [JOURNAL, Header().encode()]),
    "trace": (trace, TRACES),
    "response": (response, [b"SIP/2.0 480 Away\r\nRetry-After: 5 (soon);duration=9\r\n\r\n"]),
    "frame": (frame, [encode(SEND), encode(Stop(2.5)), encode(Journalled())]),
    "ini": (
        ini,
        [
            b"[Settings]\r\ncmdIncomingCall=x\r\n[Calls]\r\n0=101;Anna;1;1767000000;5;Ended\r\n",
            "[Calls]\r\n0=101;Anna;0;1767000000;0;\r\n".encode("utf-16"),
        ],
    ),
    "hand-over": (hand_over, [write_hand_over(EVENT, KEY)]),
    "hook": (hook, [json.dumps(ALERT).encode(), b'{"text": "hi", "to": ["101"], "id": 5}']),
    "chat line": (
        chat_line,
        [b"/dial 1002", b'send 101 "two words" x', b"volume 40", b"dtmf 1,2"],
    ),
    "history": (
        history,
        [b'"a phrase" word -word from:1001 before:2026-11-01 on:mon is:failed'],
    ),
    "address": (
        address,
        [b'"Anna" <sip:101@office.example;user=phone>;tag=1', b"+49 30 123", b"101"],
    ),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("seed", [1, 2])
def test_no_mutant_breaks_its_reader(reader: str, seed: int, examples: int) -> None:
    read, good = READERS[reader]

    for mutant in mutants(seed, MUTANTS * examples, good):
        try:
            read(mutant)
        except Exception as exc:
            raise AssertionError(f"{reader}, seed {seed}: {mutant!r}") from exc


LONG_UNITS = (
    *(" ", "\t", "\r\n ", "\n\t", '"', "\\", '"\\', ";", ";a=", '; a="', "<", "a=\r\n", ","),
    *("<>,", "-", ":", "a:", '"a" ', "[a]\n", "--b\r\n", "%41", "\x1a", "1.", "({[", "\r"),
)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("unit", LONG_UNITS)
def test_the_longest_input_takes_no_square_of_its_length(
    reader: str, unit: str, examples: int
) -> None:
    """Else the time-out ends it."""
    read, good = READERS[reader]
    long = unit.encode() * (20_000 * examples // len(unit))

    for beginning in {b"", good[0], good[0][: len(good[0]) // 2]}:
        read(beginning + long + b"x")
