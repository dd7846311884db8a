"""One fake for each port that tests replace."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from gateway.message import Delivery, FinalResponse, Message
from gateway.phone import CommandOutcome, CommandResult, PhoneRequest, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import PhoneState, PhoneStatus

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
OK = FinalResponse(200, "OK")


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class FakeSender:
    """Answers each target by its script, then 200; None in a script never answers."""

    def __init__(self) -> None:
        self.sent: list[Delivery] = []
        self._script: defaultdict[str, deque[FinalResponse | Exception | None]] = defaultdict(
            deque
        )
        self._sending = asyncio.Condition()

    def script(self, target: str, *responses: FinalResponse | Exception | None) -> None:
        self._script[target].extend(responses)

    async def send(self, delivery: Delivery) -> FinalResponse:
        async with self._sending:
            self.sent.append(delivery)
            self._sending.notify_all()
        script = self._script[delivery.target]
        response = script.popleft() if script else OK
        if response is None:
            never: asyncio.Future[FinalResponse] = asyncio.get_running_loop().create_future()
            return await never
        if isinstance(response, Exception):
            raise response
        return response

    async def until_sent(self, count: int) -> Sequence[Delivery]:
        """Everything sent so far, once it is *count* deliveries."""
        async with asyncio.timeout(5), self._sending:
            await self._sending.wait_for(lambda: len(self.sent) >= count)
        return self.sent


class FakeResponder:
    """Answers each text with what a function makes of it."""

    def __init__(self, answer: Callable[[str], Sequence[str]] | None = None) -> None:
        self.asked: list[str] = []
        self._answer = answer or (lambda text: [f"OK {text}"])

    def wants(self, message: Message) -> bool:
        return bool(message.text)

    async def respond(self, message: Message) -> Sequence[str]:
        self.asked.append(message.text)
        return self._answer(message.text)


class FakeCallControl:
    """A phone that does what it is told, or has the *problem* it is given."""

    def __init__(self, problem: Problem = Problem.NONE) -> None:
        self.requests: list[PhoneRequest] = []
        self._problem = problem

    async def execute(self, request: PhoneRequest) -> CommandResult:
        self.requests.append(request)
        return CommandResult(
            command_id=f"cmd_{len(self.requests)}",
            command=request.command,
            outcome=CommandOutcome.FAILED if self._problem else CommandOutcome.CONFIRMED,
            problem=self._problem,
            channel="fake",
        )

    async def write(self, message: PhoneMessage) -> str:
        raise NotImplementedError(message)

    async def status(self) -> PhoneStatus:
        return PhoneStatus(state=PhoneState.IDLE, raw="Idle", source="fake", observed_at=NOON)
