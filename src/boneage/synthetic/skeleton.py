"""The bones of a whole hand, each as grown and as fused as its age has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boneage.synthetic import anatomy
from boneage.synthetic.bone import Bone
from boneage.synthetic.fingers import Finger, build_finger
from boneage.synthetic.growth import Growth
from boneage.synthetic.outlines import Outline
from boneage.synthetic.wrist import carpus, forearm_bone, small_bones

FINGERS = range(1, 6)
FAN_JITTER_DEGREES = 2.0
"""The standard deviation of each finger's spread: no two hands lie alike."""
MOST_JITTER_DEGREES = 5.0
"""Fingers that lie further over would cross."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """The bones of one hand, in mm, and what its flesh goes by."""

    bones: Mapping[str, Bone]
    """Those to be seen, by name."""
    fingers: tuple[Finger, ...]
    """From the thumb."""
    carpus: Outline
    """Where the eight carpal bones are or will be."""
    growth: Growth


def build_skeleton(growth: Growth, rng: np.random.Generator) -> Skeleton:
    """Build all bones of a hand that has grown so far."""
    spread = np.clip(
        rng.normal(0.0, FAN_JITTER_DEGREES, len(FINGERS)), -MOST_JITTER_DEGREES, MOST_JITTER_DEGREES
    )
    fingers = tuple(
        build_finger(number, growth, float(degrees))
        for number, degrees in zip(FINGERS, spread, strict=True)
    )
    bones = [
        *(forearm_bone(name, adult, growth) for name, adult in anatomy.FOREARM_BONES.items()),
        *small_bones(growth),
        *(bone for finger in fingers for bone in finger.bones),
    ]
    return Skeleton({bone.name: bone for bone in bones}, fingers, carpus(growth), growth)
