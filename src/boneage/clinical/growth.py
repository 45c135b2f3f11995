"""A bone age beside the chronological age: the difference, the SDS, the normal range."""

from __future__ import annotations

from boneage.clinical.tables import CHILDREN, brush_mean, brush_sd
from boneage.domain.assessment import Interval, years_and_months
from boneage.domain.clinical_findings import Centre, Determination, Growth, NotDefined
from boneage.domain.radiograph import Sex

BRUSH_NAME = "Brush Foundation children, Greulich and Pyle 1959"
NORMAL_SDS = 2.0
"""A normal bone age lies within this many SD of the centre."""


def growth_of(
    bone_age_months: float,
    chronological_age_months: float,
    sex: Sex,
    *,
    interval: Interval | None = None,
    centre: Centre = Centre.CHRONOLOGICAL_AGE,
) -> Growth:
    """Compare a bone age with what is usual at the chronological age.

    Parameters
    ----------
    bone_age_months, chronological_age_months : float
    sex : Sex
    interval : Interval, optional
        Of the bone age. Where it holds a limit of the normal range, the determination is
        indeterminate; without it the bone age alone decides.
    centre : Centre, optional
        What 0 SDS means.

    Returns
    -------
    Growth
        With the SD of the Brush Foundation children at this chronological age, between
        the rows of the table on a straight line; outside the table nothing but the
        difference is defined.
    """
    difference = bone_age_months - chronological_age_months
    sd = brush_sd(sex).at(chronological_age_months)
    if sd is None:
        return Growth(
            bone_age_months=bone_age_months,
            chronological_age_months=chronological_age_months,
            difference_months=difference,
            table=BRUSH_NAME,
            centre=centre,
            determination=Determination.UNKNOWN,
            not_defined=_outside(chronological_age_months, sex),
        )
    middle = centre_months(chronological_age_months, sex, centre)
    low, high = middle - NORMAL_SDS * sd, middle + NORMAL_SDS * sd
    ends = (interval.low_months, interval.high_months) if interval else (bone_age_months,) * 2
    return Growth(
        bone_age_months=bone_age_months,
        chronological_age_months=chronological_age_months,
        difference_months=difference,
        table=BRUSH_NAME,
        centre=centre,
        determination=_determination(*ends, low, high),
        centre_months=middle,
        sd_months=sd,
        sds=(bone_age_months - middle) / sd,
        sds_low=(ends[0] - middle) / sd if interval else None,
        sds_high=(ends[1] - middle) / sd if interval else None,
        normal_low_months=low,
        normal_high_months=high,
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
