"""The out-of-distribution score: how atypical of the training images an image is.

The attention network's features of the training images span a small space: their principal
components. An image is atypical when its feature is far out along these (Mahalanobis distance),
or far off the space that they span.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boneage.errors import WeightsError

COMPONENTS = 16
"""At most; a few hundred images do not determine the variances of more."""
IMAGES_PER_COMPONENT = 10
TINY = 1e-6
"""Of the largest variance: smaller ones count as 0."""

Vectors = npt.NDArray[np.float32]


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


ARRAYS = ("mean", "components", "variances", "rest")


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


BROKEN = (*(ValueError, KeyError, TypeError, AttributeError, EOFError, OSError), zipfile.BadZipFile)
"""What NumPy raises on a file of arrays that is not one, or cut off."""


def space_from_bytes(content: bytes) -> FeatureSpace:
    """Read what ``FeatureSpace.to_bytes`` wrote; anything else is a WeightsError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            space = FeatureSpace(*(np.asarray(arrays[name], np.float32) for name in ARRAYS))
    except BROKEN as error:
        raise WeightsError(f"these are not the features of training images: {error!r}") from error
    count, width = len(space.variances), len(space.mean)
    if space.components.shape != (count, width) or space.rest.shape != (1,) or not count:
        raise WeightsError("the features of the training images are inconsistent")
    if (
        not all(np.isfinite(getattr(space, name)).all() for name in ARRAYS)
        or min(space.variances) <= 0
    ):
        raise WeightsError("the features of the training images are not finite and above 0")
    return space
