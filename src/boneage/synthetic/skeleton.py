"""The bones of a whole hand, each grown and fused as its age requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from boneage.synthetic import maturity, outlines
from boneage.synthetic.anatomy import ADULT, FOREARM_MM, ForearmBone, LongBone
from boneage.synthetic.maturity import GrowthCentre, HandGrowth
from boneage.synthetic.outlines import Ends, Outline

FINGERS = range(1, 6)
FAN_JITTER_DEGREES = 2.0
"""The standard deviation of each finger's spread: no two hands are alike."""
MOST_JITTER_DEGREES = 5.0
"""Fingers that are turned further would cross."""

# Below the end plate, in mm of the grown hand, a forearm bone narrows by these
# shares of the way to its shaft's width.
TAPER_DEPTH_MM = np.array([0.3, 1.2, 3, 9, 18, 30, 44, 60, FOREARM_MM])
TAPER = np.array([0.10, 0.03, 0.04, 0.24, 0.60, 0.84, 0.95, 1, 1])
AXIS_MM = 110.0
"""Of the grown forearm; the middle of this has the thickest compact bone."""
FULL_SIZE = 1.09
"""Grown carpal bones leave less room between them than the table's corners do."""
SIZE_POWER = 0.6
"""Small bones grow fast at first."""
BROADEST = 1.12
"""A child's radius and ulna are plump, but not so that they meet."""


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone, its outlines in mm."""

    name: str
    shaft: Outline
    """Or all of a small bone."""
    thickness_mm: float
    """From palm to back, where it is thickest."""
    cortex_mm: float
    """In the middle of the shaft; the ends have less."""
    axis: Outline
    """The shaft's ends, shape (2, 2); the bone's texture runs along it."""
    tubular: bool = True
    epiphysis: Outline | None = None
    """Once it is to be seen."""
    fused: float = 0.0
    """How much of the growth plate is bone: 0 none, 1 all."""
    plate: Outline | None = None
    """What is filled when the growth plate is bone."""

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """Of the parts that an image shows."""
        return (self.shaft,) if self.epiphysis is None else (self.shaft, self.epiphysis)


@dataclass(frozen=True, eq=False)
class Finger:
    """One finger with its metacarpal."""

    bones: tuple[Bone, ...]
    joints: Outline
    """Knuckle, joints and tip, shape (3 or 4, 2), mm."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The bones of one hand, in mm, and what its flesh goes by."""

    bones: Mapping[str, Bone]
    """Those to be seen, by name."""
    fingers: tuple[Finger, ...]
    """From the thumb."""
    carpus: Outline
    """Where the eight carpal bones are or will be."""
    growth: HandGrowth


def build_skeleton(growth: HandGrowth, rng: np.random.Generator) -> Skeleton:
    spread = np.clip(
        rng.normal(0.0, FAN_JITTER_DEGREES, len(FINGERS)), -MOST_JITTER_DEGREES, MOST_JITTER_DEGREES
    )
    fingers = tuple(
        _finger(number, growth, float(degrees))
        for number, degrees in zip(FINGERS, spread, strict=True)
    )
    bones = [
        *(_forearm_bone(name, adult, growth) for name, adult in ADULT.forearm_bones.items()),
        *_small_bones(growth),
        *(bone for finger in fingers for bone in finger.bones),
    ]
    carpus = np.concatenate([_small_bone(name, 1.0, growth) for name in ADULT.carpal])
    return Skeleton({bone.name: bone for bone in bones}, fingers, carpus, growth)


def _small_bones(growth: HandGrowth) -> Iterator[Bone]:
    for name in (*ADULT.carpal, maturity.SESAMOID):
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


def _small_bone(name: str, size: float, growth: HandGrowth) -> Outline:
    corners = {**ADULT.carpal, maturity.SESAMOID: ADULT.sesamoid}[name]
    full = outlines.smooth(np.asarray(corners) * growth.scale)
    return outlines.round_off(full, FULL_SIZE * size**SIZE_POWER)


def _forearm_bone(name: str, adult: ForearmBone, growth: HandGrowth) -> Bone:
    centre = growth.centres[name]
    body = _broadened(_forearm_shaft(adult) * growth.scale, growth)
    epiphysis = plate = None
    if centre.visible:
        full = outlines.smooth(_broadened(np.asarray(adult.epiphysis) * growth.scale, growth))
        epiphysis = outlines.round_off(full, 0.97 * min(centre.size, 1.03))
        plate = _bridge(body, epiphysis, 3.0 * growth.scale)
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


def _broadened(outline: Outline, growth: HandGrowth) -> Outline:
    middle = (outline[:, 0].min() + outline[:, 0].max()) / 2
    more = min(growth.width_scale / growth.scale, BROADEST)
    return np.stack([middle + (outline[:, 0] - middle) * more, outline[:, 1]], axis=1)


def _bridge(low_part: Outline, high_part: Outline, overlap: float) -> Outline:
    """Fill the gap from the upper end of one outline to the lower end of another."""
    low, high = low_part[:, 1].max() - 0.5 * overlap, high_part[:, 1].min() + overlap
    below = low_part[low_part[:, 1] >= low, 0]
    above = high_part[high_part[:, 1] <= high, 0]
    return np.array(
        [[below.min(), low], [below.max(), low], [above.max(), high], [above.min(), high]]
    )


def _finger(number: int, growth: HandGrowth, spread_degrees: float) -> Finger:
    """Build a finger from its knuckle outwards, turned further to the thumb, which is number 1."""
    knuckle = np.asarray(ADULT.metacarpal_heads[number - 1]) * growth.scale
    metacarpal, angle = ADULT.metacarpal[number - 1], ADULT.metacarpal_angles[number - 1]
    foot = knuckle - _along(angle, metacarpal.length * growth.scale)
    bones = [_long_bone(f"metacarpal_{number}", metacarpal, growth, foot, angle)]
    joints = [knuckle]
    for (name, bone), angle in zip(
        _phalanges(number), ADULT.finger_angles[number - 1], strict=True
    ):
        turned = angle + spread_degrees
        bones.append(_long_bone(name, bone, growth, joints[-1], turned))
        joints.append(joints[-1] + _along(turned, bone.length * growth.scale))
    return Finger(tuple(bones), np.array(joints))


def _phalanges(number: int) -> list[tuple[str, LongBone]]:
    middle = [("middle", ADULT.middle[number - 2])] if number > 1 else []
    ends = ("proximal", ADULT.proximal[number - 1]), ("distal", ADULT.distal[number - 1])
    return [(f"{row}_phalanx_{number}", bone) for row, bone in (ends[0], *middle, ends[1])]


def _long_bone(name: str, adult: LongBone, growth: HandGrowth, foot: Outline, angle: float) -> Bone:
    centre, bone = growth.centres[name], adult.scaled(growth.scale, growth.width_scale)
    zone, cartilage = bone.length * bone.epiphysis, growth.scale * (0.8 + 1.7 * growth.youth)
    ends = _ends(name, growth.youth)
    at_base = bone.epiphysis_at == "base"
    low, high = (zone, bone.length - cartilage) if at_base else (cartilage, bone.length - zone)
    body = outlines.shaft(bone, low, high - max(0.0, ends.head_bow) * bone.head, ends)
    epiphysis = plate = None
    if centre.visible:
        epiphysis = _epiphysis(bone, centre, growth.scale, zone, cartilage)
        width = min(float(np.ptp(epiphysis[:, 0])), bone.base if at_base else bone.head)
        plate = outlines.box(0.92 * width, zone * 0.45, zone * 1.12)
        if not at_base:  # built upside down
            epiphysis, plate = (part * (1, -1) + (0, bone.length) for part in (epiphysis, plate))

    def put(part: Outline) -> Outline:
        return outlines.place(part, foot, angle)

    return Bone(
        name,
        put(body),
        thickness_mm=bone.waist,
        cortex_mm=bone.waist * (0.23 - 0.06 * growth.youth),
        axis=put(np.array([[0, low], [0, high]])),
        epiphysis=None if epiphysis is None else put(epiphysis),
        fused=centre.fused,
        plate=None if plate is None else put(plate),
    )


def _epiphysis(
    bone: LongBone, centre: GrowthCentre, scale: float, zone: float, cartilage: float
) -> Outline:
    """Outline an epiphysis as if it lay at the foot of its bone, in 0 to ``zone`` mm."""
    size = min(centre.size, 1.0)
    width = 0.97 * centre.size * (bone.base if bone.epiphysis_at == "base" else bone.head)
    high = zone - scale * (0.8 + 1.0 * (1 - size))  # the growth plate
    tall = (high - cartilage * 0.4) * (0.55 + 0.45 * size)
    low = high - min(tall, 0.8 * width)
    if bone.epiphysis_at == "head":  # of a metacarpal
        return outlines.dome(width, low, high, size)
    # A phalanx's base is hollow towards its joint, and caps the shaft late.
    edges = 0.9 if centre.capped else 0.25
    return outlines.bend_edges(outlines.disc(width, low, high, size), scale * size * edges)


def _ends(name: str, youth: float) -> Ends:
    """What is still cartilage leaves a child's bones with round ends."""
    roundness = 0.12 + 0.13 * youth
    if name.startswith("distal"):
        return Ends(base_bow=0.02, roundness=roundness, tuft=True)
    if name == "metacarpal_1":
        return Ends(base_bow=0.02, head_bow=0.13 + 0.1 * youth, roundness=roundness)
    if name.startswith("metacarpal"):
        return Ends(base_bow=0.10 + 0.15 * youth, head_bow=0.05 + 0.1 * youth, roundness=roundness)
    # A grown phalanx ends in two condyles with a dip between them.
    return Ends(base_bow=0.02, head_bow=-0.05 + 0.15 * youth, roundness=roundness)


def _along(angle_degrees: float, length: float) -> Outline:
    turn = np.deg2rad(angle_degrees)
    return length * np.array([np.sin(turn), np.cos(turn)])
