"""The grammar of a command line, its verbs and the wording of replies."""

import pytest
from hypothesis import given, strategies as st

from gateway.chat.command import Call, Command, CommandLine, Reply, parse_line
from gateway.chat.lru import LruDict
from gateway.chat.reply import first_line, shown
from gateway.chat.vocabulary import Vocabulary
from gateway.phone import CommandOutcome


async def _nothing(_: Call) -> Reply:
    return Reply(outcome=CommandOutcome.CONFIRMED)


VOCABULARY = Vocabulary(
    [
        Command(name="dial", help="", run=_nothing),
        Command(name="dtmf", help="", run=_nothing, aliases=("senddtmf",)),
        Command(name="hangup", help="", run=_nothing),
        Command(name="help", help="", run=_nothing),
    ]
)


@pytest.mark.parametrize(
    ("text", "verb", "words"),
    [
        pytest.param("dial 1002", "dial", ("1002",), id="plain"),
        pytest.param("/dial 1002", "dial", ("1002",), id="prefix"),
        pytest.param("/ dial 1002", "dial", ("1002",), id="prefix apart"),
        pytest.param("  DIAL   1002\r\n", "dial", ("1002",), id="spaces around"),
        pytest.param("hangup", "hangup", (), id="no argument"),
        pytest.param('send 101 "two words"', "send", ("101", "two words"), id="quoted"),
        pytest.param('a "b"c', "a", ('"b"c',), id="quotation marks within a word"),
        pytest.param('a "b', "a", ('"b',), id="open quotation"),
        pytest.param('a ""', "a", ("",), id="empty quotation"),
        pytest.param("find from:1001", "find", ("from:1001",), id="key and value"),
        pytest.param("dial 10\n02", "dial", ("10", "02"), id="line end separates"),
        pytest.param("dial\x1f1002", "dial\x1f1002", (), id="other controls do not"),
        pytest.param("dial\u00a01002", "dial\u00a01002", (), id="nor other spaces"),
        pytest.param("x" * 65536, "x" * 33, (), id="64 kB"),
    ],
)
def test_a_line_is_a_verb_with_words(text: str, verb: str, words: tuple[str, ...]) -> None:
    line = parse_line(text, "/")

    assert line is not None
    assert (line.verb, line.words) == (verb, words)


@pytest.mark.parametrize("text", ["", "  \r\n", "/", " / "])
def test_without_a_word_there_is_no_line(text: str) -> None:
    assert parse_line(text, "/") is None


@pytest.mark.parametrize(
    ("text", "prefix", "prefixed"),
    [("/dial 1", "/", True), ("dial 1", "/", False), ("!gw dial 1", "!gw", True)],
)
def test_the_prefix_is_optional(text: str, prefix: str, *, prefixed: bool) -> None:
    assert parse_line(text, prefix) == CommandLine("dial", "1", prefixed)


def test_an_empty_prefix_is_none() -> None:
    assert parse_line("/dial 1", "") == CommandLine("/dial", "1")


@pytest.mark.parametrize(
    ("rest", "beyond"),
    [
        pytest.param("101 hello  there", "hello  there", id="as typed"),
        pytest.param('101 "hello there"', "hello there", id="without quotation marks"),
        pytest.param('101 "yes" or "no"', '"yes" or "no"', id="some words in quotation"),
        pytest.param('"101" a\nb', "a\nb", id="several lines"),
        pytest.param("101", "", id="nothing"),
    ],
)
def test_a_text_argument_is_what_stands_behind_the_words(rest: str, beyond: str) -> None:
    assert CommandLine("send", rest).beyond(1) == beyond


@given(st.text(), st.sampled_from(["", "/", "!"]))
def test_any_text_is_a_line_or_none(text: str, prefix: str) -> None:
    line = parse_line(text, prefix)

    assert line is None or (len(line.verb) > 0 and " " not in line.verb)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("dial 1002", True, id="verb"),
        pytest.param("SendDTMF 1", True, id="other name"),
        pytest.param("dail 1002", True, id="mistyped"),
        pytest.param("hang up please", True, id="nearly"),
        pytest.param("/xyzzy", True, id="prefixed"),
        pytest.param("good morning", False, id="talk"),
        pytest.param("hi", False, id="short talk"),
        pytest.param("\u260e\ufe0f", False, id="emoji"),
        pytest.param("d" * 40, False, id="long word"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_text_is_meant_for_us_or_not(text: str, *, meant: bool) -> None:
    assert VOCABULARY.is_command(parse_line(text, "/")) is meant


def test_the_nearest_three_come_best_first() -> None:
    near = VOCABULARY.nearest("DAIL")

    assert near[0] == "dial"
    assert len(near) == 3


def test_a_word_like_no_verb_has_none_near() -> None:
    assert VOCABULARY.nearest("zzz") == ()


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            Reply(
                outcome=CommandOutcome.CONFIRMED,
                verb="dial",
                subject="1002",
                state="idle -> dialing",
                command_id="cmd_0199aaaa-bbbb-7ccc-8ddd-eeeeeeee1234",
            ),
            "OK dial 1002 (idle -> dialing) #eeee1234",
            id="all of it",
        ),
        pytest.param(
            Reply(outcome=CommandOutcome.UNCONFIRMED, verb="hangup"), "WAIT hangup", id="WAIT"
        ),
        pytest.param(
            Reply(outcome=CommandOutcome.REFUSED, verb="dial", state="not allowed"),
            "NO dial (not allowed)",
            id="NO",
        ),
        pytest.param(
            Reply(outcome=CommandOutcome.FAILED, verb="dial", subject='1"\n\x00)][Close("'),
            'ERR dial 1" ?)][Close("',
            id="hostile argument",
        ),
        pytest.param(
            Reply(outcome=CommandOutcome.FAILED, verb="dial", subject="1" * 200),
            f"ERR dial {'1' * 61}...",
            id="long argument",
        ),
    ],
)
def test_the_first_line_says_what_became_of_it(reply: Reply, expected: str) -> None:
    assert first_line(reply) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\n b", "a b"),
        ("\x1b[2Jx", "?[2Jx"),
        ("\u202eevil", "?evil"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("x" * 21, "x" * 17 + "..."),
        (" " * 100 + "x", "..."),
    ],
    ids=["lines", "escape", "right to left", "joined emoji", "long", "many spaces"],
)
def test_what_is_shown_is_one_safe_line(text: str, expected: str) -> None:
    assert shown(text, 20) == expected


def test_an_lru_dict_forgets_what_was_used_least_recently() -> None:
    kept: LruDict[str, int] = LruDict(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.get("a")

    kept.put("c", 3)

    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)
