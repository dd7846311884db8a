"""From a queued event to what a real HTTP server gets."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from gateway.webhook_delivery import WebhookState
from tests.fakes import NOON
from tests.flow.webhook_desk import Desk, endpoint_at, running
from tests.webhook_receiver import CLOSING, OLD_SECRET, SECRET, WebhookReceiver

SECOND = timedelta(seconds=1)


async def test_an_event_is_posted_and_done(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    [posted] = receiver.posted
    assert posted.body.decode() == webhook.body
    assert posted.id == webhook.event_id
    assert posted.timestamp == str(int(NOON.timestamp()))
    assert posted.signed_with(SECRET)
    assert posted.content_type == "application/json"
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_a_woken_worker_posts_what_came_since(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        await desk.queued(endpoint)

        async with running(worker):
            await desk.queue.settled()
            await desk.queued(endpoint, 2)
            worker.wake([endpoint.id])
            await receiver.until_posted(2)


async def test_a_retry_has_the_same_id_and_a_signature_of_its_own(desk: Desk) -> None:
    failing = web.Response(status=500, text="out of\r\n\x07order")
    async with WebhookReceiver(failing) as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        webhook = await desk.queued(endpoint)

        async with running(worker):
            await desk.queue.settled()
            kept = await desk.shown(webhook)
            desk.clock.advance(5 * SECOND)
            worker.wake([endpoint.id])
            await desk.queue.settled()

    first, second = receiver.posted
    assert (kept.state, kept.due_at) == (WebhookState.OPEN, NOON + 5 * SECOND)
    assert (kept.status_code, kept.reason) == (500, "Internal Server Error: out of order")
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.timestamp) - int(first.timestamp) == 5
    assert second.signed_with(SECRET)
    assert first.signatures != second.signatures
    assert (await desk.shown(webhook)).attempts == 2


async def test_during_a_rotation_both_secrets_verify(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url, secret=f"{SECRET} {OLD_SECRET}")
        await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            [posted] = await receiver.until_posted()

    assert posted.signed_with(SECRET)
    assert posted.signed_with(OLD_SECRET)


async def test_410_disables_the_endpoint_until_it_is_enabled(desk: Desk) -> None:
    async with WebhookReceiver(web.Response(status=410)) as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        gone = await desk.queued(endpoint, 1)

        async with running(worker):
            await desk.queue.settled()
            kept = await desk.queued(endpoint, 2)
            worker.wake([endpoint.id])
            [health] = await worker.health()
            await desk.queue.enable_endpoint(endpoint.id)
            worker.wake([endpoint.id])
            await desk.queue.settled()

    assert [posted.id for posted in receiver.posted] == [gone.event_id, kept.event_id]
    assert (await desk.shown(gone)).state is WebhookState.DEAD
    assert not health.ok
    assert not health.required
    assert f"/v1/webhook-endpoints/{endpoint.id}/enable" in health.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(desk: Desk, status: int) -> None:
    async with WebhookReceiver() as elsewhere:
        moved = web.Response(status=status, headers={"Location": elsewhere.url})
        async with WebhookReceiver(moved) as receiver:
            endpoint = endpoint_at(receiver.url)
            webhook = await desk.queued(endpoint)

            async with running(desk.worker(endpoint)):
                await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert elsewhere.posted == []
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, status)
    assert elsewhere.url in shown.reason


async def test_retry_after_is_honoured(desk: Desk) -> None:
    busy = web.Response(status=503, headers={"Retry-After": "120"})
    async with WebhookReceiver(busy) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert (await desk.shown(webhook)).due_at == NOON + 120 * SECOND


async def test_a_silent_endpoint_holds_back_no_other(desk: Desk) -> None:
    desk.settings = replace(desk.settings, concurrency=2)
    async with WebhookReceiver(*[None] * 2) as silent, WebhookReceiver() as lively:
        dead, alive = endpoint_at(silent.url), endpoint_at(lively.url)
        for number in range(5):
            await desk.queued(dead, number)
            await desk.queued(alive, 10 + number)

        worker = desk.worker(dead, alive)
        async with running(worker):
            await lively.until_posted(5)
            await silent.until_posted(2)
            await desk.queued(alive, 20)
            worker.wake([dead.id, alive.id])
            await lively.until_posted(6)

    assert len(silent.posted) == 2


async def test_no_answer_in_time_is_a_failure(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout=0.05)
    async with WebhookReceiver(None) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert shown.reason == "no answer within 0.05 s"


async def test_an_answer_without_end_is_not_waited_for(desk: Desk) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=404)
        await response.prepare(request)
        await response.write(b"x" * 1_000_000)
        await request.app[CLOSING].wait()
        return response

    async with WebhookReceiver(endless) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert shown.status_code == 404
    assert len(shown.reason) == 200


async def test_a_status_counts_whose_body_never_comes(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout=0.2)

    async def mute(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=410)
        await response.prepare(request)
        await request.app[CLOSING].wait()
        return response

    async with WebhookReceiver(mute) as receiver:
        endpoint = endpoint_at(receiver.url)
        await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            assert (await desk.queue.settled()).disables


async def test_an_outcome_waits_for_the_database(desk: Desk) -> None:
    desk.queue.outages = 3
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert len(receiver.posted) == 1
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_a_lease_waits_for_the_database(desk: Desk) -> None:
    desk.queue.lease_outages = 3
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert len(receiver.posted) == 1


async def test_an_attempt_whose_outcome_waits_is_not_made_again(desk: Desk) -> None:
    desk.queue.back.clear()
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        first = await desk.queued(endpoint, 1)

        async with running(worker):
            await receiver.until_posted()
            desk.clock.advance(desk.settings.lease)  # the first is due again
            second = await desk.queued(endpoint, 2)
            worker.wake([endpoint.id])
            await receiver.until_posted(2)
            desk.queue.back.set()
            await desk.queue.settled()
            await desk.queue.settled()

    assert [posted.id for posted in receiver.posted] == [first.event_id, second.event_id]


async def test_health_leaves_an_absent_database_to_the_database(desk: Desk) -> None:
    worker = desk.worker(endpoint_at("https://crm.example/"))
    desk.queue.outages = 1

    assert await worker.health() == []


async def test_a_stop_waits_for_the_answer_that_is_on_its_way(desk: Desk) -> None:
    desk.settings = replace(desk.settings, grace=timedelta(seconds=5))
    answered = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await answered.wait()
        return web.Response(status=204)

    async with WebhookReceiver(slow) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        flow = asyncio.create_task(desk.worker(endpoint).run())
        await receiver.until_posted()
        flow.cancel()
        answered.set()
        await asyncio.wait([flow])

    assert flow.cancelled()
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_what_a_stop_cuts_off_is_sent_again_under_its_id(desk: Desk) -> None:
    async with WebhookReceiver(None) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)
        async with running(desk.worker(endpoint)):
            await receiver.until_posted()

        desk.clock.advance(desk.settings.lease)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert [posted.id for posted in receiver.posted] == [webhook.event_id] * 2
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_attempts_are_counted_by_what_became_of_them(desk: Desk) -> None:
    async with WebhookReceiver(web.Response(status=500)) as receiver:
        endpoint = endpoint_at(receiver.url)
        await desk.queued(endpoint, 1)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()
            await desk.queued(endpoint, 2)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    value = desk.metrics.registry.get_sample_value
    name = "sip_gateway_webhook_attempts_total"
    counts = {
        result: value(name, {"endpoint": endpoint.id, "result": result})
        for result in ("delivered", "retry", "dead")
    }
    assert counts == {"delivered": 1, "retry": 1, "dead": None}


async def test_without_endpoints_the_worker_has_nothing_to_do(desk: Desk) -> None:
    async with asyncio.timeout(5):
        await desk.worker().run()

    assert await desk.worker().health() == []
