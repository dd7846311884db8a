"""The chat on the real store: what it keeps and finds there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.chat.assembly import ChatPorts, ChatSettings, chat_router
from gateway.config import Chat, DatabaseSettings
from gateway.message import Arrival, Message
from gateway.metrics import Metrics
from gateway.phone import CommandOutcome, CommandState
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.unit.call_fakes import FakeCallLog
from tests.unit.chat_bench import BERLIN, EVERYTHING
from tests.unit.chat_fakes import BOT, FakeCallControl, FakeClock, FakeSubmitter, inbound


@dataclass
class StoredChat:
    """Two peers that are known to the store, and a router that is made anew on demand."""

    store: SqlMessageStore
    archive: SqlArchive
    audit: SqlCommandLog
    submitter: FakeSubmitter
    clock: FakeClock

    async def answer(self, message: Message) -> str:
        """By a router that remembers nothing, as after a crash."""
        ports = ChatPorts(
            call_control=FakeCallControl(),
            archive=self.archive,
            call_log=FakeCallLog(),
            submitter=self.submitter,
            audit=self.audit,
            clock=self.clock,
            timezone=BERLIN,
        )
        settings = ChatSettings(
            chat=Chat(rules=EVERYTHING),
            sender_commands="",
            own_aors=frozenset({BOT}),
            version="1.2.3",
        )
        return "\n".join(await chat_router(ports, settings).respond(message))

    async def receive(self, *messages: Message) -> None:
        arrivals = [Arrival(message=message, needs_answer=False) for message in messages]
        await self.store.add_inbound(arrivals)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[StoredChat]:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()
        yield StoredChat(
            store=SqlMessageStore(database=database),
            archive=SqlArchive(database=database),
            audit=SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry())),
            submitter=FakeSubmitter(),
            clock=FakeClock(),
        )


async def test_a_crash_between_sending_and_answering_does_not_send_twice(
    chat: StoredChat,
) -> None:
    message = inbound("send 102 hello")

    first = await chat.answer(message)
    again = await chat.answer(message)

    assert first.startswith("OK send 102 (queued) #")
    assert again.startswith("OK send 102 hello (queued) #")
    assert len(chat.submitter.sent) == 1
    entries = await chat.audit.commands(10)
    assert [(e.message_id, e.state) for e in entries] == [(message.id, CommandState.DONE)]


async def test_a_late_command_is_answered_the_same_after_a_crash(chat: StoredChat) -> None:
    message = inbound("dial 1002")
    chat.clock.move(minutes=5)

    first = await chat.answer(message)
    again = await chat.answer(message)

    assert first.startswith("ERR dial 1002 (too late")
    assert again == first
    assert len(await chat.audit.commands(10)) == 1


async def test_what_only_reads_is_done_again_after_a_crash(chat: StoredChat) -> None:
    message = inbound("ping \x00")

    assert (await chat.answer(message)).startswith("OK ping")
    assert (await chat.answer(message)).startswith("OK ping")
    entries = await chat.audit.commands(10)
    assert [entry.outcome for entry in entries] == [CommandOutcome.CONFIRMED] * 2


async def test_messages_are_found_by_what_was_typed(chat: StoredChat) -> None:
    hello = replace(inbound("Hello 100 % Gr\u00fc\u00dfe"), call_id="a", cseq=1)
    other = replace(inbound("lunch", peer="sip:102@office.example"), call_id="b", cseq=1)
    await chat.receive(hello, other)

    found = await chat.answer(inbound('find "100 %" from:101 on:today is:received'))
    history = await chat.answer(inbound("history 102 1"))

    assert "<- 101@office.example: Hello 100 % Gr\u00fc\u00dfe" in found
    assert "(1 message, newest first)" in history
    assert "<- 102@office.example: lunch" in history


async def test_the_longest_page_has_no_place_for_the_message_that_asks(
    chat: StoredChat,
) -> None:
    asking = replace(inbound("find limit:200"), call_id="asking", cseq=1)
    others = [replace(inbound("hello"), call_id=f"{i}", cseq=1) for i in range(201)]
    await chat.receive(*others, asking)

    found = await chat.answer(asking)

    assert "OK find (199 messages, newest first)" in found
    assert found.endswith("(type more for the rest)")
    assert "find limit" not in found
