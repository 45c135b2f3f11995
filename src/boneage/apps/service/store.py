"""The recent answers, in memory: few, not large, and not for long."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from boneage.apps.service.form import RequestOptions, UploadedFilm
from boneage.domain.assessment import Assessment

ID_BYTES = 24
OWN_BYTES = 500_000
"""About what an answer takes beside its image."""


@dataclass(frozen=True, eq=False)
class HeldAssessment:
    """One answer, with the image that its documents are drawn on."""

    film: UploadedFilm
    options: RequestOptions
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


class RecentAssessments:
    """Holds so many answers, bytes and minutes; the oldest go first."""

    def __init__(self, count: int, max_bytes: int, minutes: float) -> None:
        self.count, self.max_bytes, self.minutes = count, max_bytes, minutes
        self._stored: dict[str, HeldAssessment] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def add(self, answer: HeldAssessment) -> None:
        """Hold an answer, and let go of old ones."""
        with self._lock:
            self._stored[answer.id] = answer
            self._bytes += answer.size
            while len(self._stored) > self.count or self._bytes > self.max_bytes + OWN_BYTES:
                self._drop(next(iter(self._stored)))

    def get(self, answer_id: str, owner: str) -> HeldAssessment | None:
        """Give an answer to its owner; None where it is gone, or is another's."""
        self.sweep()
        with self._lock:
            stored = self._stored.get(answer_id)
        return stored if stored is not None and stored.owner == owner else None

    def delete(self, answer: HeldAssessment) -> None:
        """Let go of an answer."""
        with self._lock:
            if answer.id in self._stored:
                self._drop(answer.id)

    def expires(self, answer: HeldAssessment) -> datetime:
        """When an answer goes at the latest."""
        return answer.at + timedelta(minutes=self.minutes)

    def sweep(self) -> None:
        """Let go of what has been here too long."""
        oldest = time.monotonic() - 60 * self.minutes
        with self._lock:
            for answer_id in [key for key, one in self._stored.items() if one.since <= oldest]:
                self._drop(answer_id)

    def _drop(self, answer_id: str) -> None:
        self._bytes -= self._stored.pop(answer_id).size
