"""Signals that end a command: what is finished is written first."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C; what batch systems and computers that shut down send; a terminal that closes."""
TOGETHER_SECONDS = 1.0
"""Signals sent with the first one, such as SIGHUP after SIGTERM, do not disturb the end."""
BY_SIGNAL = 128
"""A command that a signal ended has this and the signal's number as its exit status."""


class Stopped(KeyboardInterrupt):
    """Raised in the middle of the work by a signal that ends the process."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise :class:`Stopped` where a signal would have ended the process at once.

    A signal that is ignored, as SIGHUP under ``nohup``, stays ignored, and one that somebody
    else handles stays theirs.
    """
    first: list[float] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if first and now - first[0] < TOGETHER_SECONDS:
            return
        first[:] = [now]
        raise Stopped(number)

    earlier = {}
    for name in NAMES:
        number = getattr(signal, name, None)  # no SIGHUP on Windows
        if number is None:
            continue
        handler = signal.getsignal(number)
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            with suppress(ValueError):  # outside the main thread
                signal.signal(number, stop)
                earlier[number] = handler
    try:
        yield
    finally:
        for number, handler in earlier.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


def status_of(stopped: KeyboardInterrupt) -> int:
    """Give the exit status of a command that was stopped, as shells do."""
    return BY_SIGNAL + _number(stopped)


def cause_of(stopped: KeyboardInterrupt) -> str:
    """Say what stopped a command: ``"stopped by SIGTERM"``."""
    number = _number(stopped)
    return "stopped" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


def _number(stopped: KeyboardInterrupt) -> int:
    return stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
