"""What became of every message, by the store and by the wire."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

_OPEN = frozenset({"queued", "sending", "waiting", "retrying"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A message of the history, in the history's order."""

    text: str
    inbound: bool
    status: str
    resent: bool
    node: str | None
    """Which stored it; of inbound ones."""
    at: datetime
    """When it came in."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A MESSAGE at the sink, in the order of the wire."""

    user: str
    port: str
    """Of the gateway it came from."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One direction."""

    acknowledged: int
    once: int
    """Acknowledged, and in the history exactly once."""
    lost: Sequence[str]
    """Acknowledged, and not in the history; outbound: nor delivered, nor still queued."""
    doubled: Sequence[str]
    """In the history more than once, acknowledged or not."""
    disordered: Sequence[str]
    """Came after a later one of the same peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Both directions."""

    inbound: Flow
    """Its order is that of the history, where a killed node's journal comes last."""
    disordered_by_time: Sequence[str]
    """Of inbound ones, by the time that the history has for them."""
    outbound: Flow
    """Its order is that of the wire."""
    delivered: int
    queued: int
    twice: Sequence[str]
    """At the sink more than once, retransmissions aside."""
    unflagged: Sequence[str]
    """Of those, which the history does not call resent."""
    stored_by: Mapping[str, int]
    """Inbound messages by node."""
    sent_by: Mapping[str, int]
    """MESSAGE requests at the sink by the gateway's port."""

    @property
    def keeps_promises(self) -> bool:
        broken = self.outbound.lost, self.outbound.doubled, self.outbound.disordered
        inbound = self.inbound.lost, self.inbound.doubled, self.disordered_by_time
        return not any((*broken, *inbound, self.unflagged, self.queued))


def verdict(
    acknowledged: Collection[str],
    accepted: Collection[str],
    history: Sequence[Stored],
    wire: Sequence[Arrival],
) -> Verdict:
    """Of the texts *acknowledged* to people and *accepted* from programs."""
    inbound = [item for item in history if item.inbound]
    outbound = {item.text: item for item in history if not item.inbound}
    written = Counter(item.text for item in inbound)
    posted = Counter(item.text for item in history if not item.inbound)
    arrived = Counter(item.text for item in wire)
    delivered = {
        text
        for text in accepted
        if text in outbound and outbound[text].status == "delivered" and arrived[text]
    }
    queued = {t for t in accepted if t in outbound and outbound[t].status in _OPEN}
    twice = [text for text, times in arrived.items() if times > 1]
    return Verdict(
        inbound=_flow(acknowledged, written, set(written), [item.text for item in inbound]),
        outbound=_flow(accepted, posted, delivered | queued, [item.text for item in wire]),
        disordered_by_time=disordered(
            item.text for item in sorted(inbound, key=lambda item: item.at)
        ),
        delivered=len(delivered),
        queued=len(queued),
        twice=twice,
        unflagged=[text for text in twice if text in outbound and not outbound[text].resent],
        stored_by=Counter(item.node or "?" for item in inbound),
        sent_by=Counter(item.port for item in wire),
    )


def _flow(
    promised: Collection[str],
    times: Counter[str],
    kept: Collection[str],
    in_order: Iterable[str],
) -> Flow:
    return Flow(
        acknowledged=len(promised),
        once=sum(times[text] == 1 for text in promised),
        lost=sorted(set(promised) - set(kept)),
        doubled=sorted(text for text, count in times.items() if count > 1),
        disordered=disordered(in_order),
    )


def disordered(texts: Iterable[str]) -> list[str]:
    """Texts ``from p1 17`` that come after one of the same peer with a higher number."""
    newest: defaultdict[str, int] = defaultdict(lambda: -1)
    late = []
    for text in texts:
        peer, _, number = text.rpartition(" ")
        if int(number) < newest[peer]:
            late.append(text)
        newest[peer] = max(newest[peer], int(number))
    return late
