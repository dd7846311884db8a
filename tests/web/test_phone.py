"""``/v1/phone``: MicroSIP."""

from datetime import timedelta

import pytest

from gateway.call import CallDirection
from gateway.caller import Origin, Permission
from gateway.phone import TO_CONFIRM, CommandOutcome, Problem, Verb
from gateway.phone_status import PhoneState, PhoneStatus, Seen
from tests.fakes import NOON
from tests.web.conftest import Api, Office

ARGUMENTS = {
    Verb.DIAL: "1002",
    Verb.CALLTO: "1002",
    Verb.TRANSFER: "1002",
    Verb.DTMF: "12#,3",
    Verb.VOLUP: "3",
    Verb.VOLDOWN: "3",
    Verb.VOLUME: "40",
    Verb.MICVOLUME: "40",
    Verb.DEVICE: "input 3",
}


def body_of(verb: Verb) -> dict[str, object]:
    body: dict[str, object] = {"argument": ARGUMENTS[verb]} if verb in ARGUMENTS else {}
    return {**body, "confirm": True} if verb in TO_CONFIRM else body


SEEN_AT = {"observed_at": "2026-06-01T12:00:00.000Z"}
UNKNOWN = dict.fromkeys(
    (
        *("peer", "direction", "since", "muted", "volume", "mic_volume"),
        *("input_device", "output_device"),
    )
)


async def test_the_status_says_where_it_is_known_from(api: Api) -> None:
    reply = await api.get("/v1/phone")

    assert reply.status == 200
    assert reply.json == {
        "state": {"value": "idle", "source": "fake", **SEEN_AT},
        **UNKNOWN,
        "raw": "Idle",
    }


async def test_each_fact_of_the_status_has_its_source_and_time(office: Office) -> None:
    office.phone.seen = PhoneStatus(
        state=PhoneState.HELD,
        source="window",
        observed_at=NOON,
        peer=Seen("1002", "hook", NOON),
        direction=Seen(CallDirection.OUTGOING, "hook", NOON),
        since=Seen(NOON - timedelta(minutes=3), "hook", NOON),
        muted=Seen(value=False, source="window", observed_at=NOON),
        volume=Seen(0, "window", NOON),
        mic_volume=Seen(75, "window", NOON),
        input_device=Seen("default", "ini", NOON),
        output_device=Seen("Headset", "ini", NOON),
    )

    reply = await office.api.get("/v1/phone")

    assert reply.json == {
        "state": {"value": "held", "source": "window", **SEEN_AT},
        "peer": {"value": "1002", "source": "hook", **SEEN_AT},
        "direction": {"value": "outgoing", "source": "hook", **SEEN_AT},
        "since": {"value": "2026-06-01T11:57:00.000Z", "source": "hook", **SEEN_AT},
        "muted": {"value": False, "source": "window", **SEEN_AT},
        "volume": {"value": 0, "source": "window", **SEEN_AT},
        "mic_volume": {"value": 75, "source": "window", **SEEN_AT},
        "input_device": {"value": "default", "source": "ini", **SEEN_AT},
        "output_device": {"value": "Headset", "source": "ini", **SEEN_AT},
        "raw": "",
    }


@pytest.mark.parametrize(
    ("problem", "status"),
    [(Problem.NOT_RUNNING, 503), (Problem.NOT_RESPONDING, 504), (Problem.FAILED, 502)],
)
async def test_a_status_that_cannot_be_read_is_a_problem(
    office: Office, problem: Problem, status: int
) -> None:
    office.phone.problem = problem

    reply = await office.api.get("/v1/phone")

    assert (reply.status, reply.code) == (status, problem.value)


@pytest.mark.parametrize("verb", Verb, ids=str)
@pytest.mark.parametrize("spelling", ["chat word", "DDE name"])
async def test_every_verb_reaches_the_phone(office: Office, verb: Verb, spelling: str) -> None:
    word = verb.dde_name if spelling == "DDE name" else verb.value

    reply = await office.api.post(f"/v1/phone/{word}", json=body_of(verb))

    assert reply.status == 200
    assert reply.json == {
        "command_id": "cmd_1",
        "verb": verb.value,
        "argument": ARGUMENTS.get(verb, ""),
        "outcome": "confirmed",
        "evidence": "idle -> dialing",
        "detail": "",
        "channel": "fake",
        "elapsed_ms": 3,
        "simulated": False,
        "status": None,
    }
    assert [request.command.verb for request in office.phone.requests] == [verb]


async def test_a_number_is_dialled_as_people_write_it(office: Office) -> None:
    reply = await office.api.post("/v1/phone/dial", json={"argument": "+49 (30) 12-3"})

    assert (reply.status, reply.json["argument"]) == (200, "+4930123")
    assert office.phone.requests[0].command.argument == "+4930123"


async def test_the_phone_is_told_who_asks(office: Office) -> None:
    await office.api.post("/v1/phone/hangup", token="phone:control")

    caller = office.phone.requests[0].caller
    assert (caller.who, caller.proof) == ("token:phone:control", "bearer token")
    assert caller.origin is Origin.REST
    assert caller.permissions == frozenset({Permission.PHONE_CONTROL})


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (Problem.INVALID, 400, "invalid_request"),
        (Problem.NOT_ALLOWED, 403, "not_allowed"),
        (Problem.NO_CALL, 409, "phone_no_call"),
        (Problem.FAILED, 502, "phone_failed"),
        (Problem.NOT_RUNNING, 503, "phone_not_running"),
        (Problem.NOT_RESPONDING, 504, "phone_not_responding"),
        (Problem.INTERRUPTED, 504, "phone_not_responding"),
    ],
)
async def test_what_becomes_of_a_command_decides_the_status(
    office: Office, problem: Problem, status: int, code: str
) -> None:
    office.phone.problem = problem

    reply = await office.api.post("/v1/phone/hangup")

    assert (reply.status, reply.code) == (status, code)
    assert reply.json["detail"] == "said by the fake"
    assert reply.json["command_id"] == "cmd_1"
    assert reply.json["outcome"] == "failed"
    assert reply.json["verb"] == "hangup"


@pytest.mark.parametrize(
    ("verb", "argument"),
    [
        ("dial", None),
        ("dial", ""),
        ("dial", '1001")][Close("'),
        ("dial", "1002 /account:2"),
        ("dial", "1002\n"),
        ("dial", "1002\nHangup"),
        ("dial", "1002\t"),
        ("dial", "1\u00a02"),
        ("dial", "9" * 200),
        ("dial", "١٠٠٢"),
        ("dial", "sip:1002@office.example?Replaces=x"),
        ("hangup", "now"),
        ("dtmf", "12x"),
        ("volume", "101"),
        ("volume", "-1"),
        ("volume", "4.5"),
        ("volup", "0"),
        ("device", "x"),
        ("device", "input x"),
        ("device", "input 1 2"),
    ],
)
async def test_a_wrong_argument_never_reaches_the_phone_but_the_audit(
    office: Office, verb: str, argument: str | None
) -> None:
    reply = await office.api.post(f"/v1/phone/{verb}", json={"argument": argument})

    hostile = [r for r in office.phone.requests if r.command.argument not in {"", "1002"}]
    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["errors"][0]["pointer"] == "/argument"
    assert hostile == office.phone.requests == []
    (entry,) = await office.command_log.commands(10)
    assert (entry.verb, entry.outcome) == (verb, CommandOutcome.FAILED)
    assert (entry.problem, entry.detail) == (Problem.INVALID, reply.json["detail"])


@pytest.mark.parametrize(
    "confirm", [{}, {"confirm": False}, {"confirm": "true"}, {"confirm": 1}], ids=str
)
@pytest.mark.parametrize("verb", TO_CONFIRM)
async def test_what_ends_or_restarts_microsip_must_be_confirmed(
    office: Office, verb: Verb, confirm: dict[str, object]
) -> None:
    body = {k: v for k, v in body_of(verb).items() if k != "confirm"}

    reply = await office.api.post(f"/v1/phone/{verb}", json={**body, **confirm})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["errors"][0]["pointer"] == "/confirm"
    assert office.phone.requests == []


async def test_a_command_without_its_confirmation_is_in_the_audit(office: Office) -> None:
    await office.api.post("/v1/phone/device", json={"argument": "input 3"})

    (entry,) = await office.command_log.commands(10)
    assert (entry.who, entry.text) == ("token:all", "device input 3")
    assert 'confirm it with "confirm": true' in entry.detail


async def test_a_token_that_may_not_is_in_the_audit(office: Office) -> None:
    await office.api.post("/v1/phone/Dial", json={"argument": "1002"}, token="messages:read")

    (entry,) = await office.command_log.commands(10)
    assert (entry.who, entry.verb) == ("token:messages:read", "dial")
    assert (entry.outcome, entry.problem) == (CommandOutcome.REFUSED, Problem.NOT_ALLOWED)
    assert "phone:control" in entry.detail


async def test_a_token_that_commands_too_often_is_in_the_audit(office: Office) -> None:
    for _ in range(50):
        await office.api.get("/v1/phone")

    reply = await office.api.post("/v1/phone/hangup")

    (entry,) = await office.command_log.commands(10)
    assert reply.status == 429
    assert (entry.verb, entry.outcome) == ("hangup", CommandOutcome.REFUSED)
    assert office.phone.requests == []


@pytest.mark.parametrize(
    ("verb", "scope", "status"),
    [
        ("status", "phone:read", 200),
        ("status", "phone:control", 403),
        ("status", "admin", 403),
        ("close", "admin", 200),
        ("close", "phone:control", 403),
        ("dial", "phone:control", 200),
        ("dial", "phone:read", 403),
        ("dial", "admin", 403),
    ],
)
async def test_each_verb_has_its_scope(
    office: Office, verb: str, scope: str, status: int
) -> None:
    body = body_of(Verb(verb))

    reply = await office.api.post(f"/v1/phone/{verb}", json=body, token=scope)

    assert reply.status == status
    assert len(office.phone.requests) == (status == 200)


@pytest.mark.parametrize(
    ("verb", "scope"),
    [
        ("dial", "phone:control"),
        ("Dial", "phone:control"),
        ("status", "phone:read"),
        ("close", "admin"),
    ],
)
async def test_a_token_that_may_not_is_told_the_scope_of_the_verb(
    api: Api, verb: str, scope: str
) -> None:
    reply = await api.post(f"/v1/phone/{verb}", token="messages:read")

    assert (reply.status, reply.code) == (403, "forbidden_scope")
    assert f"needs the scope {scope};" in reply.json["detail"]


async def test_a_confirmation_is_true_or_false(api: Api) -> None:
    reply = await api.post("/v1/phone/close", json={"confirm": "yes"})

    assert reply.json["detail"] == "/confirm: must be true or false, without quotes"


@pytest.mark.parametrize(
    ("word", "near"), [("dail", "did you mean dial"), ("xyzzy", "; one of dial, callto, ")]
)
async def test_an_unknown_verb_is_told_the_nearest(api: Api, word: str, near: str) -> None:
    reply = await api.post(f"/v1/phone/{word}")

    assert (reply.status, reply.code) == (404, "not_found")
    assert near in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"argument": 1002}, "/argument"),
        ({"argument": ["1002"]}, "/argument"),
        ({"number": "1002"}, "/number"),
    ],
)
async def test_a_wrong_member_is_pointed_at(
    api: Api, body: dict[str, object], pointer: str
) -> None:
    reply = await api.post("/v1/phone/dial", json=body)

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["errors"][0]["pointer"] == pointer
