"""The commands that read the message history."""

import re
from dataclasses import replace
from datetime import datetime, tzinfo

from gateway.address import Aor, SipUri
from gateway.archive import Page, Place
from gateway.caller import Caller, Permission
from gateway.chat.command import Call, Command, CommandLine, Reply
from gateway.chat.reply import shown
from gateway.errors import AddressError, InvalidRequest
from gateway.message import TEXT_PLAIN, Direction, Flag, Message, MessageId, Status
from gateway.phone import CommandOutcome, Problem
from gateway.ports import Archive, Clock
from gateway.query import MAX_PAGE, HistoryQuery, parse_query

MAX_TEXT = 160
_DEFAULT_COUNT = 10
_PERMISSIONS = (Permission.HISTORY_OWN, Permission.HISTORY_ALL)
_ARROWS = {Direction.INBOUND: "<-", Direction.OUTBOUND: "->"}
_ORDINARY = frozenset({Status.RECEIVED, Status.DELIVERED})


class HistoryCommands:
    """``find`` and ``history``; with ``history:own`` within the caller's own messages."""

    def __init__(self, *, archive: Archive, clock: Clock, timezone: tzinfo) -> None:
        self._archive = archive
        self._clock = clock
        self._timezone = timezone

    def commands(self) -> tuple[Command, ...]:
        find = Command(
            name="find",
            usage="find QUERY",
            help='Finds messages: "a phrase" word -word from:1001 to:me with:1002 '
            "before:2026-11-01 after:-7d on:mon is:failed in:alerts limit:20",
            run=self._find,
            permissions=_PERMISSIONS,
        )
        history = Command(
            name="history",
            usage="history [PEER] [N]",
            help="The last N messages with PEER, or with you; N alone has at most two digits.",
            run=self._history,
            permissions=_PERMISSIONS,
            subject=lambda line: _peer_and_count(line)[0],
        )
        return (find, history)

    async def _find(self, call: Call) -> Reply:
        query = parse_query(
            call.line.rest, me=call.caller.aor, now=self._clock(), timezone=self._timezone
        )
        within = None if Permission.HISTORY_ALL in call.granted else _own(call.caller)
        return await self._page(call, query, within)

    async def _history(self, call: Call) -> Reply:
        peer, count = _peer_and_count(call.line)
        query = HistoryQuery(limit=count)
        if Permission.HISTORY_ALL in call.granted:
            within = None if peer else call.caller.aor
            query = replace(query, peers=(peer,) if peer else ())
            return await self._page(call, query, within)
        own = _own(call.caller)
        if peer in {"", own, SipUri.parse(own).user}:
            return await self._page(call, query, own)
        return Reply(
            outcome=CommandOutcome.REFUSED,
            subject=peer,
            state="you may read your own messages only",
            lines=('A rule with allow = ["history:all"] is for those of others.',),
            problem=Problem.NOT_ALLOWED,
        )

    async def _page(
        self, call: Call, query: HistoryQuery, within: Aor | None, place: Place | None = None
    ) -> Reply:
        wider = replace(query, limit=query.limit + 1)
        found = await self._archive.find(wider, within=within, place=place)
        page = _page_without(call.message_id, found, query.limit)
        now = self._clock().astimezone(self._timezone)

        async def following() -> Reply:
            last = Place(archive_id=page.items[-1].archive_id)
            return await self._page(call, query, within, last)

        return Reply(
            outcome=CommandOutcome.CONFIRMED,
            verb=call.line.verb,
            state=_summary(page),
            lines=tuple(message_line(item.message, now) for item in page.items),
            more=following if page.has_next and page.items else None,
        )


def message_line(message: Message, now: datetime) -> str:
    """``14:03 <- 1002: text (failed 404)``; with the day when it is not the day of *now*."""
    at = message.created_at.astimezone(now.tzinfo)
    time = f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
    text = shown(message.text, MAX_TEXT)
    if message.content_type != TEXT_PLAIN:
        text = f"[{message.content_type}] {text}".rstrip()
    line = f"{time} {_ARROWS[message.direction]} {_short(message.peer)}: {text}"
    remarks = _remarks(message)
    return f"{line} ({remarks})" if remarks else line


def _page_without(asking: MessageId | None, found: Page, limit: int) -> Page:
    """At most *limit*, without the message that asks: each would find itself."""
    others = tuple(item for item in found.items if item.message.id != asking)
    return replace(found, items=others[:limit], has_next=found.has_next or len(others) > limit)


def _remarks(message: Message) -> str:
    words = [] if message.status in _ORDINARY else [message.status.value]
    if words and message.response is not None:
        words.append(str(message.response.status_code))
    words += [flag.value for flag in (Flag.TRUNCATED, Flag.RESENT) if flag in message.flags]
    return " ".join(words)


def _short(peer: Aor) -> str:
    return shown(peer.removeprefix("sip:"), 64)


def _summary(page: Page) -> str:
    if not page.items:
        return "nothing found"
    count = len(page.items)
    return f"{count} {'message' if count == 1 else 'messages'}, newest first"


def _own(caller: Caller) -> Aor:
    if caller.aor is None:
        raise InvalidRequest("a token has no messages of its own; it needs messages:read")
    return caller.aor


def _peer_and_count(line: CommandLine) -> tuple[str, int]:
    """The peer as a user part or AOR, empty for none; a lone short number is the count."""
    words = line.words
    if len(words) > 2:
        raise _wrong()
    if len(words) == 1 and re.fullmatch("[0-9]{1,2}", words[0]):
        words = ("", words[0])
    peer, count = (*words, "", "")[:2]
    if count and not (re.fullmatch("[0-9]{1,3}", count) and 1 <= int(count) <= MAX_PAGE):
        raise _wrong()
    return _party(peer), int(count or _DEFAULT_COUNT)


def _party(peer: str) -> str:
    if "@" not in peer and ":" not in peer:
        return peer
    try:
        return SipUri.parse(peer if peer.lower().startswith("sip") else f"sip:{peer}").aor
    except AddressError as exc:
        raise InvalidRequest(f"{exc}; type: history 1002 20") from exc


def _wrong() -> InvalidRequest:
    return InvalidRequest(f"a peer and a number up to {MAX_PAGE}; type: history 1002 20")
