"""The numbers of a grown hand, from ``anatomy.toml``, which says how they are measured."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from boneage.storage.typed import shipped_toml

Points: TypeAlias = tuple[tuple[float, float], ...]

ADULT_HAND_MM = 190.0
"""Of the hand that the table describes, wrist to fingertip."""
FOREARM_MM = 600.0
"""Longer than any image shows."""


class LongBone(msgspec.Struct, frozen=True, array_like=True):
    """A tubular bone: lengths and widths in mm, joint to joint."""

    length: float
    base: float
    """Width at the end near the wrist."""
    waist: float
    head: float
    epiphysis_at: Literal["base", "head"]
    epiphysis: float
    """Its height, growth plate included, as a share of the length."""

    def scaled(self, length: float, width: float) -> LongBone:
        widths = self.base * width, self.waist * width, self.head * width
        return LongBone(self.length * length, *widths, self.epiphysis_at, self.epiphysis)


class ForearmBone(msgspec.Struct, frozen=True):
    """The end of a bone that runs down and off the image, in mm."""

    plate_x: tuple[float, float]
    """Where its widest place, under the growth plate, begins and ends."""
    plate_y: float
    shaft_x: tuple[float, float]
    epiphysis: Points


class Hand(msgspec.Struct, frozen=True):
    """A grown hand."""

    metacarpal_heads: Points
    metacarpal_angles: tuple[float, ...]
    finger_angles: tuple[tuple[float, ...], ...]
    finger_half_widths: tuple[tuple[float, ...], ...]
    sesamoid: Points
    palm: Points
    forearm: Points
    metacarpal: tuple[LongBone, ...]
    proximal: tuple[LongBone, ...]
    middle: tuple[LongBone, ...]
    distal: tuple[LongBone, ...]
    carpal: dict[str, Points]
    forearm_bones: dict[str, ForearmBone]


ADULT = msgspec.convert(shipped_toml("boneage.synthetic", "anatomy.toml"), Hand)
