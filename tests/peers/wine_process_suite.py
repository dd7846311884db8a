"""The suite that Windows Python runs: MicroSIP is started, ended, and its ini hooked.

Not collected by itself; ``test_wine_process.py`` runs it under Wine.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.call import CallEventKind
from gateway.cli import main
from gateway.clock import now
from gateway.config import Phone
from gateway.errors import ConflictError, PhoneError
from gateway.phone import PhoneCommand, Problem, Verb

assert sys.platform == "win32"

from gateway.microsip.copydata import CopyDataChannel  # noqa: E402  the fence comes first
from gateway.microsip.device import HAS_CALL, NOT_SURE, DeviceChannel  # noqa: E402
from gateway.microsip.diagnosis import diagnose  # noqa: E402
from gateway.microsip.events_install import EventHooks, HookFiles, set_up  # noqa: E402
from gateway.microsip.process import MINIMIZED, MicroSipProcess  # noqa: E402
from gateway.microsip.starting import StartingChannel  # noqa: E402
from gateway.microsip.user_processes import UserProcesses, image_of  # noqa: E402
from gateway.microsip.versions import Version  # noqa: E402
from gateway.microsip.window import UserDesktop  # noqa: E402
from tests.peers.wine_installation import install  # noqa: E402
from tests.peers.wine_profile_string import read_by_windows  # noqa: E402
from tests.peers.wine_started_microsip import Starts, startable  # noqa: E402

pytestmark = pytest.mark.timeout(60)

DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HOOK = "sip-gateway-hook.exe"
AS_WRITTEN_BY_MICROSIP = (
    "[Settings]\r\naccountId=1\r\nsingleMode=1\r\nvolumeOutput=60\r\nvolumeInput=50\r\n"
    + "".join(f"{kind.key}=\r\n" for kind in CallEventKind)
    + "[Account1]\r\nlabel=Büro\r\nserver=office.example\r\n"
)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    executable = install(tmp_path / "Program Files" / "MicroSIP", "3.22.3")
    executable.with_suffix(".ini").write_text(
        AS_WRITTEN_BY_MICROSIP, encoding="utf-16", newline=""
    )
    return executable


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starts]:
    with startable(tmp_path, monkeypatch) as starts:
        yield starts
    waited = [UserProcesses().ended(i.process, 10) for i in UserDesktop().instances()]
    assert all(waited)


@pytest.fixture
def process(installed: Path) -> MicroSipProcess:
    return MicroSipProcess(
        windows=UserDesktop(),
        processes=UserProcesses(),
        executable=str(installed),
        find=lambda: None,
        sleep=asyncio.sleep,
    )


@asynccontextmanager
async def by_window(path: Path) -> AsyncIterator[CopyDataChannel]:
    async with CopyDataChannel(
        desktop=UserDesktop(), executable=str(path), sleep=asyncio.sleep
    ) as channel:
        yield channel


async def test_commands_at_once_start_one_microsip_and_are_carried_out(
    installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    async with by_window(installed) as inner:
        channel = StartingChannel(inner=inner, start=process.start)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(channel.execute(PhoneCommand(Verb.MUTE)))

    (running,) = UserDesktop().instances()
    assert starts.count == 1
    assert Path(running.executable) == installed
    assert list(UserProcesses().running(str(installed))) == [running.process]


async def test_a_look_starts_nothing(
    installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    async with by_window(installed) as inner:
        channel = StartingChannel(inner=inner, start=process.start)
        for action in (channel.status, lambda: channel.execute(PhoneCommand(Verb.HANGUP))):
            with pytest.raises(PhoneError) as away:
                await action()
            assert away.value.problem == Problem.NOT_RUNNING

    assert starts.count == 0
    assert UserDesktop().instances() == []


async def test_beside_another_microsip_none_is_started(
    installed: Path, process: MicroSipProcess, starts: Starts, tmp_path: Path
) -> None:
    other = install(tmp_path / "other", "3.20.5")
    UserProcesses().start(str(other), MINIMIZED)
    async with by_window(other) as there, by_window(installed) as missing:
        await _answering(there)
        with pytest.raises(PhoneError) as refused:
            await process.start(missing.status)

    assert refused.value.problem == Problem.NOT_RUNNING
    assert "not running from" in refused.value.detail
    assert starts.count == 1


async def _answering(channel: CopyDataChannel) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await channel.status()
            except PhoneError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_it_is_ended_for_a_change_and_started_again(
    installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    def look() -> tuple[int, int]:
        found = UserDesktop().instances(), UserProcesses().running(str(installed))
        return len(found[0]), len(found[1])

    async with by_window(installed) as channel:
        await process.start(channel.status)
        before = look()
        meanwhile = await process.while_stopped(look, channel.status)
        await channel.execute(DIAL)

    assert (before, meanwhile) == ((1, 1), (0, 0))
    assert starts.count == 2
    assert look() == (1, 1)


def test_what_is_no_program_is_not_started(tmp_path: Path) -> None:
    text = tmp_path / "microsip.exe"
    text.write_text("no program", "ascii")

    with pytest.raises(PhoneError, match=r"microsip\.exe cannot be started: .+"):
        UserProcesses().start(str(text), MINIMIZED)


async def test_the_integrity_level_of_a_process_is_read(
    installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    processes = UserProcesses()
    async with by_window(installed) as channel:
        await process.start(channel.status)
    (running,) = UserDesktop().instances()

    own, other = processes.integrity(), processes.integrity(running.process)

    assert own is not None
    assert own >= 0x1000
    assert other == own  # started by us, without asking for more
    assert processes.integrity(0xFFFFFFF0) is None
    assert processes.session() > 0
    assert (starts.count, image_of(0xFFFFFFF0)) == (1, "")


@pytest.fixture
def hooks(installed: Path, tmp_path: Path) -> EventHooks:
    program = tmp_path / "package" / HOOK
    program.parent.mkdir()
    program.write_bytes(b"MZ")
    files = HookFiles(
        ini=installed.with_suffix(".ini"),
        folder=tmp_path / "Jo Bloggs" / "hook",
        program=program,
        python=Path(sys.executable),
    )
    return EventHooks(files=files, version=Version(3, 22, 3), clock=now)


def test_what_windows_reads_of_a_hook_is_what_was_meant(
    hooks: EventHooks, tmp_path: Path
) -> None:
    original = hooks.ini.read_bytes()

    hooks.install(chain=False)
    read = {kind: read_by_windows(hooks.ini, kind.key) for kind in CallEventKind}
    server = read_by_windows(hooks.ini, "server", "Account1")
    hooks.uninstall()

    program = tmp_path / "Jo Bloggs" / "hook" / HOOK
    assert read == {kind: f'"{program}" {kind} --' for kind in CallEventKind}
    assert server == "office.example"
    assert hooks.ini.read_bytes() == original


async def test_hooks_are_written_while_microsip_is_ended_and_survive_it(
    hooks: EventHooks, installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    async with by_window(installed) as channel:
        await process.start(channel.status)
        with pytest.raises(ConflictError, match="--stop-microsip"):
            await _set_up(hooks, process, channel, stop=False)
        untouched = [hook.value for hook in hooks.there()]
        await _set_up(hooks, process, channel, stop=True)
        ran_again = len(UserDesktop().instances())
        await process.while_stopped(lambda: None, channel.status)  # it writes its settings
        after_its_own_save = [hook.is_ours for hook in hooks.there()]
        await channel.execute(DIAL)
        hooks.uninstall()
        with pytest.raises(ConflictError, match="has a call"):
            await _set_up(hooks, process, channel, stop=True)

    assert set(untouched) == {""}
    assert ran_again == 1
    assert after_its_own_save == [True] * len(CallEventKind)
    assert starts.count == 3


async def _set_up(
    hooks: EventHooks, process: MicroSipProcess, channel: CopyDataChannel, *, stop: bool
) -> None:
    await set_up(
        lambda: hooks.install(chain=False), process=process, look=channel.status, stop=stop
    )


@pytest.fixture
def config(installed: Path, tmp_path: Path) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(
        f"data_dir = {json.dumps(str(tmp_path / 'data'))}\n"
        f"[phone]\nexecutable = {json.dumps(str(installed))}\n",
        encoding="utf-8",
    )
    return str(path)


def test_a_microsip_that_runs_is_hooked_by_the_command_line(
    installed: Path, config: str, starts: Starts
) -> None:
    async def run_it() -> None:
        async with by_window(installed) as channel:
            await _answering(channel)

    def typed(*words: str) -> Result:
        return CliRunner().invoke(main, ["events", *words, "--config", config])

    ini = installed.with_suffix(".ini")
    UserProcesses().start(str(installed), MINIMIZED)
    asyncio.run(run_it())
    refused = typed("install")
    hooked = typed("install", "--stop-microsip")
    again = typed("install")
    status = typed("status")
    read = read_by_windows(ini, "cmdCallEnd")
    said = asyncio.run(diagnose(Phone(executable=str(installed)), clock=now))
    removed = typed("uninstall", "--stop-microsip")

    assert (refused.exit_code, hooked.exit_code, removed.exit_code) == (1, 0, 0)
    assert "--stop-microsip" in refused.output
    assert f"hooks are in {ini}: outgoing, incoming, ring" in hooked.output
    assert "nothing to do" in again.output
    assert status.output.count("sip-gateway") >= len(CallEventKind)
    assert read.endswith(" end --")
    assert read_by_windows(ini, "cmdCallEnd") == ""
    assert len(UserDesktop().instances()) == 1
    assert any("both run at" in line and grade == "ok" for grade, line in said)
    assert any("event hooks are installed" in line for _, line in said)
    assert starts.count == 3


def test_a_microsip_that_does_not_run_is_told_by_doctor(installed: Path) -> None:
    said = asyncio.run(diagnose(Phone(executable=str(installed)), clock=now))

    assert any(f"starts {installed} (as configured)" in line for _, line in said)
    assert any("no event hooks" in line for _, line in said)


class Sound:
    """Devices that Wine has not; the settings are real."""

    def __init__(self, ini: Path) -> None:
        self._ini = ini

    def devices(self, kind: str) -> Sequence[str]:
        return [f"Microphone ({kind})", f"Headset ({kind})"]

    def ini(self) -> Path:
        return self._ini


async def test_another_device_is_chosen_while_microsip_is_ended_without_a_call(
    installed: Path, process: MicroSipProcess, starts: Starts
) -> None:
    ini = installed.with_suffix(".ini")
    async with by_window(installed) as inner:
        channel = DeviceChannel(inner=inner, process=process, sound=Sound(ini), clock=now)
        await process.start(channel.status)
        await channel.execute(PhoneCommand(Verb.DEVICE, ("input", "1")))
        put = (await channel.status()).device
        await channel.execute(DIAL)
        with pytest.raises(PhoneError) as refused:
            await channel.execute(PhoneCommand(Verb.DEVICE, ("output", "0")))

    assert put == "input 1 (Headset (input))"
    assert read_by_windows(ini, "audioInputDevice") == "Headset (input)"
    # Windows that change while they are read may for once show nothing: then nothing is ended.
    assert refused.value.detail in {HAS_CALL, NOT_SURE}
    assert starts.count == 2
