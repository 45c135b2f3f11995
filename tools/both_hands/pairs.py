"""Images of two hands, made of images of one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
"""Shape (height, width), 0 to 1."""


BOTH_HANDS = ("1430", "2256")
"""Images of the data set that show both already."""


def grey_image(path: Path) -> Image:
    """Load an image."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey, np.float32) / np.float32(255)


def side_by_side(
    left: Image, other: Image, random: np.random.Generator, *, mirror: bool = True
) -> Image:
    """Lay a hand and another, mirrored and altered, side by side, in either order.

    The other one is turned a little, of another exposure and size, and shifted up or down;
    between them is a gap or none, around them black, grey or the left one's background.
    """
    beside = np.ascontiguousarray(other[:, ::-1]) if mirror else other
    if random.random() < 0.5:
        beside = _turned(beside, float(random.normal(0, 4)))
    gamma = float(np.exp(random.normal(0, 0.15)))
    gain, offset = float(random.uniform(0.55, 1.0)), float(random.uniform(0, 0.12))
    beside = np.clip(beside**gamma * gain + offset, 0, 1)
    if random.random() < 0.5:
        scale = float(random.uniform(0.97, 1.03))
        beside = cv2.resize(beside, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if random.random() < 0.5:  # move the hands closer together
        trimmed = int(left.shape[1] * random.uniform(0, 0.05))
        left = left[:, trimmed : left.shape[1] - trimmed]
        beside = beside[:, trimmed : beside.shape[1] - trimmed]
    height = max(len(left), len(beside))
    shift = int(random.uniform(-0.18, 0.18) * height)
    gap = int(random.choice([0, 0, 0.03, 0.1]) * height)
    edge = np.concatenate([left[:, 0], left[:, -1], left[0]])
    ground = float(random.choice([0.0, 0.45, float(np.median(edge))]))
    parts = [(left, max(-shift, 0)), (beside, max(shift, 0))]
    if random.random() >= 0.5:
        parts.reverse()
    rows = max(top + len(part) for part, top in parts)
    pixels = np.full((rows, gap + left.shape[1] + beside.shape[1]), ground, np.float32)
    column = 0
    for part, top in parts:
        pixels[top : top + len(part), column : column + part.shape[1]] = part
        column += part.shape[1] + gap
    return np.asarray(np.rint(pixels * 255) / 255, np.float32)


def _turned(image: Image, degrees: float) -> Image:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turned: Image = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return turned
