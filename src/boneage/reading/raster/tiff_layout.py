"""The directories of a TIFF, and how the pixels of its page are stored, checked before decoding.

TIFF may be classic or BigTIFF, of either byte order. Every place is compared with the size of the
file, a circle of directories ends at its first repeat, and values are copied only after their
count is known to be within the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.ExifTags import Base as Tag

from boneage.errors import FilmError
from boneage.reading.accepted import TIFF, Limits, truncated
from boneage.reading.source import MAX_FILE_BYTES
from boneage.storage.typed import shipped_toml

MAX_PAGES, MAX_TAGS = 200, 1_000
"""Directories that are read, and tags in each: an image has one of some 30."""
NUMBERS: Mapping[str, Mapping[int, Any]] = {
    group: {int(number): value for number, value in table.items()}
    for group, table in shipped_toml("boneage.reading.raster", "tiff.toml").items()
}
"""What TIFF calls by numbers, such as the types of values and the compressions."""
VALUE_TYPES = NUMBERS["value_types"]
RATIONALS = frozenset((5, 10))

REDUCED, MASK = 1, 4
"""Bits of the subfile type: a smaller copy of another page, a transparency mask."""
OLD_REDUCED = 2
IMAGE_DEPTH = 32997

MOST_EXPANSION = NUMBERS["most_expansion"]
UNCOMPRESSED, JPEG = 1, 7
WITH_PREDICTOR = frozenset((5, 8, 32946, 34925, 50000))
"""LZW, both Deflates, LZMA and Zstandard."""
NO_PREDICTOR, DIFFERENCES, FLOAT_DIFFERENCES = 1, 2, 3
UNSIGNED, SIGNED, FLOAT, UNDEFINED = 1, 2, 3, 4
WHOLE_BYTES = frozenset((8, 16, 32, 64))
MAX_PACKED_BITS = 16
"""Of samples that are not whole bytes: 1 to 15 bits, one behind the other."""
FLOAT_BITS = frozenset((16, 32, 64))
MAX_SAMPLES = 8
CONTIGUOUS, SEPARATE = 1, 2


@dataclass(frozen=True)
class TagEntry:
    """The place of the values of a tag."""

    type: int
    count: int
    position: int

    @property
    def size(self) -> int:
        """Bytes of all values; those of an unknown type are taken to have one each."""
        name = VALUE_TYPES.get(self.type, "u1")
        return self.count * int(name[1]) * (2 if self.type in RATIONALS else 1)


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
        stored = self.data[entry.position : entry.position + entry.size]
        values: npt.NDArray[Any] = np.frombuffer(stored, self.order + VALUE_TYPES[entry.type])
        if entry.type not in RATIONALS:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(values[::2] / values[1::2])

    def number(self, tag: int, default: int) -> int:
        values = self.numbers(tag)
        return int(values[0]) if values.size and np.isfinite(values[0]) else default

    def outside(self, tag: int) -> bool:
        """Whether a file ends before the values of a tag."""
        entry = self.entries.get(tag)
        return entry is not None and entry.position + entry.size > len(self.data)

    @property
    def is_copy(self) -> bool:
        """Whether this is a preview, or the mask, of another page."""
        of_another = self.number(Tag.NewSubfileType, 0) & (REDUCED | MASK)
        return bool(of_another) or self.number(Tag.SubfileType, 0) == OLD_REDUCED


def one_page(data: bytes) -> Directory:
    """Find the page of a TIFF that is the image; previews and masks are skipped."""
    pages = list(_chain(data))
    images = [page for page in pages if not page.is_copy]
    if not images:  # a raw file of a camera or scanner: the preview comes first
        images = [page for page in _below(pages) if not page.is_copy]
    if not images and len(pages) == 1:
        images = pages
    depth = max((page.number(IMAGE_DEPTH, 1) for page in images), default=1)
    if len(images) == 1 and depth == 1:
        return images[0]
    if not images:
        raise FilmError(
            "damaged",
            f"is a TIFF of {len(pages)} pages that are all marked as previews or masks "
            "of another one; export the image alone",
        )
    count = len(images) if len(images) > 1 else depth
    raise FilmError("several_pages", f"is a TIFF of {count} pages; give one image per file")


def _chain(data: bytes) -> Iterator[Directory]:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in {b"+\x00", b"\x00+"}
    try:
        (offset,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    except struct.error as error:
        raise truncated(TIFF, len(data)) from error
    seen: set[int] = set()
    while True:
        if not seen and not offset:
            raise FilmError("damaged", "is a TIFF without an image; export it again")
        directory, following = _directory(data, order, big, offset)
        yield directory
        seen.add(offset)
        if not following or following in seen or len(seen) >= MAX_PAGES:
            return
        offset = following


def _directory(data: bytes, order: str, big: bool, offset: int) -> tuple[Directory, int]:
    """Read one directory, and where the next one is (0: nowhere)."""
    count_type, entry_type, inline = ("Q", "HHQQ", 8) if big else ("H", "HHII", 4)
    size = struct.calcsize("=" + entry_type)
    start = offset + struct.calcsize("=" + count_type)
    count = int.from_bytes(data[offset:start], "little" if order == "<" else "big")
    end = start + count * size
    if max(start, end) > len(data):
        raise truncated(TIFF, len(data))
    if count > MAX_TAGS:
        raise FilmError("damaged", f"is a damaged TIFF: a page of {count} tags; export it again")
    entries: dict[int, TagEntry] = {}
    for position in range(start, end, size):
        tag, kind, values, place = struct.unpack_from(order + entry_type, data, position)
        entry = TagEntry(kind, values, place)
        if entry.size <= inline:
            entry = TagEntry(kind, values, position + size - inline)
        entries.setdefault(tag, entry)
    # A file may end without saying that it does: what follows the last page is of no use.
    rest = data[end : end + inline].ljust(inline, b"\0")
    return Directory(data, order, entries), struct.unpack(order + ("Q" if big else "I"), rest)[0]


def _below(pages: list[Directory]) -> Iterator[Directory]:
    for page in pages:
        big = page.data[2:4] in {b"+\x00", b"\x00+"}
        for offset in page.numbers(Tag.SubIFDs)[:MAX_PAGES]:
            yield _directory(page.data, page.order, big, int(offset))[0]


@dataclass(frozen=True, eq=False)
class Layout:
    """One page as a grid of segments (strips or tiles), for each plane."""

    page: Directory
    height: int
    width: int
    samples: int
    """Per pixel."""
    bits: int
    kind: str
    """NumPy's letter: ``"u"``, ``"i"`` or ``"f"``."""
    compression: int
    predictor: int
    planes: int
    """The samples of a pixel are in as many images, or in 1."""
    tiled: bool
    segment_height: int
    segment_width: int
    offsets: npt.NDArray[np.int64]
    """Shape (planes, down, across)."""
    sizes: npt.NDArray[np.int64]

    @property
    def down(self) -> int:
        """Segments below each other."""
        return int(self.offsets.shape[1])

    @property
    def across(self) -> int:
        """Segments beside each other."""
        return int(self.offsets.shape[2])

    @property
    def samples_together(self) -> int:
        """Samples of a pixel within one segment."""
        return self.samples // self.planes

    @property
    def stored_rows(self) -> int:
        """Rows of all segments below each other: of tiles, also what pads the last ones."""
        return self.down * self.segment_height if self.tiled else self.height

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of one segment."""
        return -(-self.segment_width * self.samples_together * self.bits // 8)

    def rows(self, index: int) -> int:
        """Rows that are stored in a segment: all of a tile, the rest in the last strip."""
        if self.tiled:
            return self.segment_height
        return min(self.segment_height, self.height - index * self.segment_height)


def layout_of(page: Directory, limits: Limits) -> Layout:
    """Read how a page is stored, and refuse what is unsound or not supported."""
    height, width = page.number(Tag.ImageLength, 0), page.number(Tag.ImageWidth, 0)
    if height <= 0 or width <= 0:
        raise damaged(f"it is {width} x {height} px")
    limits.check(height, width)
    samples = page.number(Tag.SamplesPerPixel, 1)
    if not 1 <= samples <= MAX_SAMPLES:
        raise _pixels(f"{samples} samples a pixel")
    bits, kind = _sample_type(page, samples)
    compression = page.number(Tag.Compression, UNCOMPRESSED)
    if compression not in MOST_EXPANSION:
        what = NUMBERS["other_compressions"].get(compression, f"compression {compression}")
        raise FilmError(
            "unsupported_compression",
            f"is a TIFF with {what}, which is not supported; "
            "export it uncompressed, or with LZW or Deflate",
        )
    predictor = page.number(Tag.Predictor, NO_PREDICTOR) if compression in WITH_PREDICTOR else 1
    _check_predictor(predictor, bits, kind)
    tiled = Tag.TileWidth in page.entries
    planes = samples if page.number(Tag.PlanarConfiguration, CONTIGUOUS) == SEPARATE else 1
    if tiled:
        rows, cols = page.number(Tag.TileLength, 0), page.number(Tag.TileWidth, 0)
    else:
        rows, cols = min(page.number(Tag.RowsPerStrip, height), height), width
    if rows <= 0 or cols <= 0:
        raise damaged(f"its strips or tiles are {cols} x {rows} px")
    offsets, sizes = _segments(page, (planes, -(-height // rows), -(-width // cols)))
    layout = Layout(
        *(page, height, width, samples, bits, kind, compression, predictor),
        *(planes, tiled, rows, cols, offsets, sizes),
    )
    _check_segments(layout)
    return layout


def damaged(why: str) -> FilmError:
    """Build the error of a TIFF that contradicts itself."""
    return FilmError("damaged", f"is a damaged TIFF: {why}; copy or export it again")


def _pixels(what: str) -> FilmError:
    return FilmError(
        "unsupported_pixels",
        f"is a TIFF with {what}, which is not supported; export it with 8 or 16 bits, "
        "in grey or RGB",
    )


def _sample_type(page: Directory, samples: int) -> tuple[int, str]:
    all_bits = {int(bits) for bits in page.numbers(Tag.BitsPerSample)[:samples]} or {1}
    formats = {int(kind) for kind in page.numbers(Tag.SampleFormat)[:samples]} or {UNSIGNED}
    if len(all_bits) > 1 or len(formats) > 1:
        raise _pixels(f"samples of different kinds ({sorted(all_bits)} bits)")
    bits, stored = all_bits.pop(), formats.pop()
    kind = {UNSIGNED: "u", UNDEFINED: "u", SIGNED: "i", FLOAT: "f"}.get(stored)
    if kind is None:
        raise _pixels(f"complex numbers (sample format {stored})")
    packed = kind == "u" and 1 <= bits < MAX_PACKED_BITS
    if not packed and bits not in (FLOAT_BITS if kind == "f" else WHOLE_BYTES):
        word = {"u": "", "i": "signed ", "f": "floating-point "}[kind]
        raise _pixels(f"{bits} bits a {word}sample")
    return bits, kind


def _check_predictor(predictor: int, bits: int, kind: str) -> None:
    if (
        predictor in {0, NO_PREDICTOR}
        or (predictor == DIFFERENCES and bits in WHOLE_BYTES)
        or (predictor == FLOAT_DIFFERENCES and kind == "f")
    ):
        return
    raise FilmError(
        "unsupported_compression",
        f"is a TIFF with predictor {predictor} on {bits} bits a sample, which is not "
        "supported; export it without predictor",
    )


def _segments(
    page: Directory, grid: tuple[int, int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Read the places of the segments, and their sizes (0 where no size is stated)."""
    planes, down, across = grid
    count = planes * down * across
    found: list[npt.NDArray[np.int64]] = []
    for tags in ((Tag.TileOffsets, Tag.StripOffsets), (Tag.TileByteCounts, Tag.StripByteCounts)):
        tag = next((tag for tag in tags if tag in page.entries), tags[1])
        if page.outside(tag):
            raise truncated(TIFF, len(page.data))
        values = page.numbers(tag)
        if not found and values.size < count:
            raise damaged(f"it lists {values.size} of its {count} strips or tiles")
        if values.size < count:
            values = np.zeros(count)
        found.append(values[:count].astype(np.int64).reshape(grid))
    return found[0], found[1]


def _check_segments(layout: Layout) -> None:
    sizes, file_size = layout.sizes, len(layout.page.data)
    unpacked = layout.offsets.size * layout.segment_height * layout.row_bytes
    if unpacked > MAX_FILE_BYTES:
        raise FilmError(
            "too_large",
            f"unpacks to {unpacked / 2**20:,.0f} MiB; "
            f"an image file may have up to {MAX_FILE_BYTES / 2**20:.0f} MiB",
        )
    rows = np.array([layout.rows(index) for index in range(layout.down)], np.int64)
    needed = (rows * layout.row_bytes)[np.newaxis, :, np.newaxis]
    if layout.compression == UNCOMPRESSED:  # what is stored behind the pixels is of no use
        sizes = np.where(sizes == 0, needed, np.minimum(sizes, needed))
    sizes = np.minimum(sizes, MAX_FILE_BYTES)
    if bool(((layout.offsets <= 0) | (sizes <= 0)).any()):
        raise damaged("a strip or tile is missing")
    if bool((layout.offsets > file_size - sizes).any()):
        raise truncated(TIFF, file_size)
    if bool((sizes * MOST_EXPANSION[layout.compression] < needed).any()):
        raise damaged("a strip or tile is too short for its pixels")
