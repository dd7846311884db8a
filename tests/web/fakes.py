"""What stands behind the REST interface, where it is not the real store."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from gateway.caller import Caller
from gateway.errors import PhoneError
from gateway.message import FinalResponse, Message, MessageId, Status
from gateway.phone import CommandOutcome, CommandReply, CommandResult, PhoneRequest, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import PhoneState, PhoneStatus
from gateway.ports import Archive, Health
from tests.fakes import NOON


class FakePhone:
    """A phone that does what it is told, or has the *problem* it is given."""

    def __init__(self) -> None:
        self.requests: list[PhoneRequest] = []
        self.problem = Problem.NONE
        self.seen = PhoneStatus(
            state=PhoneState.IDLE, raw="Idle", source="fake", observed_at=NOON
        )

    async def execute(self, request: PhoneRequest) -> CommandResult:
        self.requests.append(request)
        return CommandResult(
            command_id=f"cmd_{len(self.requests)}",
            command=request.command,
            outcome=CommandOutcome.FAILED if self.problem else CommandOutcome.CONFIRMED,
            problem=self.problem,
            evidence="" if self.problem else "idle -> dialing",
            detail="said by the fake" if self.problem else "",
            channel="fake",
            elapsed_ms=3,
        )

    async def write(self, message: PhoneMessage) -> str:
        raise NotImplementedError(message)

    async def status(self) -> PhoneStatus:
        if self.problem:
            raise PhoneError(self.problem, "said by the fake")
        return self.seen


class FakeCommander:
    """Repeats what it is told; while *held*, not before it is let go."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Caller]] = []
        self.carried: list[MessageId | None] = []
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.failure: Exception | None = None

    async def command(
        self, text: str, caller: Caller, *, message_id: MessageId | None = None
    ) -> CommandReply:
        self.asked.append((text, caller))
        self.carried.append(message_id)
        self.arrived.set()
        await self.let_go.wait()
        if self.failure is not None:
            raise self.failure
        return CommandReply(
            id=f"cmd_{len(self.asked)}",
            outcome=CommandOutcome.CONFIRMED,
            lines=(f"OK {text}", "second line"),
        )


class FakeWait:
    """Says at once that a message became *status*; None: not within the time."""

    def __init__(self, archive: Archive) -> None:
        self.asked: list[float] = []
        self.status: Status | None = None
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self._archive = archive

    async def __call__(self, message_id: MessageId, timeout: float) -> Message | None:  # noqa: ASYNC109
        self.asked.append(timeout)
        if self.meanwhile is not None:
            await self.meanwhile()
        found = await self._archive.get(message_id)
        assert found is not None
        if self.status is None:
            return None
        return replace(
            found.message,
            status=self.status,
            response=FinalResponse(200, "OK"),
            attempts=1,
            settled_at=NOON,
        )


class FakeProbe:
    """As healthy as a test says."""

    def __init__(self) -> None:
        self.parts: list[Health] = [Health("fake", ok=True, detail="fine")]

    async def health(self) -> Sequence[Health]:
        return self.parts
