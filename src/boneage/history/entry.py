"""The visits of a history: numbers and the model, nothing that identifies the child.

No image, name, identifier or birth date; the child is known by a pseudonym alone.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from boneage.clinical.interpreting import with_reading
from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Sex
from boneage.domain.reader import ReaderReading
from boneage.domain.visits import ClinicVisit
from boneage.errors import VisitError

PSEUDONYM = re.compile(r"[\w][\w .\-]{0,62}[\w]|[\w]")


@dataclass(frozen=True)
class HistoryPerson:
    """A child whose visits are stored."""

    pseudonym: str
    sex: Sex
    entries: int


def visit_of(
    assessment: Assessment,
    image_sha256: str | None = None,
    reading: ReaderReading | None = None,
) -> ClinicVisit:
    """The visit of an assessment by the program, and of what a reader states of it."""
    findings, interval = assessment.clinical, assessment.interval
    if reading is not None and reading.bone_age_months is not None:
        findings = with_reading(assessment, reading).clinical
    elif reading is not None:
        findings = None
    growth = findings.growth if findings else None
    height = findings.adult_height if findings else None
    return ClinicVisit(
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
        reader_months=reading.bone_age_months if reading else None,
        own_reading_months=reading.own_months if reading else None,
        reading_seconds=reading.seconds if reading else None,
        decision=reading.decision.value if reading else None,
        image_sha256=image_sha256,
    )


def plain_visit(visit: ClinicVisit) -> dict[str, object]:
    """A visit as plain JSON values."""
    plain = asdict(visit)
    plain["sex"] = visit.sex.value
    plain["kept_at"] = visit.kept_at.isoformat() if visit.kept_at else None
    return plain


def checked_pseudonym(text: str) -> str:
    """Check a pseudonym: 1 to 64 letters, digits, points, hyphens, underscores and spaces.

    Raises a `VisitError` for anything else.
    """
    stripped = text.strip()
    if not PSEUDONYM.fullmatch(stripped):
        raise VisitError(
            f"{text!r} is not a pseudonym: use 1 to 64 letters, digits, '.', '-', '_' and "
            "spaces, and never a name"
        )
    return stripped
