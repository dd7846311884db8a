"""Event hooks go into microsip.ini, and out again without a trace."""

import codecs
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from gateway.call import CallEventKind
from gateway.errors import ConfigError, ConflictError, GatewayError
from gateway.microsip.event_hooks import (
    HookCommand,
    Lines,
    hooked,
    hooks_in,
    known_kinds,
    unhooked,
)
from gateway.microsip.events_install import EventHooks, HookFiles, fallback_python
from gateway.microsip.ini import SETTINGS, read_ini
from gateway.microsip.ini_file import IniFile
from gateway.microsip.versions import OLDEST, Version
from tests.fakes import FakeClock

NEWEST = Version(3, 22, 3)
END = CallEventKind.END
COMMAND = HookCommand(r"C:\Users\Jo Bloggs\hook\sip-gateway-hook.exe")
FOREIGN = r"C:\crm\popup.exe --end"
AS_WRITTEN_BY_MICROSIP = (
    "[Settings]\r\naccountId=1\r\nlabel=Büro\r\n"
    + "".join(f"{kind.key}=\r\n" for kind in CallEventKind)
    + "volumeOutput=60\r\n[Account1]\r\nserver=office.example\r\n"
)


def ini_with(value: str) -> str:
    return AS_WRITTEN_BY_MICROSIP.replace("cmdCallEnd=", f"cmdCallEnd={value}")


def utf16(text: str) -> bytes:
    return codecs.BOM_UTF16_LE + text.encode("utf-16-le")


@pytest.fixture
def files(tmp_path: Path) -> HookFiles:
    built = tmp_path / "package" / "sip-gateway-hook.exe"
    built.parent.mkdir()
    built.write_bytes(b"MZ, first build")
    ini = tmp_path / "microsip.ini"
    ini.write_bytes(utf16(AS_WRITTEN_BY_MICROSIP))
    return HookFiles(
        ini=ini, folder=tmp_path / "data" / "hook", program=built, python=tmp_path / "python"
    )


def hooks(files: HookFiles, version: Version = NEWEST) -> EventHooks:
    return EventHooks(files=files, version=version, clock=FakeClock())


def values(files: HookFiles) -> dict[str, str]:
    return {hook.kind.value: hook.value for hook in hooks_in(read_ini(files.ini))}


def test_every_event_that_microsip_knows_is_hooked(files: HookFiles) -> None:
    change = hooks(files).install(chain=False)

    program = files.folder / "sip-gateway-hook.exe"
    assert values(files) == {kind: f'"{program}" {kind} --' for kind in CallEventKind}
    assert set(change.kinds) == set(CallEventKind)
    assert program.read_bytes() == b"MZ, first build"
    assert change.backup is not None
    assert change.backup.read_bytes() == utf16(AS_WRITTEN_BY_MICROSIP)


@pytest.mark.parametrize(
    ("version", "video"),
    [
        (OLDEST, False),
        (Version(3, 20, 5), False),
        (Version(3, 21, 4), False),
        (Version(3, 21, 6), True),
        (NEWEST, True),
    ],
    ids=str,
)
def test_a_key_that_microsip_does_not_know_is_left_out(
    version: Version, *, video: bool
) -> None:
    kinds = known_kinds(version)

    assert (CallEventKind.ANSWER_VIDEO in kinds) == video
    assert len(kinds) == 7 + video


def test_without_the_program_python_is_run(files: HookFiles) -> None:
    files.program.unlink()

    hooks(files).install(chain=False)

    assert values(files)["ring"] == f'"{files.python}" -m gateway notify-call ring --'
    assert all(hook.is_ours for hook in hooks(files).there())


def test_a_python_without_a_console_is_preferred(tmp_path: Path) -> None:
    python = tmp_path / "python.exe"

    alone = fallback_python(python)
    (tmp_path / "pythonw.exe").touch()

    assert alone == python
    assert fallback_python(python) == tmp_path / "pythonw.exe"


def test_another_programs_hook_is_not_written_over(files: HookFiles) -> None:
    files.ini.write_bytes(utf16(ini_with(FOREIGN)))

    for action in (hooks(files).install, hooks(files).installable):
        with pytest.raises(ConflictError) as refused:
            action(chain=False)
        assert f"cmdCallEnd runs {FOREIGN}" in str(refused.value)
        assert "--chain" in str(refused.value)

    assert files.ini.read_bytes() == utf16(ini_with(FOREIGN))
    assert not files.folder.exists()


@pytest.mark.parametrize("raw", [FOREIGN, f' "{FOREIGN}" ', '""C:\\a b.exe" c"'])
def test_a_chained_hook_is_kept_for_ours_to_run_and_comes_back(
    files: HookFiles, raw: str
) -> None:
    original = utf16(ini_with(raw))
    files.ini.write_bytes(original)

    hooks(files).install(chain=True)
    chain = (files.folder / "chain.conf").read_bytes()
    again = hooks(files).installable(chain=False)
    hooks(files).uninstall()

    assert chain == f"end={raw.strip()}\r\n".encode()
    assert not again
    assert files.ini.read_bytes() == original
    assert list(files.folder.iterdir()) == []


def test_what_is_installed_already_is_left_as_it_is(files: HookFiles) -> None:
    hooks(files).install(chain=False)
    installed = files.ini.read_bytes()

    change = hooks(files).install(chain=False)

    assert not hooks(files).installable(chain=False)
    assert (change.kinds, change.backup) == ((), None)
    assert files.ini.read_bytes() == installed


def test_a_newer_program_takes_the_place_of_an_older_one(files: HookFiles) -> None:
    hooks(files).install(chain=False)
    files.program.write_bytes(b"MZ, second build")

    hooks(files).install(chain=False)

    assert files.installed_program.read_bytes() == b"MZ, second build"


def test_hooks_of_another_data_folder_are_ours_to_move(
    files: HookFiles, tmp_path: Path
) -> None:
    original = files.ini.read_bytes()
    hooks(files).install(chain=False)
    moved = replace(files, folder=tmp_path / "new data" / "hook")

    hooks(moved).install(chain=False)
    hooks(moved).uninstall()

    # Nobody knows any more that the keys were there and empty; so MicroSIP writes them.
    assert files.ini.read_bytes() == original


def test_what_somebody_changed_meanwhile_is_left_alone(files: HookFiles) -> None:
    hooks(files).install(chain=False)
    text = files.ini.read_bytes().decode("utf-16")
    ours = read_ini(files.ini).line(SETTINGS, "cmdCallEnd") or ""
    files.ini.write_bytes(utf16(text.replace(ours, f"cmdCallEnd={FOREIGN}")))

    hooks(files).uninstall()

    assert files.ini.read_bytes() == utf16(ini_with(FOREIGN))


def test_what_microsip_rewrote_in_its_way_is_still_ours(files: HookFiles) -> None:
    hooks(files).install(chain=False)
    ini = read_ini(files.ini)
    for hook in hooks_in(ini):
        ini = ini.with_line(SETTINGS, hook.kind.key, f'{hook.kind.key}="{hook.value}"')
    files.ini.write_bytes(ini.data)

    again = hooks(files).installable(chain=False)
    removable = hooks(files).removable()
    hooks(files).uninstall()

    assert (again, removable) == (False, True)
    assert files.ini.read_bytes() == utf16(AS_WRITTEN_BY_MICROSIP)


def test_without_hooks_there_is_nothing_to_remove(files: HookFiles) -> None:
    change = hooks(files).uninstall()

    assert not hooks(files).removable()
    assert (change.kinds, change.backup) == ((), None)


def test_a_path_that_microsip_would_cut_is_refused(files: HookFiles, tmp_path: Path) -> None:
    deep = replace(files, folder=tmp_path.joinpath(*["far away"] * 30, "hook"))

    with pytest.raises(ConfigError, match="use a shorter path"):
        hooks(deep).installable(chain=False)


def test_a_program_that_cannot_be_written_leaves_the_ini_alone(files: HookFiles) -> None:
    files.installed_program.mkdir(parents=True)

    with pytest.raises(GatewayError, match="cannot be written"):
        hooks(files).install(chain=False)

    assert files.ini.read_bytes() == utf16(AS_WRITTEN_BY_MICROSIP)


def test_a_note_that_cannot_be_read_is_named(files: HookFiles) -> None:
    hooks(files).install(chain=False)
    (files.folder / "before-install.json").write_text("{", "ascii")

    with pytest.raises(ConfigError, match=r"before-install\.json: cannot be read"):
        hooks(files).uninstall()


LINES = st.sampled_from(
    [
        *("[Settings]", "[Calls]", "[settings]", "; a comment", "odd", ""),
        *("cmdCallEnd=", " CMDCALLEND = ", 'cmdCallRing=""', "cmdCallStart", "volumeOutput=60"),
        *(f"cmdCallEnd={FOREIGN}", f'cmdCallBusy="{FOREIGN}"', "cmdCallEnd='x.exe'"),
    ]
)
INIS = st.lists(
    st.tuples(LINES, st.sampled_from(["\r\n", "\n"])).map("".join), max_size=15
).map(lambda lines: utf16("[Settings]\r\n" + "".join(lines)))


@given(data=INIS, version=st.sampled_from([OLDEST, NEWEST]))
def test_uninstall_leaves_every_byte_as_it_was(data: bytes, version: Version) -> None:
    before = IniFile.parse(data)

    installed = hooked(before, COMMAND, known_kinds(version), chain=True)
    ini, lines = IniFile.parse(installed.ini.data), installed.before

    assert all(hook.is_ours for hook in hooks_in(ini) if hook.kind in known_kinds(version))
    assert unhooked(ini, lines).data == data
    assert unhooked(before, lines).data == data


@pytest.mark.parametrize(
    ("lines", "left"),
    [({}, "cmdCallEnd="), ({END: None}, None), ({END: "cmdCallEnd= x "}, "cmdCallEnd= x ")],
    ids=["unknown", "absent", "as it was"],
)
def test_what_was_before_comes_back(lines: Lines, left: str | None) -> None:
    ini = IniFile.parse(utf16(f"[Settings]\r\ncmdCallEnd={COMMAND.value(END)}\r\n"))

    assert unhooked(ini, lines).line(SETTINGS, "cmdCallEnd") == left


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        (COMMAND.value(END), True),
        (r"C:\data\hook\SIP-Gateway-Hook.exe end --", True),
        (r'"C:\Python\pythonw.exe" -m gateway notify-call end --', True),
        (r'"C:\Scripts\sip-gateway.exe" notify-call end --', True),
        (r"C:\crm\not-sip-gateway-hook.exe end --", False),
        (r'"C:\crm\crm.exe" notify-call end --', False),
        (r'"C:\crm\crm.exe" --then notify-call end --', False),
        (r'"C:\crm\log.exe" C:\data\hook\sip-gateway-hook.exe end --', False),
        (r'"C:\Python\pythonw.exe" -m crm notify-call end --', False),
        (FOREIGN, False),
        ("", False),
    ],
)
def test_our_hooks_are_told_from_others(value: str, *, ours: bool) -> None:
    ini = IniFile.parse(utf16(f"[Settings]\r\ncmdCallEnd={value}\r\n"))

    (hook,) = [hook for hook in hooks_in(ini) if hook.kind is END]

    assert hook.is_ours == ours
    assert hook.program == (value.split('"')[1] if '"' in value else value.partition(" ")[0])
    assert hook.is_foreign == (bool(value) and not ours)
