"""How a pixel's bits encode a number: their depth, place and sign, checked by the values.

Headers are wrong about them in known ways: unsigned values called signed, or the reverse;
fewer bits stated than there are, or more; the wrong high bit. Read wrongly, values wrap
around: where the image passes a certain grey, its pixels jump from one end of the range to
the other. A radiograph seldom does so by itself, and never as often as when read wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.findings import Finding

Integers: TypeAlias = npt.NDArray[Any]
Mask: TypeAlias = npt.NDArray[np.bool_]

SAMPLED_ROWS = 256
"""Rows, evenly spread, whose neighbouring pixels are compared."""
JUMP = 0.75
"""Of the range: neighbours so far apart are on the two sides of a wrap."""
HALF = 1 / 32
"""Of the range: so far from half of it neighbours are apart where the highest bit is an overlay."""
SOME, SHARE = 10, 1e-4
"""So many jumps, and this share of all pairs of neighbours, are normal: markers and printed text
jump, too."""
CLEARLY = 4
"""Another coding, or the other sign, is right when it has so many times fewer jumps. Of 300
radiographs in 12 bits, stored rightly in four ways, none was misjudged. With the wrong sign, 28
of the 300 were not found out by jumps: at most 0.5 % of their pixels were on the wrong side."""
DOUBTFUL = 0.005
"""Of the pairs: where more jump in every coding, no coding is right."""
ROUGH = 0.05
"""Of the range, between neighbours on average: bits that are no part of the pixel, or bytes in
the wrong order, look like noise. Of 250 radiographs the roughest had 0.02."""
FEWEST_BITS = 6
NEAR = 1 / 16
"""Of the range: so near to the lowest or highest number are those on the sides of a wrap."""
FEWEST_ACROSS = 5
"""Pairs of neighbours."""
RARE = 0.05
"""Of the pixels: where a little bone wrapped around, few are on either side of the wrap; where
print is bright on black, black is common. Of 300 radiographs stored rightly in six ways, none was
misjudged; with the wrong sign 5 were not found out, of which print alone is the brighter half."""


@dataclass(frozen=True)
class Coding:
    """A way to read cells: so many bits above the lowest ``shift``, as a number."""

    bits: int
    signed: bool
    shift: int = 0

    def of(self, cells: Integers) -> Integers:
        """Read cells as integers of the same size in memory."""
        size = cells.dtype.itemsize
        kind = np.dtype(f"{'i' if self.signed else 'u'}{size}")
        above = 8 * size - self.bits - self.shift
        if above:
            # Upwards first, so that coming down again fills with the sign.
            cells = np.left_shift(cells, cells.dtype.type(above))
        numbers = cells.view(kind)
        down = above + self.shift
        return np.asarray(np.right_shift(numbers, kind.type(down))) if down else numbers

    def __str__(self) -> str:
        place = f", the highest of {self.bits + self.shift}" if self.shift else ""
        return f"{'signed' if self.signed else 'unsigned'} numbers of {self.bits} bits{place}"


@dataclass(frozen=True, eq=False)
class Cells:
    """Pixels as a decoder gives them: unsigned numbers that may hold more than the pixel."""

    values: Integers
    """Unsigned, shape (rows, columns) or (rows, columns, samples)."""
    bits: int
    """Of a cell: those allocated, or those that the compressed image states."""
    signed: bool | None = None
    """What a compressed image states itself; None where it states nothing."""
    notes: tuple[Finding, ...] = ()

    @classmethod
    def decoded(cls, values: npt.ArrayLike, bits: int, *, signed: bool | None = None) -> Cells:
        """Take the numbers of a compressed image, signed ones as the bits that they are."""
        numbers = np.asarray(values)
        cells = numbers.view(f"u{numbers.dtype.itemsize}")
        if numbers.dtype.kind == "i" and bits < 8 * numbers.dtype.itemsize:
            cells = cells & cells.dtype.type(2**bits - 1)
        return cls(cells, bits, signed)


@dataclass(frozen=True, eq=False)
class StoredValues:
    """The numbers that the pixels are."""

    values: Integers
    """Shape (rows, columns)."""
    coding: Coding
    notes: tuple[Finding, ...] = ()


def stated_coding(cells: Cells, bits_stored: int, high_bit: int | None, *, signed: bool) -> Coding:
    """Read as stated, if possible; a compressed image is right about its sign and lowest bit."""
    bits = min(bits_stored, cells.bits)
    if cells.signed is not None:
        return Coding(bits, cells.signed)
    shift = 0 if high_bit is None else high_bit + 1 - bits_stored
    return Coding(bits, signed, shift if 0 < shift <= cells.bits - bits else 0)


def resolve_coding(
    cells: Cells, stated: Coding, counted: Mask | None, *, signed: bool
) -> StoredValues:
    """Decode the cells, shape (rows, columns), so that their values do not wrap around.

    ``stated`` is the coding by the header, or by a compressed image itself; ``signed`` is that of
    the header; ``counted`` is False outside the image (None: there is no outside).
    """
    values, notes = cells.values, list(cells.notes)
    highest = int(values.max() if counted is None else values.max(where=counted, initial=0))
    sample = _Sample.of(values, counted)
    if _in_the_other_byte_order(sample, stated, highest):
        values = values.byteswap()
        sample = _Sample.of(values, counted)
        highest = int(values.max() if counted is None else values.max(where=counted, initial=0))
        notes.append(_note("The bytes of the pixels are in the other order than stated"))
    right = _right_aligned(values, stated, highest, counted)
    coding = _smoothest(sample, right, highest, cells.bits)
    coding = _with_the_right_sign(values, coding, counted)
    if coding != stated:
        notes.append(_note(f"The pixels are stated as {stated} but are {coding}"))
    elif cells.signed not in {None, signed}:
        notes.append(_note(f"The compressed image has {coding}, unlike what the file states"))
    doubt = sample.jumps(coding) / max(1, sample.pairs)
    if doubt > DOUBTFUL or sample.roughness(coding) > ROUGH:
        notes.append(_doubtful(doubt))
    as_they_are = not (coding.signed or coding.shift) and highest < 2**coding.bits
    return StoredValues(values if as_they_are else coding.of(values), coding, tuple(notes))


@dataclass(frozen=True, eq=False)
class _Sample:
    """Some rows of an image."""

    cells: Integers
    counted: Mask | None
    together: Mask | None
    """Whether a pixel and its right neighbour are both counted."""
    pairs: int

    @classmethod
    def of(cls, values: Integers, counted: Mask | None) -> _Sample:
        step = max(1, values.shape[0] // SAMPLED_ROWS)
        cells = values[::step]
        pairs = cells.shape[0] * (cells.shape[1] - 1)
        if counted is None:
            return cls(cells, None, None, pairs)
        counted = counted[::step]
        together = counted[:, 1:] & counted[:, :-1]
        return cls(cells, counted, together, int(np.count_nonzero(together)))

    @property
    def few(self) -> float:
        """Fewer jumps are not a sign of wrapping."""
        return SOME + SHARE * self.pairs

    def range_bits(self, coding: Coding) -> int:
        """Bits that the values need, of those that a coding gives them."""
        return bits_for(*self._ends(coding.of(self.cells)))

    def loses(self, other: Coding, best: Coding) -> bool:
        """Whether another coding leaves out bits above that are used, and has none below."""
        below = self.cells & self.cells.dtype.type(2**best.shift - 1)
        return other.shift < best.shift and other.bits <= best.bits and not below.any()

    def jumps(self, coding: Coding, *, halves: bool = False) -> int:
        """Count the neighbours that are almost the whole range apart, or also just half of it."""
        numbers = coding.of(self.cells)
        low, high = self._ends(numbers)
        distance, full = self._apart(numbers), 2 ** bits_for(low, high)
        apart = distance > JUMP * full
        if halves:
            apart |= np.abs(distance - full // 2) <= HALF * full
        if self.together is not None:
            apart &= self.together
        if not apart.any():
            return 0
        # Black beside white is print, or an edge of what was exposed.
        ends = (numbers == low) | (numbers == high)
        return int(np.count_nonzero(apart & ~(ends[:, 1:] & ends[:, :-1])))

    def roughness(self, coding: Coding) -> float:
        """Average distance of neighbours, as a share of the range."""
        numbers = coding.of(self.cells)
        apart = self._apart(numbers)
        if self.together is not None:
            apart = apart[self.together]
        return float(apart.mean() / 2 ** self.range_bits(coding)) if apart.size else 0.0

    @staticmethod
    def _apart(numbers: Integers) -> Integers:
        wide = numbers.astype(np.int32 if numbers.dtype.itemsize < 4 else np.int64)
        return np.asarray(np.abs(np.diff(wide, axis=1)))

    def _ends(self, numbers: Integers) -> tuple[int, int]:
        counted = numbers if self.counted is None else numbers[self.counted]
        return (int(counted.min()), int(counted.max())) if counted.size else (0, 0)


def bits_for(low: int, high: int) -> int:
    """Count the bits that numbers between two need, with a sign where one is below 0."""
    if low >= 0:
        return high.bit_length()
    return max(high.bit_length(), (-low - 1).bit_length()) + 1


def _right_aligned(values: Integers, stated: Coding, highest: int, counted: Mask | None) -> Coding:
    """Ignore a high bit that the values do not reach while they use the bits below."""
    if not stated.shift:
        return stated
    low, high = 0, highest
    if stated.signed:
        numbers = Coding(stated.bits + stated.shift, signed=True).of(values)
        counted = np.ones(values.shape, np.bool_) if counted is None else counted
        low = int(numbers.min(where=counted, initial=0))
        high = int(numbers.max(where=counted, initial=0))
    below = values & values.dtype.type(2**stated.shift - 1)
    fits = bits_for(low, high) <= stated.bits
    return Coding(stated.bits, stated.signed) if fits and below.any() else stated


def _in_the_other_byte_order(sample: _Sample, stated: Coding, highest: int) -> bool:
    """Whether words are unlikely as they are, and likely with their bytes exchanged."""
    if sample.cells.dtype.itemsize != 2 or stated.signed or stated.shift:
        return False
    if highest >= 2**stated.bits:
        exchanged = sample.cells.byteswap()
        counted = exchanged if sample.counted is None else exchanged[sample.counted]
        return bool(counted.size and counted.max() < 2**stated.bits)
    if sample.roughness(stated) <= ROUGH or sample.roughness(_of_fewer(sample, stated)) <= ROUGH:
        return False
    other = replace(sample, cells=sample.cells.byteswap())
    return other.roughness(stated) <= ROUGH and other.jumps(stated) <= other.few


def _of_fewer(sample: _Sample, stated: Coding) -> Coding:
    """Find the depth at which the image is the least rough: bits above are not part of it."""
    depths = range(stated.bits, FEWEST_BITS, -1)
    codings = (Coding(bits, stated.signed, stated.shift) for bits in depths)
    return min(codings, key=sample.roughness, default=stated)


def _smoothest(sample: _Sample, stated: Coding, highest: int, cell_bits: int) -> Coding:
    """Find the coding with clearly fewer jumps than the stated one, if there is any."""
    best = stated
    used_above = highest.bit_length() > stated.bits + stated.shift
    if not used_above and sample.roughness(stated) > ROUGH:
        fewer = _of_fewer(sample, stated)
        best = fewer if sample.roughness(fewer) <= ROUGH else stated
    jumps = sample.jumps(best)
    if jumps <= sample.few:
        return best
    least = jumps
    for other in _others(best, sample.range_bits(best), highest, cell_bits):
        if sample.loses(other, best):
            continue
        # The highest bit may be an overlay, which jumps by half the range.
        count = sample.jumps(other, halves=other.bits > best.bits)
        if count * CLEARLY <= jumps and count < least and sample.roughness(other) <= ROUGH:
            best, least = other, count
            if count <= max(sample.few, jumps / CLEARLY**2):
                break
    return best


def _others(stated: Coding, range_bits: int, highest: int, cell_bits: int) -> Iterator[Coding]:
    """Other codings, the most likely first: more bits where they are used, or another sign."""
    for bits in range(min(highest.bit_length(), cell_bits), stated.bits + stated.shift, -1):
        yield Coding(bits, stated.signed)
        yield Coding(bits, not stated.signed)
    yield Coding(max(1, min(range_bits, stated.bits)), not stated.signed, stated.shift)
    yield Coding(stated.bits, not stated.signed, stated.shift)
    yield Coding(stated.bits, stated.signed)


def _with_the_right_sign(values: Integers, coding: Coding, counted: Mask | None) -> Coding:
    """Find the sign with which fewer neighbours are on the two sides of the wrap.

    In a dark image with little bone few pixels wrap around: too few jumps to tell them from print.
    But unlike print, they have the brightest values right beside the darkest, and nothing between.
    """
    wrapped = _across(values, coding, counted, RARE)
    if wrapped < FEWEST_ACROSS:
        return coding
    other = replace(coding, signed=not coding.signed)
    return other if _across(values, other, counted) * CLEARLY <= wrapped else coding


def _across(values: Integers, coding: Coding, counted: Mask | None, most: float = 1.0) -> int:
    """Count neighbours of which one is near the lowest number and one near the highest."""
    numbers = coding.of(values)
    lowest = -(2 ** (coding.bits - 1)) if coding.signed else 0
    highest = lowest + 2**coding.bits - 1
    near = int(NEAR * 2**coding.bits)
    low, high = numbers < lowest + near, numbers > highest - near
    if counted is not None:
        low, high = low & counted, high & counted
    rare = most * (numbers.size if counted is None else np.count_nonzero(counted))
    if not all(0 < np.count_nonzero(side) <= rare for side in (low, high)):
        return 0
    ends = (numbers == lowest) | (numbers == highest)
    found = 0
    for one, next_one in (
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
        ((slice(1, None), slice(None)), (slice(None, -1), slice(None))),
    ):
        pairs = (low[one] & high[next_one]) | (high[one] & low[next_one])
        # Black beside white is print, or an edge of what was exposed.
        found += int(np.count_nonzero(pairs & ~(ends[one] & ends[next_one])))
    return found


def _note(what: str) -> Finding:
    return Finding.note("stored_values", f"{what}; the values were decoded as they are")


def _doubtful(share: float) -> Finding:
    message = (
        f"{100 * share:.0f} % of neighbouring pixels alternate between black and white, which "
        "suggests wrongly decoded pixel values; compare with a DICOM viewer"
    )
    return Finding.warning("stored_values_doubtful", message, share, DOUBTFUL)
