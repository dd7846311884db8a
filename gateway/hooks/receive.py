"""Receiving a webhook: verified, rendered, committed, and only then accepted."""

import json
import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from gateway.config import HookSource
from gateway.errors import ConflictError, InvalidRequest
from gateway.hook_delivery import HookDelivery, HookReceipt
from gateway.hooks.alertmanager import read_alertmanager
from gateway.hooks.generic import read_generic
from gateway.hooks.notification import JsonObject, Notification, flat_text
from gateway.hooks.request import Accepted, HookAnswer, HookRequest, Reason, Rejected
from gateway.hooks.templates import Broken
from gateway.hooks.verify import SIGNATURE_HEADER, verify_bearer, verify_signed_or_bearer
from gateway.limits import KeyedLimit
from gateway.message import Submission, uuid7
from gateway.ports import Clock, HookLog

RETRY_SECONDS = 300
"""Alertmanager retries a webhook within group_interval (5 min), reminds after hours."""

log = logging.getLogger(__name__)

TAG = "alerts"
MAX_TEXT = 4_000
_SECRET_HEADERS = frozenset({"authorization", "cookie", "x-signature-256"})
_READERS: dict[str, Callable[[JsonObject], Notification]] = {
    "generic": read_generic,
    "alertmanager": read_alertmanager,
}


class Compose(Protocol):
    """Makes a message with its deliveries; raises InvalidRequest."""

    def __call__(
        self, *, to: str, text: str, origin: str, ttl: timedelta, tags: tuple[str, ...]
    ) -> Submission: ...


class Templates(Protocol):
    """Renders a template within bounds."""

    async def render(self, template: str, document: JsonObject) -> str | Broken: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSettings:
    """What is configured for inbound webhooks."""

    sources: tuple[HookSource, ...]
    alert_ttl: timedelta
    local_only: bool
    """HTTP is bound to loopback: a source without secret is let in; else it is not."""


class Hooks:
    """Turns webhooks into messages."""

    def __init__(
        self,
        *,
        settings: HookSettings,
        hook_log: HookLog,
        compose: Compose,
        templates: Templates,
        limit: KeyedLimit,
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        """*wake* tells the delivery worker that something is due."""
        self._settings = settings
        self._sources = {source.key: source for source in settings.sources}
        self._hook_log = hook_log
        self._compose = compose
        self._templates = templates
        self._limit = limit
        self._clock = clock
        self._wake = wake

    async def receive(self, key: str, request: HookRequest) -> HookAnswer:
        """Accepted means committed; raises InvalidRequest for a body that is no JSON object."""
        source = self._sources.get(key)
        if source is None:
            return Rejected(Reason.UNKNOWN_KEY, "no webhook has this key: [[hooks.sources]]")
        if rejected := self._rejected(source, request):
            log.warning("webhook %s refused: %s", key, rejected.reason)
            return rejected
        document = _document(request.body)
        notification = await self._notification(source, document)
        submissions = self._composed(source, notification)
        delivery = self._delivery(source, request, notification)
        receipt = await self._hook_log.add_hook(delivery, submissions)
        self._wake()
        log.info("webhook %s is %s, duplicate %s", key, receipt.delivery_id, receipt.duplicate)
        return Accepted(receipt)

    async def replay(self, delivery_id: str) -> HookReceipt | None:
        """Make messages of a stored webhook once more, as its source is configured now.

        None when there is none of this id; raises ConflictError when its source is gone.
        """
        stored = await self._hook_log.hook_delivery(delivery_id)
        if stored is None:
            return None
        source = self._sources.get(stored.source)
        if source is None:
            raise ConflictError(
                f"webhook {delivery_id} is of {stored.source}, which [[hooks.sources]] has not"
            )
        notification = await self._notification(source, _document(stored.body))
        now = self._clock()
        again = replace(stored, id=f"hkd_{uuid7(now)}", received_at=now, duplicate_key="")
        receipt = await self._hook_log.add_hook(again, self._composed(source, notification))
        self._wake()
        log.info("webhook %s is replayed as %s", delivery_id, receipt.delivery_id)
        return receipt

    def _rejected(self, source: HookSource, request: HookRequest) -> Rejected | None:
        secret = source.secret.get_secret_value()
        rejected = None
        if not secret:
            rejected = self._rejected_without_secret(source, request)
        elif source.format == "generic":
            rejected = verify_signed_or_bearer(secret, request, self._clock())
        else:
            rejected = verify_bearer(secret, request)
        # Last, so that nobody without the secret uses up the limit of who has it.
        if rejected is None and not self._limit.allows(source.key):
            return Rejected(Reason.RATE, "too many webhooks; try again in a second")
        return rejected

    def _rejected_without_secret(
        self, source: HookSource, request: HookRequest
    ) -> Rejected | None:
        # A browser posts to this machine for any page it shows, and says so in Origin.
        if self._settings.local_only and not request.header("Origin"):
            return None
        return Rejected(
            Reason.SIGNATURE,
            f"webhook {source.key} has no secret: only programs on this machine may post, "
            "while [http] host is 127.0.0.1; set secret or secret_file in [[hooks.sources]]",
        )

    async def _notification(self, source: HookSource, document: JsonObject) -> Notification:
        if not source.template:
            return _READERS[source.format](document)
        rendered = await self._templates.render(source.template, document)
        duplicate_key = (
            read_alertmanager(document).duplicate_key if source.format == "alertmanager" else ""
        )
        if isinstance(rendered, str) and rendered.strip():
            return Notification(text=rendered, duplicate_key=duplicate_key)
        reason = rendered.reason if isinstance(rendered, Broken) else "it gave no text"
        log.error("template of webhook %s failed, raw text is sent: %s", source.key, reason)
        return Notification(text=_raw_text(document), duplicate_key=duplicate_key)

    def _composed(self, source: HookSource, notification: Notification) -> list[Submission]:
        text = _presentable(notification.text)
        if notification.recipients:
            return [self._message(source, to, text) for to in notification.recipients]
        submissions = []
        for to in source.to:
            try:
                submissions.append(self._message(source, to, text))
            except InvalidRequest as exc:
                log.error("webhook %s cannot reach %r: %s", source.key, to, exc)  # noqa: TRY400
        if not submissions:
            raise InvalidRequest(f"no recipient of webhook {source.key} is an address")
        return submissions

    def _message(self, source: HookSource, to: str, text: str) -> Submission:
        return self._compose(
            to=to,
            text=text,
            origin=f"hook:{source.key}",
            ttl=self._settings.alert_ttl,
            tags=(TAG,),
        )

    def _delivery(
        self, source: HookSource, request: HookRequest, notification: Notification
    ) -> HookDelivery:
        now = self._clock()
        # A signature covers time and body: the same one again is the same request again.
        duplicate_key = notification.duplicate_key or request.header(SIGNATURE_HEADER)
        if duplicate_key and source.format == "alertmanager":
            # The same group again is a retry when it comes soon, and a reminder later.
            duplicate_key += f"@{int(now.timestamp()) // RETRY_SECONDS}"
        return HookDelivery(
            id=f"hkd_{uuid7(now)}",
            source=source.key,
            duplicate_key=duplicate_key,
            received_at=now,
            content_type=request.content_type,
            body=request.body,
            headers=tuple(
                (name, value)
                for name, value in request.headers
                if name.lower() not in _SECRET_HEADERS
            ),
        )


def _document(body: bytes) -> JsonObject:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InvalidRequest("the body must be a JSON object in UTF-8") from exc
    if not isinstance(document, dict):
        raise InvalidRequest("the body must be a JSON object, not another JSON value")
    return document


def _raw_text(document: JsonObject) -> str:
    text = document.get("text")
    return text if isinstance(text, str) and text.strip() else flat_text(document)


def _presentable(text: str) -> str:
    """What phones can show of it: an alert is not lost to a control character."""
    text = text.replace("\r\n", "\n")[:MAX_TEXT]
    shown = "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cs"}
        else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
    return shown if shown.strip() else "(no text)"
