"""Cutting text into parts that fit."""

import re

import pytest
from hypothesis import example, given, strategies as st

from gateway.split import byte_length, cut_text, split_text

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
THUMB = "\U0001f44d\U0001f3fd"
FLAG = "\U0001f1e9\U0001f1ea"
HEART = "\u2764\ufe0f"
ACCENTED = "e\u0301"
texts = st.text(
    st.one_of(
        st.sampled_from([" ", "\n", "\r", "a", "\u20ac", "\ud800", *FAMILY, *THUMB, *FLAG]),
        st.characters(),
    ),
    max_size=400,
)


@pytest.mark.parametrize(
    ("text", "max_bytes"),
    [
        pytest.param("", 20, id="empty"),
        pytest.param("dial 1002", 9, id="exactly the limit"),
        pytest.param("\u20ac\u20ac", 6, id="exactly the limit in bytes"),
    ],
)
def test_a_text_that_fits_is_one_part_without_a_number(text: str, max_bytes: int) -> None:
    parts = split_text(text, max_bytes)

    assert parts == (text,)


@pytest.mark.parametrize(
    ("text", "max_bytes", "expected"),
    [
        pytest.param(
            "one two three four", 16, ("(1/2) one two", "(2/2) three four"), id="at a space"
        ),
        pytest.param(
            "first line\nnext line of it",
            22,
            ("(1/2) first line", "(2/2) next line of it"),
            id="rather at a line end than at a space",
        ),
        pytest.param(
            "abcdefghijkl", 11, ("(1/3) abcde", "(2/3) fghij", "(3/3) kl"), id="a long word"
        ),
        pytest.param(
            "a bcdefghijkl",
            12,
            ("(1/3) a bcde", "(2/3) fghijk", "(3/3) l"),
            id="not at a space that leaves a part half empty",
        ),
        pytest.param(
            "aaaaa  bbbbb",
            11,
            ("(1/3) aaaaa", "(2/3)  bbbb", "(3/3) b"),
            id="only one of two spaces goes",
        ),
    ],
)
def test_a_longer_text_is_cut_at_the_best_place(
    text: str, max_bytes: int, expected: tuple[str, ...]
) -> None:
    parts = split_text(text, max_bytes)

    assert parts == expected


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param("\u20ac", id="three bytes"),
        pytest.param(ACCENTED, id="combining accent"),
        pytest.param(HEART, id="variation selector"),
        pytest.param(THUMB, id="skin tone"),
        pytest.param(FLAG, id="regional indicators"),
        pytest.param(FAMILY, id="zero-width joiners"),
    ],
)
@pytest.mark.parametrize("limit", [31, 32, 33, 34, 35, 36])
def test_what_is_read_as_one_character_stays_whole(cluster: str, limit: int) -> None:
    parts = split_text(cluster * 14, limit)

    assert len(parts) > 1
    for part in parts:
        body = re.sub(r"^\(\d+/\d+\) ", "", part)
        assert body == cluster * (len(body) // len(cluster))


def test_a_cluster_larger_than_a_part_is_cut_between_characters() -> None:
    parts = cut_text("a" + "\u0301" * 10, 6)

    assert "".join(parts) == "a" + "\u0301" * 10
    assert all(byte_length(part) <= 6 for part in parts)


def test_the_numbers_of_a_hundred_parts_still_fit() -> None:
    parts = split_text("x" * 2000, 20)

    assert len(parts) > 99
    assert parts[0].startswith(f"(1/{len(parts)}) ")
    assert max(byte_length(part) for part in parts) <= 20
    assert re.sub(r"\(\d+/\d+\) ", "", "".join(parts)) == "x" * 2000


def test_a_limit_that_holds_no_character_is_an_error() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        split_text("twenty bytes are cut", 9)


@given(text=texts, max_bytes=st.integers(24, 90))
@example(text="\ud83d" * 40, max_bytes=24)
def test_parts_fit_and_hold_everything_but_a_break_between_them(
    text: str, max_bytes: int
) -> None:
    parts = split_text(text, max_bytes)

    assert all(byte_length(part) <= max_bytes for part in parts)
    bodies = [re.sub(r"^\(\d+/\d+\) ", "", p) for p in parts] if len(parts) > 1 else [*parts]
    pattern = r"[ \t\r\n]?".join(re.escape(body) for body in bodies) + r"[ \t\r\n]?"
    assert re.fullmatch(pattern, text)
