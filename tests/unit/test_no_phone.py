"""The channel where there is no MicroSIP."""

from collections.abc import Awaitable, Callable

import pytest

from gateway.errors import PhoneError
from gateway.microsip.no_phone import NoPhone
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage

WHY = "there is no MicroSIP on this system; try --demo"
NO_PHONE = NoPhone(WHY)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(lambda: NO_PHONE.execute(PhoneCommand(Verb.HANGUP)), id="execute"),
        pytest.param(lambda: NO_PHONE.write(PhoneMessage("1002", "hello")), id="write"),
        pytest.param(NO_PHONE.status, id="status"),
    ],
)
async def test_everything_is_answered_with_what_to_do(
    action: Callable[[], Awaitable[object]],
) -> None:
    with pytest.raises(PhoneError) as refused:
        await action()

    assert (refused.value.problem, refused.value.detail) == (Problem.NOT_RUNNING, WHY)
