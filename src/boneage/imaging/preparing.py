"""Preparation of an image for a network: stretch, CLAHE, resize.

Every parameter comes from the profile, so that training and inference prepare images in exactly
the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import Box
from boneage.domain.geometry import Edges
from boneage.domain.radiograph import Pixels

Canvas: TypeAlias = npt.NDArray[np.uint8]
"""A prepared image, shape (rows, columns), 0 (black) to 255 (white)."""

LEAST_BLUR_PX = 0.2
"""Standard deviation below which a blur changes nothing."""
LONGEST_PX = 1500
"""Longer side beyond which an image is reduced first: no training image is larger, and no network
uses as much detail."""
STRETCH_SAMPLE_PX = 250_000
"""Percentiles of more pixels differ by less than half a grey level."""


class Preparation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How images are prepared; see METHOD section 3 for the reference values."""

    stretch_percentiles: tuple[float, float] = (1.0, 99.0)
    clahe_clip_limit: float = 2.0
    """0 for no CLAHE."""
    clahe_tiles: int = 64
    """Tiles along each side."""
    fit: Literal["squeeze", "pad"] = "squeeze"
    """Squeeze the image to the input's shape, or keep its shape and pad."""
    antialias: bool = False
    """Average before a large reduction, so that images of 800 and of 3,000 rows are alike at the
    network's resolution."""
    smooth: bool = False
    """Blur before any reduction, as much as it needs, and resample between pixels: a slightly
    larger image or crop then gives a slightly different result."""


@dataclass(frozen=True)
class Placement:
    """The place of an image on a canvas, in canvas pixels."""

    top: int
    left: int
    height: int
    width: int

    def to_film(self, box: Box, film_height: int, film_width: int) -> Box:
        """Carry a box from pixels of the placed image to the image's own pixels."""
        return self.edges_on_film(box.edges, film_height, film_width).within(
            film_height, film_width
        )

    def edges_on_film(self, edges: Edges, film_height: int, film_width: int) -> Edges:
        """Carry a rectangle from pixels of the placed image to the image's own."""
        return edges.scaled(film_height / self.height, film_width / self.width)

    def edges_on_canvas(self, edges: Edges, film_height: int, film_width: int) -> Edges:
        """Carry a rectangle from the image's pixels to those of the canvas."""
        on_image = edges.scaled(self.height / film_height, self.width / film_width)
        return Edges(
            self.top + on_image.top,
            self.left + on_image.left,
            self.top + on_image.bottom,
            self.left + on_image.right,
        )

    def to_canvas(self, box: Box, film_height: int, film_width: int) -> Box:
        """Carry a box from the image's pixels to canvas pixels, rounded outwards."""
        # In whole numbers: 91 * (50 / 91) is a little more than 50.
        return Box(
            self.top + box.min_row * self.height // film_height,
            self.left + box.min_col * self.width // film_width,
            self.top - (-box.max_row * self.height // film_height),
            self.left - (-box.max_col * self.width // film_width),
        )


def reduced(pixels: Pixels) -> Pixels:
    """Reduce a large image to ``LONGEST_PX``, each pixel the mean of those it replaces."""
    scale = LONGEST_PX / max(pixels.shape)
    return pixels if scale >= 1 else scaled(pixels, scale)


def scaled(pixels: Pixels, scale: float, least_px: int = 1) -> Pixels:
    """Reduce or enlarge an image; no side becomes shorter than ``least_px``."""
    size = [max(least_px, round(side * scale)) for side in pixels.shape[::-1]]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=way))


def stretch(pixels: Pixels, percentiles: tuple[float, float] = (1.0, 99.0)) -> Pixels:
    """Map the given percentiles of an image, or else its ends, to 0 and 1, clipped; idempotent."""
    step = max(1, math.isqrt(pixels.size // STRETCH_SAMPLE_PX))
    low, high = occurring_percentiles(pixels[::step, ::step], percentiles)
    if high <= low:
        low, high = pixels.min(), pixels.max()
    if high <= low:
        return np.zeros_like(pixels)
    scale = np.float32(1.0 / (high - low))
    stretched: Pixels = pixels - np.float32(low)
    stretched *= scale
    np.clip(stretched, 0.0, 1.0, out=stretched)
    return stretched


def occurring_percentiles(
    pixels: Pixels, percentiles: tuple[float, float]
) -> tuple[np.float32, np.float32]:
    """Percentiles among the grey levels that occur: the inverse of their distribution.

    Interpolated percentiles would move when the values beyond them are clipped.
    NumPy's ``percentile(method="inverted_cdf")`` gives the same; sorting takes it a sixth of
    the time.
    """
    ordered = np.sort(pixels, axis=None)
    low, high = (
        ordered[max(0, math.ceil(percent / 100 * ordered.size) - 1)] for percent in percentiles
    )
    return low, high


def normalise_contrast(pixels: Pixels, preparation: Preparation) -> Canvas:
    """Stretch an image and apply CLAHE, at the image's own resolution."""
    stretched = stretch(pixels, preparation.stretch_percentiles)
    # A little more than rounding: images of few greys have many values halfway between two levels,
    # whose rounding must not depend on the last bit of a float.
    grey: Canvas = cv2.convertScaleAbs(stretched, alpha=255.0, beta=0.01)
    if preparation.clahe_clip_limit <= 0:
        return grey
    tiles = (preparation.clahe_tiles, preparation.clahe_tiles)
    clahe = cv2.createCLAHE(clipLimit=preparation.clahe_clip_limit, tileGridSize=tiles)
    return np.asarray(clahe.apply(grey))


def placement(film_height: float, film_width: float, size: tuple[int, int], fit: str) -> Placement:
    """Place an image of this shape on a canvas of ``size`` (rows, columns)."""
    rows, cols = size
    if fit == "squeeze":
        return Placement(0, 0, rows, cols)
    scale = min(rows / film_height, cols / film_width)
    height = min(rows, max(1, round(film_height * scale)))
    width = min(cols, max(1, round(film_width * scale)))
    return Placement((rows - height) // 2, (cols - width) // 2, height, width)


def resize(grey: Canvas, height: int, width: int, *, antialias: bool) -> Canvas:
    """Bicubic resize, edges replicated."""
    if antialias:
        factor = min(grey.shape[0] // height, grey.shape[1] // width)
        if factor >= 2:
            rows, cols = grey.shape[0] // factor, grey.shape[1] // factor
            grey = cv2.resize(grey, (cols, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_CUBIC))


def resampled(grey: Canvas, part: Edges, size: tuple[int, int], preparation: Preparation) -> Canvas:
    """Bring a part of a normalised image to a size; beyond it, if smooth, its edge repeats."""
    if not preparation.smooth:
        whole = part.within(*grey.shape)
        pixels = grey[whole.slices]
        return resize(np.ascontiguousarray(pixels), *size, antialias=preparation.antialias)
    rows, cols = part.height / size[0], part.width / size[1]
    reach_rows, reach_cols = (math.ceil(3 * each) + 2 for each in (rows, cols))
    top, left = max(0, int(part.top) - reach_rows), max(0, int(part.left) - reach_cols)
    bottom, right = math.ceil(part.bottom) + reach_rows, math.ceil(part.right) + reach_cols
    around = grey[top:bottom, left:right]
    # A pixel of the result is the mean of those that it replaces: a box of n pixels has a variance
    # of (n^2 - 1) / 12; bicubic resampling needs three times as much.
    spread_rows, spread_cols = (math.sqrt(max(0.0, each**2 - 1)) / 2 for each in (rows, cols))
    if max(spread_rows, spread_cols) > LEAST_BLUR_PX:
        around = cv2.GaussianBlur(
            around,
            (0, 0),
            sigmaX=max(spread_cols, LEAST_BLUR_PX),
            sigmaY=max(spread_rows, LEAST_BLUR_PX),
            borderType=cv2.BORDER_REPLICATE,
        )
    # Centres of pixels are whole numbers for OpenCV, edges half a pixel before.
    onto = np.array(
        [
            [cols, 0.0, part.left - left + cols / 2 - 0.5],
            [0.0, rows, part.top - top + rows / 2 - 0.5],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            around,
            onto,
            (size[1], size[0]),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def put_on_canvas(
    normalised: Canvas, size: tuple[int, int], place: Placement, preparation: Preparation
) -> Canvas:
    """Resize a normalised image to its placement and replicate its edges around it."""
    whole = Edges(0, 0, *normalised.shape[:2])
    placed = resampled(normalised, whole, (place.height, place.width), preparation)
    bottom = size[0] - place.top - place.height
    right = size[1] - place.left - place.width
    return np.asarray(
        cv2.copyMakeBorder(placed, place.top, bottom, place.left, right, cv2.BORDER_REPLICATE)
    )
