"""How readings agree with the labels: Bland–Altman, regression line, stated intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boneage.evaluation.accuracy.bands import in_bands
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.metrics import LEVEL, Estimate, Months, Vector, checked, estimate

LIMITS_SD = 1.96
"""Holds 95 % of the errors, were they normal."""
COVERAGE_METHOD = "Wilson score interval (scipy.stats.binomtest)"


@dataclass(frozen=True)
class Limits:
    """Bland and Altman's limits of agreement, in months, of predicted minus true.

    Bland & Altman, *Lancet* 1986;327:307–310: mean ± 1.96 standard deviations
    (n − 1) of the differences. None, of one film alone.
    """

    mean_months: Estimate
    lower_months: Estimate
    upper_months: Estimate


@dataclass(frozen=True)
class Line:
    """The least-squares line of predicted on true months."""

    slope: float
    intercept_months: float
    r_squared: float
    """Squared correlation of the two: how straight, not how right. See R² in Metrics."""


@dataclass(frozen=True)
class Coverage:
    """How often the intervals that the readings state hold the labelled age."""

    count: int
    """Films whose reading states an interval of this level."""
    share: Estimate
    """0 to 1, with its own 95 % interval."""
    mean_width_months: float


def limits_of_agreement(true_months: Months, predicted_months: Months) -> Limits:
    """Where 95 % of the differences lie; each end with a bootstrap interval.

    Parameters
    ----------
    true_months, predicted_months : array_like of shape (n,)
    """
    return Limits(*estimate(_limits, *checked(true_months, predicted_months)))


def _limits(true: Vector, predicted: Vector) -> Vector:
    errors = predicted - true
    mean = errors.mean(axis=0)
    if len(errors) == 1:
        return np.stack([mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)])
    reach = LIMITS_SD * errors.std(axis=0, ddof=1)
    return np.stack([mean, mean - reach, mean + reach])


def regression_line(true_months: Months, predicted_months: Months) -> Line | None:
    """The line through predicted against true; None where the truth does not vary."""
    from scipy.stats import linregress  # noqa: PLC0415  slow to load; an extra

    true, predicted = checked(true_months, predicted_months)
    if np.ptp(true) == 0:
        return None
    found = linregress(true, predicted)
    return Line(float(found.slope), float(found.intercept), float(found.rvalue) ** 2)


def coverage_by_level(readings: Sequence[Reading]) -> dict[float, Coverage]:
    """Coverage of the stated intervals, by the level they state; empty where none is stated."""
    levels = sorted({interval.level for reading in readings for interval in reading.intervals})
    return {level: _coverage(readings, level) for level in levels}


def coverage_by_band(readings: Sequence[Reading], level: float) -> dict[str, Coverage]:
    """Coverage of the intervals of one level, by the name of the two-year band of the label."""
    stated = [r for r in readings if any(i.level == level for i in r.intervals)]
    return {band.name: _coverage(members, level) for band, members in in_bands(stated).items()}


def _coverage(readings: Sequence[Reading], level: float) -> Coverage:
    from scipy.stats import binomtest  # noqa: PLC0415  slow to load; an extra

    held, widths = 0, []
    for reading in readings:
        for interval in reading.intervals:
            if interval.level == level:
                held += interval.low_months <= reading.true_months <= interval.high_months
                widths.append(interval.high_months - interval.low_months)
    ends = binomtest(held, len(widths)).proportion_ci(LEVEL, method="wilson")
    share = Estimate(held / len(widths), float(ends.low), float(ends.high))
    return Coverage(len(widths), share, float(np.mean(widths)))
