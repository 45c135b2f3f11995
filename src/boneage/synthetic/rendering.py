"""From the bones and the flesh to a radiograph: how much lies in the beam, and how that looks.

Every part only ever adds: what lies behind a bone cannot darken it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.geometry import Box
from boneage.domain.radiograph import Pixels
from boneage.synthetic.marker import PLATE, marker
from boneage.synthetic.outlines import Outline, Projection
from boneage.synthetic.skeleton import Bone

Map: TypeAlias = npt.NDArray[np.float32]

FINE_MM = 0.09
"""Bones are drawn in pixels no larger than this and averaged."""
MAX_FINENESS = 12
FINGER_RADIUS_MM = 6.5
"""Flesh is as round as this at the skin, and twice as thick where it is no palm."""
PALM_MM = 17.0
"""What the palm and the forearm are thicker than a finger."""
PALM_REACH_MM = (5.0, 27.0)
"""How far from the skin that thickness begins and is full."""
SCAR = 0.06
"""How much of a closed growth plate still shows as a line."""
CLOSED_MM = 1.5
"""The notches at a fused growth plate are filled as far as this."""
TEXTURE_SIDE = 512
TEXTURE_CONTRAST = 0.25
GRAIN_MM, SHAFT_STRETCH, SMALL_BONE_STRETCH = 0.14, 3.2, 1.1
"""A texture pixel's width, and how much longer it is along the bone."""

# Per mm in the beam, in grey of the finished film: chosen by eye against films
# of children's hands, not by physics.
FLESH_PER_MM = 0.0120
SPONGY_PER_MM = 0.018
COMPACT_PER_MM = 0.094
BACKGROUND = 0.022
SHOULDER = 1.25
"""Grey rises ever slower towards this value."""

BLUR_MM = 0.11
"""Of the focal spot, the screen and the reader together."""
SCATTER_MM, SCATTER_SHARE = 14.0, 0.08
NOISE = 0.0035
"""Grey's standard deviation where the beam is free; more where less comes through."""
COLLIMATOR_SHARE = 0.015
"""Of the image's shorter side, that its leaves cover at each edge."""
LEAD_DENSITY, PLATE_DENSITY = 8.0, 0.35
"""Of the marker's lead, and of the plastic around it."""
SKIN_MM = 0.5
"""Less flesh than this is none to the eye."""


def render(
    bones: tuple[Bone, ...],
    flesh: Outline,
    projection: Projection,
    rng: np.random.Generator,
    *,
    collimated: bool,
) -> Pixels:
    """Expose an image; shape (height, width), 0 (black) to 1 (white)."""
    soft = _flesh_map(flesh, projection)
    compact, spongy = _bone_map(bones, projection, _texture(rng))
    density = FLESH_PER_MM * soft + SPONGY_PER_MM * spongy + COMPACT_PER_MM * compact
    density = _seen(density, projection)
    lead = marker(soft < SKIN_MM)
    rows, cols = lead.lead.shape
    density[lead.top : lead.top + rows, lead.left : lead.left + cols] += lead.lead * np.where(
        lead.lead > PLATE, LEAD_DENSITY, PLATE_DENSITY
    )
    density = cv2.GaussianBlur(density, (0, 0), max(0.45, 0.5 * BLUR_MM / projection.mm_per_px))
    grey = BACKGROUND + (SHOULDER - BACKGROUND) * (1 - np.exp(-density / SHOULDER))
    grey += _grain(density, rng)
    if collimated:
        _shut(grey)
    return np.asarray(np.clip(grey, 0.0, 1.0).astype(np.float32))


def _seen(density: Map, projection: Projection) -> Map:
    """Blur as the focal spot does, and let scattered rays fog the surroundings."""
    sharp = cv2.GaussianBlur(density, (0, 0), max(0.3, BLUR_MM / projection.mm_per_px))
    # Blurring at a quarter of the size is the same to the eye and much faster.
    small = cv2.resize(density, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, SCATTER_MM / projection.mm_per_px / 4))
    fog = cv2.resize(small, density.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(sharp + SCATTER_SHARE * fog)


def _grain(density: Map, rng: np.random.Generator) -> Map:
    """Draw quantum noise: fewer rays, more grain; none through lead."""
    white = rng.standard_normal(density.shape, dtype=np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), 0.6)
    strength = NOISE * np.exp(0.5 * np.minimum(density, 2.0))
    # The shoulder flattens the grain of what is bright.
    return np.asarray(strength * np.exp(-0.5 * density / SHOULDER) * soft / soft.std())


def _shut(grey: Map) -> None:
    edge = max(1, round(COLLIMATOR_SHARE * min(grey.shape)))
    open_field = np.zeros_like(grey)
    open_field[edge:-edge, edge:-edge] = 1.0
    grey *= cv2.GaussianBlur(open_field, (0, 0), max(0.5, edge / 6))


def _texture(rng: np.random.Generator) -> Map:
    """Draw a tile of bone texture that repeats: bright lines around dark meshes, normalised."""
    white = rng.standard_normal((TEXTURE_SIDE, TEXTURE_SIDE)).astype(np.float32)
    band = _blur_around(white, 1.3) - _blur_around(white, 3.0)
    lines = np.exp(-2.2 * np.abs(band / band.std()))
    return np.asarray((lines - lines.mean()) / lines.std(), np.float32)


def _bone_map(bones: tuple[Bone, ...], projection: Projection, tile: Map) -> tuple[Map, Map]:
    """Add up compact and spongy bone, in mm of each, shape (height, width) both."""
    compact = np.zeros((projection.height, projection.width), np.float32)
    spongy = np.zeros_like(compact)
    for bone in bones:
        window = _Window.around(bone, projection)
        if window is None:
            continue
        hard, soft = _parts_and_plate(bone, window)
        compact[window.box.slices] += window.average(hard)
        spongy[window.box.slices] += window.average(soft * window.texture(bone, tile))
    return compact, spongy


def _flesh_map(outline: Outline, projection: Projection) -> Map:
    """Mm of soft tissue above each pixel, shape (height, width)."""
    mask = np.zeros((projection.height, projection.width), np.uint8)
    _fill(mask, projection.to_px(outline))
    # Beyond the image the flesh goes on: its edge there is no skin.
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inside = _depth_px(padded)[1:-1, 1:-1] * np.float32(projection.mm_per_px)
    finger = 2 * FINGER_RADIUS_MM * _dome(inside / FINGER_RADIUS_MM)
    near, far = PALM_REACH_MM
    t = np.clip((inside - near) / (far - near), 0, 1)
    palm = PALM_MM * t * t * (3 - 2 * t)
    return np.asarray(finger + cv2.GaussianBlur(palm, (0, 0), max(0.5, 3.0 / projection.mm_per_px)))


def _parts_and_plate(bone: Bone, window: _Window) -> tuple[Map, Map]:
    """Mm of compact and of spongy bone in the window: in parts, or grown into one."""
    apart = _thickness(bone, window, as_one=False)
    if bone.fused == 0 or bone.plate is None:
        return apart
    whole = _thickness(bone, window, as_one=True)
    share = np.float32(bone.fused * (1 - SCAR))
    return apart[0] + share * (whole[0] - apart[0]), apart[1] + share * (whole[1] - apart[1])


def _thickness(bone: Bone, window: _Window, *, as_one: bool) -> tuple[Map, Map]:
    mask = window.mask(*bone.outlines)
    if as_one and bone.plate is not None:
        mask |= window.mask(bone.plate)
        reach = max(1, round(CLOSED_MM / window.mm_per_px))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        padded = cv2.copyMakeBorder(mask, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
        closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, disc)
        mask = np.ascontiguousarray(closed[reach:-reach, reach:-reach])
    depth = _depth_px(mask) * np.float32(window.mm_per_px)
    radius = np.float32(bone.thickness_mm / 2)
    outer = 2 * radius * _dome(depth / radius)
    cortex = window.cortex(bone)
    inner = 2 * (radius - cortex) * _dome((depth - cortex) / (radius - cortex))
    return outer - inner, inner


def _depth_px(mask: npt.NDArray[np.uint8]) -> Map:
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Its square is a whole number, which OpenCV's last digit now and then misses.
    return np.asarray(np.sqrt(np.rint(distance * distance)))


def _dome(share: Map) -> Map:
    """Half the height of a round thing, from its edge (0) to its middle (1 and beyond)."""
    return np.asarray(np.sqrt(1 - (1 - np.clip(share, 0, 1)) ** 2))


@dataclass(frozen=True)
class _Window:
    """The part of the image around one bone, in finer pixels."""

    projection: Projection
    box: Box
    fineness: int

    @classmethod
    def around(cls, bone: Bone, projection: Projection) -> _Window | None:
        parts = bone.outlines if bone.plate is None else (*bone.outlines, bone.plate)
        box = projection.box(*parts)
        if box is None:
            return None
        low = max(0, box.min_row - 1), max(0, box.min_col - 1)
        high = min(projection.height, box.max_row + 1), min(projection.width, box.max_col + 1)
        fineness = min(MAX_FINENESS, math.ceil(projection.mm_per_px / FINE_MM))
        return cls(projection, Box(*low, *high), fineness)

    @property
    def mm_per_px(self) -> float:
        return self.projection.mm_per_px / self.fineness

    @property
    def shape(self) -> tuple[int, int]:
        return self.box.height * self.fineness, self.box.width * self.fineness

    def points(self, outline: Outline) -> Outline:
        return np.asarray(
            (self.projection.to_px(outline) - (self.box.min_col, self.box.min_row)) * self.fineness
        )

    def mask(self, *outlines: Outline) -> npt.NDArray[np.uint8]:
        mask = np.zeros(self.shape, np.uint8)
        for outline in outlines:
            _fill(mask, self.points(outline))
        return mask

    def average(self, fine: Map) -> Map:
        blocks = fine.reshape(self.box.height, self.fineness, self.box.width, self.fineness)
        return np.asarray(blocks.mean(axis=(1, 3)))

    def along(self, bone: Bone) -> tuple[Map, Map]:
        """Where each pixel lies along the bone's axis (0–1), and across it in mm."""
        start, end = self.points(bone.axis)
        axis = end - start
        length = float(np.hypot(*axis))
        x = np.arange(self.shape[1], dtype=np.float32)[None, :] + np.float32(0.5 - start[0])
        y = np.arange(self.shape[0], dtype=np.float32)[:, None] + np.float32(0.5 - start[1])
        u, v = (axis / length).astype(np.float32)
        return (x * u + y * v) / np.float32(length), (y * u - x * v) * np.float32(self.mm_per_px)

    def cortex(self, bone: Bone) -> Map:
        """Thickness of the compact shell: most in the middle of a shaft, thin at its ends."""
        if not bone.tubular:
            return np.full(self.shape, bone.cortex_mm, np.float32)
        share, _ = self.along(bone)
        bulge = np.exp(-(((share - 0.5) / 0.27) ** 2))
        thin = np.float32(min(0.1 * bone.thickness_mm, 0.6))
        return np.asarray(thin + (np.float32(bone.cortex_mm) - thin) * bulge)

    def texture(self, bone: Bone, tile: Map) -> Map:
        """What spongy bone is multiplied with: meshes, drawn out along a shaft."""
        share, across = self.along(bone)
        length_mm = float(np.hypot(*(bone.axis[1] - bone.axis[0])))
        stretch = SHAFT_STRETCH if bone.tubular else SMALL_BONE_STRETCH
        rows = share * np.float32(length_mm / (GRAIN_MM * stretch))
        cols = across / np.float32(GRAIN_MM)
        shift = sum(map(ord, bone.name)) * 37  # no two bones show the same part of the tile
        sampled = cv2.remap(
            tile,
            np.mod(cols + shift, TEXTURE_SIDE - 1).astype(np.float32),
            np.mod(rows + shift, TEXTURE_SIDE - 1).astype(np.float32),
            cv2.INTER_LINEAR,
        )
        return np.asarray(np.clip(1 + TEXTURE_CONTRAST * sampled, 0.2, 2.0))


def _fill(mask: npt.NDArray[np.uint8], points_px: Outline) -> None:
    # OpenCV's whole numbers are pixel middles; it wants 1/16 px in whole numbers.
    limit = 1 << 17
    clipped = np.clip(points_px - 0.5, -limit, limit)
    cv2.fillPoly(mask, [np.rint(clipped * 16).astype(np.int32)], 1, shift=4)


def _blur_around(image: Map, sigma: float) -> Map:
    """Blur a tile so that its edges still meet."""
    pad = 16
    wrapped = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_WRAP)
    return np.asarray(cv2.GaussianBlur(wrapped, (0, 0), sigma)[pad:-pad, pad:-pad])
