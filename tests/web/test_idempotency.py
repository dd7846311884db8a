"""Idempotency keys: the same request twice has its effect once."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import StorageUnavailable
from gateway.message import Status
from gateway.phone import Problem
from tests.web.conftest import Api, Office

HELLO = {"to": "101", "text": "hello"}
KEY = {"Idempotency-Key": "order-17"}


async def count(api: Api) -> int:
    return len((await api.get("/v1/messages")).json["items"])


async def test_a_repeated_message_is_sent_once_and_answered_alike(api: Api) -> None:
    first = await api.post("/v1/messages", json=HELLO, headers=KEY)
    second = await api.post("/v1/messages", json=HELLO, headers=KEY)

    assert (second.status, second.text) == (first.status, first.text)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await count(api) == 1


async def test_without_a_key_the_same_message_is_two(api: Api) -> None:
    await api.post("/v1/messages", json=HELLO)
    await api.post("/v1/messages", json=HELLO)

    assert await count(api) == 2


async def test_a_key_with_another_body_is_refused(api: Api) -> None:
    await api.post("/v1/messages", json=HELLO, headers=KEY)

    reply = await api.post("/v1/messages", json={**HELLO, "text": "bye"}, headers=KEY)

    assert (reply.status, reply.code) == (422, "idempotency_mismatch")
    assert await count(api) == 1


async def test_a_key_belongs_to_one_token_on_one_path(api: Api) -> None:
    replies = [
        await api.post("/v1/messages", json=HELLO, headers=KEY),
        await api.post("/v1/messages", json=HELLO, headers=KEY, token="messages:send"),
        await api.post("/v1/commands", json={"text": "ping"}, headers=KEY),
    ]

    assert [reply.status for reply in replies] == [202, 202, 200]
    assert not any("Idempotent-Replayed" in reply.headers for reply in replies)


@pytest.mark.parametrize("key", ["", "two words", "ä", "x" * 256], ids=repr)
async def test_a_malformed_key_is_refused(api: Api, key: str) -> None:
    reply = await api.post("/v1/messages", json=HELLO, headers={"Idempotency-Key": key})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert await count(api) == 0


async def test_while_the_first_request_runs_the_second_waits(office: Office) -> None:
    ping = {"text": "ping"}
    office.commander.let_go.clear()

    async with asyncio.TaskGroup() as group, asyncio.timeout(5):
        first = group.create_task(office.api.post("/v1/commands", json=ping, headers=KEY))
        await office.commander.arrived.wait()
        second = await office.api.post("/v1/commands", json=ping, headers=KEY)
        office.commander.let_go.set()
    third = await office.api.post("/v1/commands", json=ping, headers=KEY)

    assert (second.status, second.code) == (409, "idempotency_in_progress")
    assert first.result().status == 200
    assert third.text == first.result().text
    assert len(office.commander.asked) == 1


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    wrong = await api.post("/v1/messages", json={"to": "101"}, headers=KEY)
    nobody = await api.post("/v1/messages", json={**HELLO, "from": "x"}, headers=KEY)

    right = await api.post("/v1/messages", json=HELLO, headers=KEY)

    assert [wrong.status, nobody.status, right.status] == [400, 400, 202]


async def test_a_message_waited_for_is_replayed_as_accepted(office: Office) -> None:
    office.wait.status = Status.DELIVERED
    prefer = {**KEY, "Prefer": "wait=5"}

    first = await office.api.post("/v1/messages", json=HELLO, headers=prefer)
    second = await office.api.post("/v1/messages", json=HELLO, headers=prefer)

    assert (first.status, second.status) == (200, 202)
    assert second.json["id"] == first.json["id"]
    assert await count(office.api) == 1


async def test_a_phone_command_that_may_have_happened_is_not_run_again(
    office: Office,
) -> None:
    office.phone.problem = Problem.NOT_RESPONDING
    first = await office.api.post("/v1/phone/dial", json={"argument": "1002"}, headers=KEY)
    office.phone.problem = Problem.NONE

    second = await office.api.post("/v1/phone/dial", json={"argument": "1002"}, headers=KEY)

    assert (second.status, second.text) == (first.status, first.text) == (504, first.text)
    assert second.headers["Content-Type"].startswith("application/problem+json")
    assert len(office.phone.requests) == 1


async def test_a_phone_command_carries_its_key_into_the_audit(office: Office) -> None:
    dial = {"argument": "1002"}
    for key in ("a", "b"):
        await office.api.post("/v1/phone/dial", json=dial, headers={"Idempotency-Key": key})
    await office.api.post("/v1/phone/dial", json=dial)
    office.clock.advance(timedelta(days=8))  # the store has forgotten the response

    await office.api.post("/v1/phone/dial", json=dial, headers={"Idempotency-Key": "a"})

    first, second, without, again = (request.message_id for request in office.phone.requests)
    assert first is not None
    assert again == first != second
    assert without is None


async def test_a_request_that_found_no_storage_is_not_half_done(office: Office) -> None:
    office.commander.failure = StorageUnavailable("disk")

    first = await office.api.post("/v1/commands", json={"text": "ping"}, headers=KEY)
    second = await office.api.post("/v1/commands", json={"text": "ping"}, headers=KEY)

    assert (first.status, first.code) == (503, "storage_unavailable")
    assert (second.status, second.code) == (409, "idempotency_in_progress")


async def test_a_chat_command_carries_its_key_to_the_chat(office: Office) -> None:
    for headers in ({"Idempotency-Key": "a"}, {"Idempotency-Key": "b"}, {}):
        await office.api.post("/v1/commands", json={"text": "dial 1002"}, headers=headers)

    first, second, without = office.commander.carried
    assert None not in {first, second}
    assert first != second
    assert without is None
