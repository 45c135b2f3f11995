"""Where metal may be on a radiograph: bright areas with sharp edges, each as a small patch.

Rings, plates, screws and wires are brighter than the bone around them. Lead markers and the edges
of bones give such areas, too; the metal network (``inference.metal``) tells metal from them.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from boneage.imaging.components import connected_components

WIDEST = 0.045
"""Of the image's longer side: what is wider is bone, or a shield."""
STANDS_OUT = (30, 60, 110)
"""Grey levels, of 255, by which metal stands out."""
SIDES = (0.012, 0.5)
"""Longer side of an object, of the image's."""
LEAST_PX = 12
"""Area of an object."""
SAME_PX = 4
"""Boxes whose edges differ by less are one."""
MOST = 60
"""Patches of one image, of the objects that stand out most."""
PATCH_PX = 40
OBJECT_SHARE = 0.6
"""Of a patch: the longer side of the object."""
LEAST_SIDE = 0.07
"""Of a patch, of the image's longer side: what is around a small object tells what it is."""
PERCENTILES = (2, 98)
"""Of the greys of a patch: they become 0 and 1 in its second channel."""
COARSER = 6
"""Times, before hand and background are told apart."""
MOST_ON_HAND = 24
"""Of the objects on the hand, those that stand out most."""

Boxes = npt.NDArray[np.int32]
"""Left, top, width, height of each object, shape (n, 4)."""
Patches = npt.NDArray[np.float32]
"""Shape (n, ``PATCH_PX``, ``PATCH_PX``, 2), 0 to 1: the greys of the image, and stretched."""


def bright_boxes(grey: npt.NDArray[np.uint8]) -> Boxes:
    """Find what stands out of an image as ``lead_marker.reduced`` gives it, the brightest first."""
    longest = max(grey.shape)
    width = int(WIDEST * longest) | 1
    bright = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((width, width), np.uint8))
    kept = np.empty((0, 4), np.int32)
    for level in reversed(STANDS_OUT):
        found = connected_components((bright > level).astype(np.uint8))
        longer = np.maximum(found[:, 2], found[:, 3])
        fits = (longer >= SIDES[0] * longest) & (longer <= SIDES[1] * longest)
        boxes = found[fits & (found[:, 4] >= LEAST_PX)]
        boxes = boxes[np.argsort(-boxes[:, 4])][:, :4]
        known = (np.abs(boxes[:, np.newaxis] - kept) < SAME_PX).all(axis=2).any(axis=1)
        kept = np.concatenate([kept, boxes[~known]])
    return kept[:MOST]


def on_hand(grey: npt.NDArray[np.uint8], boxes: Boxes) -> Boxes:
    """Those whose middle lies on the hand: lead markers lie beside it.

    The hand is the largest area of the brighter part of the image, seen coarsely.
    """
    small = cv2.resize(grey, None, fx=1 / COARSER, fy=1 / COARSER, interpolation=cv2.INTER_AREA)
    _, bright = cv2.threshold(small, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    count, areas, stats, _ = cv2.connectedComponentsWithStats(bright)
    if count < 2 or not len(boxes):
        return boxes[:0]
    hand = areas == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    middle = np.minimum(
        (boxes[:, :2] + boxes[:, 2:] // 2) // COARSER, np.array(hand.shape)[::-1] - 1
    )
    return np.asarray(boxes[hand[middle[:, 1], middle[:, 0]]][:MOST_ON_HAND], np.int32)


def object_patches(grey: npt.NDArray[np.uint8], boxes: Boxes) -> Patches:
    """Cut out each object with its surroundings."""
    greys = np.empty((len(boxes), PATCH_PX, PATCH_PX), np.float32)
    reach = max(grey.shape) // 2
    wide = cv2.copyMakeBorder(grey, *(reach,) * 4, cv2.BORDER_REPLICATE)
    for number, (left, top, width, height) in enumerate(boxes.tolist()):
        side = max(max(width, height) / OBJECT_SHARE, LEAST_SIDE * max(grey.shape))
        scale = PATCH_PX / side
        x, y = left + width / 2 + reach, top + height / 2 + reach
        half = side / 2
        part = wide[int(y - half) : int(y + half) + 1, int(x - half) : int(x + half) + 1]
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        greys[number] = cv2.resize(part, (PATCH_PX, PATCH_PX), interpolation=way)
    if not len(boxes):
        return np.empty((0, PATCH_PX, PATCH_PX, 2), np.float32)
    low, high = np.percentile(greys, PERCENTILES, axis=(1, 2), keepdims=True)
    stretched = np.clip((greys - low) / np.maximum(high - low, 1.0), 0, 1)
    return np.stack([greys / 255, stretched], axis=-1).astype(np.float32)
