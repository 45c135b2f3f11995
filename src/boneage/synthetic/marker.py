"""The lead marker of a film: an L, and under it the word SYNTHETIC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

WORD = "SYNTHETIC"
Strokes = tuple[tuple[tuple[float, float], ...], ...]
LETTERS: Mapping[str, Strokes] = {
    "C": (
        ((1, 0.15), (0.75, 0), (0.25, 0), (0, 0.25), (0, 0.75), (0.25, 1), (0.75, 1), (1, 0.85)),
    ),
    "E": (((1, 0), (0, 0), (0, 1), (1, 1)), ((0, 0.5), (0.8, 0.5))),
    "H": (((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 0.5), (1, 0.5))),
    "I": (((0.5, 0), (0.5, 1)),),
    "L": (((0, 0), (0, 1), (1, 1)),),
    "N": (((0, 1), (0, 0), (1, 1), (1, 0)),),
    "S": (
        ((1, 0.12), (0.75, 0), (0.25, 0), (0, 0.25), (0.2, 0.45), (0.8, 0.55), (1, 0.75),
         (0.75, 1), (0.25, 1), (0, 0.88)),
    ),
    "T": (((0, 0), (1, 0)), ((0.5, 0), (0.5, 1))),
    "Y": (((0, 0), (0.5, 0.45), (1, 0)), ((0.5, 0.45), (0.5, 1))),
}  # fmt: skip
"""Of letters of height and width 1. Drawn here, for OpenCV's own letters change
with its version."""

HEIGHT_SHARE = 0.14
"""Of the image's height; the plate is narrower than tall by ``ASPECT``."""
ASPECT = 0.80
PLATE, LEAD = 0.16, 1.0
"""How a marker tells its plastic plate from its letters of lead."""
GRID = 24
"""Places tried along each side of the film."""


@dataclass(frozen=True, eq=False)
class Marker:
    """A marker's lead, and its place."""

    lead: npt.NDArray[np.float32]
    """Shape (rows, columns), 0 none to 1 all."""
    top: int
    left: int


def marker(free: npt.NDArray[np.bool_]) -> Marker:
    """Make a marker and lay it where the image is free of the hand, best low on the left."""
    height, width = free.shape
    rows = max(8, round(HEIGHT_SHARE * min(height, 1.3 * width)))
    cols = max(8, round(rows * ASPECT))
    covered = cv2.integral((~free).astype(np.uint8))
    tops = np.unique(np.linspace(0.02 * height, max(0.98 * height - rows, 0), GRID).astype(int))
    lefts = np.unique(np.linspace(0.02 * width, max(0.98 * width - cols, 0), GRID).astype(int))
    tops, lefts = tops[:, None], lefts[None, :]
    hidden = (
        covered[tops + rows, lefts + cols]
        - covered[tops, lefts + cols]
        - covered[tops + rows, lefts]
        + covered[tops, lefts]
    )
    distance = np.hypot((tops + rows / 2) / height - 0.72, (lefts + cols / 2) / width - 0.13)
    best = np.unravel_index(np.argmin(hidden * 1e3 + distance), hidden.shape)
    return Marker(_lead(rows, cols), int(tops[best[0], 0]), int(lefts[0, best[1]]))


def _lead(rows: int, cols: int) -> npt.NDArray[np.float32]:
    fine = 4
    plate = np.zeros((rows * fine, cols * fine), np.float32)
    edge = max(1, len(plate) // 40)
    plate[edge:-edge, edge:-edge] = PLATE
    _write(plate, "L", (0.36, 0.14, 0.30, 0.42), 0.075)
    _write(plate, WORD, (0.08, 0.70, 0.86, 0.13), 0.014)
    lead: npt.NDArray[np.float32] = cv2.resize(plate, (cols, rows), interpolation=cv2.INTER_AREA)
    return lead


def _write(
    plate: npt.NDArray[np.float32],
    word: str,
    place: tuple[float, float, float, float],
    stroke: float,
) -> None:
    """Write a word into ``place``: left, top, width, height as shares of the plate."""
    tall, wide = plate.shape
    left, top, width, height = place
    pitch = width / len(word)
    for number, letter in enumerate(word):
        for line in LETTERS[letter]:
            points = np.array(line) * (pitch * (0.62 if len(word) > 1 else 1.0), height)
            points = (points + np.array([left + number * pitch, top])) * (wide, tall)
            cv2.polylines(
                plate,
                [np.rint(points * 16).astype(np.int32)],
                False,
                LEAD,
                thickness=max(1, round(stroke * tall)),
                lineType=cv2.LINE_8,
                shift=4,
            )
