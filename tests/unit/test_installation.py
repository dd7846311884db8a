"""Where MicroSIP and its settings are."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.microsip.installation import Places, find_executable, find_ini, ini_of


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(
        installed=(tmp_path / "noted" / "MicroSIP",),
        programs=(tmp_path / "Local", tmp_path / "Program Files"),
        roaming=tmp_path / "Roaming",
    )


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_configured_executable_is_taken_whatever_is_there(
    places: Places, tmp_path: Path
) -> None:
    put(tmp_path / "Local" / "MicroSIP" / "microsip.exe")

    assert find_executable("D:/portable/phone.exe", places) == Path("D:/portable/phone.exe")


def test_an_executable_is_looked_for_from_the_registry_to_the_last_folder(
    places: Places, tmp_path: Path
) -> None:
    order = [
        put(tmp_path / folder / "microsip.exe")
        for folder in ("noted/MicroSIP", "Local/MicroSIP", "Program Files/MicroSIP")
    ]

    found = []
    for path in order:
        found.append(find_executable("", places))
        path.unlink()

    assert found == order
    assert find_executable("", places) is None


def test_an_installed_microsip_has_its_settings_in_the_roaming_folder(
    places: Places, tmp_path: Path
) -> None:
    executable = put(tmp_path / "noted" / "MicroSIP" / "Phone.exe")
    put(executable.with_suffix(".ini"))

    assert ini_of(executable, places) == tmp_path / "Roaming" / "MicroSIP" / "Phone.ini"


def test_any_other_has_them_beside_itself(places: Places, tmp_path: Path) -> None:
    executable = put(tmp_path / "stick" / "microsip.exe")

    nowhere_yet = ini_of(executable, places)
    put(tmp_path / "Roaming" / "MicroSIP" / "microsip.ini")
    put(executable.with_suffix(".ini"))

    assert nowhere_yet == executable.with_suffix(".ini")
    assert ini_of(executable, places) == executable.with_suffix(".ini")
    assert ini_of(executable, replace(places, roaming=None)) == executable.with_suffix(".ini")


def test_what_an_installer_left_no_note_of_is_known_by_its_settings(
    places: Places, tmp_path: Path
) -> None:
    executable = put(tmp_path / "msi" / "microsip.exe")
    roaming = put(tmp_path / "Roaming" / "MicroSIP" / "microsip.ini")

    assert ini_of(executable, places) == roaming


def test_only_settings_that_are_there_are_found(places: Places, tmp_path: Path) -> None:
    executable = put(tmp_path / "stick" / "microsip.exe")

    before = find_ini(places, str(executable)), find_ini(places), find_ini(Places())
    roaming = put(tmp_path / "Roaming" / "MicroSIP" / "microsip.ini")
    portable = put(executable.with_suffix(".ini"))

    assert before == (None, None, None)
    assert find_ini(places, str(executable)) == portable
    assert find_ini(places) == roaming


def test_where_windows_lets_nobody_look_there_is_nothing(
    places: Places, tmp_path: Path
) -> None:
    kept_back = tmp_path / ("long" * 100)
    executable = put(tmp_path / "Local" / "MicroSIP" / "microsip.exe")
    closed = replace(places, installed=(kept_back,), roaming=kept_back)

    assert find_executable("", closed) == executable
    assert ini_of(executable, closed) == executable.with_suffix(".ini")
    assert find_ini(closed, str(kept_back / "microsip.exe")) is None
