"""The adult height that Bayley and Pinneau's tables predict.

Source: Bayley N, Pinneau SR. J Pediatr 1952;40:423-441.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from boneage.clinical.tables import CHILDREN, PERCENT, PREDICTION_ERROR, AgeCurve, curve
from boneage.domain.assessment import Interval
from boneage.domain.child import CM_PER_INCH
from boneage.domain.clinical_findings import AdultHeight, Category, NotDefined
from boneage.domain.radiograph import Sex
from boneage.domain.reported import years_and_months

CATEGORY_LIMIT_MONTHS = 12.0
"""Bone age minus chronological age from which the accelerated or delayed table applies."""
NAMES_IN_PAPER = {
    Category.AVERAGE: "average",
    Category.ACCELERATED: "accelerated",
    Category.DELAYED: "retarded",
}
SAMPLES = ("standardization", "validation")
ERROR_SDS = 2.0
INTERVAL_STEP_MONTHS = 0.25
"""Of the bone ages inside an interval for which a height is predicted: a twelfth of the
distance between two rows of the table."""
NO_AGE = NotDefined(
    "no_age", "the chronological age is not known, and the table depends on it; give the age"
)


def adult_height(
    height_cm: float,
    bone_age_months: float,
    chronological_age_months: float | None,
    sex: Sex,
    interval: Interval | None = None,
) -> AdultHeight:
    """Predict the adult height.

    Parameters
    ----------
    height_cm : float
        Current standing height.
    bone_age_months : float
    chronological_age_months : float or None
        Determines the table and the prediction error.
    sex : Sex
    interval : Interval, optional
        Of the bone age: the heights that it allows are given, each bone age by the table
        of its own category.

    Returns
    -------
    AdultHeight
        Not defined outside the tables, nor without chronological age. The error is the
        larger of the two samples' at this age, so that it is not understated; the mean
        error of the paper is not subtracted.
    """
    age = chronological_age_months
    if age is None:
        return AdultHeight(height_cm, not_defined=NO_AGE)
    category = category_of(bone_age_months, age)
    percent = percent_of_adult_height(sex, category).at(bone_age_months)
    if percent is None:
        return AdultHeight(
            height_cm, category, not_defined=_outside(bone_age_months, sex, category)
        )
    predicted = height_cm / (percent / 100)
    sd = prediction_sd_cm(sex).at(age)
    bounds = _height_range(height_cm, age, sex, interval) if interval else None
    return AdultHeight(
        present_height_cm=height_cm,
        category=category,
        percent=percent,
        predicted_cm=predicted,
        error_sd_cm=sd,
        low_cm=None if sd is None else predicted - ERROR_SDS * sd,
        high_cm=None if sd is None else predicted + ERROR_SDS * sd,
        interval_low_cm=bounds[0] if bounds else None,
        interval_high_cm=bounds[1] if bounds else None,
        error_not_defined=_no_error(age, sex) if sd is None else None,
        interval_not_defined=OUTSIDE_TABLE if interval and not bounds else None,
    )


OUTSIDE_TABLE = NotDefined(
    "interval_outside", "the prediction interval of the bone age reaches beyond the table"
)


def category_of(bone_age_months: float, chronological_age_months: float) -> Category:
    """Select the table that applies: a difference of a year or more changes it."""
    difference = bone_age_months - chronological_age_months
    if difference >= CATEGORY_LIMIT_MONTHS:
        return Category.ACCELERATED
    if difference <= -CATEGORY_LIMIT_MONTHS:
        return Category.DELAYED
    return Category.AVERAGE


@cache
def percent_of_adult_height(sex: Sex, category: Category) -> AgeCurve:
    """Percent of the adult height that is reached, over the bone age in months."""
    return curve(
        PERCENT,
        "skeletal_age_months",
        "percent_mature_height",
        sex=sex.value,
        category=NAMES_IN_PAPER[category],
    )


@cache
def prediction_sd_cm(sex: Sex) -> AgeCurve:
    """One SD of the prediction error in cm, over the chronological age in months."""
    samples = [
        curve(
            PREDICTION_ERROR,
            "chronological_age_months",
            f"{sample}_sd_in",
            sex=sex.value,
        )
        for sample in SAMPLES
    ]
    months = sorted({month for sample in samples for month in sample.months})
    larger = [max(sd for s in samples if (sd := s.at(month)) is not None) for month in months]
    return AgeCurve(tuple(months), tuple(CM_PER_INCH * sd for sd in larger))


def _height_range(
    height_cm: float, age_months: float, sex: Sex, interval: Interval
) -> tuple[float, float] | None:
    """Give the least and the greatest height of the bone ages in an interval.

    The heights jump where the category changes, so the two ends are not enough.
    """
    low, high = interval.low_months, interval.high_months
    steps = np.append(np.arange(low, high, INTERVAL_STEP_MONTHS), high)
    percents = [
        percent_of_adult_height(sex, category_of(bone_age, age_months)).at(bone_age)
        for bone_age in map(float, steps)
    ]
    known = [percent for percent in percents if percent is not None]
    if len(known) < len(percents):
        return None
    return height_cm / (max(known) / 100), height_cm / (min(known) / 100)


def _outside(bone_age_months: float, sex: Sex, category: Category) -> NotDefined:
    table = percent_of_adult_height(sex, category)
    return NotDefined(
        "outside_bayley_pinneau",
        f"a bone age of {years_and_months(bone_age_months)} lies outside the table of "
        f"{category} {CHILDREN[sex]}, which goes from {years_and_months(table.first_months)} "
        f"to {years_and_months(table.last_months)}",
    )


def _no_error(age_months: float, sex: Sex) -> NotDefined:
    table = prediction_sd_cm(sex)
    return NotDefined(
        "no_prediction_error",
        f"at a chronological age of {years_and_months(age_months)} the paper gives no "
        f"prediction error: it does from {years_and_months(table.first_months)} "
        f"to {years_and_months(table.last_months)}",
    )
