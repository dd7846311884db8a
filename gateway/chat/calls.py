"""The command that reads the log of MicroSIP's calls."""

import re
from datetime import datetime, tzinfo

from gateway.call import Call as PhoneCall, CallDirection
from gateway.call_log import CallQuery
from gateway.caller import Permission
from gateway.chat.command import Call, Command, CommandLine, Reply
from gateway.chat.reply import shown
from gateway.errors import InvalidRequest
from gateway.phone import CommandOutcome
from gateway.ports import CallLog, Clock
from gateway.query import MAX_PAGE

_DEFAULT_COUNT = 10
_LONGEST_PARTY = 64
_ARROWS = {CallDirection.INCOMING: "<-", CallDirection.OUTGOING: "->"}


class CallCommands:
    """``calls``: what came in, what was dialled, and what became of it."""

    def __init__(self, *, call_log: CallLog, clock: Clock, timezone: tzinfo) -> None:
        self._call_log = call_log
        self._clock = clock
        self._timezone = timezone

    def commands(self) -> tuple[Command, ...]:
        calls = Command(
            name="calls",
            usage="calls [N]",
            help="The last N calls of the phone.",
            run=self._calls,
            permissions=(Permission.PHONE_READ,),
        )
        return (calls,)

    async def _calls(self, call: Call) -> Reply:
        return await self._page(call.line.verb, _count(call.line))

    async def _page(self, verb: str, count: int, before: str = "") -> Reply:
        found = await self._call_log.calls(CallQuery(limit=count + 1), before=before)
        page = found[:count]
        now = self._clock().astimezone(self._timezone)

        async def following() -> Reply:
            return await self._page(verb, count, page[-1].id)

        return Reply(
            outcome=CommandOutcome.CONFIRMED,
            verb=verb,
            state=f"{len(page)}, newest first" if page else "none",
            lines=tuple(call_line(one, now) for one in page),
            more=following if len(found) > count else None,
        )


def call_line(call: PhoneCall, now: datetime) -> str:
    """``14:03 <- 555 Anna (missed)``; with the day when it is not the day of *now*."""
    at = call.started_at.astimezone(now.tzinfo)
    time = f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
    party = f"{call.peer or '(no number)'} {call.name}".rstrip()
    return f"{time} {_ARROWS[call.direction]} {shown(party, _LONGEST_PARTY)} ({_became(call)})"


def _became(call: PhoneCall) -> str:
    if call.outcome is None:
        return "goes on" if call.answered_at else "rings"
    word = call.outcome.value.replace("_", " ")
    if call.answered_at is None or call.ended_at is None:
        return word
    minutes, seconds = divmod(round((call.ended_at - call.answered_at).total_seconds()), 60)
    return f"{word}, {minutes}:{seconds:02}"


def _count(line: CommandLine) -> int:
    if not line.words:
        return _DEFAULT_COUNT
    number = line.words[0]
    if len(line.words) > 1 or not re.fullmatch("[1-9][0-9]{0,2}", number, re.ASCII):
        raise _wrong()
    if int(number) > MAX_PAGE:
        raise _wrong()
    return int(number)


def _wrong() -> InvalidRequest:
    return InvalidRequest(f"a number up to {MAX_PAGE}; type: calls 20")
