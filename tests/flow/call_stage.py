"""The flow of calls: real hook port, real store, a chat to tell."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.address import Aor
from gateway.call import Call, CallEventKind
from gateway.call_log import CallCommit, CallQuery
from gateway.call_notice import CallNotices, NoticeSettings
from gateway.calls import Calls, CallSettings, CallSources
from gateway.errors import ConflictError, StorageUnavailable
from gateway.limits import KeyedLimit
from gateway.message import Submission
from gateway.microsip.call_file import CallFile
from gateway.microsip.hand_over import HandOver, new_nonce, write_hand_over
from gateway.microsip.hand_over_conf import read_conf
from gateway.microsip.hook_listener import LOOPBACK, HookListener
from gateway.outbox import OutboundRequest
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from tests.flow.stage import AT_ONCE, Stage

ANNA = "sip:101@office.example"


class ObservedCallLog(SqlCallLog):
    """Shows what was stored; away, or without acknowledgement, as often as a test says."""

    def __init__(self, *, database: Database) -> None:
        super().__init__(database=database)
        self.outages = 0
        self.unacknowledged = 0
        self.missed = asyncio.Event()
        self.stored: asyncio.Queue[CallCommit] = asyncio.Queue()

    async def store_call(self, commit: CallCommit) -> None:
        if self.outages:
            self.outages -= 1
            self.missed.set()
            raise StorageUnavailable("the database is away")
        await super().store_call(commit)
        self.stored.put_nowait(commit)
        if self.unacknowledged:
            self.unacknowledged -= 1
            raise ConflictError("the store has it already")


@dataclass(kw_only=True)
class Surroundings:
    """What a test may replace."""

    notify: tuple[str, ...] = (ANNA,)
    own: frozenset[Aor] = frozenset()
    notices: str = ""
    """The limit of notices."""
    ini: Path | None = None
    ended_before: datetime | None = None
    settings: CallSettings = field(
        default_factory=lambda: CallSettings(
            look_every=timedelta(days=1), grace=timedelta(), patience=AT_ONCE
        )
    )


class Desk:
    """A gateway beside a MicroSIP whose hooks run."""

    def __init__(self, *, stage: Stage, around: Surroundings, folder: Path) -> None:
        self.stage, self.around, self.folder = stage, around, folder
        self.log = ObservedCallLog(database=stage.database)
        self.calls = Calls(
            call_log=self.log,
            sources=CallSources(
                records=CallFile(locate=lambda: around.ini).changed,
                ended_before=self._ended_before,
            ),
            notices=CallNotices(
                settings=NoticeSettings(
                    recipients=around.notify, missed_ttl=timedelta(hours=72), timezone=UTC
                ),
                compose=self._compose,
                own_aors=around.own,
                number_of=lambda peer: peer if peer.isdecimal() else "",
                limit=KeyedLimit(rate=around.notices, clock=stage.clock),
            ),
            clock=stage.clock,
            wake=stage.worker.wake,
            settings=around.settings,
        )

    async def _ended_before(self) -> datetime | None:
        return self.around.ended_before

    def _compose(self, *, to: str, text: str, origin: str, ttl: timedelta) -> Submission:
        request = OutboundRequest(to=to, text=text, origin=origin, ttl=ttl)
        return self.stage.outbox.compose(request)

    def hand_over(self, kind: str, user: str = "555", *, nonce: str = "") -> bytes:
        """As a hook program does it."""
        conf = read_conf(self.folder)
        assert conf is not None
        event = HandOver(
            kind=CallEventKind(kind),
            user=user,
            at=self.stage.clock(),
            nonce=nonce or new_nonce(),
        )
        datagram = write_hand_over(event, conf.key)
        self.send(datagram)
        return datagram

    def send(self, datagram: bytes) -> None:
        conf = read_conf(self.folder)
        assert conf is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(datagram, (LOOPBACK, conf.port))

    async def stored(self) -> CallCommit:
        async with asyncio.timeout(5):
            return await self.log.stored.get()

    async def told(self, *kinds: str, user: str = "555") -> Call:
        """Run these hooks a second apart; the call as the last of them left it."""
        commit = None
        for kind in kinds:
            self.hand_over(kind, user)
            commit = await self.stored()
            self.stage.clock.advance(timedelta(seconds=1))
        assert commit is not None
        return commit.call

    async def kept(self) -> Sequence[Call]:
        return await self.log.calls(CallQuery())


@asynccontextmanager
async def beside_microsip(
    stage: Stage, folder: Path, around: Surroundings | None = None
) -> AsyncIterator[Desk]:
    """Restored, listening, and storing."""
    desk = Desk(stage=stage, around=around or Surroundings(), folder=folder)
    await desk.calls.restore()
    async with HookListener(folder=folder, take=desk.calls.take, clock=stage.clock):
        flow = asyncio.create_task(desk.calls.run(), name="calls")
        try:
            yield desk
            assert not flow.done(), flow
        finally:
            flow.cancel()
            await asyncio.gather(flow, return_exceptions=True)


async def sent(desk: Desk, count: int) -> list[str]:
    """The bodies of the first *count* that went out."""
    return [delivery.body for delivery in await desk.stage.sender.until_sent(count)]
