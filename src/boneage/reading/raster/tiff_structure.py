"""The directories of a TIFF, classic or BigTIFF, of either byte order.

Every place is compared with the size of the file, a circle of directories ends at its first
repeat, and values are copied only after their count is known to be within the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.errors import FilmError
from boneage.reading.kinds import TIFF
from boneage.reading.raster.headers import truncated

MAX_PAGES, MAX_TAGS = 200, 1_000
"""Directories that are read, and tags in each: an image has one of some 30."""
VALUE_TYPES: Mapping[int, str] = {
    **dict.fromkeys((1, 2, 7), "u1"),
    **dict.fromkeys((4, 5, 13), "u4"),
    **dict.fromkeys((9, 10), "i4"),
    **dict.fromkeys((16, 18), "u8"),
    **{3: "u2", 6: "i1", 8: "i2", 11: "f4", 12: "f8", 17: "i8"},
}
"""NumPy's names of the types of TIFF values; a rational (5, 10) is two of them."""
RATIONALS = frozenset((5, 10))

SUBFILE, OLD_SUBFILE = 254, 255
REDUCED, MASK = 1, 4
"""Bits of the subfile type: a smaller copy of another page, a transparency mask."""
OLD_REDUCED = 2
SUB_DIRECTORIES = 330
IMAGE_WIDTH, IMAGE_HEIGHT, IMAGE_DEPTH = 256, 257, 32997


@dataclass(frozen=True)
class TagEntry:
    """The place of the values of a tag."""

    type: int
    count: int
    position: int


@dataclass(frozen=True, eq=False)
class Directory:
    """The tags of one page."""

    data: bytes
    order: str
    """``"<"`` or ``">"``."""
    entries: Mapping[int, TagEntry]

    def numbers(self, tag: int) -> npt.NDArray[Any]:
        """Read all values of a tag; none where it is missing, or outside the file."""
        entry = self.entries.get(tag)
        if entry is None or entry.type not in VALUE_TYPES or self.outside(tag):
            return np.zeros(0)
        rational = entry.type in RATIONALS
        values: npt.NDArray[Any] = np.frombuffer(
            self.data,
            self.order + VALUE_TYPES[entry.type],
            entry.count * (2 if rational else 1),
            entry.position,
        )
        if rational:
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(values[::2] / values[1::2])
        return values

    def number(self, tag: int, default: int) -> int:
        """Read the first value of a tag."""
        values = self.numbers(tag)
        return int(values[0]) if values.size and np.isfinite(values[0]) else default

    def outside(self, tag: int) -> bool:
        """Whether a file ends before the values of a tag."""
        entry = self.entries.get(tag)
        return entry is not None and entry.position + entry.count * _size(entry.type) > len(
            self.data
        )

    @property
    def is_copy(self) -> bool:
        """Whether this is a preview, or the mask, of another page."""
        return bool(
            self.number(SUBFILE, 0) & (REDUCED | MASK) or self.number(OLD_SUBFILE, 0) == OLD_REDUCED
        )


def one_page(data: bytes, name: str) -> Directory:
    """Find the page of a TIFF that is the image; previews and masks are skipped."""
    pages = list(_chain(data, name))
    images = [page for page in pages if not page.is_copy]
    if not images:  # a raw file of a camera or scanner: the preview comes first
        images = [page for page in _below(pages, name) if not page.is_copy]
    if not images and len(pages) == 1:
        images = pages
    depth = max((page.number(IMAGE_DEPTH, 1) for page in images), default=1)
    if len(images) == 1 and depth == 1:
        return images[0]
    if not images:
        raise FilmError(
            "damaged",
            f"{name!r} is a TIFF of {len(pages)} pages that are all marked as previews or masks "
            "of another one; export the image alone",
        )
    count = len(images) if len(images) > 1 else depth
    raise FilmError(
        "several_pages", f"{name!r} is a TIFF of {count} pages; give one image per file"
    )


def _chain(data: bytes, name: str) -> Iterator[Directory]:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\x00", b"\x00+"}
    try:
        (offset,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    except struct.error as error:
        raise truncated(name, TIFF, len(data)) from error
    seen: set[int] = set()
    while True:
        if not seen and not offset:
            raise FilmError("damaged", f"{name!r} is a TIFF without an image; export it again")
        directory, following = _directory(data, order, big, offset, name)
        yield directory
        seen.add(offset)
        if not following or following in seen or len(seen) >= MAX_PAGES:
            return
        offset = following


def _directory(data: bytes, order: str, big: bool, offset: int, name: str) -> tuple[Directory, int]:
    """Read one directory, and where the next one is (0: nowhere)."""
    count_type, entry_type, inline = ("Q", "HHQQ", 8) if big else ("H", "HHII", 4)
    size = struct.calcsize("=" + entry_type)
    start = offset + struct.calcsize("=" + count_type)
    if start > len(data):
        raise truncated(name, TIFF, len(data))
    (count,) = struct.unpack_from(order + count_type, data, offset)
    end = start + count * size
    if end > len(data):
        raise truncated(name, TIFF, len(data))
    if count > MAX_TAGS:
        raise FilmError(
            "damaged", f"{name!r} is a damaged TIFF: a page of {count} tags; export it again"
        )
    entries: dict[int, TagEntry] = {}
    for position in range(start, end, size):
        tag, kind, values, place = struct.unpack_from(order + entry_type, data, position)
        if values * _size(kind) <= inline:
            place = position + size - inline
        entries.setdefault(tag, TagEntry(kind, values, place))
    # A file may end without saying that it does: what follows the last page is of no use.
    rest = data[end : end + inline].ljust(inline, b"\0")
    return Directory(data, order, entries), struct.unpack(order + ("Q" if big else "I"), rest)[0]


def _below(pages: list[Directory], name: str) -> Iterator[Directory]:
    """Read the pages that others keep below them."""
    for page in pages:
        big = page.data[2:4] in {b"+\x00", b"\x00+"}
        for offset in page.numbers(SUB_DIRECTORIES)[:MAX_PAGES]:
            yield _directory(page.data, page.order, big, int(offset), name)[0]


def _size(kind: int) -> int:
    name = VALUE_TYPES.get(kind, "u1")
    return int(name[1]) * (2 if kind in RATIONALS else 1)
