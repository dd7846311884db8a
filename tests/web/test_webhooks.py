"""Outbound webhooks over REST."""

from typing import Any

import pytest

from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState
from tests.fakes import NOON
from tests.web.conftest import ENDPOINTS, Office, Reply

CRM, SHOP = ENDPOINTS
DELIVERIES = f"/v1/webhook-endpoints/{CRM.id}/deliveries"
ROUTES = [
    ("GET", "/v1/webhook-endpoints"),
    ("GET", DELIVERIES),
    ("POST", f"/v1/webhook-endpoints/{CRM.id}/test"),
    ("POST", f"/v1/webhook-endpoints/{CRM.id}/enable"),
    ("POST", "/v1/webhook-deliveries/whd_1/replay"),
]


async def tested(office: Office) -> Any:
    """A test event, as it was answered."""
    return (await office.api.post(f"/v1/webhook-endpoints/{CRM.id}/test")).json


async def settle(
    office: Office, state: WebhookState, *, code: int | None = 500, disables: bool = False
) -> WebhookDelivery:
    """One of the deliveries that are due."""
    [webhook] = await office.webhooks.lease_webhooks(CRM.id, NOON, NOON - NOON, 1)
    await office.webhooks.settle_webhook(
        WebhookSettlement(
            delivery=webhook,
            state=state,
            at=NOON,
            due_at=NOON,
            status_code=code,
            reason="said so",
            disables=disables,
        )
    )
    return webhook


async def test_the_configured_endpoints_are_listed_without_secrets(office: Office) -> None:
    reply = await office.api.get("/v1/webhook-endpoints")

    assert reply.status == 200
    assert reply.json["items"] == [
        {
            "id": CRM.id,
            "url": "https://crm.example/sip-events",
            "events": ["message.received", "call.*"],
            "private_networks": False,
            "disabled_at": None,
        },
        {
            "id": SHOP.id,
            "url": "http://10.0.0.7/hook",
            "events": ["*"],
            "private_networks": True,
            "disabled_at": None,
        },
    ]


async def test_a_test_event_is_queued_for_this_endpoint(office: Office) -> None:
    reply = await office.api.post(f"/v1/webhook-endpoints/{CRM.id}/test")

    assert reply.status == 202
    assert reply.json == {
        "id": reply.json["id"],
        "endpoint_id": CRM.id,
        "event_id": reply.json["event_id"],
        "type": "test",
        "state": "open",
        "attempts": 0,
        "due_at": "2026-06-01T12:00:00.000Z",
        "answer": None,
        "created_at": "2026-06-01T12:00:00.000Z",
        "settled_at": None,
    }
    [webhook] = await office.webhooks.lease_webhooks(CRM.id, NOON, NOON - NOON, 5)
    assert f'"data":{{"endpoint_id":"{CRM.id}"}}' in webhook.body
    assert await office.webhooks.webhooks(SHOP.id, 5) == []
    assert office.woken == [CRM.id]


async def test_a_key_makes_one_test_event_of_two_requests(office: Office) -> None:
    path, headers = f"/v1/webhook-endpoints/{CRM.id}/test", {"Idempotency-Key": "k"}

    first = await office.api.post(path, headers=headers)
    second = await office.api.post(path, headers=headers)

    assert first.text == second.text
    assert len(await office.webhooks.webhooks(CRM.id, 5)) == 1


async def test_what_came_of_a_delivery_is_shown(office: Office) -> None:
    await tested(office)
    await settle(office, WebhookState.DEAD, code=None)

    [shown] = (await office.api.get(DELIVERIES)).json["items"]

    assert (shown["state"], shown["attempts"], shown["due_at"]) == ("dead", 1, None)
    assert shown["answer"] == {"status": None, "reason": "said so"}
    assert shown["settled_at"] == "2026-06-01T12:00:00.000Z"


async def test_deliveries_come_page_by_page_newest_first(office: Office) -> None:
    ids = [(await tested(office))["id"] for _ in range(5)]
    seen, cursor, pages = [], "", 0

    while pages == 0 or cursor:
        page = (await office.api.get(f"{DELIVERIES}?limit=2&cursor={cursor}")).json
        seen += [item["id"] for item in page["items"]]
        cursor, pages = page["next_cursor"] or "", pages + 1

    assert seen == ids[::-1]
    assert pages == 3


async def test_a_state_narrows_the_list(office: Office) -> None:
    await tested(office)
    await tested(office)
    delivered = await settle(office, WebhookState.DELIVERED, code=204)

    reply = await office.api.get(f"{DELIVERIES}?state=delivered")

    assert [item["id"] for item in reply.json["items"]] == [delivered.id]


async def test_a_cursor_is_good_for_its_own_list_only(office: Office) -> None:
    await tested(office)
    await tested(office)
    cursor = (await office.api.get(f"{DELIVERIES}?limit=1")).json["next_cursor"]

    reply = await office.api.get(f"{DELIVERIES}?state=open&cursor={cursor}")

    assert (reply.status, reply.code) == (400, "cursor_invalid")


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=201", "page=2"])
async def test_a_query_that_means_nothing_is_refused(office: Office, query: str) -> None:
    reply = await office.api.get(f"{DELIVERIES}?{query}")

    assert (reply.status, reply.code) == (400, "invalid_request")


async def test_a_settled_delivery_is_replayed_under_its_id(office: Office) -> None:
    sent = await tested(office)
    webhook = await settle(office, WebhookState.DEAD)

    reply = await office.api.post(f"/v1/webhook-deliveries/{webhook.id}/replay")

    assert reply.status == 202
    assert (reply.json["state"], reply.json["attempts"]) == ("open", 0)
    assert reply.json["event_id"] == sent["event_id"]
    assert office.woken == [CRM.id, CRM.id]


async def test_an_open_delivery_is_not_replayed(office: Office) -> None:
    webhook = await tested(office)

    reply = await office.api.post(f"/v1/webhook-deliveries/{webhook['id']}/replay")

    assert (reply.status, reply.code) == (409, "conflict")


async def test_a_disabled_endpoint_takes_no_test_until_it_is_enabled(office: Office) -> None:
    await tested(office)
    await settle(office, WebhookState.DEAD, code=410, disables=True)
    shown = (await office.api.get("/v1/webhook-endpoints")).json["items"][0]

    refused = await office.api.post(f"/v1/webhook-endpoints/{CRM.id}/test")
    enabled = await office.api.post(f"/v1/webhook-endpoints/{CRM.id}/enable")
    taken = await office.api.post(f"/v1/webhook-endpoints/{CRM.id}/test")

    assert shown["disabled_at"] == "2026-06-01T12:00:00.000Z"
    assert (refused.status, refused.code) == (409, "conflict")
    assert (enabled.status, enabled.json["disabled_at"]) == (200, None)
    assert taken.status == 202


@pytest.mark.parametrize(("method", "path"), ROUTES[1:], ids=[path for _, path in ROUTES[1:]])
async def test_what_is_not_there_is_not_found(office: Office, method: str, path: str) -> None:
    reply = await office.api.request(method, path.replace(CRM.id, "whe_000000000000"))

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[path for _, path in ROUTES])
async def test_each_route_needs_the_scope_hooks_admin(
    office: Office, method: str, path: str
) -> None:
    async def asked(token: str | None) -> Reply:
        return await office.api.request(method, path, token=token)

    assert (await asked(None)).code == "unauthenticated"
    assert (await asked("admin")).code == "forbidden_scope"
    assert (await asked("hooks:admin")).status in {200, 202, 404}


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
async def test_members_that_mean_nothing_are_refused(office: Office, path: str) -> None:
    reply = await office.api.post(path, json={"now": True})

    assert (reply.status, reply.code) == (400, "invalid_request")


async def test_what_waits_is_in_the_metrics(office: Office) -> None:
    await tested(office)

    shown = (await office.api.get("/metrics", token=None)).text

    assert f'sip_gateway_webhooks_waiting{{endpoint="{CRM.id}"}} 1.0' in shown
