"""A child over years: its visits, under a pseudonym. No date, name or identifier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from boneage.domain.ages import checked_age
from boneage.domain.assessment import AGE_RANGE_MONTHS
from boneage.domain.child import check_height
from boneage.domain.radiograph import Sex
from boneage.domain.reader import Decision
from boneage.errors import VisitError

PUBERTAL_STAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,/+-]{0,15}")
"""Such as ``3``, ``B3 PH2`` or ``G4``."""
TREATMENT_LENGTH = 64


@dataclass(frozen=True)
class ClinicVisit:
    """What was measured at one visit, and read on its image; None: not known."""

    sex: Sex
    bone_age_months: float | None = None
    """Estimated on the image."""
    weights: str | None = None
    weights_sha256: str | None = None
    """The model that estimated it."""
    chronological_age_months: float | None = None
    interval_low_months: float | None = None
    interval_high_months: float | None = None
    interval_level: float | None = None
    height_cm: float | None = None
    """Standing."""
    adult_height_cm: float | None = None
    sds: float | None = None
    sds_centre: str | None = None
    determination: str | None = None
    """The classification."""
    reader_months: float | None = None
    """The bone age that a person read on the image."""
    own_reading_months: float | None = None
    """The bone age that the person read before the program's was shown."""
    reading_seconds: float | None = None
    """From opening the image to that reading."""
    decision: str | None = None
    """What became of the program's bone age: ``accepted``, ``edited``, ``rejected``."""
    pubertal_stage: str | None = None
    """By Tanner, as written: ``3``, ``B3 PH2``."""
    treatment: str | None = None
    """A note, such as ``growth hormone``."""
    image_sha256: str | None = None
    """Of the pixels of the image."""
    kept_at: datetime | None = None
    """UTC; set when it is stored."""
    number: int | None = None
    """Its number in the history; set when it is stored."""

    def __post_init__(self) -> None:
        if self.chronological_age_months is not None:
            checked_age(self.chronological_age_months)
        if self.height_cm is not None:
            check_height(self.height_cm)
        if self.decision is not None and self.decision not in tuple(Decision):
            raise VisitError(f"{self.decision!r} is not a decision: {', '.join(Decision)}")
        for months in (self.bone_age_months, self.reader_months, self.own_reading_months):
            if months is not None and not AGE_RANGE_MONTHS[0] <= months <= AGE_RANGE_MONTHS[1]:
                raise VisitError(f"a bone age of {months:g} months is outside 0 to 240")
        if self.pubertal_stage is not None and not PUBERTAL_STAGE.fullmatch(self.pubertal_stage):
            raise VisitError(
                f"{self.pubertal_stage!r} is not a pubertal stage; write one such as 3 or 'B3 PH2'"
            )
        if self.treatment is not None and (
            len(self.treatment) > TREATMENT_LENGTH or not self.treatment.isprintable()
        ):
            raise VisitError(
                f"a treatment has at most {TREATMENT_LENGTH} characters on one line, and no name"
            )

    @property
    def reported_bone_age_months(self) -> float | None:
        """The reader's bone age; without one, the estimate, unless the reader rejects it."""
        if self.decision == Decision.REJECTED:
            return None
        return self.bone_age_months if self.reader_months is None else self.reader_months


@dataclass(frozen=True)
class ChildRecord:
    """A child of a history."""

    pseudonym: str
    sex: Sex
    visits: tuple[ClinicVisit, ...] = ()
    """By chronological age; those of unknown age come last."""
    father_cm: float | None = None
    mother_cm: float | None = None
    """Their standing heights."""

    def __post_init__(self) -> None:
        for height in (self.father_cm, self.mother_cm):
            if height is not None:
                check_height(height)
