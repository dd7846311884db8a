"""``/v1/calls``: the calls of MicroSIP."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.call import Call, CallDirection, CallOutcome
from gateway.call_log import CallCommit
from tests.fakes import NOON
from tests.web.conftest import Api, Office

ANSWERED = Call(
    id="call_1",
    direction=CallDirection.INCOMING,
    peer="555",
    name="Anna",
    started_at=NOON,
    rang_at=NOON,
    answered_at=NOON + timedelta(seconds=3),
    ended_at=NOON + timedelta(seconds=63),
    outcome=CallOutcome.ANSWERED,
    sources=("hook", "ini"),
    record_key="1;555",
)


async def stored(office: Office, *calls: Call) -> None:
    for call in calls:
        await office.call_log.store_call(CallCommit(call=call))


def dialled(number: int) -> Call:
    return Call(
        id=f"call_out_{number}",
        direction=CallDirection.OUTGOING,
        peer="1002",
        started_at=NOON + timedelta(hours=number),
        sources=("hook",),
    )


async def test_a_call_is_shown_with_its_times_and_outcome(office: Office) -> None:
    await stored(office, ANSWERED)

    one = await office.api.get("/v1/calls/call_1")
    page = await office.api.get("/v1/calls", token="phone:read")

    assert one.status == 200
    assert one.json == {
        "id": "call_1",
        "direction": "incoming",
        "peer": "555",
        "name": "Anna",
        "started_at": "2026-06-01T12:00:00.000Z",
        "rang_at": "2026-06-01T12:00:00.000Z",
        "answered_at": "2026-06-01T12:00:03.000Z",
        "ended_at": "2026-06-01T12:01:03.000Z",
        "duration_seconds": 60,
        "outcome": "answered",
        "sources": ["hook", "ini"],
        "node": "",
    }
    assert page.json == {"items": [one.json], "next_cursor": None}


async def test_what_is_not_known_yet_is_null(office: Office) -> None:
    await stored(office, dialled(1))

    call = (await office.api.get("/v1/calls/call_out_1")).json

    assert {name for name, value in call.items() if value is None} == {
        "rang_at",
        "answered_at",
        "ended_at",
        "duration_seconds",
        "outcome",
    }


async def test_a_call_that_was_never_up_lasted_no_second(office: Office) -> None:
    await stored(office, replace(ANSWERED, answered_at=None, outcome=CallOutcome.MISSED))

    call = (await office.api.get("/v1/calls/call_1")).json

    assert (call["outcome"], call["duration_seconds"]) == ("missed", 0)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["call_out_2", "call_out_1", "call_1"]),
        ("peer=555", ["call_1"]),
        ("direction=outgoing", ["call_out_2", "call_out_1"]),
        ("outcome=answered", ["call_1"]),
        ("since=2026-06-01T14:00:00Z", ["call_out_2"]),
        ("until=2026-06-01T13:00:00Z", ["call_1"]),
        ("peer=1002&outcome=answered", []),
    ],
)
async def test_calls_are_filtered_newest_first(
    office: Office, query: str, ids: list[str]
) -> None:
    await stored(office, ANSWERED, dialled(1), dialled(2))

    reply = await office.api.get(f"/v1/calls?{query}")

    assert [item["id"] for item in reply.json["items"]] == ids


async def test_calls_are_paged_by_cursor(office: Office) -> None:
    await stored(office, *(dialled(number) for number in range(5)))

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await office.api.get(f"/v1/calls?limit=2&direction=outgoing&cursor={cursor}")
        seen += [item["id"] for item in page.json["items"]]
        cursor = page.json["next_cursor"]

    assert seen == [f"call_out_{number}" for number in (4, 3, 2, 1, 0)]


async def test_a_cursor_is_good_for_its_own_query(office: Office) -> None:
    await stored(office, dialled(1), dialled(2))
    page = await office.api.get("/v1/calls?limit=1")

    reply = await office.api.get(f"/v1/calls?peer=1002&cursor={page.json['next_cursor']}")

    assert (reply.status, reply.code) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    "query", ["direction=sideways", "outcome=good", "since=yesterday", "limit=0", "who=555"]
)
async def test_a_wrong_parameter_is_refused(api: Api, query: str) -> None:
    reply = await api.get(f"/v1/calls?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


async def test_an_unknown_call_is_not_found(api: Api) -> None:
    reply = await api.get("/v1/calls/call_2")

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/calls/call_1"])
async def test_calls_need_a_token_that_may_read_the_phone(api: Api, path: str) -> None:
    without = await api.get(path, token=None)
    other = await api.get(path, token="messages:read")

    assert (without.status, other.status) == (401, 403)
