"""``/v1/commands``: the chat language over HTTP, with the audit of all commands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.caller import Permission
from gateway.phone import CommandEntry, CommandOutcome, CommandState
from tests.fakes import NOON
from tests.web.conftest import Api, Office

ENTRY = CommandEntry(
    id="cmd_0",
    at=NOON,
    who="sip:101@office.example",
    proof="contact parameter",
    origin="sip",
    text="dial 1002",
    verb="dial",
    argument="1002",
    channel="dde",
    state=CommandState.DONE,
    outcome=CommandOutcome.CONFIRMED,
    evidence="idle -> dialing",
    elapsed_ms=120,
)


async def test_a_command_is_answered_when_it_is_done(office: Office) -> None:
    reply = await office.api.post("/v1/commands", json={"text": "dial 1002"})

    assert reply.status == 200
    assert reply.json == {
        "id": "cmd_1",
        "outcome": "confirmed",
        "reply": ["OK dial 1002", "second line"],
    }


@pytest.mark.parametrize(
    ("scope", "permission"),
    [
        ("messages:send", Permission.SEND),
        ("messages:read", Permission.HISTORY_ALL),
        ("phone:read", Permission.PHONE_READ),
        ("phone:control", Permission.PHONE_CONTROL),
        ("admin", Permission.ADMIN),
    ],
)
async def test_the_scopes_of_the_token_decide_what_it_may(
    office: Office, scope: str, permission: Permission
) -> None:
    await office.api.post("/v1/commands", json={"text": "ping"}, token=scope)

    _, caller = office.commander.asked[0]
    assert caller.who == f"token:{scope}"
    assert caller.permissions == frozenset({permission})


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": 1}, {"text": "x" * 16_001}, {"text": "ping", "as": "101"}],
    ids=["none", "empty", "number", "over-long", "unknown-member"],
)
async def test_a_wrong_body_is_refused(office: Office, body: dict[str, object]) -> None:
    reply = await office.api.post("/v1/commands", json=body)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert office.commander.asked == []


async def test_the_audit_shows_who_did_what(office: Office) -> None:
    await office.command_log.record(ENTRY)

    reply = await office.api.get("/v1/commands")

    assert reply.json == {
        "items": [
            {
                "id": "cmd_0",
                "at": "2026-06-01T12:00:00.000Z",
                "who": "sip:101@office.example",
                "proof": "contact parameter",
                "origin": "sip",
                "text": "dial 1002",
                "verb": "dial",
                "argument": "1002",
                "channel": "dde",
                "outcome": "confirmed",
                "evidence": "idle -> dialing",
                "elapsed_ms": 120,
                "node": "",
            }
        ],
        "next_cursor": None,
    }


async def test_a_command_under_way_has_no_outcome_yet(office: Office) -> None:
    await office.command_log.begin(replace(ENTRY, state=CommandState.STARTED, outcome=None))

    reply = await office.api.get("/v1/commands")

    assert reply.json["items"][0]["outcome"] is None


async def test_the_audit_is_paged_newest_first(office: Office) -> None:
    for number in range(5):
        at = NOON + timedelta(seconds=number)
        await office.command_log.record(replace(ENTRY, id=f"cmd_{number}", at=at))

    pages = [(await office.api.get("/v1/commands?limit=2")).json]
    while cursor := pages[-1]["next_cursor"]:
        pages.append((await office.api.get(f"/v1/commands?limit=2&cursor={cursor}")).json)

    ids = [[entry["id"] for entry in page["items"]] for page in pages]
    assert ids == [["cmd_4", "cmd_3"], ["cmd_2", "cmd_1"], ["cmd_0"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "verb=dial"])
async def test_a_wrong_parameter_is_refused(api: Api, query: str) -> None:
    reply = await api.get(f"/v1/commands?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")
