"""How alike two hands are once one of them is mirrored, and how their sizes compare.

A child's two hands are nearly mirror images of each other. One is mirrored, enlarged or
reduced, turned a little and moved over the other until their edges fit best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from boneage.radiograph import Pixels

SIDE_PX = 96
"""Longest side of either image while they are compared; both at one scale."""
LOG_SCALES = tuple(0.06 * step for step in range(-6, 7))
"""Natural logarithms of the sizes tried of the second hand."""
EQUAL_LOG_SCALE = 0.07
"""Hands whose sizes differ by less are of one size."""
TURNS_DEGREES = (-12.0, -6.0, 0.0, 6.0, 12.0)
SURROUNDINGS_PX, CONTRAST_PX = 4.0, 8.0
"""Sigmas: of what an edge stands out from, and of what its contrast is measured in."""
LEAST_CONTRAST = 0.03

Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """Of two hands, as correlations of their edges, at most 1."""

    equal_size: float
    """As they are."""
    other_size: float
    """With the second one enlarged or reduced by what fits best."""

    @property
    def gained(self) -> float:
        """How much better they fit at other sizes than as they are; never below 0."""
        return max(0.0, self.other_size - self.equal_size)


def mirror_likeness(one: Pixels, other: Pixels) -> Likeness:
    """Compare one hand with the mirror image of the other.

    Parameters
    ----------
    one, other : float32 arrays, shape (height, width)
        Each of one hand, cut from one image at one scale.
    """
    scale = SIDE_PX / max(*one.shape, *other.shape)
    first = _edges(_resized(one, scale))
    second = _resized(np.ascontiguousarray(other[:, ::-1]), scale)
    size = (2 * SIDE_PX, 2 * SIDE_PX)
    spectrum = np.fft.rfft2(first, size)
    norm = float(np.linalg.norm(first))
    best = dict.fromkeys(LOG_SCALES, 0.0)
    for log_scale, changed in _changed(second):
        edges = _edges(changed)[: size[0], : size[1]]
        fit = np.fft.irfft2(spectrum * np.conj(np.fft.rfft2(edges, size)), size).max()
        most = float(fit) / max(norm * float(np.linalg.norm(edges)), 1e-6)
        best[log_scale] = max(best[log_scale], most)
    equal = max(fit for log_scale, fit in best.items() if abs(log_scale) < EQUAL_LOG_SCALE)
    return Likeness(equal, max(best.values()))


def _changed(hand: Grey) -> Iterator[tuple[float, Grey]]:
    """The hand in other sizes, and turned."""
    for log_scale in LOG_SCALES:
        sized = _resized(hand, float(np.exp(log_scale)))
        height, width = sized.shape
        for degrees in TURNS_DEGREES:
            turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
            turned = cv2.warpAffine(sized, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
            yield log_scale, turned


def _resized(hand: Grey, scale: float) -> Grey:
    size = max(8, round(hand.shape[1] * scale)), max(8, round(hand.shape[0] * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized: Grey = cv2.resize(hand, size, interpolation=way)
    return resized


def _edges(grey: Grey) -> Grey:
    """What stands out from its surroundings, in units of the contrast there."""
    stands_out = grey - cv2.GaussianBlur(grey, (0, 0), SURROUNDINGS_PX)
    contrast = cv2.GaussianBlur(stands_out**2, (0, 0), CONTRAST_PX)
    low, high = np.percentile(grey, (1, 99))
    least = np.float32(LEAST_CONTRAST * (high - low) + 1e-4)
    edges: Grey = stands_out / np.sqrt(contrast + least**2)
    return edges
