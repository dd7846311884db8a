"""SetDevice by microsip.ini: only where no call can be cut, and seen to be kept."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.errors import PhoneError
from gateway.microsip.copydata import Reply
from gateway.microsip.device import HAS_CALL, NO_SETTINGS, NOT_SURE, DeviceChannel
from gateway.microsip.instance import Instance
from gateway.microsip.process import MicroSipProcess
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look, PhoneState
from tests.fakes import FakeClock

DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HEADSET = PhoneCommand(Verb.DEVICE, ("input", "1"))
IDLE = Look(states=frozenset({PhoneState.IDLE}))
SETTINGS = '[Settings]\r\naudioInputDevice=""\r\naudioOutputDevice=""\r\nlabel=Büro\r\n'


class PlayedMicroSip:
    """One that reads its settings when it starts, and writes them when it ends."""

    name = "copydata"
    simulated = False

    def __init__(self, folder: Path) -> None:
        self.executable = folder / "microsip.exe"
        self.executable.touch()
        self.settings = folder / "microsip.ini"
        self.settings.write_text(SETTINGS, encoding="utf-16", newline="")
        self.there: Path | None = self.settings
        self.look = IDLE
        self.look_after_listing: Look | None = None
        self.runs = True
        self.starts = 0
        self.forgets = False
        self.executed: list[PhoneCommand] = []
        self.inputs = ["Microphone (Realtek)", "Headset (Büro)"]

    def phrase(self, command: PhoneCommand) -> str:
        return f"by window: {command}"

    async def execute(self, command: PhoneCommand) -> None:
        self.executed.append(command)

    async def write(self, message: PhoneMessage) -> None:
        raise NotImplementedError

    async def status(self) -> Look:
        if not self.runs:
            raise PhoneError(Problem.NOT_RUNNING, "not running")
        return self.look

    def instances(self) -> Sequence[Instance]:
        return [Instance(1, 10, str(self.executable))] if self.runs else []

    def close(self, instance: Instance) -> Reply:
        self.runs = False
        return Reply.TAKEN

    def session(self) -> int:
        return 1

    def running(self, executable: str) -> Sequence[int]:
        return [10] if self.runs else []

    def start(self, executable: str, argument: str) -> int:
        self.runs = True
        self.starts += 1
        if self.forgets:
            self.settings.write_text(SETTINGS, encoding="utf-16", newline="")
        return 10

    def ended(self, process: int, timeout: float) -> bool:
        return True

    def devices(self, kind: str) -> Sequence[str]:
        self.look = self.look_after_listing or self.look
        return self.inputs if kind == "input" else []

    def ini(self) -> Path | None:
        return self.there


async def no_time(seconds: float) -> None:
    return None


@pytest.fixture
def played(tmp_path: Path) -> PlayedMicroSip:
    return PlayedMicroSip(tmp_path)


@pytest.fixture
def channel(played: PlayedMicroSip) -> DeviceChannel:
    process = MicroSipProcess(
        windows=played,
        processes=played,
        executable=str(played.executable),
        find=lambda: None,
        sleep=no_time,
    )
    return DeviceChannel(inner=played, process=process, sound=played, clock=FakeClock())


async def refusal(channel: DeviceChannel, command: PhoneCommand = HEADSET) -> PhoneError:
    with pytest.raises(PhoneError) as refused:
        await channel.execute(command)
    return refused.value


async def test_the_device_is_in_the_settings_of_a_microsip_that_was_started_again(
    channel: DeviceChannel, played: PlayedMicroSip
) -> None:
    await channel.execute(HEADSET)
    look = await channel.status()

    changed = SETTINGS.replace('audioInputDevice=""', 'audioInputDevice="Headset (Büro)"')
    assert played.settings.read_bytes().decode("utf-16") == changed
    assert look.device == "input 1 (Headset (Büro))"
    assert (played.starts, played.runs, played.executed) == (1, True, [])


async def test_a_call_that_comes_while_devices_are_listed_is_not_cut(
    channel: DeviceChannel, played: PlayedMicroSip
) -> None:
    played.look_after_listing = Look(states=frozenset({PhoneState.RINGING}))

    refused = await refusal(channel)

    assert (refused.detail, played.runs, played.starts) == (HAS_CALL, True, 0)


async def test_the_device_that_is_chosen_already_ends_nothing(
    channel: DeviceChannel, played: PlayedMicroSip
) -> None:
    await channel.execute(HEADSET)
    played.look = Look(states=frozenset({PhoneState.ACTIVE}))

    await channel.execute(HEADSET)

    assert played.starts == 1
    assert (await channel.status()).device == "input 1 (Headset (Büro))"


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ({PhoneState.ACTIVE}, HAS_CALL),
        ({PhoneState.IDLE, PhoneState.RINGING}, HAS_CALL),
        ((), NOT_SURE),
    ],
    ids=["active", "ringing", "unknown"],
)
async def test_a_call_is_never_cut(
    channel: DeviceChannel, played: PlayedMicroSip, states: Sequence[PhoneState], why: str
) -> None:
    played.look = Look(states=frozenset(states))

    refused = await refusal(channel)

    assert (refused.problem, refused.detail) == (Problem.FAILED, why)
    assert played.starts == 0
    assert played.settings.read_bytes().decode("utf-16") == SETTINGS
    assert (await channel.status()).device is None


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (
            PhoneCommand(Verb.DEVICE, ("input", "2")),
            "there is no input device 2; there are 0 Microphone (Realtek), 1 Headset (Büro)",
        ),
        (
            PhoneCommand(Verb.DEVICE, ("output", "0")),
            "there is no output device 0; this PC has none; plug one in",
        ),
    ],
    ids=["unknown", "none"],
)
async def test_an_unknown_device_is_answered_with_those_there_are(
    channel: DeviceChannel, played: PlayedMicroSip, command: PhoneCommand, why: str
) -> None:
    refused = await refusal(channel, command)

    assert (refused.problem, refused.detail) == (Problem.INVALID, why)
    assert played.starts == 0


async def test_what_microsip_does_not_keep_has_failed(
    channel: DeviceChannel, played: PlayedMicroSip
) -> None:
    await channel.execute(HEADSET)
    played.inputs.reverse()
    played.forgets = True

    refused = await refusal(channel)

    assert refused.problem == Problem.FAILED
    assert "does not keep Microphone (Realtek)" in refused.detail
    assert (await channel.status()).device is None


async def test_settings_that_cannot_be_found_or_read_are_named(
    channel: DeviceChannel, played: PlayedMicroSip, tmp_path: Path
) -> None:
    played.there = None
    missing = await refusal(channel)
    played.there = tmp_path / "gone.ini"
    unreadable = await refusal(channel)

    assert (missing.problem, missing.detail) == (Problem.FAILED, NO_SETTINGS)
    assert unreadable.problem == Problem.FAILED
    assert "gone.ini: cannot be read" in unreadable.detail


async def test_everything_else_is_passed_on(
    channel: DeviceChannel, played: PlayedMicroSip
) -> None:
    await channel.execute(DIAL)

    assert played.executed == [DIAL]
    assert await channel.status() == IDLE
    assert (channel.name, channel.simulated) == ("copydata", False)
    assert channel.phrase(DIAL) == "by window: dial 1002"
    assert channel.phrase(HEADSET) == "microsip.ini audioInputDevice"
