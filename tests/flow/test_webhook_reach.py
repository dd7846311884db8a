"""Where webhooks go, or do not go."""

import pytest

from gateway.webhook_delivery import WebhookState
from tests.flow.webhook_desk import Desk, endpoint_at, running
from tests.webhook_receiver import WebhookReceiver


async def test_a_closed_port_is_a_failure_that_says_so(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert "refused" in shown.reason.lower() or "connect" in shown.reason.lower()


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
async def test_no_other_notation_leads_to_this_machine(desk: Desk, host: str) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(f"http://{host}:{receiver.port}/events", private=False)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert receiver.posted == []
    assert (await desk.shown(webhook)).status_code is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_reached_unless_allowed(desk: Desk, host: str) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(f"http://{host}:{receiver.port}/events", private=False)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert receiver.posted == []
    assert shown.status_code is None
    assert "private_networks = true" in shown.reason


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1"])
async def test_some_addresses_are_not_reached_even_then(desk: Desk, host: str) -> None:
    endpoint = endpoint_at(f"http://{host}/latest/meta-data")
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    assert "nothing is sent to the address" in (await desk.shown(webhook)).reason


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 64 + ".example"])
async def test_a_name_without_address_is_a_failure_like_others(desk: Desk, host: str) -> None:
    endpoint = endpoint_at(f"http://{host}/")
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert shown.reason
