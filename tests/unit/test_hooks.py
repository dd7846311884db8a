"""Who may post webhooks, with what is kept of them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydantic import SecretStr

from gateway.address import Aor
from gateway.config import HookSource
from gateway.errors import ConflictError, InvalidRequest
from gateway.hook_delivery import HookDelivery, HookEntry, HookReceipt
from gateway.hooks.notification import JsonObject, flat_text
from gateway.hooks.receive import MAX_TEXT, Hooks, HookSettings
from gateway.hooks.request import Accepted, HookRequest, Reason, Rejected
from gateway.hooks.templates import Broken
from gateway.limits import KeyedLimit
from gateway.message import Direction, Message, MessageId, Status, Submission, uuid7
from tests.fakes import NOON, FakeClock

SOURCE = HookSource(key="open", to=("101",))


class FakeHookLog:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.added: list[tuple[HookDelivery, Sequence[Submission]]] = []

    async def add_hook(
        self, delivery: HookDelivery, submissions: Sequence[Submission]
    ) -> HookReceipt:
        self.added.append((delivery, submissions))
        return HookReceipt(delivery.id, (), duplicate=False)

    async def hook_delivery(self, delivery_id: str) -> HookDelivery | None:
        kept = [delivery for delivery, _ in self.added if delivery.id == delivery_id]
        return kept[0] if kept else None

    async def hook_deliveries(self, limit: int, *, before: str = "") -> Sequence[HookEntry]:
        raise NotImplementedError


class FakeTemplates:
    """Renders every template to the same."""

    def __init__(self, result: str | Broken) -> None:
        self._result = result

    async def render(self, template: str, document: JsonObject) -> str | Broken:
        return self._result


def compose(
    *, to: str, text: str, origin: str, ttl: timedelta, tags: tuple[str, ...]
) -> Submission:
    """A message whose *ttl* is told in its reference."""
    if " " in to:
        raise InvalidRequest("no address", pointer="/to")
    message = Message(
        id=MessageId(uuid7(NOON)),
        direction=Direction.OUTBOUND,
        account="bot",
        peer=Aor(to),
        from_uri="sip:bot@office.example",
        to_uri=to,
        text=text,
        created_at=NOON,
        status=Status.QUEUED,
        origin=origin,
        client_ref=str(ttl),
        tags=tags,
    )
    return Submission(message=message, deliveries=())


def receiver(
    log: FakeHookLog,
    *sources: HookSource,
    local_only: bool = True,
    rendered: str | Broken = "rendered",
) -> Hooks:
    return Hooks(
        settings=HookSettings(
            sources=sources, alert_ttl=timedelta(minutes=90), local_only=local_only
        ),
        hook_log=log,
        compose=compose,
        templates=FakeTemplates(rendered),
        limit=KeyedLimit(rate="", clock=FakeClock()),
        clock=FakeClock(),
        wake=lambda: None,
    )


async def test_without_a_secret_only_this_machine_is_let_in() -> None:
    request = HookRequest(body=b'{"text": "x"}')

    local = await receiver(FakeHookLog(), SOURCE).receive("open", request)
    remote = await receiver(FakeHookLog(), SOURCE, local_only=False).receive("open", request)

    assert isinstance(local, Accepted)
    assert isinstance(remote, Rejected)
    assert remote.reason is Reason.SIGNATURE
    assert "[[hooks.sources]]" in remote.detail


async def test_a_web_page_on_this_machine_is_not_let_in_without_a_secret() -> None:
    request = HookRequest(body=b'{"text": "x"}', headers=[("Origin", "https://evil.example")])

    answer = await receiver(FakeHookLog(), SOURCE).receive("open", request)

    assert isinstance(answer, Rejected)
    assert answer.reason is Reason.SIGNATURE


async def test_what_was_posted_is_kept_without_its_credentials() -> None:
    log = FakeHookLog()
    source = HookSource(key="a", to=("101",), secret=SecretStr("s"))
    request = HookRequest(
        body=b'{ "text":"x" }',
        content_type="application/json",
        headers=[("Authorization", "Bearer s"), ("Cookie", "c"), ("X-Mark", "kept")],
    )

    await receiver(log, source).receive("a", request)

    delivery, (submission,) = log.added[0]
    assert delivery.body == b'{ "text":"x" }'
    assert delivery.headers == (("X-Mark", "kept"),)
    assert (delivery.source, delivery.received_at) == ("a", NOON)
    assert delivery.id.startswith("hkd_")
    assert submission.message.origin == "hook:a"
    assert submission.message.tags == ("alerts",)
    assert submission.message.client_ref == str(timedelta(minutes=90))


async def test_one_wrong_recipient_does_not_keep_it_from_the_others() -> None:
    log = FakeHookLog()
    source = HookSource(key="a", to=("not one", "101"))

    await receiver(log, source).receive("a", HookRequest(body=b'{"text": "x"}'))

    assert [s.message.to_uri for s in log.added[0][1]] == ["101"]


@pytest.mark.parametrize(
    ("rendered", "text"),
    [
        pytest.param("shaped", "shaped", id="text"),
        pytest.param(Broken("why"), "host: web1", id="broken"),
        pytest.param(" \n", "host: web1", id="blank"),
    ],
)
async def test_the_raw_text_stands_in_for_a_template_that_gives_none(
    rendered: str | Broken, text: str
) -> None:
    log = FakeHookLog()
    source = HookSource(key="a", to=("101",), template="{{ x }}")

    await receiver(log, source, rendered=rendered).receive(
        "a", HookRequest(body=b'{"host": "web1"}')
    )

    assert [s.message.text for s in log.added[0][1]] == [text]


async def test_a_templated_document_may_have_members_named_like_ours() -> None:
    log = FakeHookLog()
    source = HookSource(key="a", to=("101",), template="{{ x }}")
    request = HookRequest(body=b'{"to": "bob@crm.example", "id": 5, "text": 7}')

    await receiver(log, source).receive("a", request)

    delivery, (submission,) = log.added[0]
    assert submission.message.to_uri == "101"
    assert delivery.duplicate_key == ""


async def test_a_very_long_text_is_cut() -> None:
    log = FakeHookLog()
    body = b'{"text": "' + b"x" * 100_000 + b'"}'

    await receiver(log, SOURCE).receive("open", HookRequest(body=body))

    assert len(log.added[0][1][0].message.text) == MAX_TEXT


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"a": 1, "b": 1.5, "c": "x"}, "a: 1\nb: 1.5\nc: x"),
        ({"a": True, "b": None}, "a: true\nb:"),
        ({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, "a: b=c=d=e=…"),
        ({"a": "two\nlines"}, "a: two lines"),
        ({"a": []}, "a:"),
    ],
)
def test_a_flat_text_has_a_line_for_each_member(document: JsonObject, text: str) -> None:
    assert flat_text(document) == text


def test_a_flat_text_has_a_bounded_number_of_lines() -> None:
    lines = flat_text({f"key{n}": n for n in range(100)}).splitlines()

    assert len(lines) == 41
    assert lines[-1] == "(60 more)"


async def test_a_webhook_whose_source_is_gone_is_not_replayed() -> None:
    log = FakeHookLog()
    await receiver(log, SOURCE).receive("open", HookRequest(body=b'{"text": "x"}'))
    [(delivery, _)] = log.added

    with pytest.raises(ConflictError, match=r"open.*hooks.sources"):
        await receiver(log).replay(delivery.id)
