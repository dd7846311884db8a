"""The UDP port on which the programs that MicroSIP's event hooks run hand events over."""

import asyncio
import logging
from asyncio import DatagramProtocol, DatagramTransport
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.call import LONGEST_USER, CallEvent
from gateway.errors import ConfigError
from gateway.microsip.hand_over import HandOver, Refusal, SeenNonces, read_hand_over
from gateway.microsip.hand_over_conf import HandOverConf, write_conf
from gateway.ports import Clock

LOOPBACK = "127.0.0.1"
_REMARK_EVERY = timedelta(minutes=1)

log = logging.getLogger(__name__)


class HookListener:
    """Open while it is entered; tells the hook programs where, by a file in *folder*."""

    def __init__(
        self, *, folder: Path, take: Callable[[CallEvent], None], clock: Clock
    ) -> None:
        self._folder = folder
        self._take = take
        self._clock = clock
        self._transport: DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        """Raises ConfigError when there is no port, or the folder cannot be written."""
        protocol = _Datagrams(self._take, self._clock)
        loop = asyncio.get_running_loop()
        try:
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: protocol, local_addr=(LOOPBACK, 0)
            )
        except OSError as exc:
            raise ConfigError(f"no UDP port of {LOOPBACK} can be opened: {exc}") from exc
        try:
            protocol.conf = await asyncio.to_thread(write_conf, self._folder, self.port)
        except OSError as exc:
            self._transport.close()
            raise ConfigError(
                f"{self._folder} cannot be written ({exc.strerror}); correct that, or data_dir"
            ) from exc
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._transport is not None
        self._transport.close()

    @property
    def port(self) -> int:
        assert self._transport is not None, "the port is not open"
        port: int = self._transport.get_extra_info("sockname")[1]
        return port


class _Datagrams(DatagramProtocol):
    """Takes what is authentic, once; whoever else writes here is nobody."""

    def __init__(self, take: Callable[[CallEvent], None], clock: Clock) -> None:
        self.conf: HandOverConf | None = None
        self._take = take
        self._clock = clock
        self._seen = SeenNonces()
        self._refused: Counter[Refusal] = Counter()
        self._remarked_at: datetime | None = None

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:  # noqa: ARG002  loopback says nothing of who it is
        if self.conf is None:
            return  # nobody can have read the port yet
        now = self._clock()
        event = read_hand_over(data, self.conf.key, now)
        if isinstance(event, Refusal):
            self._refuse(event, now)
        elif self._seen.is_new(event, now):
            self._take(_call_event(event))

    def _refuse(self, refusal: Refusal, now: datetime) -> None:
        self._refused[refusal] += 1
        if self._remarked_at and now - self._remarked_at < _REMARK_EVERY:
            return
        reasons = "; ".join(f"{count} {reason}" for reason, count in self._refused.items())
        log.warning("datagrams for event hooks were refused: %s", reasons)
        self._refused.clear()
        self._remarked_at = now


def _call_event(event: HandOver) -> CallEvent:
    user = event.user[:LONGEST_USER]
    return CallEvent(id=f"evt_{event.nonce}", kind=event.kind, user=user, at=event.at)
