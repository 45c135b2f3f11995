"""How far readings lie from the truth, each figure with its uncertainty.

The 95 % intervals are percentile bootstraps over films (Efron & Tibshirani,
*An Introduction to the Bootstrap*, 1993, chapter 13), seeded, so that the same
cases always give the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Months: TypeAlias = Sequence[float] | npt.NDArray[np.float64]
Vector: TypeAlias = npt.NDArray[np.float64]

OVERALL = "overall"
LEVEL = 0.95
DRAWS = 2000
SEED = 2017
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
    true, predicted = _checked(true_months, predicted_months)
    errors = predicted - true
    centred = true - true.mean()
    values = _figures(errors[np.newaxis], centred[np.newaxis])[:, 0]
    lows, highs = _interval(errors, centred)
    estimates = [
        Estimate(_known(v), _known(low), _known(high))
        for v, low, high in zip(values, lows, highs, strict=True)
    ]
    return Metrics(len(true), *estimates)


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
    true, predicted = _checked(true_months, predicted_months)
    labels = np.asarray([str(group) for group in groups])
    if len(labels) != len(true):
        raise ValueError(f"{len(true)} films, but {len(labels)} groups")
    measured = {OVERALL: measure(true, predicted)}
    for label in sorted(set(labels.tolist())):
        members = labels == label
        measured[label] = measure(true[members], predicted[members])
    return measured


def _checked(true_months: Months, predicted_months: Months) -> tuple[Vector, Vector]:
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


def _figures(errors: Vector, true: Vector) -> Vector:
    """All figures of samples (draws, films): one row a figure, in Metrics' order."""
    squared = np.square(errors)
    absolute = np.abs(errors)
    spread = np.square(true - true.mean(axis=1, keepdims=True)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(spread > 0, 1 - squared.sum(axis=1) / spread, np.nan)
    return np.stack(
        [
            absolute.mean(axis=1),
            np.sqrt(squared.mean(axis=1)),
            r2,
            errors.mean(axis=1),
            *((absolute <= limit).mean(axis=1) for limit in WITHIN_MONTHS),
        ]
    )


def _interval(errors: Vector, true: Vector) -> tuple[Vector, Vector]:
    """Lower and upper ends for every figure; NaN for one film, which has no spread."""
    count = len(errors)
    if count == 1:
        unknown = np.full(4 + len(WITHIN_MONTHS), np.nan)
        return unknown, unknown
    random = np.random.default_rng(SEED)
    rows = max(1, _CHUNK // count)
    drawn = []
    for start in range(0, DRAWS, rows):
        sample = random.integers(0, count, size=(min(rows, DRAWS - start), count))
        drawn.append(_figures(errors[sample], true[sample]))
    figures = np.concatenate(drawn, axis=1)
    ends = np.full((2, len(figures)), np.nan)
    for column, row in enumerate(figures):
        known = row[np.isfinite(row)]  # a resample may draw one film n times: no R²
        if len(known):
            ends[:, column] = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return ends[0], ends[1]


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
