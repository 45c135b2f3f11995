"""The exposed field of an image: without border, bars or collimator edges around it.

A border is of one grey, and straight: most of the lines behind its last one differ from it. Air
beside a hand may be of one grey too, but behind it is a finger, not a line. Where a border cannot
be told from air, what is far beyond the usual margin around a hand is cut off: it is empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.geometry import Box
from boneage.domain.orientation import Orientation, Tilt
from boneage.domain.radiograph import Pixels, Radiograph
from boneage.imaging.preparing import LONGEST_PX

SAMPLE_PX = 320
"""Longer side at which borders are searched for."""
RANGE_SAMPLE_PX = 20_000
"""Pixels of the sample that its range is taken from."""
GREYS = (0.7 / 255, 2.5 / 255, 6 / 255)
"""How far the greys of a border may be apart: drawn by a program, after JPEG, scanned."""
MOSTLY = 0.95
"""Share of a line that must be of the border's grey: a marker or a speck may be on it."""
BEHIND = 0.6
"""Share of the lines behind a border that must differ from it."""
STEP = (0.02, 0.06)
"""Of a side: where, behind its last line, a border must have ended, for edges that are tilted."""
LEAST, MOST = 0.008, 0.6
"""Of a side: narrower borders do not matter to any network, and are left; wider ones are not
borders."""
PANEL_FILLED, PANEL_LEAST = 0.88, 0.12
"""Share of its rectangle that a panel fills at least, and of the image."""
PANEL_OPENED_PX = 5
"""Of the sample: what is thinner, such as text and rules beside a panel, is ignored."""
BESIDE = 0.2
"""Share of a panel's surroundings that may differ from them: text and rules, not a second image."""
SKIPPED = (0, 2)
"""Lines at an edge that may be left of another border."""
EVEN = 0.5
"""Share of the outermost pixels that are of one grey around a panel."""
TILTED_DEGREES = 3.0
"""A panel turned by less is not straightened."""
AIR = 8 / 255
"""Greys of air differ by less from its usual one."""
EMPTY = 0.985
"""Share of a line of air that is of the air's grey."""
CUT = 0.18
"""Share of a line that differs from air at once: a forearm that was cut off, not a fingertip."""
MARGIN, USUAL_MARGIN = 0.2, 0.1
"""Of what is not air: margins wider than the first are cut down to the second. Of 100 training
images 3 have one."""
ROUNDS = 6
"""A border may be inside another one."""
ROBUST_PERCENTILES = (0.02, 99.98)
"""A few hot or dead pixels do not determine the range of an image."""

Sample = npt.NDArray[np.float32]
Cuts: TypeAlias = tuple[float, ...]
"""Lines to be cut off an image at its top, bottom, left and right."""


def range_normalised(pixels: Pixels, sample_px: int = 400_000) -> Pixels:
    """Map an image's own range to 0 to 1, so that a linear scale of its greys does not matter.

    Linear, but for a few extreme pixels (``ROBUST_PERCENTILES``), which are clipped. An image of
    one grey becomes black. The range is that of about ``sample_px`` pixels.
    """
    step = max(1, int((pixels.size / sample_px) ** 0.5))
    ordered = np.sort(pixels[::step, ::step], axis=None)
    last = ordered.size - 1
    low = ordered[int(ROBUST_PERCENTILES[0] / 100 * last)]
    high = ordered[int(np.ceil(ROBUST_PERCENTILES[1] / 100 * last))]
    if high <= low:
        low, high = pixels.min(), pixels.max()
    if high <= low:
        return np.zeros_like(pixels)
    if low == 0 and high == 1:
        return pixels
    stretched: Pixels = (pixels - low) * np.float32(1 / (high - low))
    return np.clip(stretched, 0.0, 1.0, out=stretched)


def whole_image(radiograph: Radiograph) -> Pixels:
    """What is analysed of an image without borders that is upright: all inside a stated shutter."""
    return analysed(radiograph, _whole(radiograph))


def _whole(radiograph: Radiograph) -> Orientation:
    return Orientation(radiograph.field, pixel_aspect=radiograph.pixel_aspect)


def exposed_field(radiograph: Radiograph, image: Pixels | None = None) -> Orientation:
    """Find the part of an image inside its borders, and its tilt.

    The greys of the radiograph may have any linear scale; ``image`` is that of ``whole_image``,
    where it is at hand. Without borders, the field is the whole image.
    """
    whole = _whole(radiograph)
    if image is None:
        image = whole_image(radiograph)
    box, panel = inner_field(image)
    if panel is None and box == Box(0, 0, *image.shape):
        return whole
    stated = whole.field
    rows, cols = stated.height / image.shape[0], stated.width / image.shape[1]
    field = Box(
        stated.min_row + ceil(box.min_row * rows),
        stated.min_col + ceil(box.min_col * cols),
        stated.min_row + int(box.max_row * rows),
        stated.min_col + int(box.max_col * cols),
    )
    found = replace(whole, field=field)
    if panel is None:
        return found
    factor = found.square[0] / box.height
    return straightened(found, panel.scaled(factor), radiograph.pixels)


def turned_back(orientation: Orientation, degrees: float, pixels: Pixels) -> Orientation:
    """Turn a whole field back whose hand is tilted clockwise by so many degrees."""
    height, width = orientation.square
    tilt = orientation.tilt or Tilt(0.0, height / 2, width / 2, height, width)
    cos, sin = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    rows, cols = (
        round(tilt.height * cos + tilt.width * sin),
        round(tilt.width * cos + tilt.height * sin),
    )
    more = Tilt(tilt.degrees + degrees, tilt.row, tilt.col, rows, cols)
    return straightened(orientation, more, pixels)


def analysed(
    radiograph: Radiograph, orientation: Orientation, image: Pixels | None = None
) -> Pixels:
    """What is analysed of an image: upright, of square pixels, its own range mapped to 0 to 1.

    Training and inference both use it. No more pixels than the networks can make use of
    (``LONGEST_PX``). ``image`` is that of ``whole_image``, where it is at hand.
    """
    if image is not None and orientation == _whole(radiograph):
        return image
    return range_normalised(orientation.upright(radiograph.pixels, LONGEST_PX))


def straightened(orientation: Orientation, tilt: Tilt, pixels: Pixels) -> Orientation:
    """Straighten a field, and cut off the borders that show only then."""
    turned = replace(orientation, tilt=tilt)
    image = range_normalised(turned.upright(pixels, LONGEST_PX))
    inner, _ = inner_field(image, tilted=False)
    factor = max(turned.size) / max(image.shape)
    return replace(turned, tilt=tilt.within(_scaled(inner, factor)))


def _scaled(box: Box, factor: float) -> Box:
    sides = (box.min_row, box.min_col, box.max_row, box.max_col)
    return Box(*(round(side * factor) for side in sides))


def inner_field(image: Pixels, *, tilted: bool = True) -> tuple[Box, Tilt | None]:
    """Find the part inside the borders of a range-normalised image, and a tilted panel in that."""
    box = Box(0, 0, *image.shape)
    for _ in range(ROUNDS):
        inner = image[box.slices]
        sample, scale = _sampled(inner)
        panel = _panel(sample)
        if panel and abs(panel.degrees) > TILTED_DEGREES:
            if tilted:
                return box, panel.scaled(scale)
            panel = None
        cuts = _cuts_around(panel, sample.shape) if panel else ()
        if not any(cuts):
            cuts = tuple(map(_border_lines, _sides(sample)))
        if not any(cuts):
            return _cut(box, tuple(map(_too_wide_margin, _sides(sample))), scale), None
        box = _cut(box, _refined(cuts, inner, scale), 1.0)
    return box, None


def _cut(box: Box, cuts: Cuts, scale: float) -> Box:
    top, bottom, left, right = (round(lines * scale) for lines in cuts)
    rows = box.min_row + top, box.max_row - bottom
    cols = box.min_col + left, box.max_col - right
    if rows[0] >= rows[1] or cols[0] >= cols[1]:
        return box
    return Box(rows[0], cols[0], rows[1], cols[1])


def _refined(cuts: Cuts, image: Pixels, scale: float) -> Cuts:
    reach = ceil(2 * scale)
    return tuple(
        _refined_edge(side, round(lines * scale), reach) if lines else 0
        for side, lines in zip(_sides(image), cuts, strict=True)
    )


def _refined_edge(image: Pixels, lines: int, reach: int) -> int:
    """How many of the first lines are a border, near this number."""
    border = image[max(0, lines - reach - 1)]
    grey, spread = np.median(border), np.median(np.abs(border - np.median(border)))
    near = image[max(0, lines - reach) : lines + reach]
    allowed = max(float(4 * spread), GREYS[1])
    of_border = (np.abs(near - grey) <= allowed).mean(axis=1) > 1 - BEHIND
    last = np.flatnonzero(of_border)
    return max(0, lines - reach) + (int(last[-1]) + 1 if len(last) else 0)


def _sampled(image: Pixels) -> tuple[Sample, float]:
    """Reduce an image to ``SAMPLE_PX`` and normalise its range; also the factor of reduction."""
    scale = max(1.0, max(image.shape) / SAMPLE_PX)
    if scale == 1:
        return range_normalised(image, RANGE_SAMPLE_PX), 1.0
    size = max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale))
    sample = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return range_normalised(sample, RANGE_SAMPLE_PX), scale


def _sides(image: Pixels) -> Iterator[Pixels]:
    """The image as seen from each edge, lines first: top, bottom, left, right."""
    yield image
    yield image[::-1]
    yield image.T
    yield image.T[::-1]


def _panel(sample: Sample) -> Tilt | None:
    """Find a rectangle in even surroundings: a print, a screenshot, a cassette."""
    edge = np.concatenate([sample[0], sample[-1], sample[:, 0], sample[:, -1]])
    levels = (edge * 63.999).astype(int)
    grey = np.median(edge[levels == np.bincount(levels).argmax()])
    if (np.abs(edge - grey) <= GREYS[-1]).mean() < EVEN:
        return None
    other = (np.abs(sample - grey) > GREYS[-1]).astype(np.float32)
    kernel = np.ones((PANEL_OPENED_PX, PANEL_OPENED_PX), np.uint8)
    outlines, _ = cv2.findContours(
        cv2.morphologyEx(other.astype(np.uint8), cv2.MORPH_OPEN, kernel),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_SIMPLE,
    )
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    (col, row), (width, height), degrees = cv2.minAreaRect(outline)
    turns = round(degrees / 90)
    degrees -= 90 * turns
    if turns % 2:
        width, height = height, width
    least = PANEL_LEAST * sample.size
    # An outline runs through the middle of the outermost pixels.
    if width * height < least or cv2.contourArea(outline) < PANEL_FILLED * width * height:
        return None
    panel = Tilt(degrees, row + 0.5, col + 0.5, round(height) + 1, round(width) + 1)
    inside = panel.cut_out(sample, outside=0.0)
    if (np.abs(inside - np.median(inside)) <= AIR).mean() > MOSTLY:
        return None
    # Text and rules may stand beside it, but no second image.
    around = np.count_nonzero(other) - np.count_nonzero(panel.cut_out(other, outside=0.0))
    is_alone = around < BESIDE * max(1.0, sample.size - width * height)
    return panel if is_alone else None


def _cuts_around(panel: Tilt, shape: tuple[int, ...]) -> Cuts:
    """The lines around a panel that is not tilted; fewer than two are left."""
    top, left = panel.row - panel.height / 2, panel.col - panel.width / 2
    cuts = top, shape[0] - top - panel.height, left, shape[1] - left - panel.width
    return tuple(lines if lines >= 2 else 0 for lines in cuts)


def _border_lines(image: Sample) -> int:
    """How many of the first lines are a border; 0 when none are."""
    after = {n: _lines_after(image[n:]) for n in SKIPPED if n < len(image)}
    return max(skipped + lines if lines else 0 for skipped, lines in after.items())


def _lines_after(image: Sample) -> int:
    """The same for a border that begins with the first line."""
    away = np.abs(image - np.median(image[0]))
    first = away[: max(1, ceil(LEAST * len(image)))]
    if ((first <= GREYS[-1]).mean(axis=1) < MOSTLY).any():
        return 0
    return max(_lines_within(away, tolerance) for tolerance in GREYS)


def _lines_within(away: Sample, tolerance: float) -> int:
    count = len(away)
    same = (away <= tolerance).mean(axis=1)
    other = np.flatnonzero(same < MOSTLY)
    lines = int(other[0]) if len(other) else 0
    if not lines or not LEAST * count <= lines <= MOST * count:
        return 0
    first, last = (lines + int(step * count) for step in STEP)
    behind = same[first : last + 1]
    return lines if len(behind) and 1 - float(np.median(behind)) >= BEHIND else 0


def _too_wide_margin(image: Sample) -> int:
    """How many of the first lines are air beyond the usual margin."""
    same = (np.abs(image - np.median(image[0])) <= AIR).mean(axis=1)
    other = np.flatnonzero(same < EMPTY)
    if not len(other) or not other[0]:
        return 0
    lines, extent = int(other[0]), int(other[-1] - other[0]) + 1
    if same[min(lines + 1, len(same) - 1)] <= 1 - CUT:
        return lines
    return lines - round(USUAL_MARGIN * extent) if lines > MARGIN * extent else 0
