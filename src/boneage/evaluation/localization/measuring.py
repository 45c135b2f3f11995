"""How much of the anatomy lies in the boxes that the attention gave.

Two rectangles of each region are held against its anatomical target (see
:mod:`boneage.evaluation.localization.anatomical_target`): the *crop*, which is what the region
network is shown, and the bare *box* of the attention, before margin and squaring. For a
rectangle B and a target T, by areas:

- coverage = |T and B| / |T|, the share of the target that is inside;
- IoU = |T and B| / |T or B|;
- excess = 1 - |T and B| / |B|, the share of the rectangle that is something else;
- area ratio = |B| / |T|.

Metacarpals lie apart, so that even the tightest upright rectangle around them holds much else:
its IoU is reported too (``tight_iou``), the most any upright box could reach that misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import CARPAL, METACARPAL, Box, RegionDetection
from boneage.errors import DataError, WeightsError
from boneage.evaluation.localization.anatomical_target import (
    CARPUS,
    METACARPALS,
    HandAxes,
    Marks,
    Polygon,
    Proportions,
    axes_of,
    strip,
    targets,
)
from boneage.imaging.regions import RegionPlan, crop_box

CARPUS_FROM_POINTS = "carpus_from_points"
ALL_METACARPALS = "metacarpals"
TARGETS = (CARPUS, CARPUS_FROM_POINTS, ALL_METACARPALS, *METACARPALS)
"""What is reported; a film has one of the first two."""
REGION_OF: Mapping[str, str] = {
    target: CARPAL if target in (CARPUS, CARPUS_FROM_POINTS) else METACARPAL for target in TARGETS
}
"""Whose rectangle a target should lie in."""

FIGURES = ("coverage", "iou", "excess", "area_ratio")
RECTANGLES = ("crop", "box")
COLUMNS = tuple(f"{rectangle}_{figure}" for rectangle in RECTANGLES for figure in FIGURES)
RASTER_PX = 800
"""Longer side of the masks that areas are counted on, whatever the film's size."""

Mask: TypeAlias = npt.NDArray[np.bool_]
Outline: TypeAlias = list[list[float]]
"""Corners (along, across) in the hand's own axes."""


@dataclass(frozen=True)
class RegionMeasurement:
    """One film; a film that several readers marked has the mean over them. Plain values."""

    found: dict[str, bool]
    """Whether the attention stood out, by region; else the box is the fallback."""
    figures: dict[str, dict[str, float]]
    """By target: ``COLUMNS`` and ``tight_iou``."""
    distal_offset: float
    """How far the metacarpal crop's centre lies towards the fingers from the carpal crop's, along
    the hand's axis; wrist to third MCP joint = 1. Below 0: the wrong way round.
    """
    outlines: dict[str, Outline]
    """Crops (by region) and targets, in the hand's own axes."""

    @property
    def in_order(self) -> bool:
        """Whether the metacarpal crop lies distal of the carpal one."""
        return self.distal_offset > 0


def measure(
    detections: Sequence[RegionDetection],
    plan: RegionPlan,
    marks: Sequence[Marks],
    proportions: Proportions,
    film_size: tuple[int, int],
) -> RegionMeasurement:
    """Hold the regions found on one film against what its readers marked.

    ``plan`` says how boxes become crops; there is at least one reader's marks, as shares of the
    film; ``film_size`` is its height and width in pixels, in its true shape. A WeightsError when
    the weights find no carpal or no metacarpal region; a DataError when a marked region is empty or
    outside the film.
    """
    boxes = {detection.region: detection.box for detection in detections}
    for region in (CARPAL, METACARPAL):
        if region not in boxes:
            raise WeightsError(f"these weights find no {region} region, only {list(boxes)}")
    crops = {region: crop_box(box, plan, *film_size) for region, box in boxes.items()}
    each = [_by_one_reader(boxes, crops, mark, proportions, film_size) for mark in marks]
    figures, offsets, outlines = zip(*each, strict=True)
    return RegionMeasurement(
        found={detection.region: detection.attention_found for detection in detections},
        figures={
            target: {name: float(np.mean([one[target][name] for one in figures])) for name in names}
            for target, names in figures[0].items()
        },
        distal_offset=float(np.mean(offsets)),
        outlines={
            name: np.mean([one[name] for one in outlines], axis=0).tolist() for name in outlines[0]
        },
    )


def _by_one_reader(
    boxes: Mapping[str, Box],
    crops: Mapping[str, Box],
    marks: Marks,
    proportions: Proportions,
    film_size: tuple[int, int],
) -> tuple[dict[str, dict[str, float]], float, dict[str, Polygon]]:
    """Figures by target, the distal offset, and outlines in the hand's axes."""
    shapes = targets(marks, proportions, *film_size)
    polygons: dict[str, list[Polygon]] = {
        CARPUS if marks.boxes else CARPUS_FROM_POINTS: [shapes[CARPUS]],
        ALL_METACARPALS: [shapes[name] for name in METACARPALS],
        **{name: [shapes[name]] for name in METACARPALS},
    }
    figures = {
        target: _figures(parts, crops[REGION_OF[target]], boxes[REGION_OF[target]], film_size)
        for target, parts in polygons.items()
    }
    axes = axes_of(marks.scaled(*film_size), proportions.wrist_shift)
    corners = {region: _corners(crops[region]) for region in (CARPAL, METACARPAL)}
    carpal, metacarpal = (axes.to_hand(corners[r].mean(axis=0)) for r in (CARPAL, METACARPAL))
    outlines = {region: _box_outline(found, axes) for region, found in corners.items()}
    outlines |= {name: _strip_outline(shapes[name], axes) for name in METACARPALS}
    if marks.boxes:
        outlines[CARPUS] = _box_outline(shapes[CARPUS], axes)
    return figures, float(metacarpal[0] - carpal[0]), outlines


def _figures(
    polygons: Sequence[Polygon], crop: Box, box: Box, film_size: tuple[int, int]
) -> dict[str, float]:
    scale = RASTER_PX / max(film_size)
    shape = max(1, round(film_size[0] * scale)), max(1, round(film_size[1] * scale))
    target = filled(polygons, scale, shape)
    if not target.any():
        raise DataError("a marked region is empty or outside the radiograph")
    values = [*_compare(target, *_ends(crop, scale)), *_compare(target, *_ends(box, scale))]
    rows, cols = (np.flatnonzero(target.any(axis=axis)) for axis in (1, 0))
    tight = _compare(target, slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    return {**dict(zip(COLUMNS, values, strict=True)), "tight_iou": tight[FIGURES.index("iou")]}


def _compare(target: Mask, rows: slice, cols: slice) -> tuple[float, float, float, float]:
    """``FIGURES`` of a rectangle and a target that is not empty."""
    inside = int(target[rows, cols].sum())
    area, whole = int(target[rows, cols].size), int(target.sum())
    return inside / whole, inside / (area + whole - inside), 1 - inside / area, area / whole


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


def _ends(box: Box, scale: float) -> tuple[slice, slice]:
    top, left = round(box.min_row * scale), round(box.min_col * scale)
    bottom, right = round(box.max_row * scale), round(box.max_col * scale)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _corners(box: Box) -> Polygon:
    left, top, right, bottom = box.min_col, box.min_row, box.max_col, box.max_row
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def _box_outline(corners: Polygon, axes: HandAxes) -> Polygon:
    """Corners of a rectangle in the hand's axes, from the proximal ulnar one towards the fingers.

    Which comes first does not depend on how the hand lies on its film, so that
    the outlines of many films have a mean.
    """
    hand = axes.to_hand(corners)
    away = hand - hand.mean(axis=0)
    return hand[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]


def _strip_outline(corners: Polygon, axes: HandAxes) -> Polygon:
    """Corners of a metacarpal's rectangle in the hand's axes; a mirrored hand has the same."""
    hand = axes.to_hand(corners)
    return strip(hand[[0, 3]].mean(axis=0), hand[[1, 2]].mean(axis=0))
