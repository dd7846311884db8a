"""Opaque keyset cursors."""

import base64
import json

import pytest
from hypothesis import given, strategies as st

from gateway.web.cursor import (
    Cursor,
    decode_archive_id,
    decode_cursor,
    encode_cursor,
    filter_hash,
)
from gateway.web.problem import Code, HttpProblem

MARK = filter_hash({"q": "pizza"})


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@given(key=st.text(max_size=64), backwards=st.booleans())
def test_a_cursor_is_read_as_it_was_made(key: str, *, backwards: bool) -> None:
    cursor = Cursor(key=key, backwards=backwards)

    text = encode_cursor(cursor, MARK)

    assert decode_cursor(text, MARK) == cursor
    assert text.replace("-", "").replace("_", "").isalnum()


def test_the_mark_is_of_the_conditions_not_their_order() -> None:
    assert filter_hash({"a": 1, "b": 2}) == filter_hash({"b": 2, "a": 1})
    assert filter_hash({"a": 1}) != filter_hash({"a": 2})


@given(text=st.text(max_size=100))
def test_any_other_text_is_refused_not_raised_upon(text: str) -> None:
    with pytest.raises(HttpProblem) as caught:
        decode_cursor(text, MARK)

    assert caught.value.code is Code.CURSOR_INVALID


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([2, "5", False, MARK], id="other-version"),
        pytest.param([1, 5, False, MARK], id="number-for-key"),
        pytest.param([1, "5", 0, MARK], id="number-for-direction"),
        pytest.param([1, "5", False], id="too-short"),
        pytest.param([1, "5", False, MARK, 1], id="too-long"),
        pytest.param({"key": "5"}, id="an-object"),
        pytest.param([1, "5", False, filter_hash({})], id="other-query"),
    ],
)
def test_what_was_not_made_here_for_this_query_is_refused(content: object) -> None:
    with pytest.raises(HttpProblem) as caught:
        decode_cursor(encoded(content), MARK)

    assert caught.value.code is Code.CURSOR_INVALID


@pytest.mark.parametrize("key", ["", "x", "-1", "1.5", "²", "9" * 19])
def test_an_archive_id_is_a_number_that_databases_take(key: str) -> None:
    with pytest.raises(HttpProblem):
        decode_archive_id(Cursor(key=key))


def test_an_archive_id_is_read_from_its_cursor() -> None:
    assert decode_archive_id(Cursor(key="9007199254740993")) == 9_007_199_254_740_993
