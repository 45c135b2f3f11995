"""The quality classifier: what an image shows, and in which orientation, by its feature.

Linear functions of the attention network's feature of the whole hand, which is computed anyway.
They were fitted to one network (``boneage suitability``) and mean nothing for another.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boneage.errors import WeightsError
from boneage.quality.ood_score import ARRAYS, BROKEN, FeatureSpace

HAND = "hand"
"""The kind that is analysed; the others are refused."""
ORIENTATIONS: tuple[tuple[int, bool], ...] = tuple(
    (quarters, inverted) for inverted in (False, True) for quarters in range(4)
)
"""Clockwise quarter turns that bring an image upright, and whether it is a negative."""
UPRIGHT = ORIENTATIONS.index((0, False))
MIRRORED = tuple(
    ORIENTATIONS.index((-quarters % 4, inverted)) for quarters, inverted in ORIENTATIONS
)
"""For each of ``ORIENTATIONS``, that of the mirror image."""
STRAIGHTER_HAND = 0.05
"""By so much, an image may be less likely a hand once it is turned straight."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Linear:
    """Numbers that are linear in the feature."""

    weights: Vectors
    """Shape (numbers, width)."""
    bias: Vectors
    """Shape (numbers,)."""

    def of(self, features: Vectors) -> npt.NDArray[np.float64]:
        """Of features, shape (views, width); shape (views, numbers)."""
        return np.asarray(features, np.float64) @ self.weights.T.astype(np.float64) + self.bias


@dataclass(frozen=True)
class Judgement:
    """What the classifier determines of one image."""

    kinds: Mapping[str, float]
    """Of each kind of image, how likely it is; together 1."""
    orientation_probabilities: tuple[float, ...]
    """Of each of ``ORIENTATIONS``; together 1."""
    tilt_degrees: float
    """How far the hand is turned clockwise from upright."""
    right: float
    """How likely it is a right hand, or a mirrored left one."""
    ood_score: float
    """See :class:`boneage.quality.ood_score.FeatureSpace`."""

    @property
    def hand(self) -> float:
        """How likely it is a radiograph of one whole hand."""
        return self.kinds[HAND]

    @property
    def most_likely_other(self) -> str:
        """What it is otherwise."""
        return max((kind for kind in self.kinds if kind != HAND), key=self.kinds.__getitem__)


@dataclass(frozen=True, eq=False)
class QualityClassifier:
    """The linear functions of one attention network's feature."""

    kinds: tuple[str, ...]
    kind: Linear
    orientation: Linear
    """One number for each of ``ORIENTATIONS``."""
    tilt: Linear
    """Degrees."""
    right: Linear
    """One number: the logarithm of the odds."""
    space: FeatureSpace
    """Of training images."""

    def judge(self, features: npt.ArrayLike) -> Judgement:
        """Judge an image by its features, shape (views, width).

        The views are the image and, where the weights analyse both, its mirror image. WeightsError
        when the features are of another width.
        """
        rows = np.asarray(features, np.float32).reshape(len(np.asarray(features)), -1)
        if rows.shape[1] != self.kind.weights.shape[1]:
            raise WeightsError(
                f"the whole hand's feature has {rows.shape[1]} numbers, but the quality classifier "
                f"was fitted to {self.kind.weights.shape[1]}: run 'boneage suitability' again"
            )
        signs = np.array([1.0, -1.0])[: len(rows)]
        orientations = _softmax(self.orientation.of(rows))
        if len(rows) > 1:
            orientations[1] = orientations[1, list(MIRRORED)]
        odds = float(np.mean(self.right.of(rows)[:, 0] * signs))
        return Judgement(
            kinds=dict(zip(self.kinds, _softmax(self.kind.of(rows)).mean(axis=0), strict=True)),
            orientation_probabilities=tuple(map(float, orientations.mean(axis=0))),
            tilt_degrees=float(np.mean(self.tilt.of(rows)[:, 0] * signs)),
            right=float(1 / (1 + np.exp(-odds))),
            ood_score=self.space.ood_score(rows.mean(axis=0)),
        )

    def to_bytes(self) -> bytes:
        """A zip of plain arrays in half precision, as ``numpy.savez`` writes it."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"kinds": np.array(self.kinds)}
        for name, stored in LINEAR.items():
            linear: Linear = getattr(self, name)
            arrays[f"{stored}_weights"] = linear.weights.astype(np.float16)
            arrays[f"{stored}_bias"] = linear.bias.astype(np.float32)
        for name in ARRAYS:
            half = np.float16 if name == "components" else np.float32
            arrays[f"space_{name}"] = getattr(self.space, name).astype(half)
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)
        return file.getvalue()


def most_likely_orientation(judgement: Judgement) -> tuple[int, bool]:
    """Give the most likely of ``ORIENTATIONS``."""
    return ORIENTATIONS[int(np.argmax(judgement.orientation_probabilities))]


def is_better_turned(before: Judgement, after: Judgement, certain: float) -> bool:
    """Whether an image is more likely upright once it is turned, by more than ``certain``."""
    return (
        after.orientation_probabilities[UPRIGHT] - before.orientation_probabilities[UPRIGHT]
        > certain
    )


def is_straighter(before: Judgement, after: Judgement) -> bool:
    """Whether a tilted hand, once it is turned back, is straighter and still a hand."""
    less = abs(after.tilt_degrees) < abs(before.tilt_degrees) / 2
    return less and after.hand > before.hand - STRAIGHTER_HAND


LINEAR = {"kind": "kind", "orientation": "lying", "tilt": "tilt", "right": "right"}
"""The linear functions, and their names in the file."""


def classifier_from_bytes(content: bytes) -> QualityClassifier:
    """Read what ``QualityClassifier.to_bytes`` wrote; anything else is a WeightsError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            linear = {
                name: Linear(
                    np.asarray(arrays[f"{stored}_weights"], np.float32),
                    np.asarray(arrays[f"{stored}_bias"], np.float32),
                )
                for name, stored in LINEAR.items()
            }
            space = FeatureSpace(*(np.asarray(arrays[f"space_{n}"], np.float32) for n in ARRAYS))
            classifier = QualityClassifier(tuple(map(str, arrays["kinds"])), **linear, space=space)
    except BROKEN as error:
        raise WeightsError(f"this is not a quality classifier: {error!r}") from error
    for problem in _problems(classifier):
        raise WeightsError(f"the quality classifier is inconsistent: {problem}")
    return classifier


def _problems(classifier: QualityClassifier) -> list[str]:
    width = len(classifier.space.mean)
    counts = {
        "kind": len(classifier.kinds),
        "orientation": len(ORIENTATIONS),
        "tilt": 1,
        "right": 1,
    }
    found = [
        f"{name} has weights of the shape {linear.weights.shape}"
        for name, count in counts.items()
        if (linear := getattr(classifier, name)).weights.shape != (count, width)
        or linear.bias.shape != (count,)
        or not (np.isfinite(linear.weights).all() and np.isfinite(linear.bias).all())
    ]
    if HAND not in classifier.kinds:
        found.append(f"none of its kinds {classifier.kinds} is {HAND!r}")
    count = len(classifier.space.variances)
    if classifier.space.components.shape != (count, width) or classifier.space.rest.shape != (1,):
        found.append("its space of features is of another width")
    return found


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
