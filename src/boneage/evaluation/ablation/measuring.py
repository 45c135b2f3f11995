"""What a part of the method is worth: variants without it, measured on the same films.

A variant may have been trained several times, from several seeds. Its figures
are then the means over the seeds: what one more training would give on
average, not what the average of several networks would. The 95 % intervals are
percentile bootstraps over films with the resamples of
:mod:`boneage.evaluation.metrics`, the same for every seed and every variant,
so that differences are paired film by film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boneage.evaluation.metrics import Estimate, FitMetrics, Vector, checked, estimate, fit
from boneage.training.ablation.outcomes import Study, Variant


@dataclass(frozen=True)
class Worth(FitMetrics):
    """What a variant's predictions are worth, means over its seeds."""

    variant: Variant
    seeds: int
    difference_months: Estimate | None
    """Its mean absolute error minus the baseline's: above 0, the part that it
    lacks is worth something. None for the baseline itself."""


def measure_study(study: Study) -> tuple[Worth, ...]:
    """Measure every variant, and its difference from the baseline.

    Raises
    ------
    ValueError
        When the baseline is missing, or a variant has not read every film once a seed.
    """
    true = np.array([film.age_months for film in study.films])
    read = {o.variant.name: _checked(true, o.predicted_months) for o in study.outcomes}
    if study.baseline not in read:
        raise ValueError(f"no outcome of the baseline {study.baseline!r}")
    return tuple(
        _measure(
            outcome.variant,
            true,
            read[outcome.variant.name],
            None if outcome.variant.name == study.baseline else read[study.baseline],
        )
        for outcome in study.outcomes
    )


def _checked(true: Vector, predicted: Vector) -> Vector:
    if predicted.ndim != 2 or not len(predicted):
        raise ValueError(f"predictions of shape {predicted.shape}; (seeds, radiographs) is needed")
    return np.stack([checked(true, row)[1] for row in predicted])


def _measure(variant: Variant, true: Vector, own: Vector, baseline: Vector | None) -> Worth:
    def figures(drawn: Vector, *predicted: Vector) -> Vector:
        mean = _mean_fit(drawn, predicted[: len(own)])
        if baseline is None:
            return mean
        return np.stack([*mean, mean[0] - _mean_fit(drawn, predicted[len(own) :])[0]])

    others = [] if baseline is None else list(baseline)
    mae, rmse, r2, *difference = estimate(figures, true, *own, *others)
    return Worth(mae, rmse, r2, variant, len(own), difference[0] if difference else None)


def _mean_fit(true: Vector, predicted: Sequence[Vector]) -> Vector:
    """MAE, RMSE and R² of samples (films, draws), means over the seeds: shape (3, draws)."""
    return np.asarray(np.mean([fit(true, one) for one in predicted], axis=0))
