"""Lookup tables as DICOM stores them: for modality, VOI and palettes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from boneage.reading.dicom.values import numbers_of

MAX_BITS = 16
MAX_ENTRIES = 2**16
ALIKE = 8.0
"""Neighbouring entries differ by less on average; the two bytes of a number by far more."""


@dataclass(frozen=True, eq=False)
class LookupTable:
    """Entries for the input values ``first``, ``first + 1``, ..."""

    first: int
    entries: npt.NDArray[np.uint16]
    white: float
    """The highest entry."""
    whole: bool = True
    """Whether there are as many entries as stated."""

    @classmethod
    def of(
        cls, item: Dataset, descriptor: str = "LUTDescriptor", data: str = "LUTData"
    ) -> LookupTable | None:
        """Read a table; None where there is none, or none that makes sense."""
        stated = numbers_of(item, descriptor)
        if len(stated) != 3:
            return None
        count, first, bits = (int(number) for number in stated)
        if not 1 <= bits <= MAX_BITS:
            return None
        count = (count % MAX_ENTRIES) or MAX_ENTRIES
        entries = _entries(item, data, count, bits)
        if entries is None:
            return None
        # Some devices state 16 bits, or 8, for entries of 12: the highest is white.
        return cls(first, entries, float(entries.max()) or 1.0, len(entries) >= count)

    def places(self, values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
        """Indices of values in the table; those outside it are clipped."""
        last = len(self.entries) - 1
        clipped = np.clip(np.rint(values) - self.first, 0, last)
        return np.asarray(clipped, np.intp)

    def of_signed_values(self) -> LookupTable:
        """Read ``first`` as a signed number, where the file stores it as an unsigned one."""
        if self.first < 2**15:
            return self
        return replace(self, first=self.first - 2**16)

    def covers(self, values: npt.NDArray[Any]) -> bool:
        """Whether no value is beyond the end of a table that lacks entries."""
        return self.whole or bool(values.max() < self.first + len(self.entries))


def _entries(item: Dataset, keyword: str, count: int, bits: int) -> npt.NDArray[np.uint16] | None:
    """Read the entries that there are, which may be more or fewer than stated."""
    value = item.get(keyword)
    if isinstance(value, bytes | bytearray):
        content = bytes(value)
        order = "<" if item.is_little_endian is not False else ">"
    else:
        content = np.asarray(numbers_of(item, keyword), np.int64).astype("<u2").tobytes()
        order = "<"
    if count <= len(content) < 2 * count:
        # Two 8-bit entries may be in each word, also where more bits are stated.
        pairs = np.frombuffer(content, np.uint8, len(content) // 2 * 2).reshape(-1, 2)
        apart = float(np.abs(pairs[:, 0].astype(np.int16) - pairs[:, 1]).mean())
        if bits <= 8 or apart < ALIKE:
            return np.frombuffer(content, np.uint8, count).astype(np.uint16)
    words = np.frombuffer(content, f"{order}u2", min(len(content) // 2, MAX_ENTRIES))
    return words.astype(np.uint16) if len(words) >= 2 else None
