"""Which MicroSIP is meant, where there are several or another."""

import pytest

from gateway.errors import PhoneError
from gateway.microsip.instance import Instance, in_use, pick
from gateway.phone import Problem

OFFICE = Instance(1, 10, r"C:\Program Files\MicroSIP\microsip.exe")
PORTABLE = Instance(2, 20, r"D:\tools\microsip.exe")
ELEVATED = Instance(3, 30)


@pytest.mark.parametrize("running", [OFFICE, ELEVATED])
def test_the_only_one_is_meant(running: Instance) -> None:
    assert pick([running], "") == running


@pytest.mark.parametrize(
    "configured", [PORTABLE.executable, "d:/TOOLS/MicroSIP.exe", r"D:\x\..\tools\microsip.exe"]
)
def test_the_configured_one_is_meant_however_it_is_spelt(configured: str) -> None:
    assert pick([OFFICE, ELEVATED, PORTABLE], configured) == PORTABLE


def test_of_several_none_is_meant_until_one_is_configured() -> None:
    with pytest.raises(PhoneError) as refused:
        pick([OFFICE, PORTABLE], "")

    assert refused.value.problem == Problem.FAILED
    for named in (OFFICE.executable, PORTABLE.executable, "[phone] executable"):
        assert named in refused.value.detail


@pytest.mark.parametrize("running", [OFFICE, ELEVATED])
def test_another_than_the_configured_one_is_never_meant(running: Instance) -> None:
    with pytest.raises(PhoneError) as refused:
        pick([running], PORTABLE.executable)

    assert refused.value.problem == Problem.NOT_RUNNING
    assert PORTABLE.executable in refused.value.detail
    assert (running.executable or "run as administrator") in refused.value.detail


@pytest.mark.parametrize(
    ("configured", "remedy"), [("", "start it"), (OFFICE.executable, "start C:\\Program Files")]
)
def test_none_is_not_running(configured: str, remedy: str) -> None:
    with pytest.raises(PhoneError) as refused:
        pick([], configured)

    assert refused.value.problem == Problem.NOT_RUNNING
    assert remedy in refused.value.detail


@pytest.mark.parametrize(
    ("configured", "running", "used"),
    [
        (PORTABLE.executable, [OFFICE], PORTABLE.executable),
        ("", [PORTABLE], PORTABLE.executable),
        ("", [], ""),
        ("", [OFFICE, PORTABLE], ""),
        ("", [ELEVATED], ""),
    ],
    ids=["configured", "portable", "none", "several", "kept-back"],
)
def test_without_a_configured_one_the_one_that_runs_is_in_use(
    configured: str, running: list[Instance], used: str
) -> None:
    assert in_use(configured, running) == used
