"""From examples to the linear classifiers of the quality check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from boneage.quality.classifier import HAND, ORIENTATIONS, Linear, QualityClassifier, fit_space
from boneage.training.fit_quality.examples import Example

COMPONENTS = 160
"""Principal components of the features that the classifiers are linear in."""
KIND_STRENGTH, ORIENTATION_STRENGTH = 0.2, 0.1
"""Inverse strengths of the penalties, as scikit-learn counts them; see docs/image-quality.md."""
MATURITY_STRENGTH = 5.0
TILT_PENALTY = 30.0
SOLVER = {"max_iter": 150, "tol": 1e-3}
"""More change no likelihood that matters."""
FOLDS = 5
LARGE_SOURCE = 4
"""Images: a source of fewer says little alone."""

Rows = npt.NDArray[np.float64]
Folds = list[tuple[list[int], list[int]]]
"""Places of the examples to fit on, and of those to judge."""


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
        """What is linear in the coordinates, as linear in the features."""
        direct = weights @ self.directions
        # As it is stored, so that it was measured with the numbers that are shipped.
        half = direct.astype(np.float16).astype(np.float32)
        return Linear(half, (bias - direct @ self.mean).astype(np.float32))


def basis_of(examples: Sequence[Example]) -> Basis:
    """Find the principal components of the features, as many as the films support."""
    rows = _views(examples)
    components = min(COMPONENTS, rows.shape[1], len(rows) - 1)
    found = PCA(components, svd_solver="covariance_eigh").fit(rows)
    scale = float(np.sqrt(found.explained_variance_.mean()))
    return Basis(found.mean_, found.components_ / max(scale, 1e-12))


def _views(examples: Sequence[Example]) -> Rows:
    return np.array([example.features[0] for example in examples], np.float64)


def fit_classifier(examples: Sequence[Example], basis: Basis) -> QualityClassifier:
    """Fit all classifiers of the quality check.

    The ``basis`` knows no labels, so it may be of more examples than these.
    """
    both = _both_views(examples)
    along = basis.of(_views(both))
    kinds, kind = _fit_kind(both, along, basis)
    hands = [example.features.mean(axis=0) for example in examples if example.is_film]
    return QualityClassifier(
        kinds=kinds,
        kind=kind,
        orientation=_fit_orientation(both, along, basis),
        tilt=_fit_tilt(both, along, basis),
        space=fit_space(hands),
        maturity=_fit_maturity(both, along, basis),
    )


def with_kind(
    classifier: QualityClassifier, examples: Sequence[Example], basis: Basis
) -> QualityClassifier:
    """The check with what it calls images fitted anew; no image teaches it orientations."""
    both = _both_views(examples)
    kinds, kind = _fit_kind(both, basis.of(_views(both)), basis)
    return replace(classifier, kinds=kinds, kind=kind)


def _both_views(examples: Sequence[Example]) -> list[Example]:
    """A classifier takes the views one by one, so it learns from views, not from their mean."""
    return [*examples, *(e.mirrored() for e in examples if len(e.features) > 1)]


def _fit_kind(
    examples: Sequence[Example], along: Rows, basis: Basis
) -> tuple[tuple[str, ...], Linear]:
    kinds = np.array([example.kind or "" for example in examples])
    known = kinds != ""
    if HAND not in kinds or len(set(kinds[known])) < 2:
        raise ValueError("the quality check needs images of hands, and images of something else")
    model = LogisticRegression(C=KIND_STRENGTH, **SOLVER)
    model.fit(along[known], kinds[known])
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:  # one row a class, also of two classes
        weights, bias = np.vstack([0 * weights, weights]), np.concatenate([[0.0], bias])
    return tuple(map(str, model.classes_)), basis.unfolded(weights, bias)


def _fit_orientation(examples: Sequence[Example], along: Rows, basis: Basis) -> Linear:
    places = np.array(
        [-1 if e.orientation_class is None else e.orientation_class for e in examples]
    )
    known = places >= 0
    model = LogisticRegression(C=ORIENTATION_STRENGTH, class_weight="balanced", **SOLVER)
    model.fit(along[known], places[known])
    weights = np.zeros((len(ORIENTATIONS), along.shape[1]))
    bias = np.full(len(ORIENTATIONS), -50.0)  # what never occurs is never likely
    weights[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    return basis.unfolded(weights, bias)


def _fit_tilt(examples: Sequence[Example], along: Rows, basis: Basis) -> Linear:
    known = [i for i, e in enumerate(examples) if e.degrees is not None and e.is_labelled]
    model = Ridge(TILT_PENALTY)
    model.fit(along[known], np.array([examples[i].degrees for i in known]))
    return basis.unfolded(model.coef_[np.newaxis], np.atleast_1d(model.intercept_))


def _fit_maturity(examples: Sequence[Example], along: Rows, basis: Basis) -> Linear | None:
    """None where the examples have no fused growth plates, or no open ones."""
    known = [i for i, e in enumerate(examples) if e.fused is not None]
    fused = np.array([examples[i].fused for i in known])
    if len(set(fused.tolist())) < len((True, False)):
        return None
    model = LogisticRegression(C=MATURITY_STRENGTH, **SOLVER).fit(along[known], fused)
    return basis.unfolded(model.coef_, model.intercept_)


def folds_of(examples: Sequence[Example]) -> Folds:
    """Split examples, the groups whole."""
    groups = [example.group for example in examples]
    folds = GroupKFold(FOLDS)
    return [(list(fit), list(rest)) for fit, rest in folds.split(groups, groups=groups)]


def sources_left_out(examples: Sequence[Example]) -> Folds:
    """For each source of images in turn: the places without it, and its places.

    Sources of few images are left out together.
    """
    counts = Counter(example.source for example in examples if example.is_image)
    large = sorted(source for source, count in counts.items() if count >= LARGE_SOURCE)
    folds = []
    for sources in [*({source} for source in large), counts.keys() - set(large)]:
        rest = [i for i, e in enumerate(examples) if e.source in sources]
        fitted = [i for i, e in enumerate(examples) if e.source not in sources]
        folds += [(fitted, rest)] if rest else []
    return folds
