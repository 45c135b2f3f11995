"""How long to wait before the next try."""

from __future__ import annotations

import random

LEAST_SHARE = 0.5


def pause_seconds(failures: int, first_seconds: float, longest_seconds: float) -> float:
    """Double the pause with each failure, and spread it, so that nodes do not call in step.

    Parameters
    ----------
    failures : int
        In a row, from 1.
    """
    doubled = min(longest_seconds, first_seconds * 2.0 ** min(failures - 1, 64))
    return doubled * random.uniform(LEAST_SHARE, 1)  # noqa: S311  no secret
