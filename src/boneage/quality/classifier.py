"""What an image shows, its orientation, its maturity, and how atypical it is.

Linear functions of the attention network's feature of the whole hand, which is computed anyway.
They were fitted to one network (``boneage suitability``) and mean nothing for another. The
features of the training images span a small space, their principal components: an image is
atypical when its feature is far out along these (Mahalanobis distance), or far off the space.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boneage.errors import WeightsError
from boneage.storage.typed import broken_file

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
LINEAR = {"kind": "kind", "orientation": "lying", "tilt": "tilt", "maturity": "maturity"}
"""The linear functions, and their names in the file."""
OPTIONAL = frozenset({"maturity"})
"""Not in the files of earlier versions."""
COMPONENTS = 16
"""At most; a few hundred images do not determine the variances of more."""
IMAGES_PER_COMPONENT = 10
TINY = 1e-6
"""Of the largest variance: smaller ones count as 0."""
ARRAYS = ("mean", "components", "variances", "rest")
BROKEN = (*(ValueError, KeyError, TypeError, AttributeError, EOFError, OSError), zipfile.BadZipFile)
"""What NumPy raises on a file of arrays that is not one, or cut off."""


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
    ood_score: float
    """See :class:`boneage.quality.classifier.FeatureSpace`."""
    maturity: float | None = None
    """How likely all growth plates are fused; None: the classifier cannot tell."""

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
    space: FeatureSpace
    maturity: Linear | None = None
    """The log odds that all growth plates are fused."""

    def judge(self, features: npt.ArrayLike) -> Judgement:
        """Judge an image by its features (views, width), perhaps also of its mirror image."""
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
        return Judgement(
            kinds=dict(zip(self.kinds, _softmax(self.kind.of(rows)).mean(axis=0), strict=True)),
            orientation_probabilities=tuple(map(float, orientations.mean(axis=0))),
            tilt_degrees=float(np.mean(self.tilt.of(rows)[:, 0] * signs)),
            ood_score=self.space.ood_score(rows.mean(axis=0)),
            maturity=self._maturity(rows),
        )

    def _maturity(self, rows: Vectors) -> float | None:
        if self.maturity is None:
            return None
        return _probability(float(self.maturity.of(rows)[:, 0].mean()))

    def to_bytes(self) -> bytes:
        """A zip of plain arrays in half precision, as ``numpy.savez`` writes it."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"kinds": np.array(self.kinds)}
        for name, stored in LINEAR.items():
            linear: Linear | None = getattr(self, name)
            if linear is None:
                continue
            arrays[f"{stored}_weights"] = linear.weights.astype(np.float16)
            arrays[f"{stored}_bias"] = linear.bias.astype(np.float32)
        for name in ARRAYS:
            half = np.float16 if name == "components" else np.float32
            arrays[f"space_{name}"] = getattr(self.space, name).astype(half)
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)
        return file.getvalue()


def most_likely_orientation(judgement: Judgement) -> tuple[int, bool]:
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
                if name not in OPTIONAL or f"{stored}_weights" in arrays
            }
            space = FeatureSpace(*(np.asarray(arrays[f"space_{n}"], np.float32) for n in ARRAYS))
            classifier = QualityClassifier(tuple(map(str, arrays["kinds"])), **linear, space=space)
    except BROKEN as error:
        raise WeightsError(f"this is not a quality classifier: {broken_file(error)}") from error
    for problem in _problems(classifier):
        raise WeightsError(f"the quality classifier is inconsistent: {problem}")
    return classifier


def _problems(classifier: QualityClassifier) -> list[str]:
    width = len(classifier.space.mean)
    counts = {
        "kind": len(classifier.kinds),
        "orientation": len(ORIENTATIONS),
        "tilt": 1,
        "maturity": 1,
    }
    found = [
        f"{name} has weights of the shape {linear.weights.shape}"
        for name, count in counts.items()
        if (linear := getattr(classifier, name)) is not None
        and (
            linear.weights.shape != (count, width)
            or linear.bias.shape != (count,)
            or not (np.isfinite(linear.weights).all() and np.isfinite(linear.bias).all())
        )
    ]
    if HAND not in classifier.kinds:
        found.append(f"none of its kinds {classifier.kinds} is {HAND!r}")
    count = len(classifier.space.variances)
    if classifier.space.components.shape != (count, width) or classifier.space.rest.shape != (1,):
        found.append("its space of features is of another width")
    return found


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


def _softmax(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


@dataclass(frozen=True, eq=False)
class FeatureSpace:
    """The distribution of the training images' features of the whole hand."""

    mean: Vectors
    """Shape (width,)."""
    components: Vectors
    """Shape (k, width), orthonormal."""
    variances: Vectors
    """Shape (k,): of the training images, along the components."""
    rest: Vectors
    """Shape (1,): the mean squared distance of the training images from the space."""

    def ood_score(self, feature: npt.ArrayLike) -> float:
        """Distance of one feature, shape (width,), from those of the training images.

        The root of the mean of two squares, inside the space and off it; each is 1 on average over
        the training images. WeightsError when the feature is of another width.
        """
        vector = np.asarray(feature, np.float64)
        if vector.shape != self.mean.shape:
            raise WeightsError(
                f"the whole hand's feature has the shape {vector.shape}, but the weights "
                f"compare it with training images of the shape {self.mean.shape}"
            )
        away = vector - self.mean
        along = self.components.astype(np.float64) @ away
        parts = [float(np.mean(np.square(along) / self.variances))]
        if self.rest[0] > 0:
            off = float(away @ away - along @ along)
            parts.append(max(off, 0.0) / float(self.rest[0]))
        return float(np.sqrt(np.mean(parts)))

    def to_bytes(self) -> bytes:
        """A zip of plain arrays, as ``numpy.savez`` writes it; the same space, the same bytes."""
        file = io.BytesIO()
        np.savez(file, **{name: getattr(self, name) for name in ARRAYS})
        return file.getvalue()


def fit_space(features: npt.ArrayLike) -> FeatureSpace:
    """Fit the space to the features of at least two images, shape (images, width)."""
    rows = np.asarray(features, np.float64)
    mean = rows.mean(axis=0)
    _, lengths, directions = np.linalg.svd(rows - mean, full_matrices=False)
    variances = np.square(lengths) / (len(rows) - 1)
    floor = TINY * max(float(variances[0]), TINY)
    count = max(
        1, min(COMPONENTS, len(rows) // IMAGES_PER_COMPONENT, int((variances > floor).sum()))
    )
    rest = float(variances[count:].sum())
    return FeatureSpace(
        mean.astype(np.float32),
        directions[:count].astype(np.float32),
        np.maximum(variances[:count], floor).astype(np.float32),
        np.array([rest if rest > floor else 0.0], np.float32),
    )


def space_from_bytes(content: bytes) -> FeatureSpace:
    """Read what ``FeatureSpace.to_bytes`` wrote; anything else is a WeightsError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            space = FeatureSpace(*(np.asarray(arrays[name], np.float32) for name in ARRAYS))
    except BROKEN as error:
        raise WeightsError(
            f"these are not the features of training images: {broken_file(error)}"
        ) from error
    count, width = len(space.variances), len(space.mean)
    if space.components.shape != (count, width) or space.rest.shape != (1,) or not count:
        raise WeightsError("the features of the training images are inconsistent")
    if (
        not all(np.isfinite(getattr(space, name)).all() for name in ARRAYS)
        or min(space.variances) <= 0
    ):
        raise WeightsError("the features of the training images are not finite and above 0")
    return space
