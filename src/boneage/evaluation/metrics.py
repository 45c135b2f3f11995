"""How far predictions are from the truth, each figure with its uncertainty.

The figures are scikit-learn's. The 95 % intervals are percentile bootstraps over films (Efron &
Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13) by SciPy, seeded, so that the
same cases always give the same figures. Percentile, not BCa: it is defined for shares of 0 and 1
too, and its cost does not grow with the square of the films.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Vector: TypeAlias = npt.NDArray[np.float64]
Months: TypeAlias = Sequence[float] | Vector
Statistic: TypeAlias = Callable[..., Vector]
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
class FitMetrics:
    """How near predictions come to the truth."""

    mae_months: Estimate
    """Mean absolute error."""
    rmse_months: Estimate
    """Root of the mean squared error."""
    r2: Estimate
    """1 - SS_res / SS_tot; None when the truth does not vary."""


@dataclass(frozen=True)
class ErrorMetrics:
    """What the predictions for a set of films are worth."""

    count: int
    mae_months: Estimate
    rmse_months: Estimate
    r2: Estimate
    bias_months: Estimate
    """Mean of predicted minus true: above 0 predicts too old."""
    within_6: Estimate
    """Share of films predicted within 6 months, 0 to 1."""
    within_12: Estimate
    within_24: Estimate


def measure(true_months: Months, predicted_months: Months) -> ErrorMetrics:
    """Compare predictions with the truth, in months of the same films in the same order.

    A ValueError when there are no films, the two differ in length, or a number is not finite.
    """
    true, predicted = checked(true_months, predicted_months)
    return ErrorMetrics(len(true), *estimate(_errors, true, predicted))


def measure_by(
    true_months: Months, predicted_months: Months, groups: Sequence[str]
) -> dict[str, ErrorMetrics]:
    """Measure all films together (``"overall"``), then each group that has films, by name."""
    true, predicted = checked(true_months, predicted_months)
    labels = np.asarray([str(group) for group in groups])
    if len(labels) != len(true):
        raise ValueError(f"{len(true)} radiographs, but {len(labels)} groups")
    measured = {OVERALL: measure(true, predicted)}
    for label in sorted(set(labels.tolist())):
        members = labels == label
        measured[label] = measure(true[members], predicted[members])
    return measured


def estimate(statistic: Statistic, *samples: Vector) -> list[Estimate]:
    """Estimate figures of films, with bootstrap intervals that keep a film's values together.

    Samples are of shape (n,): values of the same films in the same order, such as truth and
    prediction. What is not finite counts as undefined. One film has no spread, and no interval.
    """
    values = statistic(*(sample[:, np.newaxis] for sample in samples))[:, 0]
    lows, highs = np.full((2, len(values)), np.nan)
    if len(samples[0]) > 1:
        for place, draws in enumerate(_resampled(statistic, samples)):
            known = draws[np.isfinite(draws)]  # a draw may be one film n times: no R²
            if len(known):
                lows[place], highs[place] = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return [
        Estimate(*(float(x) if np.isfinite(x) else None for x in found))
        for found in zip(values, lows, highs, strict=True)
    ]


def means(*columns: Any) -> list[Estimate]:
    """Estimate the means of values of the same films; of true and false, the share."""
    samples = [np.asarray(column, dtype=np.float64) for column in columns]
    if not samples[0].size:
        return [Estimate(None) for _ in samples]
    return estimate(lambda *drawn: np.stack([values.mean(axis=0) for values in drawn]), *samples)


def mean(values: Any) -> Estimate:
    """Estimate one mean; without films it is unknown."""
    return means(values)[0]


def _resampled(statistic: Statistic, samples: Sequence[Vector]) -> Vector:
    """The bootstrap distribution of every figure, shape (figures, draws)."""
    from scipy.stats import bootstrap  # noqa: PLC0415  slow to load; an extra

    def of_rows(*resampled: Vector, axis: int) -> Vector:
        del axis  # the last one, always
        return statistic(*(np.atleast_2d(sample).T for sample in resampled))

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
    from sklearn import metrics  # noqa: PLC0415  slow to load; an extra

    mae = metrics.mean_absolute_error(true, predicted, multioutput="raw_values")
    rmse = metrics.root_mean_squared_error(true, predicted, multioutput="raw_values")
    r2 = np.full(true.shape[1], np.nan)
    varies = np.ptp(true, axis=0) > 0
    if varies.any():
        r2[varies] = metrics.r2_score(
            true[:, varies], predicted[:, varies], multioutput="raw_values"
        )
    return np.stack([mae, rmse, r2])


def _errors(true: Vector, predicted: Vector) -> Vector:
    """All figures of samples of shape (films, draws), in the order of ErrorMetrics."""
    errors = predicted - true
    within = [(np.abs(errors) <= limit).mean(axis=0) for limit in WITHIN_MONTHS]
    return np.stack([*fit(true, predicted), errors.mean(axis=0), *within])


def checked(true_months: Months, predicted_months: Months) -> tuple[Vector, Vector]:
    """Give both as arrays of shape (n,), n at least 1, all finite; a ValueError otherwise."""
    true = np.asarray(true_months, dtype=np.float64).ravel()
    predicted = np.asarray(predicted_months, dtype=np.float64).ravel()
    if len(true) != len(predicted):
        raise ValueError(f"{len(true)} true ages, but {len(predicted)} predictions")
    if not len(true):
        raise ValueError("no radiographs to measure")
    for label, values in (("true age", true), ("prediction", predicted)):
        bad = values[~np.isfinite(values)]
        if len(bad):
            raise ValueError(f"a {label} is {bad[0]}; finite months are needed")
    return true, predicted
