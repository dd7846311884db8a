"""The gateway's side of the journal: rows stay until they are deleted."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

from gateway.sip.journal.layout import JournalError, SegmentName, segment_names
from gateway.sip.journal.record import Completion, JournalRow
from gateway.sip.journal.segment import Segment

log = logging.getLogger(__name__)

_LONG_AGO = datetime.min.replace(year=2, tzinfo=UTC)


class JournalReader:
    """Used by one thread at a time; ``read`` and ``close`` raise JournalError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: dict[SegmentName, Segment] = {}
        """Those with rows that wait, and the last one."""
        self._told: set[SegmentName] = set()

    def read(self, limit: int, now: datetime) -> Sequence[JournalRow]:
        """The oldest rows, without partial ones that may still be completed.

        What is damaged keeps nothing behind it from being read, and what the disk does not
        give, nothing in the files behind it.
        """
        with self._errors():
            names = self._names()
            self._fill_first(names, limit, now)
            opened = (self._segments[name] for name in names if name in self._segments)
            return list(islice(chain.from_iterable(one.rows(now) for one in opened), limit))

    def delete(self, rows: Sequence[JournalRow]) -> None:
        """What the store has committed; where that cannot be noted it comes again."""
        for name, segment in self._segments.items():
            try:
                segment.delete(rows)
            except OSError as exc:
                self._tell_trouble(name, exc)

    def close(self) -> None:
        """Let go of the files; those of which all is stored, and that no engine has, go."""
        with self._errors(), ExitStack() as opened:
            for segment in self._segments.values():
                opened.callback(segment.close)
            for name in list(self._segments):
                self._fill(name, 1, _LONG_AGO, is_last=False)
            self._segments.clear()

    def _names(self) -> list[SegmentName]:
        try:
            listed = segment_names(self._folder)
        except FileNotFoundError:
            return []
        # One of an engine that could not begin it has no name any more.
        return sorted({*listed, *self._segments})

    def _fill_first(self, names: Sequence[SegmentName], limit: int, now: datetime) -> None:
        """So many that *limit* rows are ready, and one more if that may complete some."""
        ready, is_enough = 0, False
        for name in names:
            ready += self._fill(name, max(limit - ready, 1), now, is_last=name == names[-1])
            segment = self._segments.get(name)
            if is_enough or (ready >= limit and not (segment and segment.continues)):
                return
            is_enough = ready >= limit

    def _fill(self, name: SegmentName, limit: int, now: datetime, *, is_last: bool) -> int:
        """How many rows of it are ready."""
        try:
            if name not in self._segments:
                self._segments[name] = Segment.open(self._folder, name)
            segment = self._segments[name]
            if not is_last:
                segment.look_for_its_end()
            ready = segment.fill(limit, now)
            for completion in segment.unclaimed():
                self._complete(completion)
            if segment.is_done:
                del self._segments[name]
                segment.remove()
        except FileNotFoundError:
            return 0
        except OSError as exc:
            self._tell_trouble(name, exc)
            return 0
        return ready

    def _complete(self, completion: Completion) -> None:
        for segment in self._segments.values():
            if segment.complete(completion):
                return

    def _tell_trouble(self, name: SegmentName, error: OSError) -> None:
        if name not in self._told:
            self._told.add(name)
            log.error(
                "%s cannot be used, and is tried again: %s",
                name.path(self._folder),
                error.strerror or error,
            )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise JournalError.of(exc, self._folder) from exc
