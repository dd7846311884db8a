"""The hook program for real: run under Wine as MicroSIP runs it."""

import socket
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.call import LONGEST_USER, CallEventKind
from gateway.microsip.hand_over import (
    LARGEST_SKEW,
    HandOver,
    new_nonce,
    read_hand_over,
    write_hand_over,
)
from gateway.microsip.hand_over_conf import FILE_NAME, write_conf
from tests.peers.wine_hook import (
    BAD_CONF,
    HANDED_OVER,
    NO_CONF,
    WRONG_USAGE,
    Hook,
    Receiver,
)

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(180)]

HOSTILE_USERS = [
    pytest.param("555", id="number"),
    pytest.param("", id="empty"),
    pytest.param("John Smith", id="space"),
    pytest.param("a  b   c", id="spaces"),
    pytest.param('"', id="quote"),
    pytest.param('" & calc.exe & "', id="quotes and ampersand"),
    pytest.param("a & b | c > d < e ^ f", id="cmd's words"),
    pytest.param("%PATH% !x! $HOME `x`", id="variables"),
    pytest.param("--", id="dashes"),
    pytest.param("x -- end -- y", id="another event"),
    pytest.param("-- --help /account:2 /reset", id="options"),
    pytest.param('a\\\\\\"b\\', id="backslashes"),
    pytest.param("a=b;c,d(e)", id="punctuation"),
    pytest.param("\u00fc\u20ac\u65e5\u672c", id="not ASCII"),
    pytest.param("\U0001f600\U0001f4de", id="beyond the first plane"),
]


@pytest.mark.parametrize("user", HOSTILE_USERS)
def test_the_user_part_arrives_as_it_was(user: str, hook: Hook, receiver: Receiver) -> None:
    hook.run_as_microsip("ring", user)

    event = receiver.event(hook.conf)

    assert (event.kind, event.user) == (CallEventKind.RING, user)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(user=st.text(st.characters(exclude_characters="\0"), max_size=400))
def test_any_user_part_arrives_as_the_gateways_own_command_sends_it(
    user: str, hook: Hook, receiver: Receiver
) -> None:
    own = HandOver(kind=CallEventKind.RING, user=user, at=datetime.now(UTC), nonce=new_nonce())
    expected = read_hand_over(write_hand_over(own, hook.conf.key), hook.conf.key, own.at)

    hook.run_as_microsip("ring", user)

    assert isinstance(expected, HandOver)
    assert receiver.event(hook.conf).user == expected.user


@pytest.mark.parametrize("kind", list(CallEventKind))
def test_each_event_is_handed_over(kind: CallEventKind, hook: Hook, receiver: Receiver) -> None:
    code = hook.run(f"{kind} -- 555")

    event = receiver.event(hook.conf)

    assert code == HANDED_OVER
    assert event.kind is kind
    assert abs(datetime.now(UTC) - event.at) < LARGEST_SKEW


@pytest.mark.parametrize(
    ("user", "kept"),
    [
        pytest.param("5" * 5000, "5" * LONGEST_USER, id="characters"),
        pytest.param("\u20ac" * 5000, "\u20ac" * 200, id="bytes"),
        pytest.param("a" + "\U0001f600" * 5000, "a" + "\U0001f600" * 149, id="pairs"),
    ],
)
def test_a_long_user_part_is_cut_as_the_gateway_would(
    user: str, kept: str, hook: Hook, receiver: Receiver
) -> None:
    hook.run_as_microsip("end", user)

    assert receiver.event(hook.conf).user == kept


@pytest.mark.parametrize(
    ("arguments", "user"),
    [
        pytest.param("ring --", "", id="no user"),
        pytest.param("ring -- ", "", id="empty user"),
        pytest.param("ring --  5", " 5", id="leading space"),
        pytest.param("ring   --   5 ", "  5 ", id="spaces"),
        pytest.param("ring -- \t5", "\t5", id="tab"),
    ],
)
def test_one_blank_parts_the_user_from_the_dashes(
    arguments: str, user: str, hook: Hook, receiver: Receiver
) -> None:
    code = hook.run(arguments)

    assert (code, receiver.event(hook.conf).user) == (HANDED_OVER, user)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param("", id="nothing"),
        pytest.param("-- 555", id="no event"),
        pytest.param("ring", id="no dashes"),
        pytest.param("ring 555", id="no dashes, a user"),
        pytest.param("ring -555", id="one dash"),
        pytest.param("ring --555", id="no blank"),
        pytest.param("ring x -- 555", id="one more"),
        pytest.param("RING -- 555", id="capitals"),
        pytest.param('"ring" -- 555', id="quotes"),
        pytest.param("r\u00efng -- 555", id="not ASCII"),
        pytest.param(f"{'a' * 17} -- 555", id="long event"),
        pytest.param(f"{'a' * 30000} -- 555", id="very long event"),
    ],
)
def test_wrong_usage_is_told_by_the_exit_code(arguments: str, hook: Hook) -> None:
    assert hook.run(arguments) == WRONG_USAGE


def test_no_two_datagrams_are_alike(hook: Hook, receiver: Receiver) -> None:
    for _ in range(3):
        hook.run("ring -- 555")

    assert len({receiver.event(hook.conf).nonce for _ in range(3)}) == 3


def test_a_gateway_that_is_not_there_holds_nothing_up(hook: Hook, receiver: Receiver) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        closed = udp.getsockname()[1]
    write_conf(hook.folder, closed)
    gone = hook.run("ring -- 555")
    write_conf(hook.folder, receiver.port)

    back = hook.run("ring -- 556")

    assert (gone, back) == (HANDED_OVER, HANDED_OVER)
    assert receiver.event(hook.conf).user == "556"


def test_before_the_first_gateway_it_says_so_by_its_exit_code(hook: Hook) -> None:
    (hook.folder / FILE_NAME).unlink()

    assert hook.run("ring -- 555") == NO_CONF


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("port=40000\n", id="no key"),
        pytest.param("port=0\nkey={key}\n", id="port 0"),
        pytest.param("port=65536\nkey={key}\n", id="port too high"),
        pytest.param("port=99999999999999999999\nkey={key}\n", id="port overflows"),
        pytest.param("port=x\nkey={key}\n", id="no port"),
        pytest.param("port=40000\nkey={key}", id="no line end"),
        pytest.param("port=40000\nkey={key}0\n", id="long key"),
        pytest.param("port=40000\nkey=g\n", id="no hex"),
        pytest.param("port=40000\nkey={key}\n\0", id="more"),
        pytest.param("x" * 5000, id="long"),
    ],
)
def test_a_conf_that_no_gateway_wrote_is_told_by_the_exit_code(
    content: str, hook: Hook
) -> None:
    text = content.replace("{key}", hook.conf.key.hex())
    (hook.folder / FILE_NAME).write_bytes(text.encode())

    assert hook.run("ring -- 555") == BAD_CONF
