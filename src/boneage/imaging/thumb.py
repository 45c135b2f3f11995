"""The side of an upright hand that its thumb is on.

A linear function of the hand's edges by direction, cell by cell. It was fitted to training
images and their mirror images (``tools/both_hands/fit_thumb_side.py``), so that the mirror image
of a hand gives the same number with the other sign.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.storage.delimited import shipped_rows

SIDE_PX, CELLS, DIRECTIONS = 96, 8, 9
"""Side of the square that a hand is reduced to, its cells along each side, and the directions
of an edge between 0 and 180 degrees."""
PERCENTILES = (2.0, 98.0)
FINE_PX, SURROUNDINGS_PX, CONTRAST_PX = 1.0, 6.0, 10.0
"""Sigmas: of noise, of what an edge stands out from, and of what its contrast is measured in."""
LEAST_CONTRAST = 0.03
TABLE = "thumb_side.csv"
TABLE_COLUMNS = ("row", "column", "direction", "weight")

Edges = npt.NDArray[np.float32]
"""Shape (cells, cells, directions)."""


def thumb_side(pixels: Pixels) -> float:
    """Give the side of the thumb of one upright hand: about 1 for the right, -1 for the left."""
    return float((edge_directions(pixels) * _weights()).sum())


def edge_directions(pixels: Pixels) -> Edges:
    """Sum up the edges of a hand by cell and direction."""
    small = cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    low, high = np.percentile(small, PERCENTILES)
    grey = np.clip((small - low) / max(high - low, 1e-3), 0, 1).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), FINE_PX)
    stands_out = grey - cv2.GaussianBlur(grey, (0, 0), SURROUNDINGS_PX)
    contrast = np.sqrt(cv2.GaussianBlur(stands_out**2, (0, 0), CONTRAST_PX))
    even = stands_out / np.hypot(contrast, np.float32(LEAST_CONTRAST))
    across, down = (cv2.Sobel(even, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    strength = np.hypot(across, down)
    direction = (np.arctan2(down, across) % np.pi) * (DIRECTIONS / np.pi)
    # Each edge counts for the two directions that it is between.
    below = np.floor(direction)
    share = direction - below
    cells = []
    for number in range(DIRECTIONS):
        part = (1 - share) * (below % DIRECTIONS == number)
        part += share * ((below + 1) % DIRECTIONS == number)
        weighted = (strength * part).astype(np.float32)
        cells.append(cv2.resize(weighted, (CELLS, CELLS), interpolation=cv2.INTER_AREA))
    summed = np.stack(cells, axis=-1)
    return np.asarray(np.sqrt(summed / (np.linalg.norm(summed) + np.float32(1e-6))))


def mirrored(edges: Edges) -> Edges:
    """Give the edges of the mirror image."""
    return edges[:, ::-1, -np.arange(DIRECTIONS) % DIRECTIONS]


@cache
def _weights() -> Edges:
    weights = np.zeros((CELLS, CELLS, DIRECTIONS), np.float32)
    for row in shipped_rows(files("boneage.imaging") / TABLE):
        cell = int(row["row"]), int(row["column"]), int(row["direction"])
        weights[cell] = float(row["weight"])
    return weights
