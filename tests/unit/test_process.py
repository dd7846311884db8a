"""MicroSIP as a program: started once, ended when told to, never forced."""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.errors import ConfigError, PhoneError
from gateway.microsip.copydata import BLOCKED, DROPPED, Reply
from gateway.microsip.instance import Instance
from gateway.microsip.process import (
    ENDED_AT_ONCE,
    MINIMIZED,
    NO_WINDOW,
    NOWHERE,
    SESSION_0,
    STAYS,
    MicroSipProcess,
)
from gateway.phone import Problem

AWAY = PhoneError(Problem.NOT_RUNNING, "not running")
STARTING = PhoneError(Problem.FAILED, DROPPED)
WINDOW, PROCESS = 7, 70


class PlayedPc:
    """A PC on which MicroSIP takes its time: a look at it is a step further."""

    def __init__(self, executable: Path) -> None:
        self.executable = str(executable)
        self.steps: list[PhoneError | None] = [AWAY, STARTING]
        """What a look shows after each start, before it answers; None: the process ends."""
        self.windows: list[Instance] = []
        self.processes: list[int] = []
        self.started: list[tuple[str, str]] = []
        self.close_reply = Reply.TAKEN
        self.stays = False
        self.session_id = 1
        self._left: list[PhoneError | None] = []

    def instances(self) -> Sequence[Instance]:
        return list(self.windows)

    def close(self, instance: Instance) -> Reply:
        self.windows.remove(instance)
        return self.close_reply

    def session(self) -> int:
        return self.session_id

    def running(self, executable: str) -> Sequence[int]:
        assert executable == self.executable
        return list(self.processes)

    def start(self, executable: str, argument: str) -> int:
        self.started.append((executable, argument))
        self.processes.append(PROCESS)
        self._left = list(self.steps)
        return PROCESS

    def ended(self, process: int, timeout: float) -> bool:
        if not self.stays:
            self.processes = [one for one in self.processes if one != process]
        return not self.stays

    async def answers(self) -> None:
        await asyncio.sleep(0)
        if not self.processes:
            raise AWAY
        if not self._left:
            self.windows = [Instance(WINDOW, PROCESS, self.executable)]
            return
        failure = self._left.pop(0)
        if failure is None:
            self.processes.clear()
        raise failure or AWAY

    def already(self, *steps: PhoneError | None) -> None:
        """A process of it runs, whoever started it."""
        self.processes = [PROCESS]
        self._left = list(steps)


class SlowPc(PlayedPc):
    """One on which MicroSIP ends only when it is let go."""

    def __init__(self, executable: Path) -> None:
        super().__init__(executable)
        self.is_ending = threading.Event()
        self.let_go = threading.Event()

    def ended(self, process: int, timeout: float) -> bool:
        self.is_ending.set()
        self.let_go.wait()
        return super().ended(process, timeout)


async def no_time(seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def pc(tmp_path: Path) -> PlayedPc:
    executable = tmp_path / "microsip.exe"
    executable.touch()
    return PlayedPc(executable)


def microsip(pc: PlayedPc, executable: str | None = "") -> MicroSipProcess:
    where = pc.executable if executable == "" else executable
    return MicroSipProcess(
        windows=pc,
        processes=pc,
        executable=where or "",
        find=lambda: None,
        sleep=no_time,
        patience=0.2,
    )


async def refusal(pc: PlayedPc, executable: str | None = "") -> PhoneError:
    with pytest.raises(PhoneError) as refused:
        await microsip(pc, executable).start(pc.answers)
    return refused.value


async def test_it_is_started_in_the_tray_and_waited_for(pc: PlayedPc) -> None:
    await microsip(pc).start(pc.answers)

    assert pc.started == [(pc.executable, MINIMIZED)]
    assert pc.windows


async def test_of_many_starts_at_once_one_is_carried_out(pc: PlayedPc) -> None:
    one = microsip(pc)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(one.start(pc.answers))

    assert len(pc.started) == 1


async def test_one_that_has_no_window_yet_is_waited_for(pc: PlayedPc) -> None:
    pc.already(AWAY, AWAY, STARTING)

    await microsip(pc).start(pc.answers)

    assert pc.started == []


async def test_one_that_is_ending_is_started_when_it_is_gone(pc: PlayedPc) -> None:
    pc.already(AWAY, None)

    await microsip(pc).start(pc.answers)

    assert len(pc.started) == 1


@pytest.mark.parametrize("other", [r"D:\other\microsip.exe", ""], ids=["another", "unknown"])
async def test_beside_another_one_it_is_not_started(pc: PlayedPc, other: str) -> None:
    pc.windows = [Instance(1, 10, other)]

    refused = await refusal(pc)

    assert refused.problem == Problem.NOT_RUNNING
    assert pc.executable in refused.detail
    assert pc.started == []


async def test_one_that_is_there_says_itself_why_it_takes_no_commands(pc: PlayedPc) -> None:
    pc.windows = [Instance(WINDOW, PROCESS, pc.executable)]

    refused = await refusal(pc)  # a window, but no DDE server behind it

    assert refused is AWAY
    assert pc.started == []


async def test_in_session_0_it_is_never_started(pc: PlayedPc) -> None:
    pc.session_id = 0

    refused = await refusal(pc)

    assert (refused.problem, refused.detail) == (Problem.FAILED, SESSION_0)
    assert pc.started == []


async def test_without_an_executable_it_says_what_to_set(pc: PlayedPc, tmp_path: Path) -> None:
    nowhere = await refusal(pc, None)
    wrong = await refusal(pc, str(tmp_path / "gone.exe"))

    assert (nowhere.problem, nowhere.detail) == (Problem.NOT_RUNNING, NOWHERE)
    assert wrong.problem == Problem.NOT_RUNNING
    assert "gone.exe" in wrong.detail
    assert "[phone] executable" in wrong.detail


async def test_one_that_ends_at_once_is_not_started_again(pc: PlayedPc) -> None:
    pc.steps = [None]

    refused = await refusal(pc)

    assert (refused.problem, refused.detail) == (Problem.FAILED, ENDED_AT_ONCE)
    assert len(pc.started) == 1


@pytest.mark.parametrize(
    ("shown", "why"), [(AWAY, NO_WINDOW), (STARTING, DROPPED)], ids=["no window", "starting"]
)
async def test_one_that_takes_no_commands_is_not_waited_for_for_ever(
    pc: PlayedPc, shown: PhoneError, why: str
) -> None:
    pc.steps = [shown] * 1_000_000

    refused = await refusal(pc)

    # Nothing was handed over, so that it has not been done.
    assert (refused.problem, refused.detail) == (Problem.FAILED, why)
    assert len(pc.started) == 1


async def test_it_is_ended_for_what_must_not_find_it_and_started_again(pc: PlayedPc) -> None:
    pc.windows = [Instance(WINDOW, PROCESS, pc.executable)]
    pc.processes = [PROCESS]

    processes = await microsip(pc).while_stopped(lambda: list(pc.processes), pc.answers)

    assert processes == []
    assert pc.started == [(pc.executable, MINIMIZED)]


@pytest.mark.parametrize(
    ("reply", "stays", "why"),
    [(Reply.TAKEN, True, STAYS), (Reply.BLOCKED, False, BLOCKED)],
    ids=["stays", "out of reach"],
)
async def test_one_that_does_not_end_is_left_alone(
    pc: PlayedPc, reply: Reply, *, stays: bool, why: str
) -> None:
    pc.windows = [Instance(WINDOW, PROCESS, pc.executable)]
    pc.processes = [PROCESS]
    pc.close_reply, pc.stays = reply, stays

    with pytest.raises(PhoneError) as refused:
        await microsip(pc).while_stopped(lambda: pytest.fail("it runs"), pc.answers)

    assert (refused.value.problem, refused.value.detail) == (Problem.FAILED, why)
    assert pc.processes == [PROCESS]


async def test_one_that_did_not_run_is_not_started_after_it(pc: PlayedPc) -> None:
    done = await microsip(pc).while_stopped(lambda: "done", pc.answers)

    assert (done, pc.started) == ("done", [])


async def test_work_that_fails_does_not_leave_it_ended(pc: PlayedPc) -> None:
    pc.windows = [Instance(WINDOW, PROCESS, pc.executable)]
    pc.processes = [PROCESS]

    def work() -> None:
        raise ConfigError("read-only")

    with pytest.raises(ConfigError):
        await microsip(pc).while_stopped(work, pc.answers)

    assert pc.started == [(pc.executable, MINIMIZED)]


async def test_a_caller_that_goes_away_does_not_leave_it_ended(tmp_path: Path) -> None:
    slow = SlowPc(tmp_path / "microsip.exe")
    (tmp_path / "microsip.exe").touch()
    slow.windows = [Instance(WINDOW, PROCESS, slow.executable)]
    slow.processes = [PROCESS]
    done: list[Sequence[object]] = []

    stopped = asyncio.create_task(
        microsip(slow).while_stopped(lambda: done.append(list(slow.started)), slow.answers)
    )
    await asyncio.to_thread(slow.is_ending.wait)
    stopped.cancel()
    with suppress(asyncio.CancelledError):
        await stopped
    slow.let_go.set()
    await asyncio.get_running_loop().shutdown_default_executor()

    assert done == [[]]
    assert slow.started == [(slow.executable, MINIMIZED)]


async def test_another_one_is_not_ended(pc: PlayedPc) -> None:
    pc.windows = [Instance(1, 10, "D:\\other.exe")]

    await microsip(pc).while_stopped(lambda: None, pc.answers)

    assert [one.executable for one in pc.windows] == ["D:\\other.exe"]


def test_without_a_configured_one_the_one_that_runs_is_meant(pc: PlayedPc) -> None:
    one = microsip(pc, None)

    nothing = one.executable(), one.running()
    pc.windows = [Instance(WINDOW, PROCESS, pc.executable)]
    there = one.executable(), one.running()

    assert nothing == (None, False)
    assert there == (Path(pc.executable), True)


def test_of_several_none_is_meant(pc: PlayedPc) -> None:
    pc.windows = [Instance(1, 10, "D:\\one.exe"), Instance(2, 20, "D:\\two.exe")]

    with pytest.raises(PhoneError, match=r"\[phone\] executable"):
        microsip(pc, None).executable()
