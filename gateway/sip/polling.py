"""The engine's polling: how long PJSIP may wait for a packet before it is asked again."""

import math

POLL_MS = 100
POLL_UNWOKEN_MS = 5
"""Without a UDP port there is nothing to wake PJSIP by, when a command comes."""
POLL_RESTING_MS = 50
"""Without one, too, once nothing came for ``RESTING_SECONDS``."""
RESTING_SECONDS = 1.0
ANNOUNCE_SECONDS = 0.005
"""For each row announced last: where many come, the gateway stores them together."""
MAX_ANNOUNCE_SECONDS = 0.05


class Polling:
    """Follows what came; *now* is in seconds, of a clock that never goes back."""

    def __init__(self, *, woken: bool) -> None:
        """*woken*: a command ends PJSIP's wait."""
        self._woken = woken
        self._busy_at = 0.0
        self._announce_at = 0.0

    def busy(self, now: float) -> None:
        """Something came, so that more may follow."""
        self._busy_at = now

    def milliseconds(self, now: float, rows: int) -> int:
        """How long to wait for a packet while *rows* of the journal are not announced."""
        if not self._woken:
            resting = now - self._busy_at > RESTING_SECONDS
            return POLL_RESTING_MS if resting else POLL_UNWOKEN_MS
        if not rows:
            return POLL_MS
        return max(math.ceil(1000 * (self._announce_at - now)), 0)

    def announces(self, now: float, rows: int) -> bool:
        """Whether it is time to announce *rows*; if so, the next ones wait a while."""
        if not rows or now < self._announce_at:
            return False
        self.busy(now)
        self._announce_at = now + min(ANNOUNCE_SECONDS * rows, MAX_ANNOUNCE_SECONDS)
        return True
