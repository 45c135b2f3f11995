"""The atlas's standards that a bone age lies between, and what a reader compares there.

The atlas's images and texts are not here: only the ages of its standards; the criteria are
this project's own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from boneage.clinical.tables import CRITERIA, first_plate, plate_ages, rows
from boneage.domain.clinical_findings import NearestStandards
from boneage.domain.radiograph import Sex

SAME_MONTHS = 0.5
"""A bone age nearer to a standard than this counts as equal to it."""
YEARS_FROM_MONTHS = 24
"""Younger standards are named in months."""


@dataclass(frozen=True)
class MaturityPhase:
    """A stretch of maturation in which a reader compares the same bones."""

    name: str
    begins: tuple[str, str] | None
    """The structure and event of the table at which it begins; None: birth."""
    criteria: str


@cache
def maturity_phases() -> tuple[MaturityPhase, ...]:
    """Read the phases, from birth on."""
    return tuple(
        MaturityPhase(
            row["phase"],
            (row["structure"], row["event"]) if row["structure"] else None,
            row["criteria"],
        )
        for row in rows(CRITERIA)
    )


def nearest_standards(bone_age_months: float, sex: Sex) -> NearestStandards:
    """Name the standards that a bone age lies between, and what to compare there."""
    ages = plate_ages(sex)
    phase = phase_of(bone_age_months, sex)
    lower, upper = _neighbours(bone_age_months, ages)
    if upper is None:
        text = f"beyond the {age_name(lower)} {sex} standard, which is the last"
    elif upper == lower:
        text = f"at the {age_name(lower)} {sex} standard"
    else:
        text = f"between the {age_name(lower)} and {age_name(upper)} {sex} standards"
    return NearestStandards(sex, lower, upper, text, phase.name, phase.criteria)


def phase_of(bone_age_months: float, sex: Sex) -> MaturityPhase:
    """Give the phase that a bone age lies in."""
    begun = [phase for phase in maturity_phases() if _begins(phase, sex) <= bone_age_months]
    return begun[-1] if begun else maturity_phases()[0]


def age_name(months: float) -> str:
    """Name a standard by its age.

    >>> age_name(138), age_name(50), age_name(18)
    ('11½-year', '4-year-2-month', '18-month')
    """
    if months == 0:
        return "newborn"
    if months < YEARS_FROM_MONTHS:
        return f"{months:g}-month"
    years, rest = divmod(round(months), 12)
    endings: Mapping[int, str] = {0: f"{years}-year", 6: f"{years}½-year"}
    return endings.get(rest, f"{years}-year-{rest}-month")


def _neighbours(bone_age_months: float, ages: tuple[float, ...]) -> tuple[float, float | None]:
    nearest = min(ages, key=lambda age: abs(age - bone_age_months))
    if abs(nearest - bone_age_months) < SAME_MONTHS:
        return nearest, nearest
    above = bisect_right(ages, bone_age_months)
    return ages[max(above - 1, 0)], ages[above] if above < len(ages) else None


def _begins(phase: MaturityPhase, sex: Sex) -> float:
    return first_plate(*phase.begins, sex) if phase.begins else 0.0
