"""The bones of the wrist: carpal bones, sesamoid, radius and ulna."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from boneage.synthetic import anatomy, maturity, outlines
from boneage.synthetic.anatomy import ForearmBone
from boneage.synthetic.bone import Bone, bridge
from boneage.synthetic.growth import Growth
from boneage.synthetic.outlines import Outline

# Below the end plate, in mm of the grown hand, a forearm bone narrows by these
# shares of the way to its shaft's width.
TAPER_DEPTH_MM = np.array([0.3, 1.2, 3, 9, 18, 30, 44, 60, anatomy.FOREARM_MM])
TAPER = np.array([0.10, 0.03, 0.04, 0.24, 0.60, 0.84, 0.95, 1, 1])
AXIS_MM = 110.0
"""Of the grown forearm; the middle of this has the thickest compact bone."""
FULL_SIZE = 1.09
"""Grown carpal bones leave less room between them than the table's corners do."""
SIZE_POWER = 0.6
"""Small bones grow fast at first."""
BROADEST = 1.12
"""A child's radius and ulna are plump, but not so that they meet."""


def small_bones(growth: Growth) -> Iterator[Bone]:
    """Build the carpal bones and the sesamoid as far as they are to be seen."""
    for name in (*anatomy.CARPAL, maturity.SESAMOID):
        centre = growth.centres[name]
        if not centre.visible:
            continue
        outline = _small_bone(name, centre.size, growth)
        middle = outlines.centroid(outline)
        yield Bone(
            name,
            outline,
            thickness_mm=min(15.5 * growth.scale, float(np.ptp(outline, axis=0).min())),
            cortex_mm=0.6 * growth.scale,
            axis=np.array([middle, middle + np.array([0.0, 10.0])]),
            tubular=False,
        )


def carpus(growth: Growth) -> Outline:
    """Where the eight carpal bones will be once they are grown, as one list of points."""
    return np.concatenate([_small_bone(name, 1.0, growth) for name in anatomy.CARPAL])


def _small_bone(name: str, size: float, growth: Growth) -> Outline:
    corners = {**anatomy.CARPAL, maturity.SESAMOID: anatomy.SESAMOID}[name]
    full = outlines.smooth(np.asarray(corners) * growth.scale)
    return outlines.round_off(full, FULL_SIZE * size**SIZE_POWER)


def forearm_bone(name: str, adult: ForearmBone, growth: Growth) -> Bone:
    """Build the radius or the ulna, down to below the film."""
    centre = growth.centres[name]
    body = _broadened(_forearm_shaft(adult) * growth.scale, growth)
    epiphysis = plate = None
    if centre.visible:
        full = outlines.smooth(_broadened(np.asarray(adult.epiphysis) * growth.scale, growth))
        epiphysis = outlines.round_off(full, 0.97 * min(centre.size, 1.03))
        plate = bridge(body, epiphysis, 3.0 * growth.scale)
    left, right = adult.shaft_x
    wide = (right - left) * growth.width_scale
    top = np.array([(left + right) / 2, adult.plate_y])
    return Bone(
        name,
        body,
        thickness_mm=1.2 * wide,
        cortex_mm=wide * (0.19 - 0.03 * growth.youth),
        axis=np.array([top, top - (0.0, AXIS_MM)]) * growth.scale,
        epiphysis=epiphysis,
        fused=centre.fused,
        plate=plate,
    )


def _forearm_shaft(adult: ForearmBone) -> Outline:
    """Outline a grown shaft: a slightly bowed end, then two sides drawing in."""
    left, right = adult.plate_x
    across = np.linspace(-0.8, 0.8, 9)
    x = (left + right) / 2 + across * (right - left) / 2
    end = np.stack([x, adult.plate_y + 0.8 * (0.64 - across**2)], axis=1)
    y = adult.plate_y - TAPER_DEPTH_MM
    left_side, right_side = (
        np.stack([edge + (shaft - edge) * TAPER, y], axis=1)
        for edge, shaft in zip(adult.plate_x, adult.shaft_x, strict=True)
    )
    return np.concatenate([end, right_side, left_side[::-1]])


def _broadened(outline: Outline, growth: Growth) -> Outline:
    middle = (outline[:, 0].min() + outline[:, 0].max()) / 2
    more = min(growth.width_scale / growth.scale, BROADEST)
    return np.stack([middle + (outline[:, 0] - middle) * more, outline[:, 1]], axis=1)
