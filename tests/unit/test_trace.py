from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from gateway.message import MessageId
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.record import JournalRow
from gateway.sip.trace import (
    Acknowledged,
    Received,
    Trace,
    parse_entry,
    wire_bytes,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RAW = b"MESSAGE sip:bot@h SIP/2.0\r\nCall-ID: c1\r\n\r\nhi"


def received(
    raw: bytes,
    *,
    shown: bytes | None = None,
    end: str = "\n--end msg--",
    method: str = "MESSAGE",
) -> str:
    """The RX entry of *raw*, of which the log shows only *shown*."""
    text = (raw if shown is None else shown).decode("utf-8", "surrogateescape")
    return (
        f"RX {len(raw)} bytes Request msg {method}/cseq=1 (rdata0x1)"
        f" from UDP 10.0.0.5:5060:\n{text}{end}"
    )


def answered(
    call_id: str = "c1", code: str = "200/MESSAGE", *, tag: str = "a", to: str = "10.0.0.5:5060"
) -> str:
    return (
        f"TX 99 bytes Response msg {code}/cseq=1 (tdta0x1) to UDP {to}:\n"
        f"SIP/2.0 200 OK\r\nTo: <sip:bot@h>;tag={tag}\r\nCall-ID: {call_id}\r\n\r\n"
        "\n--end msg--"
    )


class Rows:
    """A journal in memory, which can be full."""

    def __init__(self) -> None:
        self.raws: dict[MessageId, bytes] = {}
        self.partial: set[MessageId] = set()
        self.full = False

    def append(self, row: JournalRow) -> None:
        if self.full:
            raise OSError("disk full")
        self.raws[row.id] = row.raw
        if row.partial:
            self.partial.add(row.id)

    def complete(self, row_id: MessageId, raw: bytes) -> None:
        self.raws[row_id] = raw
        self.partial.remove(row_id)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def trace(rows: Rows) -> Trace:
    return Trace(journal=rows, clock=lambda: NOON)


def test_a_request_is_read_with_its_source() -> None:
    assert parse_entry(received(RAW)) == Received(
        method="MESSAGE", transport="UDP", source="10.0.0.5:5060", raw=RAW, whole=True
    )


@pytest.mark.parametrize(
    ("raw", "shown", "end"),
    [
        pytest.param(b"a" * 50, b"a" * 40, "", id="buffer-end"),
        pytest.param(b"ab\0cd", b"ab", "\n--end msg--", id="nul"),
        pytest.param(b"ab" + b"\0" * 10, b"ab", "\n--end msg--", id="nul-near-the-end"),
    ],
)
def test_a_cut_trace_is_known_as_such(raw: bytes, shown: bytes, end: str) -> None:
    entry = parse_entry(received(raw, shown=shown, end=end))

    assert isinstance(entry, Received)
    assert (entry.raw, entry.whole) == (shown, False)


@pytest.mark.parametrize(
    "entry",
    [
        "RX 9 bytes Response msg 200/MESSAGE/cseq=1 (rdata0x1) from UDP 10.0.0.5:5060:\nSIP",
        answered(code="481/MESSAGE"),
        answered(code="200/REGISTER"),
        "TX 9 bytes Request msg MESSAGE/cseq=1 (tdta0x1) to UDP 10.0.0.5:5060:\nMESSAGE",
        "sip_endpoint.c  Processing incoming message",
        "",
    ],
)
def test_other_entries_are_no_concern(entry: str) -> None:
    assert parse_entry(entry) is None


def test_an_answer_names_its_call() -> None:
    answer = parse_entry(answered("c1"))

    assert isinstance(answer, Acknowledged)
    assert answer.call_id == "c1"


@given(st.binary())
def test_every_whole_packet_comes_back_byte_for_byte(raw: bytes) -> None:
    raw = raw.replace(b"\0", b"")

    entry = parse_entry(received(raw))

    assert isinstance(entry, Received)
    assert (entry.raw, entry.whole) == (raw, True)


def test_a_request_is_journalled_at_its_answer(trace: Trace, rows: Rows) -> None:
    trace.note(received(RAW))
    before = dict(rows.raws)
    trace.note(answered())

    assert before == {}
    assert list(rows.raws.values()) == [RAW]
    assert trace.appended == 1


def test_a_refused_request_is_not_journalled(trace: Trace, rows: Rows) -> None:
    trace.note(received(RAW))
    trace.note(answered(code="481/MESSAGE"))
    trace.note(received(RAW.replace(b"c1", b"c2")))
    trace.note(answered("c2"))

    assert list(rows.raws.values()) == [RAW.replace(b"c1", b"c2")]


def test_a_retransmission_is_journalled_once(trace: Trace, rows: Rows) -> None:
    for _ in range(3):
        trace.note(received(RAW))
        trace.note(answered())

    assert len(rows.raws) == 1


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([answered()], id="no-request"),
        pytest.param([received(RAW), answered("other")], id="another-call"),
        pytest.param([received(RAW), answered(), answered(tag="b")], id="answered-already"),
        pytest.param([received(RAW, method="OPTIONS"), answered("c2")], id="not-the-options"),
    ],
)
def test_an_answer_to_no_known_request_must_not_leave(trace: Trace, entries: list[str]) -> None:
    *before, last = entries
    for entry in before:
        trace.note(entry)

    with pytest.raises(JournalError):
        trace.note(last)


@pytest.mark.parametrize("method", ["OPTIONS", "NOTIFY", "M*"])
def test_another_method_with_the_cseq_of_a_message_is_no_concern(
    trace: Trace, rows: Rows, method: str
) -> None:
    trace.note(received(RAW, method=method))
    trace.note(answered())

    assert rows.raws == {}
    assert trace.appended == 0


@pytest.mark.parametrize("method", ["MESSAGE", "OPTIONS"])
def test_an_answer_sent_again_on_a_new_connection_may_leave(
    trace: Trace, rows: Rows, method: str
) -> None:
    """PJSIP does so at once when the client has reset its connection."""
    trace.note(received(RAW, method=method))
    trace.note(answered())
    trace.note(received(RAW.replace(b"c1", b"c2")))
    trace.note(answered("c2"))

    trace.note(answered("c1", to="10.0.0.5:9"))
    trace.note(answered("c2", to="10.0.0.5:9"))

    assert len(rows.raws) == (2 if method == "MESSAGE" else 1)


def test_an_answer_sent_again_does_not_take_the_place_of_the_next(
    trace: Trace, rows: Rows
) -> None:
    trace.note(received(RAW))
    trace.note(answered())
    trace.note(received(RAW.replace(b"c1", b"c2")))
    trace.note(answered("c1", to="10.0.0.5:9"))
    trace.note(answered("c2"))

    assert list(rows.raws.values()) == [RAW, RAW.replace(b"c1", b"c2")]


def test_a_failed_append_is_raised_and_tried_again_at_the_retransmission(
    trace: Trace, rows: Rows
) -> None:
    rows.full = True
    trace.note(received(RAW))
    with pytest.raises(OSError, match="disk full"):
        trace.note(answered())
    rows.full = False
    trace.note(received(RAW))
    trace.note(answered())

    assert list(rows.raws.values()) == [RAW]


LONG = RAW + b"x" * 4000
NUL = RAW + b"\0tail"


@pytest.mark.parametrize(
    ("raw", "shown"), [(LONG, LONG[:3890]), (NUL, RAW)], ids=["long", "nul"]
)
def test_a_cut_row_is_completed_by_the_callback(
    trace: Trace, rows: Rows, raw: bytes, shown: bytes
) -> None:
    trace.note(received(raw, shown=shown, end="" if raw == LONG else "\n--end msg--"))
    trace.note(answered())
    partial = set(rows.partial)
    trace.complete("MESSAGE sip:another@h SIP/2.0\r\n\r\n")
    trace.complete(raw.decode())

    assert len(partial) == 1
    assert rows.partial == set()
    assert list(rows.raws.values()) == [raw]
    assert trace.appended == 1


def test_a_whole_message_is_wanted_while_there_is_a_cut_one(trace: Trace) -> None:
    wanted = [trace.wants_whole()]
    trace.note(received(LONG, shown=LONG[:3890], end=""))
    trace.note(answered())
    wanted.append(trace.wants_whole())
    trace.complete(LONG.decode())
    wanted.append(trace.wants_whole())

    assert wanted == [False, True, False]


def test_rows_that_are_never_completed_are_forgotten(trace: Trace, rows: Rows) -> None:
    raws = [
        RAW.replace(b"hi", str(number).encode() + b".") + b"x" * 100 for number in range(70)
    ]
    for raw in raws:
        trace.note(received(raw, shown=raw[:60], end=""))
        trace.note(answered())

    for raw in raws:
        trace.complete(raw.decode())

    assert len(rows.partial) == 6


@pytest.mark.parametrize("data", [b"\xff\xfe", "\N{EURO SIGN}".encode(), b"\xed\xa0\x80"])
def test_bytes_survive_the_way_through_pjsua2(data: bytes) -> None:
    as_pjsua2_gives_it = data.decode("utf-8", "surrogateescape")

    assert wire_bytes(as_pjsua2_gives_it) == data
