"""The region ruler: how much of the anatomy lies in the boxes that the attention gave.

Two rectangles of each region are held against its anatomical target (see
:mod:`boneage.evaluation.localization.anatomical_target`): the *crop*, which is what the
region network is shown, and the bare *box* of the attention, before margin and
squaring. For a rectangle B and a target T, by areas:

- coverage = |T and B| / |T|, the share of the target that is inside;
- IoU = |T and B| / |T or B|;
- excess = 1 - |T and B| / |B|, the share of the rectangle that is something else;
- area ratio = |B| / |T|.

Metacarpals lie apart, so that even the tightest upright rectangle around them
holds much else: its IoU is reported too (``tight_iou``), the most any upright
box could reach that misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boneage.domain.assessment import CARPAL, METACARPAL, Box, Look
from boneage.errors import DataError, WeightsError
from boneage.evaluation.localization.anatomical_target import (
    CARPUS,
    METACARPALS,
    Axes,
    Marks,
    Polygon,
    Proportions,
    axes_of,
    strip,
    targets,
)
from boneage.evaluation.localization.areas import compare, filled
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
RASTER_PX = 800
"""Longer side of the masks that areas are counted on, whatever the film's size."""

Outline: TypeAlias = list[list[float]]
"""Corners (along, across) in the hand's own axes; JSON-able."""


@dataclass(frozen=True)
class Measured:
    """One film; a film that several readers marked has the mean over them. JSON-able."""

    found: dict[str, bool]
    """Whether the attention stood out, by region; else the box is the fallback."""
    figures: dict[str, dict[str, float]]
    """By target: ``crop_coverage``, ``box_iou`` and the like, and ``tight_iou``."""
    distal_offset: float
    """How far the metacarpal crop's centre lies towards the fingers from the
    carpal crop's, along the hand's axis; wrist to third MCP joint = 1. Below 0:
    the wrong way round."""
    outlines: dict[str, Outline]
    """Crops (by region) and targets, in the hand's own axes."""

    @property
    def in_order(self) -> bool:
        """Whether the metacarpal crop lies distal of the carpal one."""
        return self.distal_offset > 0


def measure(
    looks: Sequence[Look],
    plan: RegionPlan,
    marks: Sequence[Marks],
    proportions: Proportions,
    film_size: tuple[int, int],
) -> Measured:
    """Hold the regions found on one film against what its readers marked.

    Parameters
    ----------
    looks : sequence of Look
        With a carpal and a metacarpal one.
    plan : RegionPlan
        How boxes become crops.
    marks : sequence of Marks
        As shares of the film; at least one.
    proportions : Proportions
    film_size : (height, width)
        Of the film the looks are of, in pixels, in its true shape.

    Raises
    ------
    WeightsError
        When they look for no carpal or no metacarpal region.
    DataError
        When a marked region is empty or outside the film.
    """
    boxes = {look.region: look.box for look in looks}
    for region in (CARPAL, METACARPAL):
        if region not in boxes:
            raise WeightsError(f"these weights look for no {region} region, only {list(boxes)}")
    crops = {region: crop_box(box, plan, *film_size) for region, box in boxes.items()}
    each = [_by_one_reader(boxes, crops, mark, proportions, film_size) for mark in marks]
    return Measured(
        found={look.region: look.attention_found for look in looks},
        figures={
            target: {
                name: float(np.mean([one.figures[target][name] for one in each]))
                for name in each[0].figures[target]
            }
            for target in each[0].figures
        },
        distal_offset=float(np.mean([one.distal_offset for one in each])),
        outlines={
            name: np.mean([one.outlines[name] for one in each], axis=0).tolist()
            for name in each[0].outlines
        },
    )


def _by_one_reader(
    boxes: Mapping[str, Box],
    crops: Mapping[str, Box],
    marks: Marks,
    proportions: Proportions,
    film_size: tuple[int, int],
) -> Measured:
    shapes = targets(marks, proportions, *film_size)
    carpus = CARPUS if marks.boxes else CARPUS_FROM_POINTS
    polygons: dict[str, list[Polygon]] = {
        carpus: [shapes[CARPUS]],
        ALL_METACARPALS: [shapes[name] for name in METACARPALS],
        **{name: [shapes[name]] for name in METACARPALS},
    }
    figures = {
        target: _figures(parts, crops[REGION_OF[target]], boxes[REGION_OF[target]], film_size)
        for target, parts in polygons.items()
    }
    axes = axes_of(marks.scaled(*film_size), proportions.wrist_shift)
    middles = {region: _corners(crop).mean(axis=0) for region, crop in crops.items()}
    offset = axes.to_hand(middles[METACARPAL]) - axes.to_hand(middles[CARPAL])
    outlines = {name: _box_outline(_corners(crops[name]), axes) for name in (CARPAL, METACARPAL)}
    outlines |= {name: _strip_outline(shapes[name], axes) for name in METACARPALS}
    if marks.boxes:
        outlines[CARPUS] = _box_outline(shapes[CARPUS], axes)
    return Measured({}, figures, float(offset[0]), outlines)


def _figures(
    polygons: Sequence[Polygon], crop: Box, box: Box, film_size: tuple[int, int]
) -> dict[str, float]:
    scale = RASTER_PX / max(film_size)
    shape = max(1, round(film_size[0] * scale)), max(1, round(film_size[1] * scale))
    target = filled(polygons, scale, shape)
    if not target.any():
        raise DataError("a marked region is empty or outside the film")
    figures: dict[str, float] = {}
    for name, rectangle in zip(RECTANGLES, (crop, box), strict=True):
        values = compare(target, *_ends(rectangle, scale))
        figures |= {
            f"{name}_{figure}": value for figure, value in zip(FIGURES, values, strict=True)
        }
    rows, cols = np.flatnonzero(target.any(axis=1)), np.flatnonzero(target.any(axis=0))
    tight = slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
    return {**figures, "tight_iou": compare(target, *tight)[1]}


def _ends(box: Box, scale: float) -> tuple[slice, slice]:
    top, left = round(box.min_row * scale), round(box.min_col * scale)
    bottom, right = round(box.max_row * scale), round(box.max_col * scale)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _corners(box: Box) -> Polygon:
    left, top, right, bottom = box.min_col, box.min_row, box.max_col, box.max_row
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)


def _box_outline(corners: Polygon, axes: Axes) -> Outline:
    """Corners of a rectangle in the hand's axes, from the proximal ulnar one towards the fingers.

    Which comes first does not depend on how the hand lies on its film, so that
    the outlines of many films have a mean.
    """
    hand = axes.to_hand(corners)
    away = hand - hand.mean(axis=0)
    ordered: Outline = hand[np.argsort(np.arctan2(away[:, 1], away[:, 0]))].tolist()
    return ordered


def _strip_outline(corners: Polygon, axes: Axes) -> Outline:
    """Corners of a metacarpal's rectangle in the hand's axes; a mirrored hand has the same."""
    hand = axes.to_hand(corners)
    outline: Outline = strip(hand[[0, 3]].mean(axis=0), hand[[1, 2]].mean(axis=0)).tolist()
    return outline
