"""What is made of a radiograph's pixels that the image check must see through, or must notice.

Accepted and refused images go through the same resampling and the same
JPEG, so that neither size nor compression tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from boneage.domain.radiograph import Pixels
from boneage.imaging.perturbations import Random, jpeg_compressed

SMALL_PX = 520
"""Longer side at which images are changed: more than the network sees."""
SIDES_PX = (220.0, 800.0)
QUALITY = (60, 96)
"""Of JPEG."""


def small(pixels: Pixels) -> Pixels:
    """Bring an image to the size at which it is changed."""
    scale = SMALL_PX / max(pixels.shape)
    return _resized(pixels, scale, scale) if scale < 1 else pixels


def oriented(pixels: Pixels, quarters: int, *, inverted: bool) -> Pixels:
    """Orient an upright image so that this many clockwise quarter turns bring it upright again."""
    image = np.rot90(pixels, quarters)
    return np.ascontiguousarray(1 - image if inverted else image)


def resaved(pixels: Pixels, random: Random) -> Pixels:
    """Crop or pad an image a little, resample and degrade it a little, and save it as a JPEG."""
    image = _recut(pixels, random)
    side = float(np.exp(random.uniform(*np.log(SIDES_PX))))
    rows, cols = side / max(image.shape), side / max(image.shape)
    if random.random() < 0.4:  # as data sets for detectors are: squeezed to a square
        rows, cols = side / image.shape[0], side / image.shape[1]
    image = _resized(image, rows, cols)
    grey = np.clip(np.rint(image * 255), 0, 255)
    if random.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), random.uniform(0.3, 1.2))
    if random.random() < 0.2:
        grey = grey + random.normal(0, random.uniform(1, 8), grey.shape)
    levels = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return jpeg_compressed(levels, int(random.integers(*QUALITY)))


def _recut(image: Pixels, random: Random) -> Pixels:
    height, width = image.shape
    chance = random.random()
    if chance < 0.5:
        cut = random.uniform(0, 0.08, 4)
        rows = slice(int(cut[0] * height), height - int(cut[1] * height))
        return image[rows, int(cut[2] * width) : width - int(cut[3] * width)]
    if chance < 0.8:
        pads = random.uniform(0, 0.25, 4) * (height, height, width, width)
        top, bottom, left, right = map(int, pads)
        mode = cv2.BORDER_CONSTANT if random.random() < 0.5 else cv2.BORDER_REPLICATE
        bordered: Pixels = cv2.copyMakeBorder(image, top, bottom, left, right, mode, value=0)
        return bordered
    return image


def _resized(image: Pixels, rows: float, cols: float) -> Pixels:
    size = max(48, round(image.shape[1] * cols)), max(48, round(image.shape[0] * rows))
    way = cv2.INTER_AREA if min(rows, cols) < 1 else cv2.INTER_LINEAR
    changed: Pixels = cv2.resize(np.ascontiguousarray(image), size, interpolation=way)
    return changed


def wrist(image: Pixels, random: Random) -> Pixels:
    """The lower part: no fingers."""
    return image[int(image.shape[0] * random.uniform(0.5, 0.65)) :]


def fingers(image: Pixels, random: Random) -> Pixels:
    """The upper part: no wrist."""
    return image[: int(image.shape[0] * random.uniform(0.3, 0.5))]


def half(image: Pixels, random: Random) -> Pixels:
    """One side."""
    cols = int(image.shape[1] * random.uniform(0.4, 0.55))
    return image[:, :cols] if random.random() < 0.5 else image[:, -cols:]


def joint(image: Pixels, random: Random) -> Pixels:
    """A small piece."""
    height = int(image.shape[0] * random.uniform(0.15, 0.35))
    width = int(image.shape[1] * random.uniform(0.25, 0.5))
    top = int(random.uniform(0, image.shape[0] - height))
    left = int(random.uniform(0, image.shape[1] - width))
    return image[top : top + height, left : left + width]


PIECES: Mapping[str, Callable[[Pixels, Random], Pixels]] = {
    piece.__name__: piece for piece in (wrist, fingers, half, joint)
}


def two_hands(one: Pixels, other: Pixels, random: Random) -> Pixels:
    """Two images side by side, the second as a right hand."""
    height = min(len(one), len(other))
    pair = [_resized(image, height / len(image), height / len(image)) for image in (one, other)]
    pair[1] = pair[1][:, ::-1]
    if random.random() < 0.5:
        pair.reverse()
    height = min(len(image) for image in pair)
    return np.ascontiguousarray(np.concatenate([image[:height] for image in pair], axis=1))
