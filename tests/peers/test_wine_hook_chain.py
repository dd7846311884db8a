"""A hook that was there before the gateway's is started after it, as MicroSIP would."""

import shutil
from pathlib import Path

import pytest

from tests.peers.wine import windows_path
from tests.peers.wine_hook import HANDED_OVER, NAME, NO_CONF, NOT_CHAINED, Hook, Receiver

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(180)]

MODULE = "-m tests.peers.wine_command_line"


@pytest.fixture
def foreign(hook: Hook, tmp_path: Path) -> str:
    """Somebody's program, the path as Windows has it; it tells how it was started."""
    folder = tmp_path / "J\u00fcrgen's programs"
    folder.mkdir()
    path = windows_path(folder / "foreign.exe")
    hook.runner.order("copy_python", target=path)
    return path


@pytest.fixture
def program(hook: Hook, receiver: Receiver, foreign: str) -> str:
    """Its command in an ini: the port where it tells is this test's own."""
    return f'"{foreign}" {MODULE} {receiver.port}'


def chain(hook: Hook, *lines: str, line_end: str = "\n") -> None:
    text = "".join(line + line_end for line in lines)
    (hook.folder / "chain.conf").write_bytes(text.encode("utf-8"))


def started(receiver: Receiver, foreign: str) -> str:
    """What follows the program in the command line of what was started."""
    line = receiver.datagram().decode("utf-8")
    name = f'"{foreign}" '
    assert line.startswith(name)
    return line.removeprefix(name)


@pytest.mark.parametrize(
    ("options", "user", "arguments"),
    [
        pytest.param("end", "555", " end 555", id="option"),
        pytest.param('"two words" --', "5 5", " two words -- 5 5", id="quotes are lost"),
        pytest.param("x", 'a" & b %PATH% -- ', ' x a" & b %PATH% -- ', id="hostile"),
        pytest.param("\u20ac", "\U0001f600", " \u20ac \U0001f600", id="not ASCII"),
        pytest.param("x", "5" * 5000, " x " + "5" * 5000, id="all of a long user"),
    ],
)
def test_it_is_started_with_its_arguments_then_the_user(
    options: str,
    user: str,
    arguments: str,
    hook: Hook,
    receiver: Receiver,
    foreign: str,
    program: str,
) -> None:
    chain(hook, f"ring={program} {options}")

    hook.run_as_microsip("ring", user)

    assert receiver.event(hook.conf).kind == "ring"
    assert started(receiver, foreign) == f"{MODULE} {receiver.port}{arguments}"


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("{0} x", id="bare"),
        pytest.param('"{0} x"', id="in quotes"),
        pytest.param("'{0} x'", id="in single quotes"),
        pytest.param("  {0} x \t", id="blanks around"),
    ],
)
def test_its_value_is_read_as_microsip_reads_its_ini(
    written: str, hook: Hook, receiver: Receiver, foreign: str, program: str
) -> None:
    chain(hook, f"ring={written.format(program)}")

    hook.run("ring -- 555")

    receiver.event(hook.conf)
    assert started(receiver, foreign) == f"{MODULE} {receiver.port} x 555"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_each_event_has_a_line_of_its_own(
    line_end: str, hook: Hook, receiver: Receiver, foreign: str, program: str
) -> None:
    lines = [f"answer-video={program} wrong", "busy=", f"answer={program} right"]
    chain(hook, *lines, f"end={program} wrong", line_end=line_end)

    codes = [hook.run(f"{kind} -- 555") for kind in ("start", "busy", "answer")]

    told = [receiver.event(hook.conf).kind.value for _ in codes]
    assert (codes, told) == ([HANDED_OVER] * 3, ["start", "busy", "answer"])
    assert started(receiver, foreign).endswith(" right 555")


def test_it_is_started_though_no_gateway_has_run(
    hook: Hook, receiver: Receiver, foreign: str, program: str
) -> None:
    chain(hook, f"ring={program}")
    (hook.folder / "hand-over.conf").unlink()

    code = hook.run("ring -- 555")

    assert code == NO_CONF
    assert started(receiver, foreign).endswith(" 555")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"ring=Z:\\nowhere\\nothing.exe\n", id="absent program"),
        pytest.param(b"ring=\xff\xfe\n", id="not UTF-8"),
        pytest.param(b"ring=" + b"x" * 4000 + b"\n", id="long value"),
        pytest.param(b"x" * 20000, id="long file"),
    ],
)
def test_what_cannot_be_started_is_told_by_the_exit_code(
    content: bytes, hook: Hook, receiver: Receiver
) -> None:
    (hook.folder / "chain.conf").write_bytes(content)

    code = hook.run("ring -- 555")

    assert code == NOT_CHAINED
    assert receiver.event(hook.conf).user == "555"


@pytest.mark.parametrize(
    "folder", [pytest.param(".", id="itself"), pytest.param("other", id="another copy")]
)
def test_hook_programs_never_start_each_other(
    folder: str, hook: Hook, receiver: Receiver
) -> None:
    other = hook.folder / folder / NAME.upper()
    other.parent.mkdir(exist_ok=True)
    shutil.copy(hook.folder / NAME, other)
    chain(hook, f'ring="{windows_path(other)}" ring --')

    code = hook.run("ring -- 555")

    assert code == NOT_CHAINED
    assert receiver.event(hook.conf).user == "555"
