"""The file ``microsip_api.log``: one line for each interaction with MicroSIP."""

import logging
from datetime import datetime
from pathlib import Path

from gateway.phone import CommandResult

FILE_NAME = "microsip_api.log"
LARGEST = 1_000_000
"""Bytes, some 20,000 commands; then a new file is begun."""
KEPT = 4
"""Files beside the one that is written: ``microsip_api.log.1`` is the newest."""

log = logging.getLogger(__name__)


def line(at: datetime, result: CommandResult) -> str:
    """Date, time, verb, argument, outcome: ``2026-11-22 20:15:03Z dial 1002 confirmed``."""
    words = [f"{at:%Y-%m-%d %H:%M:%SZ}", str(result.command), result.outcome, result.problem]
    if result.simulated:
        words.append("simulated")
    return " ".join(word for word in words if word)


class ApiLog:
    """Appends to the file in the data folder; one that cannot be written stops no command."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE_NAME

    def write(self, at: datetime, result: CommandResult) -> None:
        self._append(line(at, result))

    def write_message(self, at: datetime, number: str, outcome: str) -> None:
        """Without the text: bodies are in no log."""
        self._append(f"{at:%Y-%m-%d %H:%M:%SZ} message {number} {outcome}")

    def _append(self, words: str) -> None:
        try:
            self._begin_anew_when_full()
        except OSError as exc:  # an editor on Windows has it open: it grows meanwhile
            log.warning("cannot begin %s anew: %s", self._path, exc)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(words + "\n")
        except OSError as exc:
            log.warning("cannot write %s: %s", self._path, exc)

    def _begin_anew_when_full(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < LARGEST:
            return
        files = [
            self._path,
            *(self._path.with_name(f"{FILE_NAME}.{n + 1}") for n in range(KEPT)),
        ]
        for older, newer in zip(files[::-1], files[-2::-1], strict=False):
            if newer.exists():
                newer.replace(older)
