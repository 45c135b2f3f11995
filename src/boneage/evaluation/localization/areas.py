"""Areas of polygons and rectangles, counted on a raster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.evaluation.localization.anatomical_target import Polygon

Mask: TypeAlias = npt.NDArray[np.bool_]


def filled(polygons: Sequence[Polygon], scale: float, shape: tuple[int, int]) -> Mask:
    """The union of convex polygons as a mask of ``shape``, after scaling them.

    A pixel is in when its middle is; what lies outside the mask is lost.
    """
    mask = np.zeros(shape, dtype=bool)
    for polygon in polygons:
        _fill(mask, polygon * scale)
    return mask


def _fill(mask: Mask, polygon: Polygon) -> None:
    limits = mask.shape[::-1]
    left, top = np.clip(np.floor(polygon.min(axis=0)), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(polygon.max(axis=0)), 0, limits).astype(int)
    x = np.arange(left, right) + 0.5
    y = np.arange(top, bottom)[:, np.newaxis] + 0.5
    edges = np.roll(polygon, -1, axis=0) - polygon
    # On which side of every edge the middle lies: the same one inside.
    middle = polygon.mean(axis=0)
    inside = np.ones((len(y), x.size), dtype=bool)
    for (col, row), (across, down) in zip(polygon, edges, strict=True):
        side = across * (middle[1] - row) - down * (middle[0] - col)
        inside &= np.sign(side) * (across * (y - row) - down * (x - col)) >= 0
    mask[top:bottom, left:right] |= inside


def compare(target: Mask, rows: slice, cols: slice) -> tuple[float, float, float, float]:
    """Coverage, IoU, excess and area ratio of a rectangle and a target that is not empty."""
    inside = int(target[rows, cols].sum())
    area, whole = int(target[rows, cols].size), int(target.sum())
    return inside / whole, inside / (area + whole - inside), 1 - inside / area, area / whole
