"""How the delivery worker stops."""

import asyncio
from datetime import timedelta
from pathlib import Path

from gateway.delivery import WorkerSettings
from gateway.message import Delivery, FinalResponse
from tests.fakes import FakeSender
from tests.flow.stage import AT_ONCE, Cast, staged

PEER = "sip:101@office.example"


class Answering(FakeSender):
    """Answers when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()

    async def send(self, delivery: Delivery) -> FinalResponse:
        response = await super().send(delivery)
        await self.answer.wait()
        return response


async def test_a_stopping_worker_waits_for_what_is_in_flight(data_dir: Path) -> None:
    sender = Answering()
    settings = WorkerSettings(grace=timedelta(seconds=5), patience=AT_ONCE)
    async with staged(data_dir, Cast(sender=sender, worker_settings=settings)) as stage:
        message = await stage.submit("101", "hello")
        worker = asyncio.create_task(stage.worker.run())
        await sender.until_sent(1)

        worker.cancel()
        sender.answer.set()
        await asyncio.gather(worker, return_exceptions=True)

        assert await stage.status(message) == "delivered"


async def test_a_stopping_worker_lets_those_go_who_wait(data_dir: Path) -> None:
    async with staged(data_dir, Cast()) as stage:
        stage.sender.script(PEER, None)
        message = await stage.submit("101", "hello")
        worker = asyncio.create_task(stage.worker.run())
        await stage.sender.until_sent(1)
        waiting = asyncio.create_task(stage.worker.wait_final(message.id, 60))

        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

        async with asyncio.timeout(5):
            assert await waiting is None
            assert await stage.worker.wait_final(message.id, 60) is None


async def test_a_lease_that_a_stop_overtakes_is_handed_back(data_dir: Path) -> None:
    async with staged(data_dir, Cast()) as stage:
        stage.store.leasing.clear()
        message = await stage.submit("101", "hello")
        worker = asyncio.create_task(stage.worker.run())
        await stage.store.leased()

        worker.cancel()
        stage.store.leasing.set()
        await asyncio.gather(worker, return_exceptions=True)

        assert await stage.status(message) == "queued"
        minute = timedelta(minutes=1)
        assert len(await stage.store.lease_due(stage.clock(), minute, 9, 9)) == 1
        assert stage.sender.sent == []
