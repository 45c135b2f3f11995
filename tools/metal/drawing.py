"""Metal drawn onto a radiograph: a plate with screws, screws, wires or a ring, on the hand."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels

KINDS = ("plate", "screws", "wires", "ring")
Mask = npt.NDArray[np.float32]
Place = npt.NDArray[np.float64]


def with_metal(
    pixels: Pixels, tissue: npt.NDArray[np.bool_], random: np.random.Generator
) -> tuple[Pixels, npt.NDArray[np.bool_], str]:
    """The image with an object of metal on its tissue; where that is, and what it is."""
    height, width = pixels.shape
    longest = max(height, width)
    mask = np.zeros((height, width), np.float32)
    kind = str(random.choice(KINDS))
    if kind in {"plate", "screws"}:
        _plate(mask, _place(tissue, random, (0.4, 0.97)), random, longest, plate=kind == "plate")
    elif kind == "wires":
        for _ in range(int(random.integers(1, 4))):
            _wire(mask, _place(tissue, random, (0.3, 0.95)), random, longest)
    else:
        _ring(mask, _place(tissue, random, (0.15, 0.55)), random, longest)
    mask = cv2.GaussianBlur(mask, (0, 0), float(random.uniform(0.4, 1.0)) * longest / 800)
    brightest = float(np.quantile(pixels, 0.995))
    level = float(np.clip(max(random.uniform(0.8, 1.0), brightest + 0.03), 0, 1))
    drawn = pixels * (1 - mask) + level * mask
    return drawn.astype(np.float32), mask > 0.3, kind


def _place(
    tissue: npt.NDArray[np.bool_], random: np.random.Generator, rows: tuple[float, float]
) -> Place:
    """A place on the tissue, between two shares of the height: x and y."""
    height, width = tissue.shape
    some = np.argwhere(tissue[int(rows[0] * height) : int(rows[1] * height)])
    if not len(some):
        return np.array([width / 2, height * sum(rows) / 2])
    row, col = some[random.integers(len(some))]
    return np.array([col, row + int(rows[0] * height)], float)


def _line(mask: Mask, start: Place, end: Place, width: float, value: float = 1.0) -> None:
    first, last = (tuple(int(v) for v in point) for point in (start, end))
    cv2.line(mask, first, last, value, max(1, round(width)), cv2.LINE_AA)


def _plate(
    mask: Mask, middle: Place, random: np.random.Generator, longest: int, *, plate: bool
) -> None:
    angle = random.normal(np.pi / 2, 0.35)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    length, width = longest * random.uniform(0.06, 0.2), longest * random.uniform(0.01, 0.024)
    if plate:
        _line(mask, middle - along * length / 2, middle + along * length / 2, width)
    for share in np.linspace(-0.45, 0.45, int(random.integers(2, 7))):
        hole = middle + along * length * share
        if plate:
            radius = max(1, int(width * 0.3))
            cv2.circle(mask, tuple(int(v) for v in hole), radius, 0.4, -1, cv2.LINE_AA)
        if random.random() < 0.7 or not plate:
            reach = longest * random.uniform(0.015, 0.05)
            way = across if random.random() < 0.7 else along
            thick = width * random.uniform(0.25, 0.5)
            _line(mask, hole - way * reach * 0.2, hole + way * reach, thick)


def _wire(mask: Mask, middle: Place, random: np.random.Generator, longest: int) -> None:
    angle, length = random.uniform(0, np.pi), longest * random.uniform(0.06, 0.3)
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    _line(mask, middle - along, middle + along, longest * random.uniform(0.003, 0.008))


def _ring(mask: Mask, middle: Place, random: np.random.Generator, longest: int) -> None:
    wide = longest * random.uniform(0.02, 0.035)
    axes = int(wide), int(wide * random.uniform(0.15, 0.6))
    thick = max(1, int(longest * random.uniform(0.005, 0.014)))
    place = tuple(int(v) for v in middle)
    cv2.ellipse(mask, place, axes, float(random.normal(0, 20)), 0, 360, 1.0, thick, cv2.LINE_AA)
