"""Where a lead marker may be: bright letters of an image, each as a small patch.

Lead is brighter than what surrounds it, and a letter is as tall as a fingertip is wide. Bones give
such areas, too; the marker network (``inference.side``) tells the letters from them.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.imaging.components import connected_components

LONGEST_PX = 768
"""Longer side at which markers are looked for; smaller images are enlarged."""
LINEAR_FROM = 0.6
"""Scale from which an image is interpolated, which is faster; below, pixels are averaged."""
LEAST_RANGE = 0.01
"""An image of less contrast, of black to white, is not stretched further."""
STROKE = 0.035
"""Widest stroke of a letter, of the image's longer side; what is wider is not lead."""
STANDS_OUT = (14, 30, 60, 110)
"""Grey levels, of 255, by which a letter stands out: pale ones and bright ones that touch."""
SIDES = (0.014, 0.085)
"""Longer side of a letter, of the image's."""
SLIMMEST = 0.35
"""Shorter side of a letter, of its longer one."""
INK = (0.15, 0.75)
"""Share of its box that a letter fills."""
SAME_PX = 4
"""Boxes whose edges differ by less are one."""
MOST = 80
"""Patches of one image; the brightest ones are used."""
PATCH_PX = 32
PERCENTILES = (2, 98)
"""Of the greys of a patch: they become 0 and 1."""
LETTER_SHARE = 0.7
"""Of a patch: the longer side of the letter."""

Boxes = npt.NDArray[np.int32]
"""Left, top, width, height of each letter, shape (n, 4)."""
Patches = npt.NDArray[np.float32]
"""Shape (n, ``PATCH_PX``, ``PATCH_PX``), 0 to 1."""


def reduced(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Give an image at the size at which markers are looked for, its contrast stretched."""
    scale = LONGEST_PX / max(pixels.shape)
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    way = cv2.INTER_AREA if scale < LINEAR_FROM else cv2.INTER_LINEAR
    grey = cv2.resize(pixels, size, interpolation=way)
    low, high, _, _ = cv2.minMaxLoc(grey)
    stretch = 255 / max(high - low, LEAST_RANGE)
    stretched: npt.NDArray[np.uint8] = cv2.convertScaleAbs(grey, alpha=stretch, beta=-stretch * low)
    return stretched


def letter_boxes(grey: npt.NDArray[np.uint8]) -> Boxes:
    """Find what has the size of a letter and stands out, the brightest first."""
    longest = max(grey.shape)
    stroke = int(STROKE * longest) | 1
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((stroke, stroke), np.uint8))
    kept = np.empty((0, 4), np.int32)
    for level in reversed(STANDS_OUT):
        ink = (bright > level).astype(np.uint8)
        found = connected_components(ink)
        width, height, area = found[:, 2], found[:, 3], found[:, 4]
        longer, shorter = np.maximum(width, height), np.minimum(width, height)
        like_letters = (
            (longer >= SIDES[0] * longest)
            & (longer <= SIDES[1] * longest)
            & (shorter >= SLIMMEST * longer)
            & (area >= INK[0] * width * height)
            & (area <= INK[1] * width * height)
        )
        boxes = found[like_letters, :4]
        known = (np.abs(boxes[:, np.newaxis] - kept) < SAME_PX).all(axis=2).any(axis=1)
        kept = np.concatenate([kept, boxes[~known]])
    return kept[:MOST]


def letter_patches(grey: npt.NDArray[np.uint8], boxes: Boxes) -> Patches:
    """Cut out each letter with its surroundings, its contrast stretched."""
    patches = np.empty((len(boxes), PATCH_PX, PATCH_PX), np.float32)
    reach = LONGEST_PX
    wide = cv2.copyMakeBorder(grey, *(reach // 8,) * 4, cv2.BORDER_REPLICATE)
    for number, (left, top, width, height) in enumerate(boxes.tolist()):
        side = max(width, height) / LETTER_SHARE
        scale = PATCH_PX / side
        middle = left + width / 2 + reach // 8, top + height / 2 + reach // 8
        onto = np.array(
            [
                [scale, 0, PATCH_PX / 2 - scale * middle[0]],
                [0, scale, PATCH_PX / 2 - scale * middle[1]],
            ]
        )
        patches[number] = cv2.warpAffine(wide, onto, (PATCH_PX, PATCH_PX), flags=cv2.INTER_LINEAR)
    if not len(patches):
        return patches
    low, high = np.percentile(patches, PERCENTILES, axis=(1, 2), keepdims=True)
    stretched: Patches = np.clip((patches - low) / np.maximum(high - low, 1.0), 0, 1)
    return stretched.astype(np.float32)
