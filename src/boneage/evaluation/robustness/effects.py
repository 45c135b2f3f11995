"""What the changes did to all films together, each figure with its bootstrap interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from boneage.evaluation.metrics import Estimate, Vector, mean, means
from boneage.evaluation.robustness.cases import FAR_MONTHS, ChangedFilm
from boneage.evaluation.robustness.changes import Change

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
"""What can become of a film; each film has one of them. In words, for figures."""


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
    fates: Mapping[str, float]
    """Share of all films by ``FATES``; they add up to 1."""
    refusals: Mapping[str, int]
    """How many films, by the code of the refusal."""
    warnings: Mapping[str, int]
    """How many films, by the code of the new warning."""


def effects_of(films: Sequence[ChangedFilm], changes: Sequence[Change]) -> tuple[Effect, ...]:
    """Sum up every change over all films; a ValueError when there are none."""
    if not films:
        raise ValueError("no radiographs to sum up")
    return tuple(_effect(films, change) for change in changes)


def _effect(films: Sequence[ChangedFilm], change: Change) -> Effect:
    outcomes = [film.outcomes[change.name] for film in films]
    fates = [fate_of(film, change.name) for film in films]
    answered = [film for film in films if film.outcomes[change.name].months is not None]
    shifts = np.array([film.shift_months(change.name) for film in answered], dtype=np.float64)
    errors = np.array([film.unchanged_months - film.label_months for film in answered])
    distances = np.abs(shifts)
    refused, warned, silent = means(
        *([fate in some for fate in fates] for some in (
            (REFUSED,), (WARNED_FAR, WARNED_NEAR), (SILENT_FAR,)
        ))
    )  # fmt: skip
    return Effect(
        name=change.name,
        kind=change.kind,
        label=change.label,
        words=change.words,
        films=len(films),
        answered=len(answered),
        mean_shift_months=mean(distances),
        median_shift_months=_quantile(distances, 0.5),
        p95_shift_months=_quantile(distances, 0.95),
        bias_months=mean(shifts),
        changed_12=mean(distances > FAR_MONTHS),
        changed_24=mean(distances > VERY_FAR_MONTHS),
        refused=refused,
        warned=warned,
        silent=mean([fate == SILENT_FAR for fate in fates if fate in (SILENT_FAR, WARNED_FAR)]),
        silent_of_all=silent,
        mae_months=mean(np.abs(errors + shifts)),
        mae_unchanged_months=mean(np.abs(errors)),
        fates={fate: fates.count(fate) / len(films) for fate in FATES},
        refusals=dict(Counter(o.refusal for o in outcomes if o.refusal is not None)),
        warnings=dict(Counter(code for o in outcomes for code in o.warnings)),
    )


def fate_of(film: ChangedFilm, change: str) -> str:
    """Which of ``FATES`` a film had."""
    shift = film.shift_months(change)
    if shift is None:
        return REFUSED
    far = abs(shift) > FAR_MONTHS
    if film.outcomes[change].warnings:
        return WARNED_FAR if far else WARNED_NEAR
    return SILENT_FAR if far else SILENT_NEAR


def _quantile(values: Vector, level: float) -> float | None:
    return float(np.quantile(values, level)) if len(values) else None
