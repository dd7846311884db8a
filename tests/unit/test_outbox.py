"""Composing outbound messages."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.address import Aor, SipUri
from gateway.config import DatabaseSettings
from gateway.errors import InvalidRequest
from gateway.identity import AccountIdentity
from gateway.message import (
    Direction,
    Message,
    MessageId,
    Status,
    uuid7,
)
from gateway.outbox import MAX_PART_BYTES, MAX_TEXT, OutboundRequest, Outbox
from gateway.split import byte_length
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from tests.fakes import NOON, FakeClock

OFFICE = AccountIdentity(
    name="office",
    uri=SipUri.parse("sip:bot@office.example:5060"),
    registered=True,
    next_hop="10.0.0.5:5060",
    proxied=True,
)
BRANCH = AccountIdentity(
    name="branch",
    uri=SipUri.parse("sip:alerts@branch.example"),
    registered=True,
    next_hop="sip.branch.example:5060",
)
LOCAL = AccountIdentity(name="local", uri=SipUri.parse("sip:bot@localhost"), registered=False)
DISPATCHED = replace(OFFICE, name="dispatched", registered=False)
SHARED = AccountIdentity(
    name="shared", uri=SipUri.parse("sip:100@shared.example"), registered=True, mode="record"
)
REQUEST = OutboundRequest(to="101", text="hello", origin="token:crm")
INBOUND = Message(
    id=MessageId(uuid7(NOON)),
    direction=Direction.INBOUND,
    account="office",
    peer=Aor("sip:101@office.example"),
    from_uri="sip:101@office.example;user=phone",
    to_uri="sip:bot@office.example",
    text="ping",
    created_at=NOON,
    status=Status.RECEIVED,
    proven=True,
    source="udp:10.0.0.5:5060",
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def outbox(tmp_path: Path, clock: FakeClock) -> Outbox:
    """One that only composes: its store is never opened."""
    database = Database(settings=DatabaseSettings(), data_dir=tmp_path)
    return Outbox(
        queue=SqlMessageStore(database=database),
        accounts=lambda: (SHARED, OFFICE, BRANCH, LOCAL, DISPATCHED),
        clock=clock,
        message_ttl=timedelta(hours=72),
    )


def test_a_message_is_composed_with_its_delivery(outbox: Outbox) -> None:
    request = replace(REQUEST, client_ref="order-7", tags=("sales",))

    submission = outbox.compose(request)

    message, (delivery,) = submission.message, submission.deliveries
    assert (message.direction, message.status) == (Direction.OUTBOUND, Status.QUEUED)
    assert (message.account, message.peer) == ("office", "sip:101@office.example")
    assert (message.from_uri, message.to_uri) == (
        "sip:bot@office.example",
        "sip:101@office.example",
    )
    assert (message.origin, message.client_ref, message.tags) == (
        "token:crm",
        "order-7",
        ("sales",),
    )
    assert (delivery.message_id, delivery.part, delivery.body) == (message.id, 1, "hello")
    assert (delivery.target, delivery.due_at) == ("sip:101@office.example", NOON)
    assert delivery.expires_at == NOON + timedelta(hours=72)


@pytest.mark.parametrize(
    ("to", "account", "peer", "destination"),
    [
        pytest.param(
            "101", "office", "sip:101@office.example", "10.0.0.5:5060", id="user-part"
        ),
        pytest.param(
            "sip:7@branch.example",
            "branch",
            "sip:7@branch.example",
            "sip.branch.example:5060",
            id="account-of-the-domain",
        ),
        pytest.param(
            "7@BRANCH.example",
            "branch",
            "sip:7@branch.example",
            "sip.branch.example:5060",
            id="without-scheme",
        ),
        pytest.param(
            "sip:x@elsewhere.example",
            "office",
            "sip:x@elsewhere.example",
            "10.0.0.5:5060",
            id="proxy-takes-all",
        ),
        pytest.param(
            "sip:x@localhost:5062",
            "local",
            "sip:x@localhost:5062",
            "localhost:5062",
            id="local-account",
        ),
    ],
)
def test_the_account_is_the_recipients_or_the_first_bot(
    outbox: Outbox, to: str, account: str, peer: str, destination: str
) -> None:
    submission = outbox.compose(replace(REQUEST, to=to))

    assert (submission.message.account, submission.message.peer) == (account, peer)
    assert submission.deliveries[0].destination == destination


def test_another_domain_is_not_behind_the_registrar(outbox: Outbox) -> None:
    request = replace(REQUEST, to="sip:x@elsewhere.example:5080", from_account="branch")

    assert outbox.compose(request).deliveries[0].destination == "elsewhere.example:5080"


@pytest.mark.parametrize("wanted", ["branch", "sip:alerts@branch.example"])
def test_the_sending_account_can_be_named(outbox: Outbox, wanted: str) -> None:
    submission = outbox.compose(replace(REQUEST, from_account=wanted))

    assert submission.message.peer == "sip:101@branch.example"


def test_the_request_uri_keeps_its_parameters_which_to_must_not_have(outbox: Outbox) -> None:
    request = replace(REQUEST, to="sip:101@office.example;transport=tcp")

    submission = outbox.compose(request)

    assert submission.deliveries[0].target == "sip:101@office.example;transport=tcp"
    assert submission.deliveries[0].to_uri == "sip:101@office.example"


@pytest.mark.parametrize(
    ("changes", "pointer", "says"),
    [
        pytest.param({"to": ""}, "/to", "type a SIP URI", id="no-recipient"),
        pytest.param({"to": "sip:office.example"}, "/to", "names no user", id="no-user"),
        pytest.param({"to": "tel:+4930"}, "/to", "type a SIP URI", id="tel"),
        pytest.param({"to": "a b"}, "/to", "type a SIP URI", id="space"),
        pytest.param({"to": "101>\r\nX: y"}, "/to", "type a SIP URI", id="injection"),
        pytest.param({"to": "1" * 300}, "/to", "longer than 256", id="long"),
        pytest.param({"text": " \n"}, "/text", "empty", id="empty-text"),
        pytest.param({"text": "a\0b"}, "/text", "character 2 of text is U+0000", id="nul"),
        pytest.param({"text": "\udc80"}, "/text", "U+DC80", id="half-a-pair"),
        pytest.param({"text": "\x1b[31m"}, "/text", "U+001B", id="escape"),
        pytest.param({"text": "x" * (MAX_TEXT + 1)}, "/text", "at most 16000", id="too-long"),
        pytest.param({"from_account": "sales"}, "/from", "one of office, branch", id="unknown"),
        pytest.param({"from_account": "shared"}, "/from", "that sends", id="record"),
        pytest.param({"ttl": timedelta()}, "/ttl", "more than 0", id="no-ttl"),
        pytest.param({"ttl": timedelta(days=10**6)}, "/ttl", "a year", id="endless-ttl"),
        pytest.param(
            {"send_at": datetime(2026, 6, 1)},  # noqa: DTZ001  the mistake under test
            "/send_at",
            "zone",
            id="naive-time",
        ),
        pytest.param(
            {"send_at": NOON + timedelta(days=10**5)}, "/send_at", "a year", id="never"
        ),
    ],
)
def test_a_bad_request_says_where_and_what_instead(
    outbox: Outbox, changes: dict[str, object], pointer: str, says: str
) -> None:
    request = replace(REQUEST, **changes)  # type: ignore[arg-type]  # a table of all fields

    with pytest.raises(InvalidRequest, match=re.escape(says)) as caught:
        outbox.compose(request)

    assert caught.value.pointer == pointer


def test_without_a_bot_nothing_is_sent(tmp_path: Path, clock: FakeClock) -> None:
    database = Database(settings=DatabaseSettings(), data_dir=tmp_path)
    outbox = Outbox(
        queue=SqlMessageStore(database=database),
        accounts=lambda: (SHARED,),
        clock=clock,
        message_ttl=timedelta(hours=72),
    )

    with pytest.raises(InvalidRequest, match='mode = "bot"'):
        outbox.compose(REQUEST)


def test_a_long_text_is_one_message_in_parts(outbox: Outbox) -> None:
    text = "äöü " * 300

    submission = outbox.compose(replace(REQUEST, text=text))

    assert submission.message.text == text
    assert [delivery.part for delivery in submission.deliveries] == [1, 2, 3, 4]
    assert submission.deliveries[0].body.startswith("(1/4) ")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=3000))
def test_no_part_is_larger_than_one_message(outbox: Outbox, text: str) -> None:
    submission = outbox.compose(replace(REQUEST, text=f"x{text}"))

    assert all(byte_length(part.body) <= MAX_PART_BYTES for part in submission.deliveries)


def test_line_ends_tabs_and_joined_emoji_are_text(outbox: Outbox) -> None:
    submission = outbox.compose(replace(REQUEST, text="a\r\nb\tc \U0001f469\u200d\U0001f4bb"))

    assert submission.message.text == "a\nb\tc \U0001f469\u200d\U0001f4bb"
    assert submission.deliveries[0].body == submission.message.text


def test_a_later_message_lives_from_then_on(outbox: Outbox) -> None:
    at = NOON + timedelta(hours=5)

    (delivery,) = outbox.compose(
        replace(REQUEST, send_at=at, ttl=timedelta(minutes=1))
    ).deliveries

    assert (delivery.due_at, delivery.expires_at) == (at, at + timedelta(minutes=1))


def test_a_time_that_is_past_means_now(outbox: Outbox) -> None:
    (delivery,) = outbox.compose(replace(REQUEST, send_at=NOON - timedelta(hours=5))).deliveries

    assert delivery.due_at == NOON


def test_a_reply_goes_to_the_peer_by_the_next_hop(outbox: Outbox) -> None:
    (reply,) = outbox.reply(INBOUND, ["OK ping"])

    (delivery,) = reply.deliveries
    assert (reply.message.text, reply.message.origin) == ("OK ping", "reply")
    assert (delivery.target, delivery.to_uri) == ("sip:101@office.example",) * 2
    assert delivery.destination == "10.0.0.5:5060"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param("udp:10.0.0.7:5062", "sip:101@10.0.0.7:5062", id="udp"),
        pytest.param("tcp:10.0.0.7:49152", "sip:101@10.0.0.7:49152;transport=tcp", id="tcp"),
        pytest.param(
            "tls:[2001:db8::7]:49152", "sip:101@[2001:db8::7]:49152;transport=tls", id="tls"
        ),
    ],
)
def test_without_a_registrar_a_reply_goes_back_where_the_request_came_from(
    outbox: Outbox, source: str, target: str
) -> None:
    request = replace(INBOUND, account="local", source=source)

    (reply,) = outbox.reply(request, ["OK ping"])

    (delivery,) = reply.deliveries
    assert delivery.target == target
    assert delivery.to_uri == "sip:101@office.example"
    assert delivery.destination == source.partition(":")[2]
    assert reply.message.peer == INBOUND.peer


def test_a_proxy_without_registration_gets_the_reply_to_the_peer_itself(
    outbox: Outbox,
) -> None:
    """A dispatcher's: it looks the peer up, and relays nothing to its own address."""
    request = replace(INBOUND, account="dispatched", source="udp:10.0.0.5:5060")

    (reply,) = outbox.reply(request, ["OK ping"])

    (delivery,) = reply.deliveries
    assert delivery.target == "sip:101@office.example"
    assert delivery.destination == "10.0.0.5:5060"


def test_a_reply_goes_to_the_asserted_identity(outbox: Outbox) -> None:
    asserted = replace(INBOUND, peer=Aor("sip:102@office.example"))

    (reply,) = outbox.reply(asserted, ["OK"])

    assert reply.deliveries[0].target == "sip:102@office.example"


@pytest.mark.parametrize(
    ("from_uri", "peer"),
    [
        pytest.param("", "sip:anonymous@a?b", id="no-address"),
        pytest.param("sip:a%3Fx@office.example", "sip:a%3Fx@office.example", id="escaped"),
    ],
)
def test_a_reply_never_goes_to_a_host_that_an_escape_hid(
    outbox: Outbox, from_uri: str, peer: str
) -> None:
    replies = outbox.reply(replace(INBOUND, from_uri=from_uri, peer=Aor(peer)), ["OK"])

    assert {r.deliveries[0].target for r in replies} <= {"sip:a%3Fx@office.example"}


@pytest.mark.parametrize("account", ["shared", "gone", ""])
def test_who_does_not_send_does_not_reply(outbox: Outbox, account: str) -> None:
    assert outbox.reply(replace(INBOUND, account=account), ["OK"]) == ()


def test_a_reply_passes_no_control_characters_on(outbox: Outbox) -> None:
    (reply,) = outbox.reply(INBOUND, ["1. a\0b\x1b\nc\udc80"])

    assert reply.deliveries[0].body == "1. a\ufffdb\ufffd\nc\ufffd"
    assert reply.message.text == reply.deliveries[0].body
