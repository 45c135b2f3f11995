"""How alike two hands are, mirrored and as they are, and how their sizes compare.

A child's two hands are nearly mirror images of each other. One is mirrored, enlarged or
reduced, turned a little and moved over the other until their edges fit best.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.imaging.perturbations import tilted
from boneage.imaging.preparing import scaled

SIDE_PX = 96
"""Longest side of the images that are compared; both at one scale."""
LEAST_PX = 8
"""Of a side of a hand that is compared."""
LOG_SCALES = tuple(0.06 * step for step in range(-6, 7))
"""Natural logarithms of the scales that are tried for the second hand."""
EQUAL_LOG_SCALE = 0.07
"""Hands whose sizes differ by less are of the same size."""
TURNS_DEGREES = (-12.0, -6.0, 0.0, 6.0, 12.0)
SURROUNDINGS_PX, CONTRAST_PX = 4.0, 8.0
"""Sigmas of the surroundings of an edge, and of those that its contrast is measured in."""
LEAST_CONTRAST = 0.01
CANVAS = (2 * SIDE_PX, 2 * SIDE_PX)

Grey = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Likeness:
    """Correlations of the edges of two hands, at most 1."""

    mirrored: float
    """Of one hand and the mirror image of the other, in their own sizes."""
    resized: float
    """The same with the other one at the scale that fits best."""
    unmirrored: float
    """Of one hand and the other as it is, in their own sizes."""

    @property
    def gained(self) -> float:
        """How much better they fit at another scale; never below 0."""
        return self.resized - self.mirrored


def likeness_of(one: Pixels, other: Pixels) -> Likeness:
    """Compare two upright hands, cut from one image at one scale."""
    scale = SIDE_PX / max(*one.shape, *other.shape)
    first, second = (scaled(hand, scale, LEAST_PX) for hand in (one, other))
    spectrum = _spectrum(first)
    mirrored = {size: _best_fit(spectrum, second[:, ::-1], size) for size in LOG_SCALES}
    equal = [size for size in LOG_SCALES if abs(size) < EQUAL_LOG_SCALE]
    return Likeness(
        max(mirrored[size] for size in equal),
        max(mirrored.values()),
        max(_best_fit(spectrum, second, size) for size in equal),
    )


def _best_fit(spectrum: Spectrum, hand: Grey, log_scale: float) -> float:
    """The best correlation of a hand with another, in one size, turned and moved."""
    sized = scaled(hand, float(np.exp(log_scale)), LEAST_PX)
    spectra = (_spectrum(tilted(sized, degrees)) for degrees in TURNS_DEGREES)
    fits = (np.fft.irfft2(spectrum * np.conj(turned), CANVAS).max() for turned in spectra)
    return max(0.0, *map(float, fits))


def _spectrum(hand: Grey) -> Spectrum:
    """Of a hand's edges, normalised, on a canvas large enough for any shift."""
    edges = _edges(hand)[: CANVAS[0], : CANVAS[1]]
    return np.asarray(np.fft.rfft2(edges / max(float(np.linalg.norm(edges)), 1e-6), CANVAS))


def _edges(grey: Grey) -> Grey:
    """Differences from the surroundings, in units of the contrast there."""
    stands_out = grey - cv2.GaussianBlur(grey, (0, 0), SURROUNDINGS_PX)
    contrast = cv2.GaussianBlur(stands_out**2, (0, 0), CONTRAST_PX)
    low, high = np.percentile(grey, (1, 99))
    least = np.float32(LEAST_CONTRAST * (high - low) + 1e-4)
    return np.asarray(stands_out / np.sqrt(contrast + least**2))
