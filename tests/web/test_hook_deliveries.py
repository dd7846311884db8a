"""Inbound webhooks, listed or made into messages once more."""

from typing import Any

import pytest

from tests.web.conftest import SECRET, Office, Reply

BEARER = {"Authorization": f"Bearer {SECRET}"}


async def posted(office: Office, key: str = "plain", **document: object) -> Any:
    """An accepted webhook, as it was answered."""
    reply = await office.api.post(
        f"/v1/hooks/{key}", token=None, headers=BEARER, json=document or {"text": "disk full"}
    )
    assert reply.status == 202
    return reply.json


async def texts(office: Office) -> list[str]:
    """Of all messages, oldest first."""
    page = (await office.api.get("/v1/messages?order=asc")).json
    return [item["text"] for item in page["items"]]


async def test_accepted_webhooks_are_listed_newest_first(office: Office) -> None:
    first = await posted(office, text="one")
    second = await posted(office, "open", text="two, and more")

    reply = await office.api.get("/v1/hook-deliveries")

    assert reply.status == 200
    assert [item["id"] for item in reply.json["items"]] == [
        second["delivery_id"],
        first["delivery_id"],
    ]
    assert reply.json["items"][1] == {
        "id": first["delivery_id"],
        "source": "plain",
        "received_at": "2026-06-01T12:00:00.000Z",
        "content_type": "application/json",
        "size": len('{"text": "one"}'),
        "messages": first["messages"],
    }


async def test_they_come_page_by_page(office: Office) -> None:
    ids = [(await posted(office, text=str(number)))["delivery_id"] for number in range(3)]

    first = (await office.api.get("/v1/hook-deliveries?limit=2")).json
    rest = await office.api.get(f"/v1/hook-deliveries?cursor={first['next_cursor']}")

    assert [item["id"] for item in first["items"]] == ids[:0:-1]
    assert [item["id"] for item in rest.json["items"]] == ids[:1]
    assert rest.json["next_cursor"] is None


async def test_a_replay_makes_messages_once_more(office: Office) -> None:
    before = await posted(office, text="disk full", id="7")

    reply = await office.api.post(f"/v1/hook-deliveries/{before['delivery_id']}/replay")

    assert reply.status == 202
    assert reply.json["delivery_id"] != before["delivery_id"]
    assert set(reply.json["messages"]).isdisjoint(before["messages"])
    assert await texts(office) == ["disk full", "disk full"]
    assert office.woken == ["hook", "hook"]


async def test_a_replay_can_be_replayed(office: Office) -> None:
    before = await posted(office)
    again = (await office.api.post(f"/v1/hook-deliveries/{before['delivery_id']}/replay")).json

    reply = await office.api.post(f"/v1/hook-deliveries/{again['delivery_id']}/replay")

    assert reply.status == 202
    assert len((await office.api.get("/v1/hook-deliveries")).json["items"]) == 3


async def test_a_replay_renders_the_template_anew(office: Office) -> None:
    before = await posted(office, "shaped", host="db1", state="down")

    await office.api.post(f"/v1/hook-deliveries/{before['delivery_id']}/replay")

    assert await texts(office) == ["db1 is down", "db1 is down"]


async def test_what_never_came_is_not_replayed(office: Office) -> None:
    reply = await office.api.post("/v1/hook-deliveries/hkd_7/replay")

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/hook-deliveries"), ("POST", "/v1/hook-deliveries/hkd_7/replay")],
    ids=["list", "replay"],
)
async def test_the_scope_hooks_admin_is_needed(office: Office, method: str, path: str) -> None:
    async def asked(token: str | None) -> Reply:
        return await office.api.request(method, path, token=token)

    assert (await asked(None)).code == "unauthenticated"
    assert (await asked("admin")).code == "forbidden_scope"
    assert (await asked("hooks:admin")).status in {200, 404}
