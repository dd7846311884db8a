"""What doctor says of the MicroSIP of a PC."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.call import CallEventKind
from gateway.config import Phone
from gateway.microsip.event_hooks import Hook, HookCommand
from gateway.microsip.installation import Places
from gateway.microsip.instance import Instance
from gateway.microsip.process import NOWHERE, SESSION_0
from gateway.microsip.remarks import Facts, Grade, Remark, Running, remarks
from gateway.microsip.versions import Version

LOW, MEDIUM, HIGH, SYSTEM = 0x1000, 0x2000, 0x3000, 0x4000
EXECUTABLE = Path("C:/Program Files/MicroSIP/microsip.exe")
OFFICE = Running(Instance(1, 10, str(EXECUTABLE)), Version(3, 22, 3), MEDIUM)
AWAY = Facts(session=1, integrity=MEDIUM, places=Places(), executable=EXECUTABLE)
THERE = replace(AWAY, running=(OFFICE,))
OURS = HookCommand("C:/data/hook/sip-gateway-hook.exe")
ALL_OURS = tuple(Hook(kind, OURS.value(kind)) for kind in CallEventKind)


def said(facts: Facts, phone: Phone | None = None) -> list[Remark]:
    return list(remarks(facts, phone or Phone()))


def test_a_window_is_told_with_version_and_place() -> None:
    unknown = replace(OFFICE, instance=Instance(2, 20), version=None)

    found, _, vague, _ = said(replace(THERE, running=(OFFICE, unknown)))

    assert found[0] == vague[0] == "ok"
    assert f"(session 1): version 3.22.3, {EXECUTABLE}" in found[1]
    assert "taken for the oldest, Windows does not tell from where" in vague[1]


@pytest.mark.parametrize(
    ("own", "other", "grade", "says"),
    [
        (MEDIUM, MEDIUM, "ok", "both run at medium integrity"),
        (HIGH, HIGH + 0x100, "fail", "MicroSIP runs at high integrity, the gateway at high"),
        (MEDIUM, HIGH, "fail", "keeps every command back; run both the same way"),
        (LOW, SYSTEM, "fail", "MicroSIP runs at system integrity, the gateway at low"),
        (HIGH, MEDIUM, "warn", "run the gateway as a normal user"),
        (MEDIUM, None, "warn", "does not tell its integrity level"),
        (None, MEDIUM, "warn", "does not tell its integrity level"),
    ],
)
def test_integrity_levels_that_differ_are_told_with_what_to_do(
    own: int | None, other: int | None, grade: Grade, says: str
) -> None:
    facts = replace(THERE, integrity=own, running=(replace(OFFICE, integrity=other),))

    _, found = said(facts)

    assert found[0] == grade
    assert says in found[1]


@pytest.mark.parametrize(
    ("facts", "phone", "grade", "says"),
    [
        pytest.param(AWAY, Phone(), "ok", "usual folder)", id="found"),
        pytest.param(
            replace(AWAY, places=Places(installed=(EXECUTABLE.parent,))),
            Phone(),
            "ok",
            "starts C:/Program Files/MicroSIP/microsip.exe (noted by its installer)",
            id="registry",
        ),
        pytest.param(
            AWAY, Phone(executable=str(EXECUTABLE)), "ok", "(as configured)", id="configured"
        ),
        pytest.param(AWAY, Phone(start=False), "warn", "start is false; start C:", id="not us"),
        pytest.param(replace(AWAY, executable=None), Phone(), "warn", NOWHERE, id="nowhere"),
        pytest.param(
            replace(AWAY, executable_is_there=False),
            Phone(executable=str(EXECUTABLE)),
            "fail",
            "correct [phone] executable",
            id="wrong path",
        ),
    ],
)
def test_a_missing_one_is_told_with_whether_it_would_be_started(
    facts: Facts, phone: Phone, grade: Grade, says: str
) -> None:
    (found,) = said(facts, phone)

    assert found[0] == grade
    assert says in found[1]


def test_session_0_comes_first() -> None:
    assert said(replace(AWAY, session=0))[0] == ("fail", SESSION_0)


@pytest.mark.parametrize(
    ("hooks", "missing", "grade", "says"),
    [
        pytest.param(ALL_OURS, (), "ok", "installed: outgoing, incoming, ring", id="ours"),
        pytest.param((), (), "warn", "type: sip-gateway events install", id="none"),
        pytest.param(
            (Hook(CallEventKind.END, "crm.exe"), *ALL_OURS[1:]),
            (),
            "warn",
            "(crm.exe); type: sip-gateway events install --chain",
            id="foreign",
        ),
        pytest.param(
            ALL_OURS, (OURS.program,), "fail", f"{OURS.program}, which is not", id="gone"
        ),
    ],
)
def test_event_hooks_are_told_with_whose_they_are(
    hooks: tuple[Hook, ...], missing: tuple[str, ...], grade: Grade, says: str
) -> None:
    ini = Path("microsip.ini")

    *_, where, found = said(
        replace(AWAY, ini=ini, hooks=hooks, missing_programs=frozenset(missing))
    )

    assert where == ("ok", "its settings are microsip.ini")
    assert found[0] == grade
    assert says in found[1]
