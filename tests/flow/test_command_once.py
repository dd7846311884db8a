"""A phone command in a message runs at most once, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from gateway.chat.assembly import ChatPorts, ChatSettings, chat_router
from gateway.chat.router import Router
from gateway.config import Chat, ChatRule, Phone
from gateway.message import Message
from gateway.microsip.api_log import ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.reading import Reading
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.phone import CommandOutcome, PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from gateway.store.calls import SqlCallLog
from tests.fakes import FakeResponder
from tests.flow.stage import BOT, Cast, Stage, request, running, staged


class HangingChannel:
    """A MicroSIP that takes a command and never says that it did."""

    name = "fake"
    simulated = False

    def __init__(self) -> None:
        self.handed_over: asyncio.Queue[str] = asyncio.Queue()

    def phrase(self, command: PhoneCommand) -> str:
        return str(command)

    async def execute(self, command: PhoneCommand) -> None:
        self.handed_over.put_nowait(str(command))
        await asyncio.get_running_loop().create_future()

    async def write(self, message: PhoneMessage) -> None:
        self.handed_over.put_nowait(f"{message.number} {message.text}")
        await asyncio.get_running_loop().create_future()

    async def status(self) -> Look:
        return Look(words="Idle")


class Late(FakeResponder):
    """Stands in for the router, which needs the store it is to be staged with."""

    router: Router

    def wants(self, message: Message) -> bool:
        return self.router.wants(message)

    async def respond(self, message: Message) -> Sequence[str]:
        return await self.router.respond(message)


def with_phone(stage: Stage, responder: Late, channel: HangingChannel, data_dir: Path) -> None:
    phone = MicroSip(
        reading=Reading(channel=channel, words=StatusWords({}), clock=stage.clock),
        command_log=stage.audit,
        rules=NumberRules(),
        phone=Phone(),
        api_log=ApiLog(data_dir),
        clock=stage.clock,
        sleep=asyncio.sleep,
    )
    responder.router = chat_router(
        ChatPorts(
            call_control=phone,
            archive=stage.archive,
            call_log=SqlCallLog(database=stage.database),
            submitter=stage.outbox,
            audit=stage.audit,
            clock=stage.clock,
            timezone=UTC,
        ),
        ChatSettings(
            chat=Chat(rules=(ChatRule(who=("*",), allow=("*",)),)),
            sender_commands="",
            own_aors=frozenset({BOT.aor}),
            version="0",
        ),
    )


@pytest.mark.parametrize(
    ("text", "handed_over"), [("dial 1002", "dial 1002"), ("send as:me 1002 hi", "1002 hi")]
)
async def test_a_command_that_a_crash_interrupted_is_not_repeated(
    data_dir: Path, text: str, handed_over: str
) -> None:
    channel, responder = HangingChannel(), Late()
    async with staged(data_dir, Cast(responder=responder)) as killed:
        with_phone(killed, responder, channel, data_dir)
        async with running(killed):
            await killed.inbound.receive([request(text)])
            async with asyncio.timeout(5):
                assert await channel.handed_over.get() == handed_over

    responder = Late()
    async with staged(data_dir, Cast(responder=responder)) as stage:
        with_phone(stage, responder, channel, data_dir)
        stage.clock.advance(timedelta(seconds=5))
        async with running(stage):
            (reply,) = await stage.sender.until_sent(1)

        (entry,) = await stage.audit.commands(10)
        assert reply.body.startswith(f"WAIT {text} (interrupted")
        assert channel.handed_over.empty()
        assert (entry.outcome, entry.problem) == (
            CommandOutcome.UNCONFIRMED,
            Problem.INTERRUPTED,
        )


async def test_a_command_from_the_journal_again_is_not_repeated(data_dir: Path) -> None:
    channel, responder = HangingChannel(), Late()
    async with staged(data_dir, Cast(responder=responder)) as stage:
        with_phone(stage, responder, channel, data_dir)
        async with running(stage):
            await stage.inbound.receive([request("dial 1002")])
            async with asyncio.timeout(5):
                await channel.handed_over.get()

            await stage.inbound.receive([request("dial 1002")])
            await stage.inbound.receive([request("ping", "102")])
            await stage.sender.until_sent(1)

            assert channel.handed_over.empty()


@dataclass(frozen=True)
class Pc:
    """A gateway with its own phone."""

    stage: Stage
    channel: HangingChannel
    responder: Late


@asynccontextmanager
async def pc(data_dir: Path, node: str) -> AsyncIterator[Pc]:
    channel, responder = HangingChannel(), Late()
    async with staged(data_dir, Cast(node=node, responder=responder)) as stage:
        with_phone(stage, responder, channel, data_dir)
        yield Pc(stage, channel, responder)


async def test_a_command_of_a_gateway_that_stopped_is_run_by_nobody(data_dir: Path) -> None:
    async with pc(data_dir, "pc-1") as dead, pc(data_dir, "pc-2") as other:
        await dead.stage.inbound.receive([request("dial 1002")])
        taken = await other.stage.nodes.take_over()
        other.stage.inbound.take(taken)
        async with running(other.stage):
            (told,) = await other.stage.sender.until_sent(1)

        come_back = [replace(message, taken_over=False) for message in taken]
        replies = [await dead.responder.respond(message) for message in come_back]

        assert told.body.startswith("ERR dial 1002 (not done:")
        assert [reply[0].startswith("ERR dial 1002 (not done:") for reply in replies] == [True]
        assert dead.channel.handed_over.empty()
        assert other.channel.handed_over.empty()


async def test_a_command_that_a_gateway_began_and_left_is_told_as_interrupted(
    data_dir: Path,
) -> None:
    async with pc(data_dir, "pc-1") as dead, pc(data_dir, "pc-2") as other:
        async with running(dead.stage):
            await dead.stage.inbound.receive([request("dial 1002")])
            async with asyncio.timeout(5):
                await dead.channel.handed_over.get()
            other.stage.inbound.take(await other.stage.nodes.take_over())
            async with running(other.stage):
                (told,) = await other.stage.sender.until_sent(1)

        assert told.body.startswith("WAIT dial 1002 (interrupted; check the phone)")
        assert other.channel.handed_over.empty()
