"""The guard against answering oneself, or another bot, for ever."""

import re
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from gateway.address import Aor
from gateway.chat.lru import LruDict
from gateway.message import Message, MessageId
from gateway.ports import Archive

MAX_REPLIES = 20
_A_MINUTE = timedelta(minutes=1)
_HINT_AGAIN_AFTER = timedelta(hours=1)
_OUR_WORDS = re.compile(r"\s*(?:\(\d+/\d+\) |(?:OK|WAIT|NO|ERR)(?:\s|$))")
_LOOKED_AT = 100
"""Messages to and from a peer that an echo is looked for among."""


class LoopGuard:
    """Knows what must not be answered."""

    def __init__(self, *, own_aors: AbstractSet[Aor], archive: Archive) -> None:
        self._own_aors = own_aors
        self._archive = archive
        self._replied: LruDict[Aor, tuple[datetime, ...]] = LruDict()
        self._hinted: LruDict[Aor, tuple[MessageId, datetime]] = LruDict()

    def is_ours(self, message: Message) -> bool:
        """Ourselves, or words that are like ours."""
        return message.peer in self._own_aors or bool(_OUR_WORDS.match(message.text))

    def replied_enough(self, peer: Aor, now: datetime) -> bool:
        """20 replies to the peer in a minute."""
        replied = self._replied.get(peer) or ()
        return len(replied) >= MAX_REPLIES and now - replied[0] < _A_MINUTE

    def replied(self, peer: Aor, now: datetime) -> None:
        earlier = self._replied.get(peer) or ()
        self._replied.put(peer, (*earlier, now)[-MAX_REPLIES:])

    async def is_echo(self, message: Message) -> bool:
        """Whether the peer says what it was just told, by whomever."""
        until = message.created_at
        told = await self._archive.told(message.peer, until - _A_MINUTE, until, _LOOKED_AT)
        text = message.text.strip()
        return any(said.strip() == text for said in told)

    def hint_due(self, message: Message, now: datetime) -> bool:
        """Whether *message* earns the hint: the first of its peer in an hour does."""
        hinted = self._hinted.get(message.peer)
        if hinted is not None and hinted[0] != message.id:
            if now - hinted[1] < _HINT_AGAIN_AFTER:
                return False
            hinted = None
        if hinted is None:
            self._hinted.put(message.peer, (message.id, now))
        return True
