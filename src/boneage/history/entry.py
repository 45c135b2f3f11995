"""The entries of a history: numbers and the model, nothing that identifies the child.

No image, name, identifier or birth date; the child is known by a pseudonym alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from boneage.clinical.growth import GrowthChart, GrowthPoint, growth_chart
from boneage.domain.assessment import Assessment
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import HistoryError

PSEUDONYM = re.compile(r"[\w][\w .\-]{0,62}[\w]|[\w]")


@dataclass(frozen=True)
class StoredAssessment:
    """One assessment of a child."""

    sex: Sex
    bone_age_months: float
    weights: str
    weights_sha256: str
    chronological_age_months: float | None = None
    interval_low_months: float | None = None
    interval_high_months: float | None = None
    interval_level: float | None = None
    height_cm: float | None = None
    adult_height_cm: float | None = None
    sds: float | None = None
    sds_centre: str | None = None
    determination: str | None = None
    kept_at: datetime | None = None
    """UTC; set when it is stored."""
    number: int | None = None
    """Its number in the history; set when it is stored."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        plain = asdict(self)
        plain["sex"] = self.sex.value
        plain["kept_at"] = self.kept_at.isoformat() if self.kept_at else None
        return plain


@dataclass(frozen=True)
class HistoryPerson:
    """A child whose assessments are stored."""

    pseudonym: str
    sex: Sex
    entries: int


def stored_from(assessment: Assessment) -> StoredAssessment:
    """The entry for an assessment."""
    findings, interval = assessment.clinical, assessment.interval
    growth = findings.growth if findings else None
    height = findings.adult_height if findings else None
    return StoredAssessment(
        sex=assessment.sex,
        bone_age_months=assessment.age_months,
        weights=assessment.weights.name,
        weights_sha256=assessment.weights.sha256,
        chronological_age_months=assessment.chronological_age_months,
        interval_low_months=interval.low_months if interval else None,
        interval_high_months=interval.high_months if interval else None,
        interval_level=interval.level if interval else None,
        height_cm=height.present_height_cm if height else None,
        adult_height_cm=height.predicted_cm if height else None,
        sds=growth.sds if growth else None,
        sds_centre=growth.centre.value if growth else None,
        determination=growth.classification.value if growth else None,
    )


def checked_pseudonym(text: str) -> str:
    """Check a pseudonym: 1 to 64 letters, digits, points, hyphens, underscores and spaces.

    Raises a `HistoryError` for anything else.
    """
    stripped = text.strip()
    if not PSEUDONYM.fullmatch(stripped):
        raise HistoryError(
            f"{text!r} is not a pseudonym: use 1 to 64 letters, digits, '.', '-', '_' and "
            "spaces, and never a name"
        )
    return stripped


def chart_of(
    entries: Sequence[StoredAssessment], centre: Centre = Centre.CHRONOLOGICAL_AGE
) -> GrowthChart:
    """Chart a child's assessments of known age; a `HistoryError` when there is none at all."""
    if not entries:
        raise HistoryError("the history has no assessment of this child")
    points = [
        GrowthPoint(
            entry.chronological_age_months,
            entry.bone_age_months,
            entry.interval_low_months,
            entry.interval_high_months,
        )
        for entry in entries
        if entry.chronological_age_months is not None
    ]
    return growth_chart(entries[0].sex, points, centre)
