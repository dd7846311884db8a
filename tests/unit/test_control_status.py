"""What is said of MicroSIP when nothing is asked of it."""

import pytest

from gateway.config import Dde, Phone
from gateway.errors import PhoneError
from gateway.phone import (
    CommandOutcome,
)
from gateway.phone_status import PhoneState
from tests.fakes import NOON
from tests.unit.phone_desk import AWAY, STATUS, Desk, Said, ScriptedChannel

READINGS = [
    pytest.param("In call 1002", PhoneState.ACTIVE, "", id="known"),
    pytest.param(
        "Gespräch", PhoneState.UNKNOWN, "[phone.dde.status_words]", id="unknown words"
    ),
    pytest.param(None, PhoneState.UNKNOWN, "does not report", id="no status"),
]


@pytest.mark.parametrize(("said", "state", "words"), READINGS)
async def test_status_is_read_and_its_words_kept(
    desk: Desk, said: str | None, state: PhoneState, words: str
) -> None:
    result = await desk.run(ScriptedChannel(said), STATUS)

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.status is not None
    assert (result.status.state, result.status.raw) == (state, said or "")
    assert words in result.detail


async def test_the_phone_can_be_looked_at_without_an_audit_entry(desk: Desk) -> None:
    status = await desk.control(ScriptedChannel("On hold 1002")).status()

    assert status.state is PhoneState.HELD
    assert status.source == "scripted"
    assert status.observed_at == NOON
    assert await desk.audit.commands(10) == []


async def test_looking_at_a_phone_that_is_away_raises(desk: Desk) -> None:
    with pytest.raises(PhoneError):
        await desk.control(ScriptedChannel(AWAY)).status()


async def test_configured_status_words_are_read(desk: Desk) -> None:
    desk.phone = Phone(dde=Dde(status_words={"idle": ("frei",)}))

    status = await desk.control(ScriptedChannel("Frei")).status()

    assert status.state is PhoneState.IDLE


HEALTHS = [
    pytest.param("Idle", True, "scripted: idle", id="there"),
    pytest.param(AWAY, False, AWAY.detail, id="away"),
]


@pytest.mark.parametrize(("said", "ok", "detail"), HEALTHS)
async def test_health_tells_of_microsip_without_requiring_it(
    desk: Desk, said: Said, detail: str, *, ok: bool
) -> None:
    (health,) = await desk.control(ScriptedChannel(said)).health()

    assert (health.part, health.ok, health.detail) == ("microsip", ok, detail)
    assert not health.required
