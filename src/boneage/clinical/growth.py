"""A bone age compared with the chronological age: difference, SDS, normal range, growth chart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from boneage.clinical.tables import CHILDREN, brush_mean, brush_sd
from boneage.domain.assessment import Interval, years_and_months
from boneage.domain.clinical_findings import Centre, Determination, GrowthFindings, NotDefined
from boneage.domain.radiograph import Sex

BRUSH_NAME = "Brush Foundation children, Greulich and Pyle 1959"
NORMAL_SDS = 2.0
"""A normal bone age lies within this many SD of the centre."""


@dataclass(frozen=True)
class GrowthPoint:
    """One assessment of a child, in months."""

    chronological_age_months: float
    bone_age_months: float
    interval_low_months: float | None = None
    interval_high_months: float | None = None


@dataclass(frozen=True)
class GrowthChart:
    """What a growth chart shows, all in months, by rising chronological age."""

    sex: Sex
    centre: Centre
    table: str
    ages: tuple[float, ...]
    """The rows of the table: between them the band's edges are straight."""
    middle: tuple[float, ...]
    low: tuple[float, ...]
    """Two SD below the middle."""
    high: tuple[float, ...]
    points: tuple[GrowthPoint, ...]


def growth_of(
    bone_age_months: float,
    chronological_age_months: float,
    sex: Sex,
    *,
    interval: Interval | None = None,
    centre: Centre = Centre.CHRONOLOGICAL_AGE,
) -> GrowthFindings:
    """Compare a bone age with what is usual at the chronological age.

    Parameters
    ----------
    bone_age_months, chronological_age_months : float
    sex : Sex
    interval : Interval, optional
        Of the bone age. Where it includes a limit of the normal range, the classification is
        indeterminate; without it the bone age alone decides.
    centre : Centre, optional
        What 0 SDS means.

    Returns
    -------
    GrowthFindings
        With the SD of the Brush Foundation children at this chronological age, between
        the rows of the table on a straight line; outside the table nothing but the
        difference is defined.
    """
    growth = GrowthFindings(
        bone_age_months=bone_age_months,
        chronological_age_months=chronological_age_months,
        difference_months=bone_age_months - chronological_age_months,
        table=BRUSH_NAME,
        centre=centre,
        determination=Determination.UNKNOWN,
    )
    sd = brush_sd(sex).at(chronological_age_months)
    if sd is None:
        return replace(growth, not_defined=_outside(chronological_age_months, sex))
    middle = centre_months(chronological_age_months, sex, centre)
    low, high = middle - NORMAL_SDS * sd, middle + NORMAL_SDS * sd
    ends = (interval.low_months, interval.high_months) if interval else (bone_age_months,) * 2
    return replace(
        growth,
        determination=_determination(*ends, low, high),
        centre_months=middle,
        sd_months=sd,
        sds=(bone_age_months - middle) / sd,
        sds_low=(ends[0] - middle) / sd if interval else None,
        sds_high=(ends[1] - middle) / sd if interval else None,
        normal_low_months=low,
        normal_high_months=high,
    )


def growth_chart(
    sex: Sex, points: Iterable[GrowthPoint], centre: Centre = Centre.CHRONOLOGICAL_AGE
) -> GrowthChart:
    """Lay a child's assessments over the ±2 SD band of the Brush Foundation children."""
    sd = brush_sd(sex)
    middle = tuple(centre_months(age, sex, centre) for age in sd.months)
    spread = [NORMAL_SDS * value for value in sd.values]
    return GrowthChart(
        sex=sex,
        centre=centre,
        table=BRUSH_NAME,
        ages=sd.months,
        middle=middle,
        low=tuple(m - s for m, s in zip(middle, spread, strict=True)),
        high=tuple(m + s for m, s in zip(middle, spread, strict=True)),
        points=tuple(sorted(points, key=lambda point: point.chronological_age_months)),
    )


def centre_months(chronological_age_months: float, sex: Sex, centre: Centre) -> float:
    """Give the bone age of 0 SDS, at an age inside the Brush table."""
    mean = brush_mean(sex).at(chronological_age_months)
    if centre is Centre.BRUSH_MEAN and mean is not None:
        return mean
    return chronological_age_months


def _determination(
    interval_low: float, interval_high: float, normal_low: float, normal_high: float
) -> Determination:
    if interval_high < normal_low:
        return Determination.DELAYED
    if interval_low > normal_high:
        return Determination.ADVANCED
    if normal_low <= interval_low and interval_high <= normal_high:
        return Determination.NORMAL
    return Determination.INDETERMINATE


def _outside(chronological_age_months: float, sex: Sex) -> NotDefined:
    table = brush_sd(sex)
    return NotDefined(
        "outside_brush",
        f"at {years_and_months(chronological_age_months)} the Brush table defines no SD: for "
        f"{CHILDREN[sex]} it goes from {table.first_months:g} months to "
        f"{years_and_months(table.last_months)}",
    )
