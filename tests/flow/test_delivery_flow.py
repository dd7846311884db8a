"""From the outbox to a final status."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.address import Aor
from gateway.caller import Caller, Origin
from gateway.delivery import WorkerSettings
from gateway.errors import SendError
from gateway.message import Deferred, FinalResponse, Flag, Status
from gateway.outbox import OutboundRequest
from tests.fakes import OK
from tests.flow.stage import AT_ONCE, Cast, Stage, request, running, staged

PEER = "sip:101@office.example"
UNAVAILABLE = FinalResponse(503, "Service Unavailable")
AWAY = FinalResponse(480, "Temporarily Unavailable")
NOT_FOUND = FinalResponse(404, "Not Found")
SENDER = Caller(
    who="sip:101@office.example",
    proof="sip",
    origin=Origin.SIP,
    aor=Aor("sip:101@office.example"),
)


async def later(stage: Stage, **by: int) -> None:
    stage.clock.advance(timedelta(**by))
    stage.worker.wake()


async def test_a_message_is_delivered(stage: Stage) -> None:
    message = await stage.submit("101", "hello")

    final = await stage.final(message)

    (attempt,) = await stage.archive.attempts(message.id)
    assert (final.status, final.response) == (Status.DELIVERED, OK)
    assert (attempt.part, attempt.response) == (1, OK)


async def test_a_202_only_relays(stage: Stage) -> None:
    stage.sender.script(PEER, FinalResponse(202, "Accepted"))

    message = await stage.submit("101", "hello")

    assert (await stage.final(message)).status is Status.RELAYED


async def test_waiting_ends_with_nothing_when_the_status_is_not_final(stage: Stage) -> None:
    stage.sender.script(PEER, None)
    message = await stage.submit("101", "hello")

    assert await stage.worker.wait_final(message.id, 0.01) is None


async def test_waiting_is_over_at_once_when_the_status_is_final(stage: Stage) -> None:
    message = await stage.submit("101", "hello")
    await stage.store.settled()

    assert (await stage.final(message)).status is Status.DELIVERED


async def test_it_is_tried_again_until_it_is_delivered(stage: Stage) -> None:
    stage.sender.script(PEER, UNAVAILABLE, SendError("the engine ended"), UNAVAILABLE)
    message = await stage.submit("101", "hello")

    for seconds, code in ((2, 503), (10, 408), (30, 503)):
        settlement = await stage.store.settled()
        assert isinstance(settlement.outcome, Deferred)
        assert settlement.outcome.response.status_code == code
        assert await stage.status(message) == "retrying"
        await later(stage, seconds=seconds)

    assert (await stage.final(message)).status is Status.DELIVERED
    assert len(stage.sender.sent) == 4


@pytest.mark.parametrize(
    ("error", "reason", "flags"),
    [
        pytest.param(
            SendError("gethostbyname() has returned error", sent=False),
            "not sent: gethostbyname() has returned error",
            frozenset(),
            id="unresolved",
        ),
        pytest.param(
            SendError("the SIP engine ended"),
            "no final response: the SIP engine ended",
            frozenset({Flag.RESENT}),
            id="engine-died",
        ),
    ],
)
async def test_only_what_may_have_left_is_flagged_as_resent(
    stage: Stage, error: SendError, reason: str, flags: frozenset[Flag]
) -> None:
    stage.sender.script(PEER, error)
    message = await stage.submit("101", "hello")
    await stage.store.settled()

    await later(stage, seconds=2)
    final = await stage.final(message)

    first, second = await stage.archive.attempts(message.id)
    assert first.response == FinalResponse(408, reason, local=True)
    assert (second.response, final.flags) == (OK, flags)


async def test_the_reason_of_an_attempt_is_bounded(stage: Stage) -> None:
    stage.sender.script(PEER, SendError("no such host " * 100, sent=False))
    message = await stage.submit("101", "hello")
    await stage.store.settled()

    (attempt,) = await stage.archive.attempts(message.id)

    reason = attempt.response.reason_phrase
    assert reason.startswith("not sent: no such host no such host")
    assert len(reason) <= 120


async def test_it_is_not_tried_before_its_time(stage: Stage) -> None:
    stage.sender.script(PEER, UNAVAILABLE)
    await stage.submit("101", "first")
    await stage.store.settled()

    await later(stage, seconds=1)
    await stage.final(await stage.submit("102", "other"))

    assert Counter(delivery.peer for delivery in stage.sender.sent)[Aor(PEER)] == 1


async def test_a_peers_messages_keep_their_order_over_a_retry(stage: Stage) -> None:
    stage.sender.script(PEER, UNAVAILABLE)
    messages = [await stage.submit("101", f"{number}") for number in range(3)]
    await stage.store.settled()

    await later(stage, seconds=2)
    for message in messages:
        await stage.final(message)

    assert [delivery.body for delivery in stage.sender.sent] == ["0", "0", "1", "2"]


async def test_a_long_text_is_delivered_when_all_its_parts_are(stage: Stage) -> None:
    message = await stage.submit("101", "word " * 400)

    final = await stage.final(message)

    assert final.status is Status.DELIVERED
    assert [delivery.part for delivery in stage.sender.sent] == [1, 2, 3]


async def test_the_first_part_that_fails_fails_the_message(stage: Stage) -> None:
    stage.sender.script(PEER, OK, FinalResponse(403, "Forbidden"))

    final = await stage.final(await stage.submit("101", "word " * 400))

    assert (final.status, len(stage.sender.sent)) == (Status.FAILED, 2)


async def test_a_part_too_large_for_the_peer_goes_in_smaller_ones(stage: Stage) -> None:
    stage.sender.script(PEER, FinalResponse(413, "Too Large"))

    final = await stage.final(await stage.submit("101", "word " * 100))

    sizes = [len(delivery.body) for delivery in stage.sender.sent]
    assert final.status is Status.DELIVERED
    assert sizes[0] > 300
    assert max(sizes[1:]) <= 300


async def test_a_silent_peer_holds_back_nobody_else(stage: Stage) -> None:
    stage.sender.script(PEER, None)
    silent = await stage.submit("101", "hello")
    await stage.submit("101", "hello again")

    for number in range(102, 112):
        await stage.final(await stage.submit(f"{number}", "hello"))

    assert await stage.status(silent) == "sending"
    assert [delivery.body for delivery in stage.sender.sent].count("hello again") == 0


async def test_no_more_than_allowed_are_in_flight_to_a_destination(data_dir: Path) -> None:
    settings = WorkerSettings(per_destination=3, grace=timedelta(), patience=AT_ONCE)
    async with staged(data_dir, Cast(worker_settings=settings)) as stage:
        for number in range(5):
            stage.sender.script(f"sip:20{number}@office.example", None)
            await stage.submit(f"20{number}", "hello")
        async with running(stage):
            await stage.sender.until_sent(3)
            left = await stage.store.lease_due(stage.clock(), timedelta(minutes=1), 9, 9)

            assert (len(stage.sender.sent), len(left)) == (3, 2)


async def test_no_more_than_allowed_run_at_a_time(data_dir: Path) -> None:
    settings = WorkerSettings(
        concurrency=2, silent_after=timedelta(hours=1), grace=timedelta(), patience=AT_ONCE
    )
    async with staged(data_dir, Cast(worker_settings=settings)) as stage:
        for number in range(2):
            stage.sender.script(f"sip:20{number}@office.example", None)
        messages = [await stage.submit(f"20{number}", "hello") for number in range(3)]
        async with running(stage):
            await stage.sender.until_sent(2)
            stage.worker.wake()

            assert [await stage.status(message) for message in messages] == [
                "sending",
                "sending",
                "queued",
            ]


async def test_attempts_without_an_answer_leave_their_places_to_others(
    data_dir: Path,
) -> None:
    settings = WorkerSettings(
        concurrency=1, silent_after=timedelta(), grace=timedelta(), patience=AT_ONCE
    )
    async with staged(data_dir, Cast(worker_settings=settings)) as stage:
        for number in range(3):
            stage.sender.script(f"sip:20{number}@office.example", None)
            await stage.submit(f"20{number}", "is anybody there?")
        message = await stage.submit("101", "hello")
        async with running(stage):
            final = await stage.final(message)

            assert final.status is Status.DELIVERED


async def test_no_more_than_allowed_leave_their_places(data_dir: Path) -> None:
    settings = WorkerSettings(
        concurrency=1,
        silent_after=timedelta(),
        silent_limit=2,
        grace=timedelta(),
        patience=AT_ONCE,
    )
    async with staged(data_dir, Cast(worker_settings=settings)) as stage:
        for number in range(4):
            stage.sender.script(f"sip:20{number}@office.example", None)
        messages = [await stage.submit(f"20{number}", "hello") for number in range(4)]
        async with running(stage):
            await stage.sender.until_sent(3)
            stage.worker.wake()

            statuses = [await stage.status(message) for message in messages]
            assert statuses == ["sending"] * 3 + ["queued"]


async def test_a_peer_never_seen_fails_after_a_second_404(stage: Stage) -> None:
    stage.sender.script(PEER, NOT_FOUND, NOT_FOUND)
    message = await stage.submit("101", "hello")
    await stage.store.settled()

    await later(stage, seconds=30)

    final = await stage.final(message)
    assert (final.status, final.response) == (Status.FAILED, NOT_FOUND)


async def test_a_peer_that_wrote_is_waited_for_and_served_when_it_is_back(
    stage: Stage,
) -> None:
    await stage.inbound.receive([request("ping")])
    await stage.store.settled()
    stage.sender.script(PEER, NOT_FOUND)
    message = await stage.submit("101", "hello")
    await stage.store.settled()
    waiting = await stage.status(message)

    await stage.inbound.receive([request("I am back")])

    assert waiting == "waiting"
    assert (await stage.final(message)).status is Status.DELIVERED


async def test_an_account_that_is_back_makes_its_deliveries_due(stage: Stage) -> None:
    stage.sender.script(PEER, UNAVAILABLE)
    message = await stage.submit("101", "hello")
    await stage.store.settled()

    await stage.store.account_returned("bot", stage.clock())
    stage.worker.wake()

    assert (await stage.final(message)).status is Status.DELIVERED


async def test_a_peer_that_takes_no_messages_is_not_asked_again(stage: Stage) -> None:
    stage.sender.script(PEER, FinalResponse(405, "Method Not Allowed"))
    await stage.final(await stage.submit("101", "hello"))

    final = await stage.final(await stage.submit("101", "hello again"))

    assert final.status is Status.FAILED
    assert len(stage.sender.sent) == 1


async def test_what_expired_is_not_sent(stage: Stage) -> None:
    stage.sender.script(PEER, AWAY)
    message = await stage.submit("101", "hello", ttl=timedelta(minutes=1))
    await stage.store.settled()

    await later(stage, minutes=2)

    assert (await stage.final(message)).status is Status.EXPIRED
    assert len(stage.sender.sent) == 1


@pytest.mark.parametrize(
    ("response", "hours", "ends"),
    [
        pytest.param(FinalResponse(403, "Forbidden"), 0, "failed: 403 Forbidden", id="failed"),
        pytest.param(AWAY, 73, "expired", id="expired"),
    ],
)
async def test_a_chat_sender_is_told_once(
    stage: Stage, response: FinalResponse, hours: int, ends: str
) -> None:
    stage.sender.script("sip:102@office.example", response)
    stage.sender.script(PEER, FinalResponse(403, "Forbidden"))
    message = await stage.outbox.send_for(SENDER, "102", "come over")
    await stage.store.settled()
    await later(stage, hours=hours)
    await stage.final(message)

    first, notice = await stage.sender.until_sent(2)

    assert first.body == "101: come over"
    assert notice.peer == SENDER.aor
    assert notice.body == f"ERR send 102 ({ends})\n101: come over"
    # The notice fails in its turn, and nobody is told of that.
    while (await stage.store.settled()).delivery.id != notice.id:
        pass
    assert await stage.store.next_due(stage.clock()) is None


async def test_an_outcome_survives_a_database_that_is_away(stage: Stage) -> None:
    stage.store.outages = 5

    final = await stage.final(await stage.submit("101", "hello"))

    assert (final.status, len(stage.sender.sent)) == (Status.DELIVERED, 1)


async def test_a_lease_that_ends_while_the_database_is_away_sends_nothing_twice(
    stage: Stage,
) -> None:
    stage.store.outages = 10**9
    message = await stage.submit("101", "hello")
    await stage.sender.until_sent(1)
    await stage.store.leased()

    await later(stage, minutes=5)
    again = await stage.store.leased()
    stage.store.outages = 0

    assert again.message_id == message.id
    assert (await stage.final(message)).status is Status.DELIVERED
    assert len(stage.sender.sent) == 1


async def test_after_a_crash_what_was_in_flight_is_sent_again_and_marked(
    data_dir: Path,
) -> None:
    cast = Cast()
    cast.sender.script(PEER, None)
    async with staged(data_dir, cast) as killed:
        message = await killed.submit("101", "hello")
        queued = await killed.submit("101", "after it")
        async with running(killed):
            await cast.sender.until_sent(1)

    async with staged(data_dir, Cast(clock=cast.clock)) as stage, running(stage):
        cast.clock.advance(WorkerSettings().lease)
        stage.worker.wake()
        await stage.final(queued)
        final = await stage.final(message)

    assert [delivery.body for delivery in stage.sender.sent] == ["hello", "after it"]
    assert (final.status, final.flags) == (Status.DELIVERED, frozenset({Flag.RESENT}))


async def test_a_scheme_without_a_way_out_fails(stage: Stage) -> None:
    submission = stage.outbox.compose(
        OutboundRequest(to="101", text="hello", origin="token:crm")
    )
    (delivery,) = submission.deliveries
    strange = replace(submission, deliveries=(replace(delivery, target="tel:101"),))

    await stage.outbox.submit(strange)

    final = await stage.final(submission.message)
    assert final.status is Status.FAILED
    assert final.response is not None
    assert final.response.status_code == 416


async def test_leasing_goes_on_when_the_database_is_back(stage: Stage) -> None:
    stage.store.lease_outages = 3

    final = await stage.final(await stage.submit("101", "hello"))

    assert final.status is Status.DELIVERED


async def test_a_commit_that_was_not_acknowledged_stops_nobody(stage: Stage) -> None:
    stage.store.unacknowledged = 1
    first = await stage.submit("101", "hello")
    await stage.store.settled()

    second = await stage.submit("101", "hello again")

    assert (await stage.final(second)).status is Status.DELIVERED
    assert await stage.status(first) == "delivered"


async def test_wrong_credentials_raise_an_alarm(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.sender.script(PEER, FinalResponse(407, "Proxy Authentication Required"))

    final = await stage.final(await stage.submit("101", "hello"))

    assert final.status is Status.FAILED
    assert [r.levelname for r in caplog.records if "check username" in r.message] == ["ERROR"]
