"""A message in, a reply out."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.address import Aor
from gateway.errors import StorageUnavailable
from gateway.message import Direction, Flag, Message
from gateway.phone import CommandOutcome
from gateway.query import HistoryQuery
from tests.fakes import FakeResponder
from tests.flow.stage import Cast, Stage, request, running, staged

FORGED = {"source": "10.0.0.66:5060"}


async def history(stage: Stage) -> list[Message]:
    page = await stage.archive.find(HistoryQuery(limit=100), oldest_first=True)
    return [item.message for item in page.items]


async def test_a_command_is_answered(stage: Stage) -> None:
    await stage.inbound.receive([request("ping")])

    (reply,) = await stage.sender.until_sent(1)
    assert (reply.body, reply.target) == ("OK ping", "sip:101@office.example")
    assert [(m.text, m.direction) for m in await history(stage)] == [
        ("ping", Direction.INBOUND),
        ("OK ping", Direction.OUTBOUND),
    ]


async def test_a_peers_messages_are_answered_in_order(stage: Stage) -> None:
    words = [f"ping {number}" for number in range(20)]

    for word in words:
        await stage.inbound.receive([request(word)])

    replies = await stage.sender.until_sent(20)
    assert [reply.body for reply in replies] == [f"OK {word}" for word in words]


async def test_the_same_request_twice_is_one_message(stage: Stage) -> None:
    await stage.inbound.receive([request("ping"), request("ping")])
    await stage.inbound.receive([request("ping")])
    await stage.inbound.receive([request("pong")])

    await stage.sender.until_sent(2)
    assert [m.text for m in await history(stage) if m.direction is Direction.INBOUND] == [
        "ping",
        "pong",
    ]


async def test_a_batch_that_comes_again_is_answered_once(data_dir: Path) -> None:
    responder = FakeResponder()
    async with staged(data_dir, Cast(responder=responder)) as stage:
        ping = request("ping")
        await stage.inbound.receive([ping])
        await stage.inbound.receive([ping, request("pong")])
        async with running(stage):
            await stage.inbound.receive([ping, request("pang")])
            await stage.sender.until_sent(3)

    assert responder.asked == ["ping", "pong", "pang"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"content_type": "application/im-iscomposing+xml"}, id="typing"),
        pytest.param({"content_type": "message/imdn+xml"}, id="receipt"),
        pytest.param({"content_type": "text/html"}, id="html"),
        pytest.param({"flags": frozenset({Flag.TRUNCATED})}, id="cut-short"),
        pytest.param({"from_uri": "sip:bot@office.example"}, id="our-own-words"),
        pytest.param({"request_uri": "sip:100@10.0.0.9;gw=0ther"}, id="record-account"),
    ],
)
async def test_what_is_no_chat_is_kept_and_not_answered(
    stage: Stage, changes: dict[str, object]
) -> None:
    await stage.inbound.receive([request("dial 1002", **changes)])
    await stage.inbound.receive([request("ping", "102")])

    (reply,) = await stage.sender.until_sent(1)
    stored = [m for m in await history(stage) if m.text == "dial 1002"]
    assert reply.body == "OK ping"
    assert [m.status for m in stored] == ["received"]


async def test_a_forged_command_gets_no_reply_and_an_audit_entry(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    forged = request("dial 1002", **FORGED)

    await stage.inbound.receive([forged])
    await stage.inbound.receive([request("ping")])

    (reply,) = await stage.sender.until_sent(1)
    (entry,) = await stage.audit.commands(10)
    first, *_ = await history(stage)
    assert reply.body == "OK ping"
    assert (first.status, first.proven) == ("refused", False)
    assert (entry.outcome, entry.verb, entry.message_id) == (
        CommandOutcome.REFUSED,
        "dial",
        forged.id,
    )
    assert f"msg_{forged.id} from 10.0.0.66:5060 is not proven" in caplog.text
    assert 'add "10.0.0.66:5060" to trusted_sources in [sip]' in caplog.text


async def test_a_flood_of_forgeries_is_one_line_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.inbound.receive([request(f"dial {n}", **FORGED) for n in range(10)])

    assert caplog.text.count("is not proven") == 1
    assert len(await stage.audit.commands(20)) == 10


async def test_a_forged_request_does_not_take_the_genuine_ones_place(stage: Stage) -> None:
    genuine = request("ping")

    await stage.inbound.receive([request("ping", call_id=genuine.call_id, **FORGED)])
    await stage.inbound.receive([genuine])

    (reply,) = await stage.sender.until_sent(1)
    assert reply.body == "OK ping"
    assert [m.status for m in await history(stage)][:2] == ["refused", "received"]


async def test_an_unknown_recipient_is_kept_as_such(stage: Stage) -> None:
    await stage.inbound.receive([request("ping", request_uri="sip:nobody@office.example")])

    (message,) = await history(stage)
    assert (message.status, message.account) == ("refused", "")
    assert Flag.UNKNOWN_RECIPIENT in message.flags


def breaks_on_ipv6(host: str) -> bool:
    if ":" in host:
        raise ZeroDivisionError
    return False


async def test_what_cannot_be_recognised_is_refused_and_stops_nobody(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    poison = request("dial 1002", request_uri="sip:bot@[2001:db8::1]")
    async with staged(data_dir, Cast(is_own_address=breaks_on_ipv6)) as stage:
        await stage.inbound.receive([poison, request("ping")])

        first, second = await history(stage)
        assert (first.status, first.proven, first.text) == ("refused", False, "dial 1002")
        assert (second.status, second.text) == ("received", "ping")
    assert f"msg_{poison.id} is refused unread" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_unproven_messages_beyond_the_limit_are_counted_not_stored(
    data_dir: Path,
) -> None:
    async with staged(data_dir, Cast(untrusted_source="1/3")) as stage:
        await stage.inbound.receive([request(f"spam {n}", **FORGED) for n in range(5)])
        await stage.inbound.receive([request("ping")])

        dropped = stage.metrics.registry.get_sample_value(
            "sip_gateway_inbound_messages_total", {"status": "dropped"}
        )
        assert [m.text for m in await history(stage)] == ["spam 0", "spam 1", "spam 2", "ping"]
        assert dropped == 2


class Breaking(FakeResponder):
    """Breaks on one text as a plug-in may."""

    def __init__(self) -> None:
        super().__init__(self._broken)

    def _broken(self, text: str) -> list[str]:
        if text == "poison":
            raise ZeroDivisionError
        return [f"OK {text}"]


async def test_a_poison_message_is_answered_once_and_stops_nobody(data_dir: Path) -> None:
    responder = Breaking()
    async with staged(data_dir, Cast(responder=responder)) as stage:
        async with running(stage):
            await stage.inbound.receive([request("poison"), request("ping")])

            first, second = await stage.sender.until_sent(2)
            assert first.body.startswith("WAIT")  # ERR would say that nothing happened
            assert "look whether it was done" in first.body
            assert second.body == "OK ping"

        assert await stage.store.unhandled() == []
    assert responder.asked == ["poison", "ping"]


async def test_what_a_crash_left_unanswered_is_answered_first(data_dir: Path) -> None:
    async with staged(data_dir, Cast()) as crashed:
        await crashed.inbound.receive([request("before")])
    async with staged(data_dir, Cast()) as stage:
        await stage.inbound.receive([request("before"), request("after")])
        async with running(stage):
            replies = await stage.sender.until_sent(2)

            assert [reply.body for reply in replies] == ["OK before", "OK after"]
            assert await stage.store.unhandled() == []


class Slow(FakeResponder):
    """Lets one peer wait until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def respond(self, message: Message) -> list[str]:
        if message.peer == Aor("sip:slow@office.example"):
            await self.go_on.wait()
        return [f"OK {message.text}"]


@pytest.fixture
async def slow(data_dir: Path) -> AsyncIterator[Stage]:
    async with staged(data_dir, Cast(responder=Slow())) as stage, running(stage):
        yield stage


async def test_a_slow_command_holds_back_its_peer_alone(slow: Stage) -> None:
    await slow.inbound.receive([request("one", "slow"), request("two", "slow")])
    await slow.inbound.receive([request("three", "102")])

    (first,) = await slow.sender.until_sent(1)
    assert first.body == "OK three"
    assert isinstance(slow.cast.responder, Slow)
    slow.cast.responder.go_on.set()

    replies = await slow.sender.until_sent(3)
    assert [reply.body for reply in replies] == ["OK three", "OK one", "OK two"]


async def test_an_answer_survives_a_database_that_is_away(stage: Stage) -> None:
    stage.store.outages = 3

    await stage.inbound.receive([request("ping")])

    (reply,) = await stage.sender.until_sent(1)
    assert reply.body == "OK ping"
    assert isinstance(stage.cast.responder, FakeResponder)
    assert stage.cast.responder.asked == ["ping"]


async def test_an_answer_whose_commit_was_not_acknowledged_is_sent_once(stage: Stage) -> None:
    stage.store.unacknowledged = 1

    await stage.inbound.receive([request("ping")])
    await stage.sender.until_sent(1)
    await stage.inbound.receive([request("pong")])

    replies = await stage.sender.until_sent(2)
    assert [reply.body for reply in replies] == ["OK ping", "OK pong"]


async def test_what_waits_behind_an_answer_at_a_stop_is_left_to_the_store(
    data_dir: Path,
) -> None:
    async with staged(data_dir, Cast(responder=Slow())) as stage:
        async with running(stage):
            await stage.inbound.receive([request("one", "slow"), request("two", "slow")])
            await stage.inbound.receive([request("three", "102")])
            await stage.sender.until_sent(1)

        left = await stage.store.unhandled()
        assert [message.text for message in left] == ["one", "two"]


async def test_a_batch_that_comes_again_is_admitted_again(data_dir: Path) -> None:
    """What a source may send is not used up by a database that was away."""
    async with staged(data_dir, Cast(untrusted_source="1/1")) as stage:
        stage.store.inbound_outages = 1
        forged = [request("spam", **FORGED)]

        with pytest.raises(StorageUnavailable):
            await stage.inbound.receive(forged)
        await stage.inbound.receive(forged)

        assert [m.text for m in await history(stage)] == ["spam"]
