"""The outlines of bones, smooth closed curves in mm, and their place on an image, in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import Box
from boneage.synthetic.anatomy import LongBone

Outline: TypeAlias = npt.NDArray[np.float64]
"""A closed curve, shape (points, 2): x to the thumb, y to the fingertips."""

STEPS = 6
"""Points of a smoothed curve for each one given."""
BASE_FLARE, HEAD_FLARE = 0.56, 0.42
"""Of a shaft's length, over which each end widens."""
FIELD_MM = (132.0, 0.58)
"""The height of an image whose hand is 0 mm long, and what is added for each mm:
a baby's hand fills half of its image, a grown one more than three quarters."""
FOREARM_SHARE = 0.26
"""Of the hand's length, that stays on the image however it is turned."""
MARGIN = 0.035
"""Of the image's sides, kept free around the hand."""


@dataclass(frozen=True)
class Ends:
    """How a shaft ends."""

    base_bow: float = 0.0
    head_bow: float = 0.0
    """How far it bows out, as a share of its width there."""
    roundness: float = 0.12
    """How much of its width its corners take off."""
    tuft: bool = False


def smooth(corners: npt.ArrayLike) -> Outline:
    """Draw a closed Catmull-Rom curve through some points."""
    points = np.asarray(corners, dtype=np.float64)
    before, after, beyond = (np.roll(points, shift, axis=0) for shift in (1, -1, -2))
    t = (np.arange(STEPS) / STEPS)[:, None, None]
    curve = 0.5 * (
        2 * points
        + (after - before) * t
        + (2 * before - 5 * points + 4 * after - beyond) * t**2
        + (3 * (points - after) + beyond - before) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def round_off(outline: Outline, size: float) -> Outline:
    """Shrink an outline to a share of its size, and the smaller the rounder."""
    middle = centroid(outline)
    spokes = outline - middle
    half = (outline.max(axis=0) - outline.min(axis=0)) / 2
    reach = np.hypot(*(spokes / half).T)[:, None]
    roundness = np.clip(1.7 * (1 - size), 0.0, 0.85)
    return np.asarray(middle + spokes * size * (1 - roundness + roundness * 0.92 / reach))


def centroid(outline: Outline) -> Outline:
    """The middle of the area inside a curve."""
    x, y = outline.T
    after_x, after_y = np.roll(x, -1), np.roll(y, -1)
    cross = x * after_y - after_x * y
    weights = cross / (3 * cross.sum())
    return np.array([((x + after_x) * weights).sum(), ((y + after_y) * weights).sum()])


def shaft(bone: LongBone, low: float, high: float, ends: Ends) -> Outline:
    """Outline the shaft of a bone along y, from ``low`` to ``high`` mm of its length."""
    along = np.linspace(0.0, 1.0, 33)
    base = np.clip(1 - along / BASE_FLARE, 0, 1) ** 2.2
    head = np.clip(1 - (1 - along) / HEAD_FLARE, 0, 1) ** 2
    half = (bone.waist + (bone.base - bone.waist) * base + (bone.head - bone.waist) * head) / 2
    # The corners of the ends are round; the tip of a last phalanx is a tuft.
    half *= 1 - ends.roundness * np.exp(-along / 0.03)
    if ends.tuft:
        half *= np.sqrt(np.clip((1 - along) / 0.2, 0.0, 1.0) + 0.02)
    else:
        half *= 1 - 1.6 * ends.roundness * np.exp(-(1 - along) / (0.02 + 0.1 * ends.roundness))
    y = low + along * (high - low)
    across = np.linspace(1.0, -1.0, 13)[1:-1]
    bow = (1 - across**2)[:, None]
    foot = np.stack([-across * half[0], low - bow[:, 0] * ends.base_bow * bone.base], axis=1)
    top = np.stack([across * half[-1], high + bow[:, 0] * ends.head_bow * bone.head], axis=1)
    right, left = np.stack([half, y], axis=1), np.stack([-half, y], axis=1)[::-1]
    return np.concatenate([right, top, left, foot])


def disc(width: float, low: float, high: float, size: float) -> Outline:
    """Outline the epiphysis of a phalanx: round when small, a bar across y when grown."""
    x, y = _superellipse(2.0 + 1.0 * size)
    return np.stack([x * width / 2, (low + high) / 2 + y * (high - low) / 2], axis=1)


def dome(width: float, low: float, high: float, size: float) -> Outline:
    """Outline the epiphysis of a metacarpal's head, with its flat side at ``high``."""
    x, y = _superellipse(2.0 + 0.5 * size)
    flat = 1 - 0.62 * size
    y = np.where(y > 0, y * flat, y)
    x = x * (1 - 0.10 * size * np.clip(-y, 0, 1))
    y = (y + 1) / (1 + flat)
    return np.stack([x * width / 2, low + y * (high - low)], axis=1)


def _superellipse(squareness: float) -> tuple[Outline, Outline]:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    x, y = (np.sign(v) * np.abs(v) ** (2 / squareness) for v in (np.cos(angle), np.sin(angle)))
    return x, y


def box(width: float, low: float, high: float) -> Outline:
    half = width / 2
    return np.array([[-half, low], [half, low], [half, high], [-half, high]])


def bend_edges(outline: Outline, by: float) -> Outline:
    """Move the left and right edges of an outline by some mm along y: how a cap sits."""
    x = outline[:, 0]
    edge = np.clip(np.abs(x) / np.abs(x).max(), 0, 1) ** 4
    return np.asarray(outline + np.stack([np.zeros_like(x), by * edge], axis=1))


def place(outline: Outline, origin: npt.ArrayLike, angle_degrees: float) -> Outline:
    """Turn an outline about (0, 0), towards the thumb, and move it to ``origin``."""
    turn = np.deg2rad(angle_degrees)
    x, y = outline.T
    turned = np.stack(
        [x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)], axis=1
    )
    return np.asarray(turned + np.asarray(origin, dtype=np.float64))


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
    return np.asarray(np.stack([curve, crossings], axis=1)[keep])
