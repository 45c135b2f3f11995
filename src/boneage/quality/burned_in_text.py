"""Burned-in text: letters in the pixels of an image, which may name the patient.

A line of text is a row of thin marks on one line, of about one height, each next to the
other. Bones, soft tissue and a single lead letter make no such row; how long a row images
without text can have is measured on training images (``boneage suitability``).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.imaging.components import connected_components

LONGEST_PX = 1000
"""Longer side at which text is searched for; the training images have about as much."""
STROKE_PX = 17
"""What is thinner, in one direction at least, may be a letter."""
STANDS_OUT = 0.25
"""By how much a letter differs from its surroundings, of black to white."""
LEAST_PX, MOST_PX = 7, 48
"""Height of a letter."""
WIDEST = 1.6
"""Width of a letter, in heights: two may touch."""
LEAST_INK = 0.12
"""Share of its box that a letter fills."""
LINE = 0.2
"""Of a height: how far the feet of two neighbours may be apart."""
SIZES = 0.3
"""Of a height: by how much the heights of two neighbours may differ."""
GAP, OVERLAP = 1.5, 0.2
"""Of a height: between two neighbours; a gap of this size is a space."""
MOST_MARKS = 400
"""More are texture, not text; the first ones, from the top, are used."""

Marks = npt.NDArray[np.float64]
"""Left, top, width, height of each mark, shape (n, 4)."""


def letters_in_a_row(pixels: Pixels) -> int:
    """Count the letter-like marks, bright or dark, in the longest row of them on an image."""
    scale = min(1.0, LONGEST_PX / max(pixels.shape))
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    grey = cv2.convertScaleAbs(pixels, alpha=255.0)
    if scale < 1:
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    kernel = np.ones((STROKE_PX, STROKE_PX), np.uint8)
    ways = (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)
    return max(_longest_row(_marks(cv2.morphologyEx(grey, way, kernel))) for way in ways)


def _marks(stands_out: npt.NDArray[np.uint8]) -> Marks:
    _, ink = cv2.threshold(stands_out, STANDS_OUT * 255, 1, cv2.THRESH_BINARY)
    found = connected_components(ink)
    width, height, area = found[:, 2], found[:, 3], found[:, 4]
    like_letters = (
        (height >= LEAST_PX)
        & (height <= MOST_PX)
        & (width <= WIDEST * height)
        & (area >= LEAST_INK * width * height)
    )
    marks: Marks = found[like_letters][:MOST_MARKS, :4].astype(np.float64)
    return np.asarray(marks[np.argsort(marks[:, 0], kind="stable")])


def _longest_row(marks: Marks) -> int:
    left, top, width, height = marks.T
    foot, right = top + height, left + width
    row = np.ones(len(marks), np.int64)
    """Up to this mark."""
    for place in range(1, len(marks)):
        tall = height[place]
        gap = left[place] - right[:place]
        neighbours = (
            (np.abs(foot[:place] - foot[place]) <= LINE * tall)
            & (np.abs(height[:place] - tall) <= SIZES * tall)
            & (gap <= GAP * tall)
            & (gap >= -OVERLAP * tall)
        )
        if neighbours.any():
            row[place] += row[:place][neighbours].max()
    return int(row.max(initial=0))
