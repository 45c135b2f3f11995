"""Plain measures of an image's pixels: contrast, saturation, noise, sharpness.

The limits come from training images (``boneage suitability``).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Radiograph
from boneage.imaging.preparing import scaled

SAMPLE_PX = 60_000
"""Pixels that percentiles and shares are taken from, about."""
NOISE_PX = 320
"""Side of the part in the middle of the image that the noise is measured on."""
SHARP_PX = 512
"""Longer side at which sharpness is measured: twice what the attention network sees."""
LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Difference of two second derivatives: it suppresses edges and keeps noise.
Immerkær, Computer Vision and Image Understanding 1996;64:300–302."""
LAPLACIAN_NORM = 6.0
MAD = 0.6745
"""Median of the absolute values of a standard normal variable."""
FINE, COARSE = 1.0, 4.0
"""Standard deviations, in pixels at ``SHARP_PX``, between which edges are compared."""
TINY = 1e-6


@dataclass(frozen=True)
class ImageQuality:
    """Measures of one image; each is 0 or more."""

    contrast: float
    """Grey levels that occur from the 1st to the 99th percentile, as a share of the 256 of 8 bits,
    at most 1: independent of any linear scale."""
    white: float
    """Share of white pixels, to half a grey level of 8 bits."""
    noise: float
    """Standard deviation of pixel noise, as a share of ``contrast``."""
    sharpness: float
    """Fine detail over coarse: the ratio of two standard deviations."""


def quality_of(radiograph: Radiograph, orientation: Orientation, pixels: Pixels) -> ImageQuality:
    """Measure the analysed part of an image: ``pixels``, of ``imaging.collimation.analysed``."""
    return measure(pixels, grey_levels(radiograph.pixels[orientation.field.slices]))


def grey_levels(pixels: Pixels) -> int:
    """Count the 1st to 99th percentile's grey levels of a file's own pixels."""
    step = max(1, int(np.sqrt(pixels.size / SAMPLE_PX)))
    ordered = np.sort(pixels[::step, ::step], axis=None)
    low, high = (round(percent / 100 * (ordered.size - 1)) for percent in (1, 99))
    return 1 + int(np.count_nonzero(np.diff(ordered[low : high + 1])))


def measure(pixels: Pixels, levels: int) -> ImageQuality:
    """Measure an image without its border, with its number of ``grey_levels``."""
    step = max(1, int(np.sqrt(pixels.size / SAMPLE_PX)))
    sample = pixels[::step, ::step]
    low, high = np.percentile(np.sort(sample, axis=None), (1.0, 99.0))
    contrast = float(high - low)
    return ImageQuality(
        contrast=min(1.0, (levels - 1) / 255),
        white=float((sample >= 1 - 0.5 / 255).mean()),
        noise=_noise(pixels) / max(contrast, TINY),
        sharpness=_sharpness(pixels),
    )


def _noise(pixels: Pixels) -> float:
    height, width = pixels.shape
    top, left = max(0, (height - NOISE_PX) // 2), max(0, (width - NOISE_PX) // 2)
    middle = np.ascontiguousarray(pixels[top : top + NOISE_PX, left : left + NOISE_PX])
    if min(middle.shape) < 3:
        return 0.0
    rough = cv2.filter2D(middle, cv2.CV_32F, LAPLACIAN)[1:-1, 1:-1]
    # NumPy finds the median of sorted values in a third of the time.
    return float(np.median(np.sort(np.abs(rough), axis=None))) / MAD / LAPLACIAN_NORM


def _sharpness(pixels: Pixels) -> float:
    image = scaled(pixels, SHARP_PX / max(pixels.shape))
    fine = cv2.GaussianBlur(image, (0, 0), FINE)
    coarse = cv2.GaussianBlur(image, (0, 0), COARSE)
    return float((image - fine).std()) / max(float((fine - coarse).std()), TINY)
