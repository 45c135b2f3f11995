"""The recent assessments: made of requests, and held in memory for their exports.

Their number, size and age are limited.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from boneage.apps.service.form import ImageUpload, RequestOptions
from boneage.apps.service.problems import problem_of
from boneage.domain.assessment import Assessment, Failure
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session, assess_case
from boneage.reading import read
from boneage.reading.accepted import DICOM, kind_of
from boneage.reports.exports import FORMATS, Export, ReportOptions, export
from boneage.reports.identity import Identity
from boneage.reports.record import Record, record

ID_BYTES = 24
ASSESSMENT_BYTES = 500_000
"""Approximate memory of an assessment without its image."""


@dataclass(frozen=True, eq=False)
class RecentAssessment:
    """One assessment, with the image and options for its exports."""

    upload: ImageUpload
    options: RequestOptions
    assessment: Assessment
    fingerprint: str
    owner: str
    """The name of the token that has access."""
    id: str = field(default_factory=lambda: secrets.token_urlsafe(ID_BYTES))
    """Random, so that it cannot be guessed."""
    since: float = field(default_factory=time.monotonic)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def size(self) -> int:
        """Approximate memory in bytes."""
        return len(self.upload.data) + ASSESSMENT_BYTES

    def record(self, minutes: float) -> Record:
        """The record of ``boneage assess --json``, the links to the exports, and when it ends."""
        links = {"self": f"/v1/assessments/{self.id}"}
        is_dicom = kind_of(self.upload.data) == DICOM
        for one in FORMATS.values():
            if is_dicom or not one.of_dicom:
                links[one.name.replace("/", "_")] = f"{links['self']}/{one.name}"
        expires = (self.at + timedelta(minutes=minutes)).isoformat(timespec="seconds")
        plain: dict[str, Any] = {**record(self.assessment), "id": self.id}
        return {**plain, "expires": expires, "links": links}

    def export(self, name: str, weights_date: str | None) -> Export:
        """Write one export, with the image decoded again.

        Raises a `BoneageError` when it cannot be written, and a `ModuleNotFoundError` when the
        server lacks an extra.
        """
        chosen = self.options
        FORMATS[name].require()
        session = Session(self.assessment, read(self.upload.file()), self.upload.data)
        identity = Identity(chosen.pseudonym)
        options = ReportOptions(chosen.paper, chosen.language, identity, weights_date)
        return export(session, name, options)


def assess_upload(
    assessor: Assessor, upload: ImageUpload, options: RequestOptions, owner: str
) -> RecentAssessment:
    """Assess an uploaded image as ``boneage assess`` does.

    Raises an `HttpProblem` when it cannot be assessed, whatever the reason; a `WeightsError` when
    the weights cannot be used.
    """
    session = assess_case(
        assessor,
        upload.file(),
        sex=options.sex,
        child=options.child,
        level=options.level,
        force=options.force,
    )
    if isinstance(session.outcome, Failure):
        raise problem_of(session.outcome)
    return RecentAssessment(upload, options, session.outcome, session.fingerprint, owner)


class RecentAssessments:
    """Holds a limited number, of limited bytes and minutes; the oldest are dropped first."""

    def __init__(self, count: int, max_bytes: int, minutes: float) -> None:
        self.count, self.max_bytes, self.minutes = count, max_bytes, minutes
        self._stored: dict[str, RecentAssessment] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def add(self, recent: RecentAssessment) -> None:
        """Add an assessment, and drop the oldest ones beyond the limits."""
        with self._lock:
            self._stored[recent.id] = recent
            self._bytes += recent.size
            while len(self._stored) > self.count or self._bytes > self.max_bytes + ASSESSMENT_BYTES:
                self._drop(next(iter(self._stored)))

    def get(self, answer_id: str, owner: str) -> RecentAssessment | None:
        """Give an assessment to its owner; None where it has expired or belongs to another."""
        self.sweep()
        with self._lock:
            stored = self._stored.get(answer_id)
        return stored if stored is not None and stored.owner == owner else None

    def delete(self, recent: RecentAssessment) -> None:
        """Delete an assessment."""
        with self._lock:
            if recent.id in self._stored:
                self._drop(recent.id)

    def sweep(self) -> None:
        """Drop expired assessments."""
        oldest = time.monotonic() - 60 * self.minutes
        with self._lock:
            for answer_id in [key for key, one in self._stored.items() if one.since <= oldest]:
                self._drop(answer_id)

    def _drop(self, answer_id: str) -> None:
        self._bytes -= self._stored.pop(answer_id).size
