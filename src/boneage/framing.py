"""Where the exposed field lies on a film: without frame, bars or collimator edge around it.

A frame is of one grey, and straight: behind its last line, most of the next
lines is something else. Air beside a hand may be of one grey too, but what
comes behind it is a finger, not a line.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from boneage.assessment import Box
from boneage.radiograph import Pixels

SAMPLE_PX = 256
"""Lines and pixels of a line that are looked at, about."""
ONE_GREY = 2.5 / 255
"""Greys of a frame differ by less: JPEG and noise of a scan."""
MOSTLY = 0.95
"""Share of a line that must be of the frame's grey: a marker or a speck may lie on it."""
BEHIND = 0.6
"""Share of the lines behind a frame that must differ from it."""
STEP = 0.04
"""Of a side: how far behind its last line a frame must have ended, for edges that are tilted."""
LEAST = 0.02
"""Of a side: what is narrower matters to no network, and is left."""
MOST = 0.4
"""Of a side: no more is taken for a frame at one edge."""
ROUNDS = 3
"""A frame may lie in another one."""

Sample = npt.NDArray[np.float32]


def exposed_field(pixels: Pixels) -> Box:
    """Find the part of a film inside its frame.

    Parameters
    ----------
    pixels : float32 array, shape (height, width)
        0 to 1.

    Returns
    -------
    Box
        The whole film where it has no frame.
    """
    height, width = pixels.shape
    step = max(1, min(height, width) // SAMPLE_PX)
    sample = pixels[::step, ::step]
    top, left, bottom, right = 0, 0, *sample.shape
    for _ in range(ROUNDS):
        inner = sample[top:bottom, left:right]
        cuts = tuple(_frame_lines(side) for side in _sides(inner))
        if not any(cuts):
            break
        top, bottom = top + cuts[0], bottom - cuts[1]
        left, right = left + cuts[2], right - cuts[3]
    return Box(
        top * step,
        left * step,
        height if bottom == sample.shape[0] else bottom * step,
        width if right == sample.shape[1] else right * step,
    )


def _sides(film: Sample) -> Iterator[Sample]:
    """The film as seen from each edge, lines first: top, bottom, left, right."""
    yield film
    yield film[::-1]
    yield film.T
    yield film.T[::-1]


def _frame_lines(film: Sample) -> int:
    """How many of the first lines are a frame; 0 when they are none."""
    count = len(film)
    grey = np.float32(np.median(film[0]))
    same = (np.abs(film - grey) <= ONE_GREY).mean(axis=1)
    other = np.flatnonzero(same < MOSTLY)
    if not len(other):
        return 0
    lines = int(other[0])
    if not LEAST * count <= lines <= MOST * count:
        return 0
    behind = same[lines + int(STEP * count) : lines + int(2 * STEP * count) + 1]
    return lines if len(behind) and 1 - float(np.median(behind)) >= BEHIND else 0
