"""What is kept of one answer: numbers, and the weights. No film, name, identifier or birth date."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Sex
from boneage.errors import HistoryError

PSEUDONYM = re.compile(r"[\w][\w .\-]{0,62}[\w]|[\w]")


@dataclass(frozen=True)
class Entry:
    """One answer of a child."""

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
    """UTC; set where it is kept."""
    number: int | None = None
    """Tells it from the other entries of the file; set where it is kept."""

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values."""
        plain = asdict(self)
        plain["sex"] = self.sex.value
        plain["kept_at"] = self.kept_at.isoformat() if self.kept_at else None
        return plain


@dataclass(frozen=True)
class Person:
    """Somebody of whom answers are kept."""

    pseudonym: str
    sex: Sex
    entries: int


def entry_of(answer: Assessment) -> Entry:
    """Take from an answer what is kept of it."""
    findings, interval = answer.clinical, answer.interval
    growth = findings.growth if findings else None
    height = findings.adult_height if findings else None
    return Entry(
        sex=answer.sex,
        bone_age_months=answer.age_months,
        weights=answer.weights.name,
        weights_sha256=answer.weights.sha256,
        chronological_age_months=answer.chronological_age_months,
        interval_low_months=interval.low_months if interval else None,
        interval_high_months=interval.high_months if interval else None,
        interval_level=interval.level if interval else None,
        height_cm=height.present_height_cm if height else None,
        adult_height_cm=height.predicted_cm if height else None,
        sds=growth.sds if growth else None,
        sds_centre=growth.centre.value if growth else None,
        determination=growth.determination.value if growth else None,
    )


def checked_pseudonym(text: str) -> str:
    """Let a pseudonym pass: 1 to 64 letters, digits, points, hyphens, underscores and spaces.

    Raises
    ------
    HistoryError
        For anything else.
    """
    stripped = text.strip()
    if not PSEUDONYM.fullmatch(stripped):
        raise HistoryError(
            f"pseudonym {text!r} is not one; give 1 to 64 letters, digits, '.', '-', '_' and "
            "spaces, and no name"
        )
    return stripped
