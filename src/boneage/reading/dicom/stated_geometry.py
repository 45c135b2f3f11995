"""The geometry of an image: the shape of its pixels, its shutter, and the padding around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from pydicom.dataset import Dataset

from boneage.domain.findings import Finding
from boneage.domain.geometry import Box
from boneage.domain.radiograph import Pixels
from boneage.reading.dicom.stored_values import Cells, Coding, Integers, Mask
from boneage.reading.dicom.values import numbers_of, stating, whole_number

MOST_OBLONG = 3.0
"""No device has pixels of a greater ratio; such a statement is a mistake."""
AS_GOOD_AS_SQUARE = 0.01
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
LEAST_SHOWN = 0.1
"""Of the image: a shutter that leaves less is a mistake."""
FARTHEST = 10**6
"""Pixels; a corner further off is a mistake."""
SAMPLE = 20_000
"""Pixels, evenly spread, that determine the range of an image's values."""
ROBUST = (0.5, 99.5)
"""Percentiles."""
APART = 1 / 8
"""Of the range of all other values: padding so far from them is nothing that was exposed."""


def stated_pixel_aspect(dataset: Dataset) -> tuple[float, tuple[Finding, ...]]:
    """Find the height of a pixel over its width: by spacings, at the patient first, or ratio."""
    found = {}
    for keyword in SPACINGS:
        macro = "PixelMeasuresSequence"
        found[keyword] = _ratio(numbers_of(stating(dataset, keyword, macro), keyword))
    found["PixelAspectRatio"] = _ratio(numbers_of(dataset, "PixelAspectRatio"))
    stated = [(keyword, ratio) for keyword, ratio in found.items() if ratio is not None]
    if not stated:
        return 1.0, ()
    first, aspect = stated[0]
    for other, ratio in stated[1:]:
        if abs(ratio / aspect - 1) > AS_GOOD_AS_SQUARE:
            message = (
                f"Contradictory pixel aspect ratios ({first}: {aspect:.3g}, {other}: {ratio:.3g}); "
                f"{first} was used"
            )
            return aspect, (Finding.warning("pixel_shape_contradictory", message),)
    return aspect, ()


def _ratio(numbers: tuple[float, ...]) -> float | None:
    if len(numbers) != 2 or min(numbers) <= 0:
        return None
    ratio = numbers[0] / numbers[1]
    if not 1 / MOST_OBLONG <= ratio <= MOST_OBLONG:
        return None
    return 1.0 if abs(ratio - 1) <= AS_GOOD_AS_SQUARE else ratio


@dataclass(frozen=True, eq=False)
class Shutter:
    """The part of an image that a viewer shows."""

    shown: Mask | None
    """Shape (rows, columns); None: all of it."""
    box: Box | None
    notes: tuple[Finding, ...] = ()

    def applied(self, pixels: Pixels) -> Box | None:
        """Black out what is not shown; the box around what is left, without all black lines."""
        if self.shown is None or self.box is None:
            return self.box
        pixels[~self.shown] = 0
        if self.shown[self.box.slices].all():
            return self.box
        return Box.around(pixels > 0) or self.box


ALL_SHOWN = Shutter(None, None)


def stated_shutter(dataset: Dataset, rows: int, columns: int, pixel_aspect: float) -> Shutter:
    """Find the part of an image inside its shutters (PS3.3, C.7.6.11), of whatever shapes."""
    source = stating(dataset, "ShutterShape", "FrameDisplayShutterSequence")
    shapes = _shapes(source)
    drawn = [SHAPES[shape](source, rows, columns, pixel_aspect) for shape in shapes]
    if not drawn:
        return ALL_SHOWN
    known = [mask for mask in drawn if mask is not None]
    shown = np.logical_and.reduce(known) if known else np.zeros((rows, columns), np.bool_)
    share = float(shown.mean())
    if share < LEAST_SHOWN:
        message = (
            f"A {' and '.join(shapes).lower()} shutter is stated that leaves "
            f"{100 * share:.0f} % of the image; it was not applied"
        )
        finding = Finding.note("shutter_ignored", message, share, LEAST_SHOWN)
        return Shutter(None, None, (finding,))
    if shown.all():
        return ALL_SHOWN
    return Shutter(shown, Box.around(shown))


def _shapes(source: Dataset) -> list[str]:
    try:
        value = source.get("ShutterShape") or ()
        words = [value] if isinstance(value, str) else list(value)
        words = [str(word).strip(" \0").upper() for word in words]
    except Exception:  # a malformed value is no value
        return []
    return [word for word in words if word in SHAPES]


def _rectangle(source: Dataset, rows: int, columns: int, _: float) -> Mask | None:
    def edge(keyword: str, otherwise: int) -> int:
        found = numbers_of(source, keyword)
        return round(min(max(found[0], -FARTHEST), FARTHEST)) if found else otherwise

    # Columns and rows count from 1, and the edges are shown.
    left = max(1, edge("ShutterLeftVerticalEdge", 1))
    right = max(0, edge("ShutterRightVerticalEdge", columns))
    upper = max(1, edge("ShutterUpperHorizontalEdge", 1))
    lower = max(0, edge("ShutterLowerHorizontalEdge", rows))
    mask = np.zeros((rows, columns), np.bool_)
    mask[upper - 1 : lower, left - 1 : right] = True
    return mask


def _circle(source: Dataset, rows: int, columns: int, pixel_aspect: float) -> Mask | None:
    centre = numbers_of(source, "CenterOfCircularShutter")
    radius = numbers_of(source, "RadiusOfCircularShutter")
    if len(centre) != 2 or not radius or not 0 < radius[0] < FARTHEST:
        return None
    # The radius counts pixels along a row; on the patient it is a circle.
    down = ((np.arange(1, rows + 1) - centre[0]) * pixel_aspect) ** 2
    across = (np.arange(1, columns + 1) - centre[1]) ** 2
    return np.asarray(down[:, None] + across[None, :] <= radius[0] ** 2)


def _polygon(source: Dataset, rows: int, columns: int, _: float) -> Mask | None:
    numbers = numbers_of(source, "VerticesOfThePolygonalShutter")
    corners = np.array(numbers[: len(numbers) // 2 * 2]).reshape(-1, 2)
    if len(corners) < 3 or np.abs(corners).max() > FARTHEST:
        return None
    mask = np.zeros((rows, columns), np.uint8)
    # OpenCV wants column and row, from 0.
    points = np.rint(corners[:, ::-1] - 1).astype(np.int32)
    cv2.fillPoly(mask, [points], 1)
    return mask.astype(np.bool_)


SHAPES: dict[str, Callable[[Dataset, int, int, float], Mask | None]] = {
    "RECTANGULAR": _rectangle,
    "CIRCULAR": _circle,
    "POLYGONAL": _polygon,
}
"""A BITMAP shutter is an overlay that hides drawings; it is not applied."""


@dataclass(frozen=True, eq=False)
class Padding:
    """Pixels that are not part of the image."""

    values: Mask
    """True where a pixel has the padding's value, wherever it is."""
    around: Mask
    """True where it is also around the image: connected to a corner."""
    apart: bool
    """Whether its value is far from all of the image's, so that it is neither air nor bone."""
    notes: tuple[Finding, ...] = ()

    @property
    def box(self) -> Box | None:
        """The image within it; None where padding and image cannot be told apart."""
        return Box.around(~self.around) if self.apart else None


def stated_padding(dataset: Dataset, cells: Cells, coding: Coding) -> Padding | None:
    """Find the padding that is stated, as a number of any sign and width, if there is any."""
    value = _number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = _number(dataset, "PixelPaddingRangeLimit")
    ends = (value, value if limit is None else limit)
    whole = Coding(cells.bits, coding.signed)
    for way in (coding,) if coding.shift else (whole, coding):
        numbers = way.of(cells.values)
        domain = [_within(end, way) for end in ends]
        if None in domain:
            continue
        low, high = sorted(end for end in domain if end is not None)
        found = numbers == low if low == high else (numbers >= low) & (numbers <= high)
        if found.any() and not found.all():
            return Padding(found, _connected_to_a_corner(found), _is_apart(numbers, found))
    return None


def _is_apart(numbers: Integers, found: Mask) -> bool:
    others = numbers[~found].astype(np.int64)
    low, high = int(others.min()), int(others.max())
    padding = numbers[found].astype(np.int64)
    gap = max(low - int(padding.max()), int(padding.min()) - high)
    return gap > APART * (high - low)


def unstated_padding(values: Integers) -> Padding | None:
    """Find a corner's value that is further from all others than these from each other."""
    ends = {int(values.min()), int(values.max())}
    rows, columns = (0, -1), (0, -1)
    corners = {int(values[row, column]) for row in rows for column in columns}
    sample = sample_of(values)
    for value in corners & ends:
        others = sample[sample != value]
        if others.size == sample.size or not others.size:
            continue
        low, high = int(others.min()), int(others.max())
        gap = low - value if value < low else value - high
        if gap > high - low > 0:
            found = values == value
            message = f"A uniform border with the value {value} was treated as padding"
            note = Finding.note("padding_not_stated", message)
            return Padding(found, _connected_to_a_corner(found), apart=True, notes=(note,))
    return None


def sample_of(values: Integers, counted: Mask | None = None) -> Integers:
    """Take some pixels of an image, evenly spread, of those that are counted."""
    step = max(1, int((values.size / SAMPLE) ** 0.5))
    sample = values[::step, ::step]
    if counted is None:
        return sample.ravel()
    some = sample[counted[::step, ::step]]
    return some if some.size else values[counted]


def _connected_to_a_corner(found: Mask) -> Mask:
    """Select what is connected to a corner: bone of the padding's value is not."""
    marked = found.astype(np.uint8)
    last_row, last_column = found.shape[0] - 1, found.shape[1] - 1
    for row in (0, last_row):
        for column in (0, last_column):
            if marked[row, column] == 1:
                cv2.floodFill(marked, None, (column, row), 2)
    return np.asarray(marked == 2)


def _number(dataset: Dataset, keyword: str) -> int | None:
    """Read a whole number, in whichever value representation, also as bare bytes."""
    try:
        value = dataset.get(keyword)
    except Exception:  # a malformed value is no value
        return None
    bare = isinstance(value, bytes) and len(value) in {2, 4}
    return int.from_bytes(value, "little") if bare else whole_number(dataset, keyword)


def _within(value: int, coding: Coding) -> int | None:
    """Bring a value that was written with the other sign into what a coding can give."""
    low = -(2 ** (coding.bits - 1)) if coding.signed else 0
    for bits in (0, coding.bits, 16):
        for moved in (value, value - 2**bits, value + 2**bits) if bits else (value,):
            if low <= moved < low + 2**coding.bits:
                return moved
    return None
