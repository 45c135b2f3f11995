"""How far readings lie from the truth, each figure with its uncertainty.

The figures are scikit-learn's. The 95 % intervals are percentile bootstraps
over films (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993,
chapter 13) by SciPy, seeded, so that the same cases always give the same
figures. Percentile, not BCa: it is defined for shares of 0 and 1 too, and its
cost does not grow with the square of the films.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Months: TypeAlias = Sequence[float] | npt.NDArray[np.float64]
Vector: TypeAlias = npt.NDArray[np.float64]
Figures: TypeAlias = Callable[..., Vector]
"""Takes samples of shape (films, draws), gives figures of shape (figures, draws)."""

OVERALL = "overall"
LEVEL = 0.95
DRAWS = 2000
SEED = 2017
METHOD = "percentile bootstrap over films (scipy.stats.bootstrap)"
WITHIN_MONTHS = (6.0, 12.0, 24.0)
_CHUNK = 2_000_000
"""Resampled films held at once, to bound the memory of large sets."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its bootstrap interval; None where the films do not define it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Metrics:
    """What a set of readings is worth."""

    count: int
    mae_months: Estimate
    """Mean absolute error."""
    rmse_months: Estimate
    """Root of the mean squared error."""
    r2: Estimate
    """1 - SS_res / SS_tot; None when the truth does not vary."""
    bias_months: Estimate
    """Mean of predicted minus true: above 0 reads too old."""
    within_6: Estimate
    """Share of films read within 6 months, 0 to 1."""
    within_12: Estimate
    """Share of films read within 12 months, 0 to 1."""
    within_24: Estimate
    """Share of films read within 24 months, 0 to 1."""


def measure(true_months: Months, predicted_months: Months) -> Metrics:
    """Compare readings with the truth.

    Parameters
    ----------
    true_months, predicted_months : array_like of shape (n,)
        Bone ages of the same films in the same order, in months.

    Raises
    ------
    ValueError
        When there are no films, the two differ in length, or a number is not
        finite.
    """
    true, predicted = checked(true_months, predicted_months)
    return Metrics(len(true), *estimate(_figures, true, predicted))


def measure_by(
    true_months: Months, predicted_months: Months, groups: Sequence[str]
) -> dict[str, Metrics]:
    """Measure all films together and each group of them by itself.

    Parameters
    ----------
    true_months, predicted_months : array_like of shape (n,)
    groups : sequence of str, length n
        The group of each film, such as its sex or its age band.

    Returns
    -------
    dict
        ``"overall"`` first, then each group that has films, by name.
    """
    true, predicted = checked(true_months, predicted_months)
    labels = np.asarray([str(group) for group in groups])
    if len(labels) != len(true):
        raise ValueError(f"{len(true)} films, but {len(labels)} groups")
    measured = {OVERALL: measure(true, predicted)}
    for label in sorted(set(labels.tolist())):
        members = labels == label
        measured[label] = measure(true[members], predicted[members])
    return measured


def estimate(figures: Figures, *samples: Vector) -> list[Estimate]:
    """Estimate figures of films, with bootstrap intervals that keep a film's values together.

    Parameters
    ----------
    figures : callable
        Takes the samples as arrays of shape (n, draws) and gives an array of
        shape (figures, draws); what is not finite counts as undefined.
    *samples : ndarray of shape (n,)
        Values of the same films in the same order, such as truth and reading.

    Returns
    -------
    list of Estimate
        One for each figure. One film has no spread, and no interval.
    """
    values = figures(*(sample[:, np.newaxis] for sample in samples))[:, 0]
    lows, highs = np.full((2, len(values)), np.nan)
    if len(samples[0]) > 1:
        for place, draws in enumerate(_resampled(figures, samples)):
            known = draws[np.isfinite(draws)]  # a draw may be one film n times: no R²
            if len(known):
                lows[place], highs[place] = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return [
        Estimate(_known(value), _known(low), _known(high))
        for value, low, high in zip(values, lows, highs, strict=True)
    ]


def _resampled(figures: Figures, samples: Sequence[Vector]) -> Vector:
    """The bootstrap distribution of every figure, shape (figures, draws)."""
    from scipy.stats import bootstrap  # noqa: PLC0415  slow to load; an extra

    def of_rows(*drawn: Vector, axis: int) -> Vector:
        del axis  # the last one, always
        return figures(*(np.atleast_2d(sample).T for sample in drawn))

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of figures that a draw leaves undefined
        found = bootstrap(
            samples,
            of_rows,
            n_resamples=DRAWS,
            batch=max(1, _CHUNK // len(samples[0])),
            vectorized=True,
            paired=True,
            confidence_level=LEVEL,
            method="percentile",
            rng=np.random.default_rng(SEED),
        )
    return np.asarray(found.bootstrap_distribution, dtype=np.float64)


def fit(true: Vector, predicted: Vector) -> Vector:
    """MAE, RMSE and R² of samples of shape (films, draws): shape (3, draws).

    R² is NaN where the truth does not vary.
    """
    from sklearn.metrics import (  # noqa: PLC0415  slow to load; an extra
        mean_absolute_error,
        r2_score,
        root_mean_squared_error,
    )

    figures = [
        metric(true, predicted, multioutput="raw_values")
        for metric in (mean_absolute_error, root_mean_squared_error)
    ]
    r2 = np.full(true.shape[1], np.nan)
    varies = np.ptp(true, axis=0) > 0
    if varies.any():
        r2[varies] = r2_score(true[:, varies], predicted[:, varies], multioutput="raw_values")
    return np.stack([*figures, r2])


def _figures(true: Vector, predicted: Vector) -> Vector:
    """All figures of samples of shape (films, draws), in Metrics' order."""
    errors = predicted - true
    within = [(np.abs(errors) <= limit).mean(axis=0) for limit in WITHIN_MONTHS]
    return np.stack([*fit(true, predicted), errors.mean(axis=0), *within])


def checked(true_months: Months, predicted_months: Months) -> tuple[Vector, Vector]:
    """Both as arrays of shape (n,), n at least 1, all finite; a ValueError otherwise."""
    true = np.asarray(true_months, dtype=np.float64).ravel()
    predicted = np.asarray(predicted_months, dtype=np.float64).ravel()
    if len(true) != len(predicted):
        raise ValueError(f"{len(true)} true ages, but {len(predicted)} readings")
    if not len(true):
        raise ValueError("no films to measure")
    for label, values in (("true age", true), ("reading", predicted)):
        bad = values[~np.isfinite(values)]
        if len(bad):
            raise ValueError(f"a {label} is {bad[0]}; finite months are needed")
    return true, predicted


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
