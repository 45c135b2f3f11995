"""What a reader, a person, makes of the program's bone age."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from boneage.domain.assessment import AGE_RANGE_MONTHS
from boneage.domain.reported import years_and_months
from boneage.errors import AgeError


class Decision(StrEnum):
    """What became of the program's bone age."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    """The reader states another one."""
    REJECTED = "rejected"
    """The reader states none from this image."""


@dataclass(frozen=True)
class ReaderReading:
    """What a reader states of one image, beside the program's bone age."""

    decision: Decision
    bone_age_months: float | None
    """What the reader states; None: nothing."""
    program_months: float
    """The program's bone age."""
    own_months: float | None = None
    """The reader's own reading before the program's was shown; None: it was shown at once."""
    seconds: float | None = None
    """From opening the image to the own reading."""
    reader: str = field(default="", repr=False)
    """The reader's name, for DICOM and the report."""

    def __post_init__(self) -> None:
        for months in (self.bone_age_months, self.own_months):
            if months is not None:
                checked_bone_age(months)


def checked_bone_age(months: float) -> float:
    """Give a bone age; AgeError where it is none that the scale has."""
    low, high = AGE_RANGE_MONTHS
    if not low <= months <= high:
        raise AgeError(
            f"a bone age of {months:g} months is outside {years_and_months(low)} to "
            f"{years_and_months(high)}"
        )
    return months
