"""The recent answers, in memory: few, not large, and not for long."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from boneage.apps.service.form import Film, Wishes
from boneage.domain.assessment import Assessment

ID_BYTES = 24
OWN_BYTES = 500_000
"""About what an answer takes beside its film."""


@dataclass(frozen=True, eq=False)
class Kept:
    """One answer, with the film that its documents are drawn on."""

    film: Film
    wishes: Wishes
    assessment: Assessment
    fingerprint: str
    owner: str
    """The name of the token that may ask for it."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))
    """Cannot be guessed."""
    since: float = field(default_factory=time.monotonic)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return len(self.film.data) + OWN_BYTES


class RecentAnswers:
    """Holds so many answers, bytes and minutes; the oldest go first.

    Parameters
    ----------
    count, max_bytes : int
    minutes : float
    clock : callable, optional
        Seconds that only grow.
    """

    def __init__(
        self,
        count: int,
        max_bytes: int,
        minutes: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count, self.max_bytes, self.minutes = count, max_bytes, minutes
        self._clock = clock
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, answer: Kept) -> None:
        """Keep an answer, and let go of old ones."""
        with self._lock:
            self._kept[answer.id] = answer
            self._bytes += answer.size
            while len(self._kept) > self.count or self._bytes > self.max_bytes + OWN_BYTES:
                self._drop(next(iter(self._kept)))

    def get(self, answer_id: str, owner: str) -> Kept | None:
        """Give an answer to its owner; None where it is gone, or is another's."""
        self.sweep()
        with self._lock:
            kept = self._kept.get(answer_id)
        return kept if kept is not None and kept.owner == owner else None

    def delete(self, answer_id: str, owner: str) -> bool:
        """Let go of an answer; False where there is none of this owner."""
        found = self.get(answer_id, owner) is not None
        with self._lock:
            if found and answer_id in self._kept:
                self._drop(answer_id)
        return found

    def expires(self, answer: Kept) -> datetime:
        """When an answer goes at the latest."""
        return answer.at + timedelta(minutes=self.minutes)

    def sweep(self) -> None:
        """Let go of what has lain here too long."""
        oldest = self._clock() - 60 * self.minutes
        with self._lock:
            for answer_id in [k for k, kept in self._kept.items() if kept.since <= oldest]:
                self._drop(answer_id)

    def _drop(self, answer_id: str) -> None:
        self._bytes -= self._kept.pop(answer_id).size
