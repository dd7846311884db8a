"""The ids of messages: UUIDs of version 7."""

from datetime import timedelta

from gateway.message import uuid7
from tests.fakes import NOON


def test_an_id_says_its_version_and_its_millisecond() -> None:
    made = [uuid7(NOON) for _ in range(200)]

    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert {one.int >> 80 for one in made} == {int(NOON.timestamp() * 1000)}


def test_ids_of_one_millisecond_differ_and_later_ones_sort_behind_them() -> None:
    made = [uuid7(NOON) for _ in range(200)]

    later = uuid7(NOON + timedelta(milliseconds=1))

    assert len(set(made)) == 200
    assert max(made) < later
