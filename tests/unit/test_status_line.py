"""What is known of MicroSIP, in one line."""

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from gateway.chat.status_line import status_line
from gateway.phone_status import PhoneState, PhoneStatus, Seen
from tests.fakes import NOON

BERLIN = timezone(timedelta(hours=2))
WITH_1002 = Seen("1002", "hook", NOON)
SINCE = Seen(NOON - timedelta(minutes=57), "hook", NOON)
MUTED = Seen(value=True, source="window", observed_at=NOON)
HEARD = Seen(value=False, source="window", observed_at=NOON)


def status(state: str, **facts: Any) -> PhoneStatus:
    return PhoneStatus(state=PhoneState(state), source="window", observed_at=NOON, **facts)


LINES = [
    (status("idle"), "idle"),
    (status("idle", peer=WITH_1002, since=SINCE), "idle"),
    (status("unknown", raw="Foo"), "unknown; Foo"),
    (status("active"), "active"),
    (status("active", raw="Active"), "active"),
    (status("active", peer=WITH_1002), "active with 1002"),
    (status("active", raw="In call 1002"), "active; In call 1002"),
    (status("active", raw="In call 1002", peer=WITH_1002), "active with 1002"),
    (status("held", peer=WITH_1002, since=SINCE), "held with 1002 since 13:03"),
    (status("ringing", peer=WITH_1002, since=SINCE), "ringing, 1002 calls since 13:03"),
    (status("dialing", peer=WITH_1002), "dialing 1002"),
    (
        status("active", since=Seen(NOON - timedelta(days=1), "hook", NOON)),
        "active since 2026-05-31 14:00",
    ),
    (
        status(
            "active",
            peer=WITH_1002,
            since=SINCE,
            muted=MUTED,
            volume=Seen(40, "window", NOON),
        ),
        "active with 1002 since 13:03; microphone muted; volume 40",
    ),
    (status("idle", muted=HEARD, volume=Seen(0, "window", NOON)), "idle; volume 0"),
]


@pytest.mark.parametrize(("seen", "line"), LINES)
def test_only_what_is_known_is_said(seen: PhoneStatus, line: str) -> None:
    assert status_line(seen, BERLIN) == line


def test_times_are_those_of_the_zone() -> None:
    seen = status("active", since=SINCE)

    assert status_line(seen, UTC) == "active since 11:03"
