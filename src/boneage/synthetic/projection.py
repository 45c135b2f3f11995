"""The place of a hand on its image: from mm to pixels, turned and centred."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boneage.domain.assessment import Box
from boneage.synthetic.outlines import Outline, place

FIELD_MM = (132.0, 0.58)
"""The height of an image whose hand is 0 mm long, and what is added for each mm:
a baby's hand fills half of its image, a grown one more than three quarters."""
FOREARM_SHARE = 0.26
"""Of the hand's length, that stays on the image however it is turned."""
MARGIN = 0.035
"""Of the image's sides, kept free around the hand."""


@dataclass(frozen=True)
class Projection:
    """An image's size in pixels, and the way from the hand's mm to them."""

    height: int
    width: int
    mm_per_px: float
    rotation_degrees: float
    """Clockwise, as one sees it."""
    centre_mm: tuple[float, float]
    """The point of the turned hand that lies in the image's middle."""

    def to_px(self, outline: Outline) -> Outline:
        """Carry points to the film: columns and rows, pixel edges at whole numbers."""
        x, y = (place(outline, (0, 0), self.rotation_degrees) - self.centre_mm).T
        cols, rows = self.width / 2 + x / self.mm_per_px, self.height / 2 - y / self.mm_per_px
        return np.stack([cols, rows], axis=1)

    def box(self, *outlines: Outline) -> Box | None:
        """Box the part of some outlines that is on the image; None when nothing is."""
        limit = (self.width, self.height)
        points = np.concatenate([_cut(self.to_px(outline), limit) for outline in outlines])
        if not len(points):
            return None
        low = np.clip(np.floor(points.min(axis=0)), 0, limit).astype(int)
        high = np.clip(np.ceil(points.max(axis=0)), 0, limit).astype(int)
        if np.any(high <= low):
            return None
        return Box(int(low[1]), int(low[0]), int(high[1]), int(high[0]))


def project_hand(
    flesh: Outline, hand_length_mm: float, height: int, width: int, rotation_degrees: float
) -> Projection:
    """Centre a hand and some of its forearm on an image, at life-like size where it fits."""
    hand = flesh[flesh[:, 1] >= -FOREARM_SHARE * hand_length_mm]
    turned = place(hand, (0, 0), rotation_degrees)
    low, high = turned.min(axis=0), turned.max(axis=0)
    room = np.array([width, height]) * (1 - 2 * MARGIN)
    usual = (FIELD_MM[0] + FIELD_MM[1] * hand_length_mm) / height
    middle = (low + high) / 2
    return Projection(
        height,
        width,
        max(usual, *((high - low) / room)),
        rotation_degrees,
        (float(middle[0]), float(middle[1])),
    )


def _cut(curve: Outline, limit: tuple[int, int]) -> Outline:
    """Cut a closed curve along the image's four edges (Sutherland and Hodgman)."""
    for axis in (0, 1):
        for edge, sign in ((0, 1.0), (limit[axis], -1.0)):
            inside = sign * (curve[:, axis] - edge)
            curve = _half(curve, inside)
    return curve


def _half(curve: Outline, inside: Outline) -> Outline:
    """The part of a closed curve whose points are ``inside`` by 0 or more."""
    after, after_inside = np.roll(curve, -1, axis=0), np.roll(inside, -1)
    crosses = (inside >= 0) != (after_inside >= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (inside / (inside - after_inside))[:, None]
        crossings = curve + share * (after - curve)
    keep = np.stack([inside >= 0, crosses], axis=1)
    part: Outline = np.stack([curve, crossings], axis=1)[keep]
    return part
