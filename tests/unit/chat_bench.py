"""A router over fakes, with everything a test wants to look at."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.caller import Caller, Origin, Permission
from gateway.chat.assembly import ChatPorts, ChatSettings, chat_router
from gateway.chat.command import Command
from gateway.chat.router import Router
from gateway.config import Chat, ChatRule
from gateway.phone import CommandEntry
from tests.unit.call_fakes import FakeCallLog
from tests.unit.chat_fakes import (
    BOT,
    START,
    FakeArchive,
    FakeCallControl,
    FakeClock,
    FakeCommandLog,
    FakeSubmitter,
    inbound,
)

BERLIN = ZoneInfo("Europe/Berlin")
EVERYTHING = (ChatRule(who=("*",), allow=("*",)),)


@dataclass
class Bench:
    """``say`` is a SIP message of 101, received now."""

    rules: tuple[ChatRule, ...] = EVERYTHING
    sender_commands: str = ""
    max_reply_bytes: int = 700
    plugins: tuple[Command, ...] = ()
    phone: FakeCallControl = field(default_factory=FakeCallControl)
    archive: FakeArchive = field(default_factory=FakeArchive)
    call_log: FakeCallLog = field(default_factory=FakeCallLog)
    submitter: FakeSubmitter = field(default_factory=FakeSubmitter)
    audit: FakeCommandLog = field(default_factory=FakeCommandLog)
    clock: FakeClock = field(default_factory=FakeClock)
    router: Router = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What is only in memory is gone."""
        ports = ChatPorts(
            call_control=self.phone,
            archive=self.archive,
            call_log=self.call_log,
            submitter=self.submitter,
            audit=self.audit,
            clock=self.clock,
            timezone=BERLIN,
        )
        settings = ChatSettings(
            chat=Chat(rules=self.rules, max_reply_bytes=self.max_reply_bytes),
            sender_commands=self.sender_commands,
            own_aors=frozenset({BOT}),
            version="1.2.3",
            plugins=self.plugins,
        )
        self.router = chat_router(ports, settings)

    async def say(
        self, text: str, *, peer: str = "sip:101@office.example", at: datetime | None = None
    ) -> str:
        """All parts of the answer, one a line."""
        message = inbound(text, peer=peer, at=at or self.clock.now)
        return "\n".join(await self.router.respond(message))

    async def ask(self, text: str, *permissions: Permission) -> str:
        """The same over REST, by a token."""
        caller = Caller(
            who="token:crm",
            proof="bearer token",
            origin=Origin.REST,
            permissions=frozenset(permissions),
        )
        return "\n".join((await self.router.command(text, caller)).lines)

    def wants(
        self, text: str, *, peer: str = "sip:101@office.example", at: datetime = START
    ) -> bool:
        return self.router.wants(inbound(text, peer=peer, at=at))

    @property
    def audited(self) -> CommandEntry:
        """The newest entry."""
        return [*self.audit.entries.values()][-1]
