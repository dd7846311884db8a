"""What a chat sender is told of a message that will not arrive."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.address import Aor, SipUri
from gateway.config import DatabaseSettings
from gateway.identity import AccountIdentity
from gateway.message import (
    Direction,
    Expired,
    Failed,
    FinalResponse,
    Message,
    MessageId,
    Status,
    uuid7,
)
from gateway.outbox import MAX_PART_BYTES, OutboundRequest, Outbox
from gateway.split import byte_length
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from tests.fakes import NOON, FakeClock

OFFICE = AccountIdentity(
    name="office",
    uri=SipUri.parse("sip:bot@office.example"),
    registered=True,
    next_hop="10.0.0.5:5060",
)
LOCAL = AccountIdentity(name="local", uri=SipUri.parse("sip:bot@localhost"), registered=False)
ANNA = Aor("sip:anna@localhost")
REQUEST = OutboundRequest(to="102", text="hello", origin="chat:sip:101@office.example")
TO_BERT = replace(REQUEST, to="bert", from_account=LOCAL.name, origin=f"chat:{ANNA}")
HEARD = Message(
    id=MessageId(uuid7(NOON)),
    direction=Direction.INBOUND,
    account=LOCAL.name,
    peer=ANNA,
    from_uri=ANNA,
    to_uri="sip:bot@localhost",
    text="send bert hello",
    created_at=NOON,
    status=Status.RECEIVED,
    proven=True,
    source="udp:127.0.0.1:5566",
)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    """One that only composes: its store is never opened."""
    database = Database(settings=DatabaseSettings(), data_dir=tmp_path)
    return Outbox(
        queue=SqlMessageStore(database=database),
        accounts=lambda: (OFFICE, LOCAL),
        clock=FakeClock(),
        message_ttl=timedelta(hours=72),
    )


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        pytest.param(
            Failed(FinalResponse(404, "Not Found")),
            "ERR send 102 (failed: 404 Not Found)",
            id="failed",
        ),
        pytest.param(
            Expired(FinalResponse(480, "Away")),
            "ERR send 102 (expired: 480 Away)",
            id="expired",
        ),
        pytest.param(Expired(None), "ERR send 102 (expired)", id="never-tried"),
        pytest.param(
            Failed(FinalResponse(404, "Nicht verf\udcfcgbar")),
            "ERR send 102 (failed: 404 Nicht verf\ufffdgbar)",
            id="reason-that-is-not-utf8",
        ),
    ],
)
def test_a_chat_sender_is_told_why(
    outbox: Outbox, outcome: Failed | Expired, text: str
) -> None:
    message = outbox.compose(REQUEST).message

    notice = outbox.notice(message, outcome, None)

    assert notice is not None
    assert notice.message.peer == "sip:101@office.example"
    assert notice.message.text == f"{text}\nhello"
    assert not notice.message.origin.startswith("chat:")


@pytest.mark.parametrize("origin", ["reply", "token:crm", "hook:alerts", "sip"])
def test_nobody_else_is_told(outbox: Outbox, origin: str) -> None:
    message = outbox.compose(replace(REQUEST, origin=origin)).message

    assert outbox.notice(message, Expired(None), None) is None


def test_no_notice_comes_from_an_account_that_is_gone(outbox: Outbox) -> None:
    message = outbox.compose(REQUEST).message

    assert outbox.notice(replace(message, account="gone"), Expired(None), None) is None


@pytest.mark.parametrize(
    ("proven", "destination"),
    [
        pytest.param(True, "127.0.0.1:5566", id="where-it-wrote-from"),
        pytest.param(False, "localhost:5060", id="where-its-aor-says"),
    ],
)
def test_without_a_registrar_a_notice_goes_the_way_of_a_reply(
    outbox: Outbox, *, proven: bool, destination: str
) -> None:
    message = outbox.compose(TO_BERT).message

    notice = outbox.notice(message, Expired(None), replace(HEARD, proven=proven))

    assert notice is not None
    assert (notice.message.peer, notice.deliveries[0].destination) == (ANNA, destination)


def test_a_notice_with_a_long_reason_leaves_in_parts(outbox: Outbox) -> None:
    message = outbox.compose(TO_BERT).message

    notice = outbox.notice(message, Failed(FinalResponse(403, "No " * 400)), HEARD)

    assert notice is not None
    assert len(notice.deliveries) == 2
    assert all(byte_length(item.body) <= MAX_PART_BYTES for item in notice.deliveries)
