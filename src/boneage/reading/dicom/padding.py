"""Padding around an image that fills its rectangle, stated or not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from pydicom.dataset import Dataset

from boneage.domain.findings import Finding
from boneage.domain.geometry import Box
from boneage.reading.dicom.stored_values import Cells, Coding, Integers, Mask
from boneage.reading.dicom.values import numbers_of

SAMPLE = 20_000
"""Pixels, evenly spread, that determine the range of an image's values."""
ROBUST = (0.5, 99.5)
"""Percentiles."""
APART = 1 / 8
"""Of the range of all other values: padding so far from them is nothing that was exposed."""


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
    """Find the padding that the header states; None where there is none.

    The value may be given as the number that its bits are without a sign, or with one, and
    may need more bits than a pixel has.
    """
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
    around: Mask = marked == 2
    return around


def _number(dataset: Dataset, keyword: str) -> int | None:
    """Read a whole number, in whichever value representation, also as bare bytes."""
    try:
        value = dataset.get(keyword)
    except Exception:  # a malformed value is no value
        return None
    if isinstance(value, bytes) and len(value) in {2, 4}:
        return int.from_bytes(value, "little")
    found = numbers_of(dataset, keyword)
    return int(found[0]) if found and found[0] == int(found[0]) else None


def _within(value: int, coding: Coding) -> int | None:
    """Bring a value that was written with the other sign into what a coding can give."""
    low = -(2 ** (coding.bits - 1)) if coding.signed else 0
    for bits in (0, coding.bits, 16):
        for moved in (value, value - 2**bits, value + 2**bits) if bits else (value,):
            if low <= moved < low + 2**coding.bits:
                return moved
    return None
