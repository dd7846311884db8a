"""``/v1/messages``, ``/v1/conversations``: the history, page by page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from gateway.address import Aor, SipUri
from gateway.archive import Conversation, Page, Place
from gateway.errors import AddressError, InvalidRequest
from gateway.message import Direction, Status
from gateway.ports import Archive, Clock
from gateway.query import MAX_PAGE, HistoryQuery, parse_query
from gateway.web.body import Moment, Text, read_query
from gateway.web.cursor import (
    Cursor,
    decode_archive_id,
    decode_cursor,
    encode_cursor,
    filter_hash,
)
from gateway.web.message_view import MessageView, message_view
from gateway.web.problem import invalid_parameter
from gateway.web.route import Answer, Call, QueryParameters, Route, Scope, View

_DEFAULT_LIMIT = 20
_SCHEMES = ("sip:", "sips:")


class PageParameters(QueryParameters):
    """Of any list."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] | None = None
    cursor: str = ""


class ConversationParameters(PageParameters):
    """Of the messages with one peer."""

    order: Literal["desc", "asc"] = "desc"
    """``desc``: newest first."""


class HistoryParameters(ConversationParameters):
    """Which messages; every given condition must hold."""

    q: str = ""
    """The history query of the chat."""
    peer: Text = ""
    """An AOR, or a user part."""
    direction: Direction | None = None
    status: str = ""
    """One, or several separated by commas."""
    since: Moment | None = None
    """Inclusive: a time of RFC 3339, or a day such as 2026-11-01 for its midnight UTC."""
    until: Moment | None = None
    """Exclusive: a time of RFC 3339, or a day such as 2026-11-01 for its midnight UTC."""


class MessagePageView(View):
    """A page of messages."""

    items: tuple[MessageView, ...]
    next_cursor: str | None
    prev_cursor: str | None


class ConversationView(View):
    """All messages with one peer: how many, and the last."""

    peer: str
    messages: int
    last: MessageView


class ConversationPageView(View):
    """A page of conversations."""

    items: tuple[ConversationView, ...]
    next_cursor: str | None


class History:
    """Finds messages."""

    def __init__(self, *, archive: Archive, clock: Clock) -> None:
        self._archive = archive
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/v1/messages",
                handler=self.messages,
                summary="The history, newest first unless order=asc",
                scopes=(Scope.MESSAGES_READ,),
                query=HistoryParameters,
                response=MessagePageView,
            ),
            Route(
                method="GET",
                path="/v1/conversations",
                handler=self.conversations,
                summary="Peers by their last message, newest first",
                scopes=(Scope.MESSAGES_READ,),
                query=PageParameters,
                response=ConversationPageView,
            ),
            Route(
                method="GET",
                path="/v1/conversations/{peer}/messages",
                handler=self.conversation,
                summary="The messages with one peer, an AOR or a user part",
                scopes=(Scope.MESSAGES_READ,),
                query=ConversationParameters,
                response=MessagePageView,
            ),
        )

    async def messages(self, call: Call) -> Answer:
        parameters = read_query(call.request, HistoryParameters)
        query = _narrowed(self._typed(parameters.q), parameters)
        if not parameters.peer:
            return await self._page(call, parameters, query)
        return await self._page_of(parameters.peer, call, parameters, query)

    def _typed(self, text: str) -> HistoryQuery:
        try:
            return parse_query(text, me=None, now=self._clock())
        except InvalidRequest as exc:
            raise invalid_parameter("q", exc.detail) from exc

    async def conversation(self, call: Call) -> Answer:
        parameters = read_query(call.request, ConversationParameters)
        query = HistoryQuery(limit=parameters.limit or _DEFAULT_LIMIT)
        return await self._page_of(call.path("peer"), call, parameters, query)

    async def conversations(self, call: Call) -> Answer:
        parameters = read_query(call.request, PageParameters)
        mark = _mark(call, parameters)
        found, more = await self._archive.conversations(
            parameters.limit or _DEFAULT_LIMIT, place=_place(parameters.cursor, mark)
        )
        following = (
            encode_cursor(Cursor(key=str(found[-1].last.archive_id)), mark)
            if more and found
            else None
        )
        items = tuple(_conversation_view(conversation) for conversation in found)
        return Answer.of(ConversationPageView(items=items, next_cursor=following))

    async def _page_of(
        self, peer: str, call: Call, parameters: ConversationParameters, query: HistoryQuery
    ) -> Answer:
        """Those with *peer*, an AOR or a user part."""
        if ":" in peer or "@" in peer:
            return await self._page(call, parameters, query, within=_aor(peer))
        _aor(f"{peer}@localhost")
        if query.peers:
            raise invalid_parameter(
                "peer", "q names a peer already; give its whole address here"
            )
        return await self._page(call, parameters, replace(query, peers=(peer,)))

    async def _page(
        self,
        call: Call,
        parameters: ConversationParameters,
        query: HistoryQuery,
        *,
        within: Aor | None = None,
    ) -> Answer:
        mark = _mark(call, parameters)
        page = await self._archive.find(
            query,
            within=within,
            place=_place(parameters.cursor, mark),
            oldest_first=parameters.order == "asc",
        )
        return Answer.of(_page_view(page, mark))


def _mark(call: Call, parameters: PageParameters) -> str:
    """What a cursor is good for: the page size may change on the way, nothing else."""
    conditions = parameters.model_dump(mode="json", exclude={"cursor", "limit"})
    return filter_hash({"path": call.request.path, **conditions})


def _place(text: str, mark: str) -> Place | None:
    if not text:
        return None
    cursor = decode_cursor(text, mark)
    return Place(archive_id=decode_archive_id(cursor), backwards=cursor.backwards)


def _page_view(page: Page, mark: str) -> MessagePageView:
    following = previous = None
    if page.items and page.has_next:
        following = encode_cursor(Cursor(key=str(page.items[-1].archive_id)), mark)
    if page.items and page.has_previous:
        first = str(page.items[0].archive_id)
        previous = encode_cursor(Cursor(key=first, backwards=True), mark)
    return MessagePageView(
        items=tuple(message_view(found.message) for found in page.items),
        next_cursor=following,
        prev_cursor=previous,
    )


def _conversation_view(conversation: Conversation) -> ConversationView:
    return ConversationView(
        peer=conversation.peer,
        messages=conversation.messages,
        last=message_view(conversation.last.message),
    )


def _narrowed(query: HistoryQuery, parameters: HistoryParameters) -> HistoryQuery:
    """What *query* and the parameters both want."""
    direction = parameters.direction or query.direction
    if query.direction not in (None, direction):
        raise invalid_parameter("direction", "q asks for the other direction")
    statuses = _statuses(parameters.status)
    if statuses and query.statuses:
        statuses &= query.statuses
        if not statuses:
            raise invalid_parameter("status", "q asks for another status")
    sinces = [at for at in (query.since, parameters.since) if at is not None]
    untils = [at for at in (query.until, parameters.until) if at is not None]
    return replace(
        query,
        direction=direction,
        statuses=statuses or query.statuses,
        since=max(sinces, default=None),
        until=min(untils, default=None),
        limit=parameters.limit or query.limit,
    )


def _statuses(text: str) -> frozenset[Status]:
    try:
        return frozenset(Status(word) for word in text.split(",") if word)
    except ValueError as exc:
        known = ", ".join(Status)
        raise invalid_parameter("status", f"{exc}; known are {known}") from exc


def _aor(peer: str) -> Aor:
    try:
        return SipUri.parse(peer if peer.lower().startswith(_SCHEMES) else f"sip:{peer}").aor
    except AddressError as exc:
        raise invalid_parameter("peer", f"{exc}; write sip:101@office.example, or 101") from exc
