"""``/v1/messages``: sending, with what becomes of one message."""

from datetime import timedelta

import pytest

from gateway.address import Aor
from gateway.message import Arrival, Direction, Message, MessageId, Status, uuid7
from gateway.phone_message import PhoneMessage
from tests.fakes import NOON
from tests.web.conftest import Api, Office

HELLO = {"to": "101", "text": "hello"}
NOBODY = "msg_" + "0" * 32


async def test_a_message_is_accepted_with_its_address(office: Office) -> None:
    reply = await office.api.post("/v1/messages", json=HELLO)

    assert reply.status == 202
    assert reply.headers["Location"] == f"/v1/messages/{reply.json['id']}"
    assert reply.json == {
        "id": reply.json["id"],
        "direction": "outbound",
        "account": "bot",
        "peer": "sip:101@office.example",
        "from": "sip:bot@office.example",
        "to": "sip:101@office.example",
        "text": "hello",
        "content_type": "text/plain",
        "status": "queued",
        "flags": [],
        "sip": None,
        "attempts": 0,
        "origin": "token:all",
        "client_ref": "",
        "tags": [],
        "created_at": "2026-06-01T12:00:00.000Z",
        "settled_at": None,
    }
    assert office.woken == ["message"]


async def test_an_accepted_message_is_found_where_it_was_said_to_be(api: Api) -> None:
    posted = await api.post("/v1/messages", json={**HELLO, "client_ref": "7", "tags": ["a"]})

    found = await api.get(posted.headers["Location"])

    assert found.status == 200
    assert found.json == posted.json
    assert (found.json["client_ref"], found.json["tags"]) == ("7", ["a"])


async def test_an_id_without_dashes_is_the_same_id(api: Api) -> None:
    posted = await api.post("/v1/messages", json=HELLO)

    found = await api.get(f"/v1/messages/{posted.json['id'].replace('-', '')}")

    assert "-" in posted.json["id"]
    assert found.json == posted.json


async def test_a_message_not_before_its_time_is_due_then(office: Office) -> None:
    reply = await office.api.post(
        "/v1/messages", json={**HELLO, "send_at": "2026-06-01T14:00:00+01:00", "ttl": "2h"}
    )

    due = await office.store.next_due(NOON)

    assert reply.status == 202
    assert due is not None
    assert due.isoformat() == "2026-06-01T13:00:00+00:00"


async def test_a_client_that_prefers_to_wait_gets_the_final_status(office: Office) -> None:
    office.wait.status = Status.DELIVERED

    reply = await office.api.post("/v1/messages", json=HELLO, headers={"Prefer": "wait=5"})

    assert reply.status == 200
    assert reply.json["status"] == "delivered"
    assert reply.json["sip"] == {"status": 200, "reason": "OK"}
    assert reply.headers["Preference-Applied"] == "wait=5"
    assert office.wait.asked == [5]


async def test_a_message_that_is_not_final_in_time_is_accepted(office: Office) -> None:
    reply = await office.api.post(
        "/v1/messages", json=HELLO, headers={"Prefer": "respond-async, wait=600"}
    )

    assert reply.status == 202
    assert office.wait.asked == [30]


async def test_a_wait_in_vain_tells_the_status_at_its_end(office: Office) -> None:
    office.wait.meanwhile = lambda: office.store.lease_due(NOON, timedelta(minutes=1), 1, 1)

    reply = await office.api.post("/v1/messages", json=HELLO, headers={"Prefer": "wait=5"})

    assert reply.status == 202
    assert reply.json["status"] == "sending"
    assert reply.headers["Location"] == f"/v1/messages/{reply.json['id']}"


@pytest.mark.parametrize("preference", ["wait=0", "wait=soon", "await=5", "return=minimal"])
async def test_other_preferences_do_not_wait(office: Office, preference: str) -> None:
    reply = await office.api.post("/v1/messages", json=HELLO, headers={"Prefer": preference})

    assert reply.status == 202
    assert office.wait.asked == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        pytest.param({"text": "x"}, "/to", id="no-recipient"),
        pytest.param({"to": "101"}, "/text", id="no-text"),
        pytest.param({"to": "", "text": "x"}, "/to", id="empty-recipient"),
        pytest.param({"to": "101", "text": ""}, "/text", id="empty-text"),
        pytest.param({"to": "101", "text": "  \n"}, "/text", id="blank-text"),
        pytest.param({"to": "101", "text": "x" * 16_001}, "/text", id="over-long-text"),
        pytest.param({"to": "101", "text": "a\0b"}, "/text", id="nul-in-text"),
        pytest.param({"to": "101", "text": "a\x1b[2J"}, "/text", id="control-in-text"),
        pytest.param({"to": "sip:", "text": "x"}, "/to", id="no-host"),
        pytest.param({"to": "sip:office.example", "text": "x"}, "/to", id="no-user"),
        pytest.param({"to": "1 0 1", "text": "x"}, "/to", id="spaces"),
        pytest.param({"to": "101\r\nX: y", "text": "x"}, "/to", id="line-end-in-recipient"),
        pytest.param({"to": "tel:+4930123", "text": "x"}, "/to", id="other-scheme"),
        pytest.param({"to": "x" * 300, "text": "x"}, "/to", id="over-long-recipient"),
        pytest.param({"to": 101, "text": "x"}, "/to", id="number-for-text"),
        pytest.param({**HELLO, "from": "nobody"}, "/from", id="unknown-account"),
        pytest.param({**HELLO, "ttl": 60}, "/ttl", id="number-for-duration"),
        pytest.param({**HELLO, "ttl": "soon"}, "/ttl", id="no-duration"),
        pytest.param({**HELLO, "ttl": "0s"}, "/ttl", id="no-time-to-live"),
        pytest.param({**HELLO, "ttl": "9" * 30 + "d"}, "/ttl", id="endless-time-to-live"),
        pytest.param({**HELLO, "send_at": "tomorrow"}, "/send_at", id="no-time"),
        pytest.param({**HELLO, "send_at": "2026-06-01T14:00:00"}, "/send_at", id="no-zone"),
        pytest.param({**HELLO, "send_at": "2026"}, "/send_at", id="digits-for-time"),
        pytest.param({**HELLO, "send_at": 1790000000}, "/send_at", id="number-for-time"),
        pytest.param({**HELLO, "send_at": "2026-06-02"}, "/send_at", id="day-for-time"),
        pytest.param({**HELLO, "send_at": "2026-06-01 14:00:00Z"}, "/send_at", id="no-T"),
        pytest.param({**HELLO, "tags": "a"}, "/tags", id="text-for-list"),
        pytest.param({**HELLO, "tags": ["a", 1]}, "/tags/1", id="number-in-list"),
        pytest.param({**HELLO, "tags": ["a"] * 17}, "/tags", id="too-many-tags"),
        pytest.param({**HELLO, "client_ref": "\0"}, "/client_ref", id="nul-in-reference"),
        pytest.param({**HELLO, "subject": "x"}, "/subject", id="unknown-member"),
        pytest.param({**HELLO, "a/b~": "x"}, "/a~1b~0", id="escaped-pointer"),
    ],
)
async def test_a_wrong_member_is_pointed_at(
    office: Office, body: dict[str, object], pointer: str
) -> None:
    reply = await office.api.post("/v1/messages", json=body)

    assert reply.status == 400
    assert reply.code == "invalid_request"
    assert [error["pointer"] for error in reply.json["errors"]] == [pointer]
    assert (await office.api.get("/v1/messages")).json["items"] == []


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b'{"text": "x"}', "/to: missing; send it", id="missing"),
        pytest.param(b'{"to": "1", "text": ""}', "/text: must not be empty", id="empty"),
        pytest.param(
            b'{"to": "1", "text": "' + b"x" * 16_001 + b'"}',
            "/text: too long; send at most 16000 characters",
            id="over-long-text",
        ),
        pytest.param(
            b'{"to": "1", "text": "x", "ttl": "' + b"1" * 33 + b'"}',
            "/ttl: too long; send at most 32 characters",
            id="over-long-duration",
        ),
        pytest.param(
            b'{"to": "1", "text": "x", "tags": [' + b'"a",' * 16 + b'"a"]}',
            "/tags: too long; send at most 16 items",
            id="too-many-tags",
        ),
        pytest.param(
            b'{"to": "1", "text": "a\\u0000b"}',
            "/text: must not hold the character U+0000; leave it out",
            id="nul",
        ),
        pytest.param(
            b'{"to": 1, "text": "x"}', "/to: must be a string, in quotes", id="number-for-text"
        ),
        pytest.param(
            b'{"to": "1", "text": "x", "tags": "a"}',
            '/tags: must be a list, such as ["a", "b"]',
            id="text-for-list",
        ),
        pytest.param(
            b'{"to": "1", "text": "x", "subject": "y"}',
            "/subject: unknown member; known are "
            "to, text, from, ttl, send_at, client_ref, tags",
            id="unknown",
        ),
        pytest.param(
            b'{"to": "1", "text": "x", "to": "2"}',
            "body: to is given more than once; send it once",
            id="twice",
        ),
        pytest.param(b"[]", "body: must be a JSON object, in braces", id="a-list"),
        pytest.param(
            b'{"to": ',
            "body: must be JSON in UTF-8; EOF while parsing a value at line 1 column 7",
            id="cut-off",
        ),
    ],
)
async def test_what_is_wrong_is_told_in_words_that_say_what_to_send(
    api: Api, body: bytes, detail: str
) -> None:
    reply = await api.post(
        "/v1/messages", data=body, headers={"Content-Type": "application/json"}
    )

    assert reply.json["detail"] == detail


async def test_text_of_the_greatest_length_is_accepted(api: Api) -> None:
    reply = await api.post("/v1/messages", json={"to": "101", "text": "ä" * 16_000})

    assert reply.status == 202


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"hello", id="no-json"),
        pytest.param(b'{"to": "101", "text": "x"', id="cut-off"),
        pytest.param(b'["to", "text"]', id="a-list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"to": "101", "text": "\xff\xfe"}', id="no-utf-8"),
        pytest.param(b'{"to": "101", "text": "\\ud800"}', id="half-a-pair"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"to": "101", "text": NaN}', id="not-a-number"),
        pytest.param(b'{"to": "101", "to": "102", "text": "x"}', id="two-recipients"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    reply = await api.post(
        "/v1/messages", data=body, headers={"Content-Type": "application/json"}
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream"],
)
async def test_a_body_of_another_type_is_refused(api: Api, content_type: str) -> None:
    reply = await api.post(
        "/v1/messages",
        data=b'{"to": "101", "text": "x"}',
        headers={"Content-Type": content_type},
    )

    assert (reply.status, reply.code) == (415, "unsupported_media")
    assert "application/json" in reply.json["detail"]


async def test_a_message_has_its_attempts(office: Office) -> None:
    message_id = await office.send()

    reply = await office.api.get(f"/v1/messages/{message_id}/attempts")

    assert (reply.status, reply.json) == (200, {"items": []})


async def test_a_queued_message_can_be_canceled_once(office: Office) -> None:
    path = f"/v1/messages/{await office.send()}/cancel"

    first, second = await office.api.post(path), await office.api.post(path)

    assert (first.status, first.json["status"]) == (200, "canceled")
    assert (second.status, second.code) == (409, "conflict")


@pytest.mark.parametrize("verb", ["cancel", "resend"])
@pytest.mark.parametrize(
    ("query", "body", "detail"),
    [
        ("", b'{"to": "102"}', "/to: unknown member; send none here"),
        ("", b"[]", "body: must be a JSON object, in braces"),
        ("?to=102", b"", "to: unknown parameter; send none here"),
    ],
)
async def test_what_means_nothing_to_a_message_is_refused(
    office: Office, verb: str, query: str, body: bytes, detail: str
) -> None:
    message_id = await office.send()

    reply = await office.api.post(
        f"/v1/messages/{message_id}/{verb}{query}",
        data=body,
        headers={"Content-Type": "application/json"},
    )

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["detail"] == detail
    kept = await office.api.get(f"/v1/messages/{message_id}")
    assert kept.json["status"] == "queued"


async def test_an_empty_object_says_nothing_too(office: Office) -> None:
    reply = await office.api.post(f"/v1/messages/{await office.send()}/cancel", json={})

    assert reply.status == 200


async def test_a_final_message_can_be_sent_again_as_a_new_one(office: Office) -> None:
    message_id = await office.send("102", "again")
    await office.api.post(f"/v1/messages/{message_id}/cancel")

    reply = await office.api.post(f"/v1/messages/{message_id}/resend")

    assert reply.status == 202
    assert reply.json["id"] != message_id
    assert (reply.json["peer"], reply.json["text"]) == ("sip:102@office.example", "again")
    assert (await office.api.get(reply.headers["Location"])).json["status"] == "queued"
    assert office.woken[-1] == "resend"


async def test_a_message_under_way_is_not_sent_again(office: Office) -> None:
    reply = await office.api.post(f"/v1/messages/{await office.send()}/resend")

    assert (reply.status, reply.code) == (409, "conflict")


async def test_an_inbound_message_is_neither_canceled_nor_sent_again(office: Office) -> None:
    message = Message(
        id=MessageId(uuid7(NOON)),
        direction=Direction.INBOUND,
        account="bot",
        peer=Aor("sip:101@office.example"),
        from_uri="sip:101@office.example",
        to_uri="sip:bot@office.example",
        text="hello",
        created_at=NOON,
        status=Status.RECEIVED,
        proven=True,
    )
    await office.store.add_inbound([Arrival(message=message, needs_answer=False)])
    path = f"/v1/messages/msg_{message.id}"

    replies = [await office.api.post(f"{path}/{verb}") for verb in ("cancel", "resend")]

    assert [reply.code for reply in replies] == ["conflict", "conflict"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/messages/{}"),
        ("GET", "/v1/messages/{}/attempts"),
        ("POST", "/v1/messages/{}/cancel"),
        ("POST", "/v1/messages/{}/resend"),
    ],
)
@pytest.mark.parametrize("message_id", [NOBODY, "msg_1", "1", "msg_" + "g" * 32, "cmd_1"])
async def test_an_unknown_message_is_not_found(
    api: Api, method: str, path: str, message_id: str
) -> None:
    reply = await api.request(method, path.format(message_id))

    assert (reply.status, reply.code) == (404, "not_found")


async def test_what_went_out_of_microsip_is_not_sent_again_by_the_gateway(
    office: Office,
) -> None:
    kept = await office.outbox.keep_written(PhoneMessage("1002", "hello"))

    reply = await office.api.post(f"/v1/messages/msg_{kept.id}/resend")

    assert (reply.status, reply.code) == (409, "conflict")
    assert "send as:me" in reply.json["detail"]


async def test_what_went_out_of_microsip_is_shown_with_that_origin(office: Office) -> None:
    kept = await office.outbox.keep_written(PhoneMessage("1002", "hello"))

    reply = await office.api.get(f"/v1/messages/msg_{kept.id}")

    shown = {key: reply.json[key] for key in ("status", "origin", "peer", "text")}
    assert shown == {
        "status": "relayed",
        "origin": "microsip",
        "peer": "sip:1002@office.example",
        "text": "hello",
    }
