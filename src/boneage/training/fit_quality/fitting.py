"""From examples to the linear readings of the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from boneage.quality.gate import HAND, LYING, Gate, Linear
from boneage.quality.unlikeness import fit_space
from boneage.training.fit_quality.examples import FILMS, Example, mirrored

COMPONENTS = 160
"""Principal components of the features that the readings are linear in."""
KIND_STRENGTH, LYING_STRENGTH, RIGHT_STRENGTH = 0.2, 0.1, 0.01
"""Inverse strengths of the penalties, as scikit-learn counts them; see docs/suitability.md."""
TILT_PENALTY = 30.0
STEPS, TOLERANCE = 150, 1e-3
"""Of the solver: more change no likelihood that matters."""
FOLDS = 5
LARGE_SOURCE = 4
"""Images: a source of fewer says little alone."""

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Basis:
    """Principal components of features, scaled as a whole: small features stay small."""

    mean: Rows
    directions: Rows
    """Shape (components, width), divided by the scale."""

    def of(self, rows: Rows) -> Rows:
        """Coordinates of features, shape (films, components)."""
        return np.asarray((rows - self.mean) @ self.directions.T)

    def unfolded(self, weights: Rows, bias: Rows) -> Linear:
        """A reading of the coordinates as a reading of the features."""
        direct = weights @ self.directions
        # As it is stored, so that it was measured with the numbers that are shipped.
        half = direct.astype(np.float16).astype(np.float32)
        return Linear(half, (bias - direct @ self.mean).astype(np.float32))


def basis_of(examples: Sequence[Example]) -> Basis:
    """Find the principal components of the features, as many as the films support."""
    rows = _views(examples)
    mean = rows.mean(axis=0)
    away = rows - mean
    variances, directions = np.linalg.eigh(away.T @ away / len(rows))
    kept = min(COMPONENTS, rows.shape[1], len(rows) - 1)
    scale = float(np.sqrt(np.maximum(variances[-kept:], 0).mean()))
    return Basis(mean, directions[:, ::-1].T[:kept] / max(scale, 1e-12))


def _views(examples: Sequence[Example]) -> Rows:
    return np.array([example.features[0] for example in examples], np.float64)


def fit_gate(examples: Sequence[Example], basis: Basis) -> Gate:
    """Fit all readings of the gate.

    Parameters
    ----------
    examples : sequence of Example
    basis : Basis
        It knows no labels, so it may be of more examples than these.

    Raises
    ------
    ValueError
        When there are no hands, or nothing else, among the examples.
    """
    both = _both_views(examples)
    along = basis.of(_views(both))
    kinds, kind = _fit_kind(both, along, basis)
    hands = [e.features.mean(axis=0) for e in examples if e.source == FILMS and e.plain]
    return Gate(
        kinds=kinds,
        kind=kind,
        lying=_fit_lying(both, along, basis),
        tilt=_fit_tilt(both, along, basis),
        right=_fit_right(examples, basis),
        space=fit_space(hands),
    )


def with_kind(gate: Gate, examples: Sequence[Example], basis: Basis) -> Gate:
    """The gate with what it calls pictures fitted anew; how films lie, no image teaches it."""
    both = _both_views(examples)
    kinds, kind = _fit_kind(both, basis.of(_views(both)), basis)
    return replace(gate, kinds=kinds, kind=kind)


def _both_views(examples: Sequence[Example]) -> list[Example]:
    """A reading takes the views one by one, so it learns from views, not from their mean."""
    return [*examples, *(mirrored(e) for e in examples if len(e.features) > 1)]


def _fit_kind(
    examples: Sequence[Example], along: Rows, basis: Basis
) -> tuple[tuple[str, ...], Linear]:
    kinds = np.array([example.kind or "" for example in examples])
    known = kinds != ""
    if HAND not in kinds or len(set(kinds[known])) < 2:
        raise ValueError("the gate needs films of hands, and images of something else")
    model = LogisticRegression(C=KIND_STRENGTH, max_iter=STEPS, tol=TOLERANCE)
    model.fit(along[known], kinds[known])
    return _in_full(model, basis)


def _in_full(model: LogisticRegression, basis: Basis) -> tuple[tuple[str, ...], Linear]:
    """One row a class, also of two classes."""
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:
        weights, bias = np.vstack([0 * weights, weights]), np.concatenate([[0.0], bias])
    return tuple(map(str, model.classes_)), basis.unfolded(weights, bias)


def _fit_lying(examples: Sequence[Example], along: Rows, basis: Basis) -> Linear:
    lying = np.array([-1 if example.lying is None else example.lying for example in examples])
    known = lying >= 0
    model = LogisticRegression(
        C=LYING_STRENGTH, max_iter=STEPS, tol=TOLERANCE, class_weight="balanced"
    )
    model.fit(along[known], lying[known])
    weights = np.zeros((len(LYING), along.shape[1]))
    bias = np.full(len(LYING), -50.0)  # what never occurs is never likely
    weights[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return basis.unfolded(weights, bias)


def _fit_tilt(examples: Sequence[Example], along: Rows, basis: Basis) -> Linear:
    known = np.array([e.degrees is not None and e.source == FILMS for e in examples])
    degrees = np.array([e.degrees for e, is_known in zip(examples, known, strict=True) if is_known])
    model = Ridge(TILT_PENALTY)
    model.fit(along[known], degrees)
    return basis.unfolded(model.coef_[np.newaxis], np.atleast_1d(model.intercept_))


def _fit_right(examples: Sequence[Example], basis: Basis) -> Linear:
    """Left hands, and their mirror images."""
    left = [e.features for e in examples if e.source == FILMS and e.plain and len(e.features) > 1]
    rows = np.array([view for features in left for view in features], np.float64)
    mirror = np.tile([0, 1], len(left))
    model = LogisticRegression(C=RIGHT_STRENGTH, max_iter=STEPS, tol=TOLERANCE)
    model.fit(basis.of(rows), mirror)
    return basis.unfolded(model.coef_, model.intercept_)


def folds_of(examples: Sequence[Example]) -> list[tuple[list[int], list[int]]]:
    """Split examples, the groups whole: places to fit on, places to judge."""
    groups = [example.group for example in examples]
    folds = GroupKFold(FOLDS)
    return [(list(fit), list(rest)) for fit, rest in folds.split(groups, groups=groups)]


def sources_left_out(examples: Sequence[Example]) -> list[tuple[list[int], list[int]]]:
    """For each source of images in turn: the places without it, and its places.

    Sources of few images are left out together.
    """
    counts = Counter(e.source for e in examples if e.plain and e.source != FILMS)
    large = sorted(source for source, count in counts.items() if count >= LARGE_SOURCE)
    small = {source for source in counts if source not in large}
    folds = []
    for sources in [*({source} for source in large), small]:
        rest = [i for i, e in enumerate(examples) if e.source in sources]
        fitted = [i for i, e in enumerate(examples) if e.source not in sources]
        folds += [(fitted, rest)] if rest else []
    return folds
