"""The numbers of a grown hand.

A left hand, palm down: x in mm to the thumb, y in mm to the fingertips, from
the middle of the wrist joint; angles in degrees from y towards the thumb.
Measured roughly from textbook proportions, for looks only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Points: TypeAlias = tuple[tuple[float, float], ...]

ADULT_HAND_MM = 190.0
"""Of the hand that the tables below describe, wrist to fingertip."""


@dataclass(frozen=True)
class LongBone:
    """A tubular bone: lengths and widths in mm, joint to joint."""

    length: float
    base: float
    """Width at the end near the wrist."""
    waist: float
    head: float
    epiphysis_at: Literal["base", "head"] = "base"
    epiphysis: float = 0.14
    """Its height, growth plate included, as a share of the length."""

    def scaled(self, length_scale: float, width_scale: float) -> LongBone:
        """The same bone of a smaller hand."""
        return replace(
            self,
            length=self.length * length_scale,
            base=self.base * width_scale,
            waist=self.waist * width_scale,
            head=self.head * width_scale,
        )


@dataclass(frozen=True)
class ForearmBone:
    """The end of a bone that runs down and off the image, in mm."""

    plate_x: tuple[float, float]
    """Where its widest place, under the growth plate, begins and ends."""
    plate_y: float
    shaft_x: tuple[float, float]
    epiphysis: Points


METACARPAL: tuple[LongBone, ...] = (
    LongBone(46, 15.0, 10.0, 14.0, "base", 0.17),
    LongBone(68, 15.5, 7.5, 14.6, "head", 0.205),
    LongBone(65, 13.8, 7.6, 14.4, "head", 0.205),
    LongBone(58, 12.0, 6.5, 12.8, "head", 0.205),
    LongBone(52, 13.0, 7.0, 12.2, "head", 0.215),
)
METACARPAL_HEAD: Points = ((55, 59), (24, 97.5), (0, 97), (-19.5, 88), (-36.5, 77))
METACARPAL_ANGLE: tuple[float, ...] = (39, 8, -0.5, -8, -17)

PROXIMAL: tuple[LongBone, ...] = (
    LongBone(33, 15.5, 9.3, 12.5, epiphysis=0.19),
    LongBone(40, 16.0, 9.6, 12.3, epiphysis=0.145),
    LongBone(44.5, 15.8, 9.6, 12.4, epiphysis=0.14),
    LongBone(41, 15.4, 9.4, 12.0, epiphysis=0.14),
    LongBone(33, 13.4, 8.2, 10.2, epiphysis=0.155),
)
MIDDLE: tuple[LongBone, ...] = (
    LongBone(24, 13.6, 8.6, 11.0, epiphysis=0.18),
    LongBone(29, 14.2, 9.0, 11.4, epiphysis=0.165),
    LongBone(27, 13.6, 8.4, 10.8, epiphysis=0.17),
    LongBone(18.5, 11.6, 7.4, 9.2, epiphysis=0.21),
)
DISTAL: tuple[LongBone, ...] = (
    LongBone(22.5, 14.8, 7.0, 9.0, epiphysis=0.2),
    LongBone(17, 11.2, 4.8, 8.0, epiphysis=0.22),
    LongBone(18.5, 11.8, 5.0, 8.6, epiphysis=0.21),
    LongBone(18.2, 11.4, 5.0, 8.4, epiphysis=0.21),
    LongBone(16, 9.6, 4.2, 7.0, epiphysis=0.22),
)
FINGER_ANGLE: tuple[tuple[float, ...], ...] = (
    (53, 43),
    (9, 8, 5),
    (-1, -2.5, -4),
    (-11.5, -10.5, -9),
    (-25, -23, -19),
)
"""Of the phalanges, from the knuckle outwards."""

FOREARM_BONES: Mapping[str, ForearmBone] = {
    "radius": ForearmBone(
        (-14.2, 15.2), -10.5, (-11.5, 4.5),
        (
            (-14.5, -2.8), (-9.5, -3.4), (-2, -2.6), (6, -0.6), (13, 2.8), (17, 5.6), (18.2, 2.6),
            (17.2, -4.0), (15.6, -8.4), (8, -9.3), (0, -9.5), (-8, -9.2), (-14.0, -8.6),
        ),
    ),
    "ulna": ForearmBone(
        (-33.5, -18.2), -9.8, (-36.5, -27.0),
        (
            (-31.6, 1.0), (-29.2, 0.6), (-28.0, -2.2), (-24, -2.8), (-19.4, -3.0), (-17.6, -5.0),
            (-18.6, -8.2), (-25.0, -8.7), (-32.0, -8.3), (-33.0, -5.0),
        ),
    ),
}  # fmt: skip
FOREARM_MM = 600.0
"""Longer than any image shows."""

CARPAL: Mapping[str, Points] = {
    "capitate": (
        (-6.4, 29.6), (-1.0, 31.0), (4.8, 30.0), (6.0, 23.0), (5.6, 15.0), (2.6, 10.2),
        (-2.2, 9.8), (-5.8, 13.6), (-6.2, 21.0),
    ),
    "hamate": (
        (-19.6, 26.6), (-13.6, 29.8), (-8.0, 28.8), (-7.4, 20.5), (-8.6, 13.2), (-11.2, 13.6),
        (-17.0, 20.6),
    ),
    "triquetrum": (
        (-23.8, 19.8), (-18.6, 18.4), (-14.2, 13.2), (-14.8, 8.2), (-19.6, 5.4), (-25.0, 8.8),
        (-26.0, 15.0),
    ),
    "lunate": (
        (-15.0, 4.6), (-11.6, 9.4), (-6.4, 9.4), (-1.4, 7.2), (0.2, 1.4), (-5.4, -1.8),
        (-12.0, -0.8),
    ),
    "scaphoid": (
        (1.8, 2.0), (6.0, 0.4), (12.0, 4.0), (16.6, 10.8), (16.4, 16.2), (13.2, 18.4),
        (9.4, 15.4), (6.6, 10.6), (2.0, 8.2),
    ),
    "trapezium": (
        (17.6, 27.4), (20.4, 29.8), (23.6, 27.8), (27.4, 20.6), (26.0, 15.4), (21.4, 14.2),
        (17.4, 17.4), (16.8, 22.0),
    ),
    "trapezoid": (
        (7.4, 29.6), (12.0, 30.8), (16.6, 28.2), (16.6, 22.2), (13.2, 19.8), (8.8, 21.2),
        (7.0, 25.0),
    ),
    "pisiform": (
        (-26.0, 12.6), (-22.6, 15.6), (-18.4, 14.0), (-17.4, 9.4), (-20.4, 6.4), (-25.0, 8.0),
    ),
}  # fmt: skip
SESAMOID: Points = ((46.2, 64.6), (48.6, 66.8), (50.4, 64.6), (48.0, 62.2))

PALM: Points = (
    (30, -12), (30.5, 0), (37, 12), (49, 28), (60, 45), (66, 62), (60, 74), (49, 76), (41, 81),
    (37.5, 92), (37, 112), (14, 119), (-12, 117), (-36, 104), (-50, 90), (-48.5, 70), (-44, 50),
    (-38, 28), (-34, 10), (-33.5, -12),
)  # fmt: skip
FOREARM: Points = (
    (30, -8), (27.5, -35), (33, -80), (38, -125), (38, -FOREARM_MM), (-50, -FOREARM_MM),
    (-50, -125), (-44, -80), (-37.5, -35), (-33.5, -8),
)  # fmt: skip
FINGER_HALF_WIDTH_MM: tuple[tuple[float, ...], ...] = (
    (12.5, 11.5, 9.0),
    (11.0, 9.6, 8.6, 7.4),
    (11.2, 9.8, 8.8, 7.6),
    (10.8, 9.4, 8.4, 7.2),
    (9.8, 8.4, 7.4, 6.4),
)
"""Of the flesh, at the knuckle, at each joint, and near the tip."""
