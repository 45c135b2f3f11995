"""Where an image that may show two hands could be cut between them.

A hand is full of edges; between two of them, whatever the exposure and whether it is one
exposed field or two, are lines with few. One hand has such lines, too: between the fingers,
or beside it. So a cut is a proposal, and the parts on either side of it are judged
before it is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.geometry import Box
from boneage.domain.radiograph import Pixels
from boneage.imaging.preparing import scaled

SAMPLE_PX = 128
"""Longer side at which cuts are searched for."""
PERCENTILES = (1.0, 99.0)
"""Of the grey levels, that are mapped to 0 and 1, so that exposure does not matter."""
EDGE_SIGMA_PX = 3.0
"""Edges are differences from the surroundings of this size."""
MOST_EDGE = 0.1
"""Stronger edges count as this: a marker or the edge of a field is not a whole hand."""
SMOOTH_SIGMA_PX = 1.5
MIDDLE = 0.2
"""Of a side: no cut is nearer to either edge."""
OFF_CENTRE = 2.0
"""Penalty of a cut at the edge of the image against one in its middle, in median lines."""
APART = 0.06
"""Of a side: cuts that are nearer together are one."""
CROWDED = 0.8
"""Quantile of the lines on either side that a cut is compared with."""
MOST_CUTS = 3
ZONE = 0.15
"""Of a side: how far from a cut the edges of exposed fields are searched for."""
STEP_PX = 2
"""Lines on either side that are compared."""
SHARP_PX = 6
"""A step so many lines away is of another edge; the edge of a hand is softer."""
STEP_GREY = 0.6 / 255
"""Of black to white: smaller differences are no steps."""
STRAIGHT = 0.75
"""Share of a line that must step the same way: so does an edge of a field, not of a hand."""
SAMPLED_POINTS = 250
"""Of a line, about."""

Lines = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cut:
    """One way to cut an image in two."""

    first: Box
    """The left part, or the upper one, in the image's pixels."""
    second: Box
    emptiness: float
    """How few edges it crosses: 1 for none, 0 for as many as through a hand."""

    @property
    def parts(self) -> tuple[Box, Box]:
        return self.first, self.second


def cuts_between(pixels: Pixels, *, rows: bool = False) -> tuple[Cut, ...]:
    """Find up to three places to cut between two hands (``rows``: above each other), best first."""
    height, width = pixels.shape
    size = height if rows else width
    edges = _edges_by_line(pixels, rows=rows)
    count = len(edges)
    places = (np.arange(count, dtype=np.float32) + 0.5) / count
    cost = edges / max(float(np.median(edges)), 1e-6) + OFF_CENTRE * (places - 0.5) ** 2
    cost[(places < MIDDLE) | (places > 1 - MIDDLE)] = np.inf
    cuts = []
    for _ in range(MOST_CUTS):
        line = int(cost.argmin())
        if not np.isfinite(cost[line]):
            break
        at = min(max(1, round(float(places[line]) * size)), size - 1)
        first = Box(0, 0, at, width) if rows else Box(0, 0, height, at)
        second = Box(at, 0, height, width) if rows else Box(0, at, height, width)
        cuts.append(Cut(first, second, _emptiness(edges, line)))
        cost[np.abs(places - places[line]) < APART] = np.inf
    return tuple(cuts)


def at_field_edges(pixels: Pixels, cut: Cut) -> Cut:
    """Move a cut to the edges of the exposed fields near it, and leave out what is between.

    Where each hand has a field of its own, or two images were put side by side, a straight
    step runs between them, often not where the cut is.
    """
    first, second = cut.parts
    rows = first.max_row == second.min_row
    lines = pixels if rows else pixels.T
    at = first.max_row if rows else first.max_col
    reach, margin = int(ZONE * len(lines)), STEP_PX + SHARP_PX
    start, end = max(margin, at - reach), min(len(lines) - margin, at + reach)
    if start >= end:
        return cut
    zone = lines[start - margin : end + margin, :: max(1, lines.shape[1] // SAMPLED_POINTS)]
    sums = np.cumsum(np.pad(zone, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
    means = (sums[STEP_PX:] - sums[:-STEP_PX]) / STEP_PX
    steps = means[STEP_PX:] - means[:-STEP_PX]
    around = (steps[: -2 * SHARP_PX] + steps[2 * SHARP_PX :]) / 2
    steps = steps[SHARP_PX:-SHARP_PX]
    sharp = steps - around
    ups = (np.minimum(steps, sharp) > STEP_GREY).mean(axis=1)
    downs = (np.maximum(steps, sharp) < -STEP_GREY).mean(axis=1)
    found = start + np.flatnonzero(np.maximum(ups, downs) >= STRAIGHT)
    if not len(found):
        return cut
    before, after = int(found[0]), int(found[-1])
    if rows:
        return replace(
            cut, first=replace(first, max_row=before), second=replace(second, min_row=after)
        )
    return replace(cut, first=replace(first, max_col=before), second=replace(second, min_col=after))


def _edges_by_line(pixels: Pixels, *, rows: bool) -> Lines:
    """Average edge of each column, or row, at the sample's size."""
    # Every n-th pixel first: the mean of all of a large image takes longer than all the rest.
    step = max(1, max(pixels.shape) // (4 * SAMPLE_PX))
    sample = pixels[::step, ::step]
    small = scaled(sample, min(1.0, SAMPLE_PX / max(sample.shape)), least_px=8)
    low, high = np.percentile(small, PERCENTILES)
    small = (small - np.float32(low)) / np.float32(max(high - low, 1e-3))
    edges = np.abs(small - cv2.GaussianBlur(small, (0, 0), EDGE_SIGMA_PX))
    lines = np.minimum(edges, np.float32(MOST_EDGE)).mean(axis=1 if rows else 0)
    return np.asarray(cv2.GaussianBlur(lines[np.newaxis], (0, 0), SMOOTH_SIGMA_PX)[0])


def _emptiness(edges: Lines, line: int) -> float:
    sides = edges[:line], edges[line + 1 :]
    crowded = min(float(np.quantile(side, CROWDED)) for side in sides)
    return float(np.clip(1 - edges[line] / max(crowded, 1e-6), 0.0, 1.0))
