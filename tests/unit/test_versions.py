"""The strings for MicroSIP's window, by version."""

import re

import pytest
from hypothesis import given, strategies as st

from gateway.errors import InvalidRequest
from gateway.microsip.versions import (
    OLDEST,
    CloseWindow,
    Impossible,
    Pause,
    Text,
    Version,
    describe,
    plan,
)
from gateway.phone import PhoneCommand, Verb, parse_command
from gateway.phone_status import Look

V3_19, V3_20, V3_21, V3_22 = map(
    Version._make, [(3, 19, 31), (3, 20, 5), (3, 21, 4), (3, 22, 3)]
)
DRIVEN = [OLDEST, V3_20, V3_21, V3_22, Version(4, 0, 0)]
SAME: list[tuple[str, str]] = [
    ("dial 1002", "1002"),
    ("dial *72#", "*72#"),
    ("dial sip:1002@office.example", "1002@office.example"),
    ("dial sip:Eva.W@10.0.0.7:5070", "Eva.W@10.0.0.7:5070"),
    ("callto 1002", "callto:1002"),
    ("hangup", "/hangupall"),
    ("answer", "/answer"),
    ("hold", "msip:hold"),
    ("transfer 1003", "/transfer:1003"),
    ("dtmf 12#", "/dtmf:12#"),
    ("dtmf 12,,3,4", "/dtmf:12, 2 s pause, /dtmf:3, 1 s pause, /dtmf:4"),
    ("dtmf ,a,", "1 s pause, /dtmf:A"),
    ("dtmf 1,,,,,,,,,,2", "/dtmf:1, 10 s pause, /dtmf:2"),
    ("volup 3", "3 x msip:speakup"),
    ("voldown 1", "msip:speakdown"),
    ("volume 40", "20 x msip:speakdown, 8 x msip:speakup"),
    ("volume 0", "20 x msip:speakdown"),
    ("volume 43", "20 x msip:speakdown, 9 x msip:speakup"),
    ("micvolume 100", "20 x msip:micdown, 20 x msip:micup"),
    ("status", "msip:"),
    ("close", "WM_CLOSE"),
]
BY_VERSION: list[tuple[str, Version, str]] = [
    ("mute", V3_20, "msip:micmute"),
    ("mute", V3_21, "msip:micmuteclick"),
    ("mute", V3_22, "msip:micmuteclick"),
    ("reject", V3_21, "/hangupincoming"),
    ("reject", V3_22, "/hangupincoming"),
]
IMPOSSIBLE: list[tuple[str, Version, str]] = [
    ("reject", V3_20, "update MicroSIP to 3.21.4"),
    ("device input 3", V3_22, "in its settings"),
    ("dtmf ,,", V3_22, "no digit"),
    ("dtmf 1,,,,,2,,,,,,3", V3_22, "another dtmf"),
    ("dial sips:1002@office.example", V3_22, "sip:user@host"),
    ("dial sip:1002@office.example;transport=tcp", V3_22, "leave out parameters"),
    ("transfer sip:a!b@office.example", V3_22, "letters, digits"),
    ("dial 1002", V3_19, "MicroSIP 3.19.31 is too old"),
]
CONSTANT = {
    "/hangupall",
    "/answer",
    "/hangupincoming",
    *("msip:", "msip:hold", "msip:micmute", "msip:micmuteclick", "msip:micunmute"),
    *("msip:speakup", "msip:speakdown", "msip:micup", "msip:micdown"),
}
WITH_ARGUMENT = re.compile(
    r"(?:callto:|/transfer:)?(?:[0-9*#+]+|[\w*#+.-]+@[a-z0-9.-]+(?::\d+)?)|/dtmf:[0-9A-D*#]+",
    re.ASCII,
)
HOSTILE = ["/account:2", "/reset", "/resetnoask", "msip:hold", "1 2", "1,2", "1002/account:1"]


def command(line: str) -> PhoneCommand:
    word, *arguments = line.split()
    return parse_command(Verb(word), tuple(arguments))


@pytest.mark.parametrize("version", DRIVEN, ids=str)
@pytest.mark.parametrize(("line", "strings"), SAME, ids=[line for line, _ in SAME])
def test_most_verbs_are_the_same_in_every_version(
    line: str, strings: str, version: Version
) -> None:
    assert describe(plan(command(line), version)) == strings


@pytest.mark.parametrize(("line", "version", "strings"), BY_VERSION)
def test_what_a_version_dials_is_not_sent_to_it(
    line: str, version: Version, strings: str
) -> None:
    assert describe(plan(command(line), version)) == strings


SHOWN: list[tuple[str, Version, Look, str]] = [
    ("volume 40", V3_20, Look(volume=50), "2 x msip:speakdown"),
    ("volume 40", V3_22, Look(volume=53), "11 x msip:speakdown, 8 x msip:speakup"),
    ("volume 90", V3_22, Look(volume=98), "msip:speakup, 2 x msip:speakdown"),
    ("volume 40", V3_22, Look(mic_volume=50), "20 x msip:speakdown, 8 x msip:speakup"),
    ("micvolume 75", V3_22, Look(mic_volume=50), "5 x msip:micup"),
    ("volume 40", V3_22, Look(volume=40), ""),
    (
        "volume 40",
        V3_22,
        Look(volume=40, speaker_muted=True),
        "msip:speakdown, msip:speakup",
    ),
    ("micvolume 0", V3_22, Look(mic_volume=0, muted=True), "msip:micup, msip:micdown"),
    ("mute", V3_20, Look(muted=True), "msip:micmute"),
    ("mute", V3_21, Look(muted=False), "msip:micmute"),
    ("mute", V3_22, Look(muted=True), "msip:micunmute"),
]


@pytest.mark.parametrize(("line", "version", "look", "strings"), SHOWN)
def test_what_the_windows_show_decides_the_steps(
    line: str, version: Version, look: Look, strings: str
) -> None:
    assert describe(plan(command(line), version, look)) == strings


@pytest.mark.parametrize(("line", "version", "remedy"), IMPOSSIBLE)
def test_what_cannot_be_done_says_what_to_do(line: str, version: Version, remedy: str) -> None:
    steps = plan(command(line), version)

    assert isinstance(steps, Impossible)
    assert remedy in steps.reason
    assert describe(steps) == "nothing"


def test_every_verb_has_a_plan() -> None:
    lines = {line for line, _ in SAME} | {line for line, _, _ in (*BY_VERSION, *IMPOSSIBLE)}

    assert {line.split()[0] for line in lines} == {verb.value for verb in Verb}


_NUMBERS = st.from_regex(r"[0-9*#+]{1,32}", fullmatch=True)
_URIS = st.builds(
    "{}:{}@{}{}".format,
    st.sampled_from(["sip", "SIP", "sips"]),
    st.text(st.sampled_from("01aZ;=./:,+*#%~!@-_ &"), min_size=1, max_size=12),
    st.sampled_from(["office.example", "10.0.0.7", "[::1]", "h:5070", "h:x"]),
    st.sampled_from(["", ";transport=tcp", ";x=/account:2", "?a=b", " /account:2"]),
)
_WORDS = st.one_of(
    _NUMBERS,
    _URIS,
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("019AD*#,+/: sipmtelaccountreset"), max_size=20),
    st.sampled_from([f"sip:{text}@office.example" for text in HOSTILE]),
    st.integers(-1, 101).map(str),
    st.sampled_from(["input", "output"]),
)


@given(
    verb=st.sampled_from(Verb),
    words=st.lists(_WORDS, max_size=2),
    version=st.sampled_from(DRIVEN),
    look=st.builds(
        Look, muted=st.none() | st.booleans(), volume=st.none() | st.integers(0, 100)
    ),
)
def test_no_argument_becomes_a_switch_or_a_message(
    verb: Verb, words: list[str], version: Version, look: Look
) -> None:
    try:
        steps = plan(parse_command(verb, tuple(words)), version, look)
    except InvalidRequest:
        return

    sent = () if isinstance(steps, Impossible) else steps
    for step in sent:
        assert isinstance(step, Text | Pause | CloseWindow)
        if isinstance(step, Text) and step.text not in CONSTANT:
            assert WITH_ARGUMENT.fullmatch(step.text)
            assert not re.search(r"/account:|/reset|msip:|\s|,", step.text)


@pytest.mark.parametrize("argument", [*HOSTILE, "", "1002\n", "١٢", "sip:1@h /account:2"])
@pytest.mark.parametrize("verb", [Verb.DIAL, Verb.CALLTO, Verb.TRANSFER, Verb.DTMF, Verb.VOLUP])
def test_an_argument_that_was_never_checked_is_refused(verb: Verb, argument: str) -> None:
    if verb is Verb.DTMF and argument == "1,2":
        argument = "1;2"  # a comma is a pause there

    with pytest.raises(InvalidRequest):
        plan(PhoneCommand(verb, (argument,)), V3_22)


def test_a_verb_without_argument_takes_none() -> None:
    with pytest.raises(InvalidRequest):
        plan(PhoneCommand(Verb.HANGUP, ("/account:2",)), V3_22)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.22.3", V3_22),
        ("3.22.3.5", V3_22),
        (" 3.20.5\n", V3_20),
        ("3.22", None),
        ("", None),
        ("latest", None),
        ("3.22.333333", None),
    ],
)
def test_a_version_is_read_as_it_is_written(text: str, version: Version | None) -> None:
    assert Version.parse(text) == version
