"""The suite that Windows Python runs: the PC's ini files, registry and devices.

Not collected by itself; ``test_wine_process.py`` runs it under Wine.
"""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from gateway.errors import PhoneError
from gateway.phone import Problem

assert sys.platform == "win32"

import winreg  # noqa: E402  the fence comes first

from gateway.microsip.device import named  # noqa: E402
from gateway.microsip.ini_file import IniFile  # noqa: E402
from gateway.microsip.registry import installed_folders, program_folders  # noqa: E402
from gateway.microsip.wave_devices import wave_devices  # noqa: E402
from tests.peers.wine_profile_string import read_by_windows  # noqa: E402

pytestmark = pytest.mark.timeout(60)

WORDS = st.sampled_from(
    [
        *("[Settings]", "[settings]", "[Calls]", "[Settings", "]", "k", " K ", "kk", "k=v"),
        *("=", "a b", '"', "'", ";", " ", "\t", "Büro", "\r\n", "\r\n", "\n"),
    ]
)


async def test_the_devices_of_the_pc_are_listed_by_number() -> None:
    inputs, outputs = wave_devices("input"), wave_devices("output")

    with pytest.raises(PhoneError) as unknown:
        named("output", 900, outputs)

    assert unknown.value.problem == Problem.INVALID
    assert all(f"{at} {name}" in unknown.value.detail for at, name in enumerate(outputs))
    assert all(0 < len(name) < 32 for name in [*inputs, *outputs])


def test_a_key_is_read_as_windows_reads_it(tmp_path: Path) -> None:
    numbers = iter(range(10_000))

    @settings(max_examples=150, deadline=None)
    @given(text=st.lists(WORDS, max_size=14).map("".join))
    def check(text: str) -> None:
        # Windows keeps what it read of a file for a while: each has a name of its own.
        path = tmp_path / f"{next(numbers)}.ini"
        data = b"\xff\xfe" + text.encode("utf-16-le")
        changed = IniFile.parse(data).with_value("Settings", "K", " 'v' ")
        path.write_bytes(data)
        assert (IniFile.parse(data).get("Settings", "k") or "") == read_by_windows(path, "k")
        path = tmp_path / f"{next(numbers)}.ini"
        path.write_bytes(changed.data)
        assert read_by_windows(path, "k") == " 'v' "

    check()


def test_the_registry_tells_where_microsip_was_installed() -> None:
    note = r"Software\MicroSIP"

    before = installed_folders()
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, note) as key:
        winreg.SetValueEx(key, "", 0, winreg.REG_SZ, r"C:\Users\Jo\MicroSIP")
    try:
        noted = installed_folders()
    finally:
        winreg.DeleteKey(winreg.HKEY_CURRENT_USER, note)

    assert noted == (Path(r"C:\Users\Jo\MicroSIP"), *before)
    assert Path(r"C:\Program Files") in program_folders()
