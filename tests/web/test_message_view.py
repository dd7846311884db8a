"""One message in JSON, made for a page of them or by itself."""

from dataclasses import replace

import pytest

from gateway.message import FinalResponse, Flag, Message, Status
from gateway.web.message_view import message_body, message_view
from gateway.web.route import to_json
from tests.contract.samples import received, sent
from tests.fakes import NOON

FAILED = replace(
    sent("Grüße").message,
    status=Status.FAILED,
    response=FinalResponse(404, "Not Found"),
    attempts=2,
    tags=("a", "b"),
    settled_at=NOON,
)
CUT = replace(received('a "quoted"\nline'), flags=frozenset({Flag.TRUNCATED, Flag.RESENT}))


@pytest.mark.parametrize("message", [FAILED, CUT], ids=["failed", "cut"])
def test_a_message_by_itself_is_what_it_is_on_a_page(message: Message) -> None:
    assert message_body(message) == to_json(message_view(message))
