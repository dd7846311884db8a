"""A gateway stops for good; another on the same database answers what it left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import StorageUnavailable
from gateway.message import Delivered, Message, Status
from gateway.nodes import Membership, MembershipSettings
from gateway.patience import Patience
from tests.contract.samples import MINUTE, settled
from tests.fakes import NOON, OK, FakeResponder
from tests.flow.stage import Cast, Stage, request, running, staged

DEAD = timedelta(minutes=1)
AT_ONCE = MembershipSettings(renewed_every=timedelta())
SOON = Patience(first=timedelta(), longest=timedelta())


class Recorded(FakeResponder):
    """Answers, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Message] = []

    async def respond(self, message: Message) -> Sequence[str]:
        self.messages.append(message)
        return await super().respond(message)


class FakeNodes:
    """Nobody else is there; the clock is wrong by *errors*, and then there is no more."""

    def __init__(self, *errors: timedelta) -> None:
        self._errors = iter(errors or (timedelta(),) * 9)

    async def renew(self, lease: timedelta) -> bool:
        return True

    async def resume(self, now: datetime) -> None: ...

    async def take_over(self) -> Sequence[Message]:
        return ()

    async def clock_error(self) -> timedelta:
        for error in self._errors:
            return error
        raise asyncio.CancelledError


@asynccontextmanager
async def member(stage: Stage) -> AsyncIterator[None]:
    """It holds its lease, and takes over from those that do not."""
    membership = Membership(nodes=stage.nodes, answer=stage.inbound.take, settings=AT_ONCE)
    await stage.nodes.renew(timedelta(hours=1))
    async with asyncio.TaskGroup() as group:
        flow = group.create_task(membership.run())
        yield
        flow.cancel()


async def test_what_a_dead_gateway_left_is_answered_in_order(data_dir: Path) -> None:
    texts = [f"find {number}" for number in range(5)]
    async with staged(data_dir, Cast(node="pc-1")) as dead:
        await dead.nodes.renew(timedelta(seconds=30))
        await dead.inbound.receive([request(text) for text in texts])

    responder = Recorded()
    async with staged(data_dir, Cast(node="pc-2", responder=responder)) as stage:
        stage.clock.advance(DEAD)
        async with running(stage), member(stage):
            replies = await stage.sender.until_sent(len(texts))

    assert [reply.body for reply in replies] == [f"OK {text}" for text in texts]
    assert [(m.text, m.taken_over) for m in responder.messages] == [(t, True) for t in texts]


async def test_what_was_taken_over_is_still_that_after_a_crash(data_dir: Path) -> None:
    async with staged(data_dir, Cast(node="pc-1")) as dead:
        await dead.inbound.receive([request("dial 1002")])
    async with staged(data_dir, Cast(node="pc-2")) as taker:
        await taker.nodes.take_over()

    responder = Recorded()
    cast = Cast(node="pc-2", responder=responder)
    async with staged(data_dir, cast) as stage, running(stage):
        await stage.sender.until_sent(1)

    assert [message.taken_over for message in responder.messages] == [True]


async def test_who_lost_its_own_lease_takes_nothing_at_once() -> None:
    """The database was away for all: each has to have the time to renew."""
    asked: list[str] = []

    class Away(FakeNodes):
        async def renew(self, lease: timedelta) -> bool:
            asked.append("renew")
            return asked.count("renew") > 1

        async def take_over(self) -> Sequence[Message]:
            asked.append("take over")
            raise asyncio.CancelledError

    membership = Membership(nodes=Away(), answer=lambda _: None, settings=AT_ONCE)

    async with asyncio.TaskGroup() as group:
        flow = group.create_task(membership.run())

    assert flow.cancelled()
    assert asked == ["renew", "renew", "take over"]


async def test_a_message_that_is_being_answered_is_not_taken_twice(data_dir: Path) -> None:
    async with staged(data_dir, Cast(node="pc-1")) as dead:
        await dead.inbound.receive([request("help")])

    responder = Recorded()
    async with staged(data_dir, Cast(node="pc-2", responder=responder)) as stage:
        taken = await stage.nodes.take_over()
        stage.inbound.take(taken)
        stage.inbound.take([replace(message) for message in taken])
        async with running(stage):
            await stage.sender.until_sent(1)

    assert len(responder.messages) == 1


async def test_who_waits_hears_of_a_message_that_another_gateway_delivers(
    data_dir: Path,
) -> None:
    async with (
        staged(data_dir, Cast(node="pc-1")) as here,
        staged(data_dir, Cast(node="pc-2")) as there,
    ):
        message = await here.submit("102", "hello")
        waiting = asyncio.create_task(here.worker.wait_final(message.id, 9))
        await here.archive.looked.wait()

        [delivery] = await there.store.lease_due(NOON, MINUTE, 1, 1)
        await there.store.settle(settled(delivery, Delivered(OK)))

        final = await waiting

    assert final is not None
    assert final.status is Status.DELIVERED


async def test_a_clock_that_is_wrong_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "gateway.nodes")
    wrong, right = timedelta(seconds=-90), timedelta(seconds=1)
    membership = Membership(
        nodes=FakeNodes(right, wrong, wrong, right, right),
        answer=lambda _: None,
        settings=AT_ONCE,
    )

    async with asyncio.TaskGroup() as group:
        flow = group.create_task(membership.run())

    assert flow.cancelled()
    assert [message[:38] for message in caplog.messages] == [
        "this machine's clock is -90 s from the",
        "this machine's clock is right again",
    ]


async def test_a_database_that_goes_away_before_the_taking_ends_the_round() -> None:
    """Until it is back all leases ran out: what was true before the taking is not any more."""
    asked: list[str] = []

    class GoesAway(FakeNodes):
        async def renew(self, lease: timedelta) -> bool:
            asked.append("renew")
            return asked == ["renew"]

        async def take_over(self) -> Sequence[Message]:
            asked.append("take over")
            raise StorageUnavailable("the database is away")

    settings = MembershipSettings(renewed_every=timedelta(), patience=SOON)
    nodes = GoesAway(timedelta())
    membership = Membership(nodes=nodes, answer=lambda _: None, settings=settings)

    async with asyncio.TaskGroup() as group:
        flow = group.create_task(membership.run())

    assert flow.cancelled()
    assert asked == ["renew", "take over", "renew", "renew"]
