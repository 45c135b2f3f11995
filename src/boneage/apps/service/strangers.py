"""How often those without a token are written into the audit log, lest they fill the disk."""

from __future__ import annotations

import time
from collections.abc import Callable

A_MINUTE = 10


class Strangers:
    """Counts requests without a known token.

    Parameters
    ----------
    a_minute : int
        So many lines are written in a minute; what comes beyond is counted, and stands
        in the first line after it.
    clock : callable, optional
        Seconds that only grow.
    """

    def __init__(
        self, a_minute: int = A_MINUTE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.a_minute, self._clock = a_minute, clock
        self._since, self._written, self._kept_back = clock(), 0, 0

    def to_be_noted(self) -> int:
        """Count one more, and say for how many a line is to be written now; 0: for none."""
        now = self._clock()
        if now - self._since >= 60:
            self._since, self._written = now, 0
        self._kept_back += 1
        if self._written >= self.a_minute:
            return 0
        times, self._kept_back = self._kept_back, 0
        self._written += 1
        return times
