"""What the changes did to all films together, each figure with its uncertainty.

Intervals are the percentile bootstraps of :mod:`boneage.evaluation.metrics`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.evaluation.metrics import Estimate, Vector, estimate
from boneage.evaluation.robustness.changes import Change
from boneage.evaluation.robustness.stress import FAR_MONTHS, Stressed

VERY_FAR_MONTHS = 24.0

REFUSED, WARNED_FAR, WARNED_NEAR = "refused", "warned_far", "warned_near"
SILENT_FAR, SILENT_NEAR = "silent_far", "silent_near"
FATES: Mapping[str, str] = {
    REFUSED: "refused",
    WARNED_FAR: f"warned about, moved > {FAR_MONTHS:g} months",
    WARNED_NEAR: f"warned about, moved ≤ {FAR_MONTHS:g} months",
    SILENT_FAR: f"silent: moved > {FAR_MONTHS:g} months, no refusal or warning",
    SILENT_NEAR: f"moved ≤ {FAR_MONTHS:g} months, no warning needed",
}
"""What can become of a film; each film has one of them. In words, for readers."""
Fates: TypeAlias = Mapping[str, float]


@dataclass(frozen=True)
class Effect:
    """What one change did. Shares are 0 to 1; None where no film defines a figure."""

    name: str
    kind: str
    label: str
    words: str
    films: int
    """Those whose unchanged film was answered; all were put through the change."""
    answered: int
    """Those still answered with the change."""
    mean_shift_months: Estimate
    """Mean of the absolute difference from the unchanged film's answer."""
    median_shift_months: float | None
    p95_shift_months: float | None
    bias_months: Estimate
    """Mean of the difference: above 0, the change makes the answer older."""
    changed_12: Estimate
    """Share of answered films moved by more than 12 months, either way."""
    changed_24: Estimate
    refused: Estimate
    """Share of all films."""
    warned: Estimate
    """Share of all films, with a warning that the unchanged film did not have."""
    silent: Estimate
    """Of the films moved by more than 12 months, the share without a new warning."""
    silent_of_all: Estimate
    """The same films as a share of all films."""
    mae_months: Estimate
    """Mean absolute error against the label, with the change, of answered films."""
    mae_unchanged_months: Estimate
    """Of the same films without it."""
    fates: Fates
    """Share of all films by ``FATES``; they add up to 1."""
    refusals: Mapping[str, int]
    """How many films, by the code of the refusal."""
    warnings: Mapping[str, int]
    """How many films, by the code of the new warning."""


def effects_of(films: Sequence[Stressed], changes: Sequence[Change]) -> tuple[Effect, ...]:
    """Sum up every change over all films.

    Raises
    ------
    ValueError
        When there are no films.
    """
    if not films:
        raise ValueError("no films to sum up")
    return tuple(_effect(films, change) for change in changes)


def _effect(films: Sequence[Stressed], change: Change) -> Effect:
    outcomes = [film.outcomes[change.name] for film in films]
    fates = [fate_of(film, change.name) for film in films]
    answered = [film for film in films if film.shift_months(change.name) is not None]
    shifts = np.array([film.shift_months(change.name) for film in answered], dtype=np.float64)
    labels = np.array([film.label_months for film in answered])
    unchanged = np.array([film.unchanged_months for film in answered])
    distances = np.abs(shifts)
    far = [fate == SILENT_FAR for fate in fates if fate in (SILENT_FAR, WARNED_FAR)]
    return Effect(
        name=change.name,
        kind=change.kind,
        label=change.label,
        words=change.words,
        films=len(films),
        answered=len(answered),
        mean_shift_months=mean_of(distances),
        median_shift_months=_quantile(distances, 0.5),
        p95_shift_months=_quantile(distances, 0.95),
        bias_months=mean_of(shifts),
        changed_12=mean_of(distances > FAR_MONTHS),
        changed_24=mean_of(distances > VERY_FAR_MONTHS),
        refused=mean_of([fate == REFUSED for fate in fates]),
        warned=mean_of([fate in (WARNED_FAR, WARNED_NEAR) for fate in fates]),
        silent=mean_of(far),
        silent_of_all=mean_of([fate == SILENT_FAR for fate in fates]),
        mae_months=mean_of(np.abs(unchanged + shifts - labels)),
        mae_unchanged_months=mean_of(np.abs(unchanged - labels)),
        fates={fate: fates.count(fate) / len(films) for fate in FATES},
        refusals=dict(Counter(o.refusal for o in outcomes if o.refusal is not None)),
        warnings=dict(Counter(code for o in outcomes for code in o.warnings)),
    )


def fate_of(film: Stressed, change: str) -> str:
    """Say which of ``FATES`` a film had."""
    shift = film.shift_months(change)
    if shift is None:
        return REFUSED
    far = abs(shift) > FAR_MONTHS
    if film.outcomes[change].warnings:
        return WARNED_FAR if far else WARNED_NEAR
    return SILENT_FAR if far else SILENT_NEAR


def mean_of(values: Vector | npt.NDArray[np.bool_] | Sequence[bool]) -> Estimate:
    """Estimate a mean, or of true and false a share; without films it is unknown."""
    sample = np.asarray(values, dtype=np.float64)
    return estimate(_mean, sample)[0] if sample.size else Estimate(None)


def _mean(samples: Vector) -> Vector:
    return np.asarray(np.mean(samples, axis=0, keepdims=True))


def _quantile(values: Vector, level: float) -> float | None:
    return float(np.quantile(values, level)) if len(values) else None
