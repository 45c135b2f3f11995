"""How readings agree: with the labels, with their stated intervals, by the two standards; by age.

Bland–Altman and the regression line are of prediction and label. The two standards are the same
film by that of each sex: girls mature earlier, so theirs should give the same skeleton fewer
months. The errors of a reader differ by age: two-year bands of the labelled bone age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boneage.domain.assessment import Interval
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.estimates import CaseEstimate, months_of
from boneage.evaluation.metrics import (
    LEVEL,
    ErrorMetrics,
    Estimate,
    Months,
    Vector,
    checked,
    estimate,
    means,
    measure,
)

BAND_YEARS = 2
OLDEST_YEARS = 20
LEAST_FILMS = 10
"""A band of one sex with fewer films is not measured: its interval would say nothing."""


@dataclass(frozen=True)
class Band:
    """Films labelled from ``low`` up to, but not at, ``high`` years; the last band holds both."""

    low: int
    high: int

    @property
    def name(self) -> str:
        """Such as ``"2-4"``, years; the key in ``metrics.json``."""
        return f"{self.low}-{self.high}"

    @property
    def middle(self) -> float:
        """In years."""
        return (self.low + self.high) / 2

    def holds(self, months: float) -> bool:
        """Whether a labelled bone age in months lies in this band."""
        top = months <= self.high * 12 if self.high == OLDEST_YEARS else months < self.high * 12
        return self.low * 12 <= months and top


BANDS = tuple(Band(low, low + BAND_YEARS) for low in range(0, OLDEST_YEARS, BAND_YEARS))


def in_bands(readings: Sequence[CaseEstimate]) -> dict[Band, list[CaseEstimate]]:
    """Sort readings by their labels; bands without films are left out."""
    sorted_in = {band: [r for r in readings if band.holds(r.true_months)] for band in BANDS}
    return {band: members for band, members in sorted_in.items() if members}


def measure_bands(readings: Sequence[CaseEstimate], least: int = 1) -> dict[Band, ErrorMetrics]:
    """Measure every band that has ``least`` films."""
    return {
        band: measure(*months_of(films))
        for band, films in in_bands(readings).items()
        if len(films) >= least
    }


def measure_bands_by_sex(readings: Sequence[CaseEstimate]) -> dict[Sex, dict[Band, ErrorMetrics]]:
    """Measure every band of a sex that has ``LEAST_FILMS`` films."""
    return {sex: measure_bands([r for r in readings if r.sex is sex], LEAST_FILMS) for sex in Sex}


QUARTERS = 4
LIMITS_SD = 1.96
"""Holds 95 % of the errors, were they normal."""
COVERAGE_METHOD = "Wilson score interval (scipy.stats.binomtest)"


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bland and Altman's limits of agreement, in months, of predicted minus true.

    *Lancet* 1986;327:307–310: mean ± 1.96 standard deviations (n − 1) of the differences. None, of
    one film alone.
    """

    mean_months: Estimate
    lower_months: Estimate
    upper_months: Estimate


@dataclass(frozen=True)
class RegressionLine:
    """The least-squares line of predicted on true months."""

    slope: float
    intercept_months: float
    r_squared: float
    """Squared correlation of the two: how straight, not how right. See R² in ErrorMetrics."""


@dataclass(frozen=True)
class Coverage:
    """How often the stated intervals hold the labelled age."""

    count: int
    """Films whose reading states an interval of this level."""
    share: Estimate
    """0 to 1, with its own 95 % interval."""
    mean_width_months: float


@dataclass(frozen=True)
class Informativeness:
    """Whether wide intervals go with large errors."""

    rank_correlation: float | None
    """Spearman's, of width and absolute error; None where all widths are the same."""
    constant_width_months: float
    """Of the intervals of one width that hold as many labels: to be told more than that, the mean
    width has to be below it."""
    by_width: tuple[Coverage, ...]
    """Of the quarters of the films by width, the narrowest first."""


@dataclass(frozen=True)
class Standards:
    """How far apart the two standards read the same films."""

    count: int
    difference_months: Estimate
    """Mean of male minus female standard: above 0, the female one gives fewer months."""
    female_younger: Estimate
    """Share of films that are younger by the female standard, 0 to 1."""


def limits_of_agreement(true_months: Months, predicted_months: Months) -> LimitsOfAgreement:
    """Where 95 % of the differences lie; each end with a bootstrap interval."""

    def limits(true: Vector, predicted: Vector) -> Vector:
        errors = predicted - true
        mean = errors.mean(axis=0)
        spread = errors.std(axis=0, ddof=1) if len(errors) > 1 else np.full_like(mean, np.nan)
        return np.stack([mean, mean - LIMITS_SD * spread, mean + LIMITS_SD * spread])

    return LimitsOfAgreement(*estimate(limits, *checked(true_months, predicted_months)))


def regression_line(true_months: Months, predicted_months: Months) -> RegressionLine | None:
    """The line through predicted against true; None where the truth does not vary."""
    from scipy.stats import linregress  # noqa: PLC0415  slow to load; an extra

    true, predicted = checked(true_months, predicted_months)
    if np.ptp(true) == 0:
        return None
    found = linregress(true, predicted)
    return RegressionLine(float(found.slope), float(found.intercept), float(found.rvalue) ** 2)


def coverage_by_level(readings: Sequence[CaseEstimate]) -> dict[float, Coverage]:
    """Coverage of the stated intervals, by the level they state; empty where none is stated."""
    levels = sorted({interval.level for reading in readings for interval in reading.intervals})
    return {level: _coverage(readings, level) for level in levels}


def coverage_by_band(readings: Sequence[CaseEstimate], level: float) -> dict[str, Coverage]:
    """Coverage of the intervals of one level, by the name of the two-year band of the label."""
    stated = [r for r in readings if any(i.level == level for i in r.intervals)]
    return {band.name: _coverage(members, level) for band, members in in_bands(stated).items()}


def coverage_by_sex(readings: Sequence[CaseEstimate], level: float) -> dict[str, Coverage]:
    """Coverage of the intervals of one level, by sex."""
    found = {str(sex): [r for r in readings if r.sex is sex] for sex in Sex}
    return {
        sex: _coverage(members, level) for sex, members in found.items() if _stated(members, level)
    }


def informativeness(readings: Sequence[CaseEstimate], level: float) -> Informativeness:
    """Whether the intervals of one level are wide where errors are large."""
    from scipy.stats import spearmanr  # noqa: PLC0415  slow to load; an extra

    stated = sorted(
        (i.high_months - i.low_months, number, reading)
        for number, reading in enumerate(readings)
        for i in reading.intervals
        if i.level == level
    )
    widths = np.array([width for width, _, _ in stated])
    errors = np.abs([reading.predicted_months - reading.true_months for _, _, reading in stated])
    share = _coverage(readings, level).share.value or 0.0
    quarters = np.array_split(np.arange(len(stated)), min(QUARTERS, len(stated)))
    return Informativeness(
        rank_correlation=float(spearmanr(widths, errors)[0]) if np.ptp(widths) > 0 else None,
        constant_width_months=2 * float(np.quantile(errors, share, method="higher")),
        by_width=tuple(_coverage([stated[i][2] for i in some], level) for some in quarters),
    )


def _stated(readings: Sequence[CaseEstimate], level: float) -> list[tuple[float, Interval]]:
    return [(r.true_months, i) for r in readings for i in r.intervals if i.level == level]


def _coverage(readings: Sequence[CaseEstimate], level: float) -> Coverage:
    from scipy.stats import binomtest  # noqa: PLC0415  slow to load; an extra

    stated = _stated(readings, level)
    held = sum(i.low_months <= true <= i.high_months for true, i in stated)
    widths = [i.high_months - i.low_months for _, i in stated]
    ends = binomtest(held, len(stated)).proportion_ci(LEVEL, method="wilson")
    share = Estimate(held / len(stated), float(ends.low), float(ends.high))
    return Coverage(len(stated), share, float(np.mean(widths)))


def measure_standards(readings: Sequence[CaseEstimate]) -> Standards | None:
    """Compare both standards on the films that were read by both; None where there are none."""
    both = [r.by_standard for r in readings if len(r.by_standard) == len(Sex)]
    apart = np.array([months[Sex.MALE] - months[Sex.FEMALE] for months in both])
    return Standards(len(apart), *means(apart, apart > 0)) if len(apart) else None


def measure_standards_by_band(readings: Sequence[CaseEstimate]) -> dict[str, Standards]:
    """The same by the name of the two-year band of the label, whichever sex it is of."""
    found = {band.name: measure_standards(films) for band, films in in_bands(readings).items()}
    return {name: standards for name, standards in found.items() if standards}
