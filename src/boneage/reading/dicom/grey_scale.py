"""The scale of an image's grey levels: which number is black, 0, and which is white, 1.

Later steps do not depend on a linear scale. So values are not spread or clipped without need, and
an image gives exactly the same from DICOM as from PNG, whatever the depth: also where 8 bits were
spread over more, as some exports do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.reading.dicom.stated_geometry import ROBUST, sample_of
from boneage.reading.dicom.stored_values import Integers, Mask, bits_for

MOST_LEVELS = 2**16
FAR_OUT = 1.0
"""Times the robust range: rare values further beyond it are hot or dead pixels."""
RARE = 1e-4
"""Of the pixels: print and markers are more, hot pixels fewer."""
FEWEST_BITS, MOST_BITS = 8, 16
LEVELS_OF_8_BITS = 256
LEAST_BITS_SPREAD = 10
"""Of fewer bits, hardly any number is further than one from a level of 8 bits."""

Values: TypeAlias = npt.NDArray[Any]
"""Floating-point values, one a level."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The values of an image, and which of them each pixel has."""

    values: Values
    """Rising evenly from the lowest value to the highest."""
    index: npt.NDArray[np.unsignedinteger[Any]]
    """Places in ``values``, shape (rows, columns)."""
    sample: npt.NDArray[np.unsignedinteger[Any]]
    counts: npt.NDArray[np.intp]
    """How many pixels of the image have each value."""

    @classmethod
    def of(cls, stored: Integers, counted: Mask | None) -> Levels:
        """Find the levels of the pixels that are counted; others get the nearest ones."""
        if counted is None:
            low, high = int(stored.min()), int(stored.max())
        else:
            low, high = int(stored[counted].min()), int(stored[counted].max())
        if high - low >= MOST_LEVELS:
            low, high = robust_limits(sample_of(stored, counted).astype(np.float64), low, high)
        step = (high - low) // MOST_LEVELS + 1
        if counted is not None or step > 1 or stored.dtype.itemsize > 2:
            stored = np.clip(stored, low, high)
        # What is taken off a number without a sign wraps around to the right one.
        unsigned = stored.view(f"u{stored.dtype.itemsize}")
        index = unsigned - unsigned.dtype.type(low % 2 ** (8 * unsigned.dtype.itemsize))
        if index.dtype.itemsize > 2:
            index = (index // index.dtype.type(step)).astype(np.uint16)
        values = low + step * np.arange((high - low) // step + 1, dtype=np.float64)
        places = index.ravel() if counted is None else index[counted]
        counts = np.bincount(places, minlength=len(values))
        return cls(values, index, sample_of(index, counted), counts)

    def ends(self) -> tuple[float, float]:
        """Give the lowest and the highest value that a pixel has which is not stray."""
        there = self.values[self.counts > 0]
        low, high = float(there[0]), float(there[-1])
        nearest, farthest = robust_limits(self.values[self.sample], low, high)
        rare = RARE * self.counts.sum()
        if self.counts[self.values < nearest].sum() <= rare:
            low = float(there[there >= nearest][0])
        if self.counts[self.values > farthest].sum() <= rare:
            high = float(there[there <= farthest][-1])
        return low, high


def robust_limits(sample: Values, low: float, high: float) -> tuple[Any, Any]:
    """Limit a range to the values that are not far beyond most of them."""
    first, last = (float(end) for end in np.percentile(sample, ROBUST))
    if not first < last:
        return low, high
    beyond = FAR_OUT * (last - first)
    return max(low, type(low)(first - beyond)), min(high, type(high)(last + beyond))


@dataclass(frozen=True, eq=False)
class Greys:
    """The grey of each level."""

    values: Values
    """0 to 1."""
    stray: Mask
    """Which levels are those of hot and dead pixels only."""


def greys_of_numbers(levels: Levels, rescaled: Values, bits_stored: int) -> Greys:
    """Give the grey, 0 to 1, of each level where it is a line of the numbers that are stored.

    The numbers are taken to have as many bits as they need, at least 8 where these are stored:
    255 or 4095, say, is white; those of more than 16 bits are spread over their own range.
    Only the greys of stray pixels are clipped. Where numbers of 8 bits were spread over more and
    then moved, these may be what the rescaling makes of the numbers (``rescaled``).
    """
    for numbers in (levels.values, rescaled):
        shift = _unused_bits_below(numbers, levels)
        for depth in range(MOST_BITS, LEAST_BITS_SPREAD - 1, -1):
            greys = _of_depth(numbers / 2**shift, depth)
            found = greys_of_8_bits(greys, levels, np.asarray(1 / (2**depth - 1)))
            if found is not None:
                return found
    low, high = levels.ends()
    moved = _moved_greys_of_8_bits(levels, low, high)
    if moved is not None:
        return moved
    bits = max(min(FEWEST_BITS, bits_stored), bits_for(int(low), int(high)))
    if bits > MOST_BITS:  # more than a pixel's single precision holds
        plain = (levels.values - low) / ((high - low) or 1.0)
    else:
        plain = _of_depth(levels.values, bits)
    # With 8 bits, or fewer, a few pixels of white are print.
    stray = (levels.values < low) | (levels.values > high) if bits > FEWEST_BITS else none_of(plain)
    return Greys(np.clip(plain, 0.0, 1.0), stray)


def _moved_greys_of_8_bits(levels: Levels, low: float, high: float) -> Greys | None:
    """Give the greys of 8 bits that were spread over more and then moved: 0 is the lowest."""
    inside = (levels.counts > 0) & (levels.values >= low) & (levels.values <= high)
    there = levels.values[inside] - low
    if len(there) > LEVELS_OF_8_BITS:
        return None
    for depth in range(MOST_BITS, LEAST_BITS_SPREAD - 1, -1):
        unit = 1 / (2**depth - 1)
        places = there * unit * 255
        off = places - np.rint(places)
        # The lowest is itself rounded, so that all may be off by as much.
        middle = (off.max() + off.min()) / 2
        greys = (levels.values - low) * unit - middle / 255
        found = greys_of_8_bits(greys, levels, np.asarray(unit))
        if found is not None:
            return found
    return None


def none_of(values: Values) -> Mask:
    return np.zeros(values.shape, np.bool_)


def greys_of_8_bits(greys: Values, levels: Levels, unit: Values) -> Greys | None:
    """Give the 8-bit greys that were spread over more bits; None where that is not so.

    It is so where each grey that occurs lies within one of the stored numbers (``unit``: as grey)
    from one of 8 bits. Spreading rounds each number; without that, greys are what they were.
    """
    common = levels.counts > RARE * levels.counts.sum()
    if np.count_nonzero(common) > LEVELS_OF_8_BITS:
        return None
    nearest = np.clip(np.rint(greys * 255), 0, 255) / 255
    near = np.abs(greys - nearest) <= unit
    there = levels.counts > 0
    if levels.counts[~near].sum() > RARE * levels.counts.sum():
        return None
    found = near & there
    if np.count_nonzero(found) > LEVELS_OF_8_BITS:
        return None
    if ((np.diff(nearest[found]) == 0) & (np.diff(greys[found]) != 0)).any():
        return None  # two greys would become one
    if np.median(np.broadcast_to(unit, there.shape)[there]) > 1 / (2**LEAST_BITS_SPREAD - 1):
        return None
    return Greys(np.where(near, nearest, np.clip(greys, 0.0, 1.0)), ~near)


def _of_depth(numbers: Values, bits: int) -> Values:
    """Give the grey of numbers of so many bits, signed where one is below 0."""
    black = -(2 ** (bits - 1)) if numbers[0] < 0 or numbers[-1] < 0 else 0
    return np.asarray((numbers - black) / (2**bits - 1))


def _unused_bits_below(numbers: Values, levels: Levels) -> int:
    """Count the lowest bits that are 0 in all numbers that occur."""
    there = numbers[levels.counts > 0].astype(np.int64)
    used = int(np.bitwise_or.reduce(there))
    return (used & -used).bit_length() - 1 if used else 0
