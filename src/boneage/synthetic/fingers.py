"""The bones of the fingers: metacarpals and phalanges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boneage.synthetic import anatomy, outlines
from boneage.synthetic.anatomy import LongBone
from boneage.synthetic.bone import Bone
from boneage.synthetic.growth import Growth
from boneage.synthetic.maturity import Centre
from boneage.synthetic.outlines import Ends, Outline


@dataclass(frozen=True, eq=False)
class Finger:
    """One finger with its metacarpal."""

    bones: tuple[Bone, ...]
    joints: Outline
    """Knuckle, joints and tip, shape (3 or 4, 2), mm."""


def build_finger(number: int, growth: Growth, spread_degrees: float) -> Finger:
    """Build a finger from its knuckle outwards; the thumb is number 1.

    ``spread_degrees`` turns it further towards the thumb.
    """
    knuckle = np.asarray(anatomy.METACARPAL_HEAD[number - 1]) * growth.scale
    metacarpal, angle = anatomy.METACARPAL[number - 1], anatomy.METACARPAL_ANGLE[number - 1]
    foot = knuckle - _along(angle, metacarpal.length * growth.scale)
    bones = [_long_bone(f"metacarpal_{number}", metacarpal, growth, foot, angle)]
    joints = [knuckle]
    for (name, bone), angle in zip(
        _phalanges(number), anatomy.FINGER_ANGLE[number - 1], strict=True
    ):
        turned = angle + spread_degrees
        bones.append(_long_bone(name, bone, growth, joints[-1], turned))
        joints.append(joints[-1] + _along(turned, bone.length * growth.scale))
    return Finger(tuple(bones), np.array(joints))


def _phalanges(number: int) -> list[tuple[str, LongBone]]:
    proximal = (f"proximal_phalanx_{number}", anatomy.PROXIMAL[number - 1])
    distal = (f"distal_phalanx_{number}", anatomy.DISTAL[number - 1])
    if number == 1:
        return [proximal, distal]
    return [proximal, (f"middle_phalanx_{number}", anatomy.MIDDLE[number - 2]), distal]


def _long_bone(name: str, adult: LongBone, growth: Growth, foot: Outline, angle: float) -> Bone:
    """Build a bone whose end near the wrist is at ``foot``."""
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
    bone: LongBone, centre: Centre, scale: float, zone: float, cartilage: float
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
