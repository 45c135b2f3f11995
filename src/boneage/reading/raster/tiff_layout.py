"""How the pixels of a TIFF page are stored, checked before any is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boneage.errors import FilmError
from boneage.reading.kinds import TIFF
from boneage.reading.limits import Limits
from boneage.reading.raster.headers import truncated
from boneage.reading.raster.tiff_structure import IMAGE_HEIGHT, IMAGE_WIDTH, Directory
from boneage.reading.source import MAX_FILE_BYTES

BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 258, 259, 262, 266
STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_SIZES = 273, 277, 278, 279
PLANAR, PREDICTOR, SAMPLE_FORMAT = 284, 317, 339
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES = 322, 323, 324, 325

UNCOMPRESSED, LZW, JPEG, DEFLATE, PACKBITS, OLD_DEFLATE = 1, 5, 7, 8, 32773, 32946
LZMA, ZSTD = 34925, 50000
MOST_EXPANSION: Mapping[int, int] = {
    UNCOMPRESSED: 1,
    LZW: 2_600,
    DEFLATE: 1_040,
    OLD_DEFLATE: 1_040,
    PACKBITS: 64,
    JPEG: 4_096,
    LZMA: 10_000,
    ZSTD: 40_000,
}
"""Supported compressions, and the most bytes that one byte can expand to: data that state more are
damaged, and are refused before memory is allocated."""
WITH_PREDICTOR = frozenset((LZW, DEFLATE, OLD_DEFLATE, LZMA, ZSTD))
NO_PREDICTOR, DIFFERENCES, FLOAT_DIFFERENCES = 1, 2, 3
OTHER_COMPRESSIONS: Mapping[int, str] = {
    **dict.fromkeys((2, 3, 4), "CCITT (fax) compression"),
    6: "the old JPEG compression",
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000 compression"),
    34887: "LERC compression",
    34892: "lossy JPEG compression (DNG)",
    50001: "WebP compression",
    **dict.fromkeys((50002, 52546), "JPEG XL compression"),
    **dict.fromkeys((22610, 34934), "JPEG XR compression"),
}
UNSIGNED, SIGNED, FLOAT, UNDEFINED = 1, 2, 3, 4
WHOLE_BYTES = frozenset((8, 16, 32, 64))
MAX_PACKED_BITS = 16
"""Of samples that are not whole bytes: 1 to 15 bits, one behind the other."""
FLOAT_BITS = frozenset((16, 32, 64))
MAX_SAMPLES = 8
CONTIGUOUS, SEPARATE = 1, 2


@dataclass(frozen=True, eq=False)
class Layout:
    """One page as a grid of segments (strips or tiles), for each plane."""

    page: Directory
    name: str
    """Of the file, for messages."""
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


def layout_of(page: Directory, name: str, limits: Limits) -> Layout:
    """Read how a page is stored, and refuse what is unsound or not supported."""
    height, width = page.number(IMAGE_HEIGHT, 0), page.number(IMAGE_WIDTH, 0)
    if height <= 0 or width <= 0:
        raise damaged(name, f"it is {width} x {height} px")
    limits.check(height, width, name)
    samples = page.number(SAMPLES_PER_PIXEL, 1)
    if not 1 <= samples <= MAX_SAMPLES:
        raise _pixels(name, f"{samples} samples a pixel")
    bits, kind = _sample_type(page, samples, name)
    compression = page.number(COMPRESSION, UNCOMPRESSED)
    if compression not in MOST_EXPANSION:
        what = OTHER_COMPRESSIONS.get(compression, f"compression {compression}")
        raise FilmError(
            "unsupported_compression",
            f"{name!r} is a TIFF with {what}, which is not supported; "
            "export it uncompressed, or with LZW or Deflate",
        )
    predictor = page.number(PREDICTOR, NO_PREDICTOR) if compression in WITH_PREDICTOR else 1
    _check_predictor(predictor, bits, kind, name)
    tiled = TILE_WIDTH in page.entries
    planes = samples if page.number(PLANAR, CONTIGUOUS) == SEPARATE else 1
    if tiled:
        segment_height, segment_width = page.number(TILE_HEIGHT, 0), page.number(TILE_WIDTH, 0)
    else:
        segment_height, segment_width = min(page.number(ROWS_PER_STRIP, height), height), width
    if segment_height <= 0 or segment_width <= 0:
        raise damaged(name, f"its strips or tiles are {segment_width} x {segment_height} px")
    grid = planes, -(-height // segment_height), -(-width // segment_width)
    offsets, sizes = _segments(page, grid, name)
    layout = Layout(
        *(page, name, height, width, samples, bits, kind, compression, predictor),
        *(planes, tiled, segment_height, segment_width, offsets, sizes),
    )
    _check_segments(layout)
    return layout


def damaged(name: str, why: str) -> FilmError:
    """Build the error of a TIFF that contradicts itself."""
    return FilmError("damaged", f"{name!r} is a damaged TIFF: {why}; copy or export it again")


def _pixels(name: str, what: str) -> FilmError:
    return FilmError(
        "unsupported_pixels",
        f"{name!r} is a TIFF with {what}, which is not supported; export it with 8 or 16 bits, "
        "in grey or RGB",
    )


def _sample_type(page: Directory, samples: int, name: str) -> tuple[int, str]:
    all_bits = {int(bits) for bits in page.numbers(BITS_PER_SAMPLE)[:samples]} or {1}
    formats = {int(kind) for kind in page.numbers(SAMPLE_FORMAT)[:samples]} or {UNSIGNED}
    if len(all_bits) > 1 or len(formats) > 1:
        raise _pixels(name, f"samples of different kinds ({sorted(all_bits)} bits)")
    bits, stored = all_bits.pop(), formats.pop()
    kind = {UNSIGNED: "u", UNDEFINED: "u", SIGNED: "i", FLOAT: "f"}.get(stored)
    if kind is None:
        raise _pixels(name, f"complex numbers (sample format {stored})")
    packed = kind == "u" and 1 <= bits < MAX_PACKED_BITS
    if not packed and bits not in (FLOAT_BITS if kind == "f" else WHOLE_BYTES):
        word = {"u": "", "i": "signed ", "f": "floating-point "}[kind]
        raise _pixels(name, f"{bits} bits a {word}sample")
    return bits, kind


def _check_predictor(predictor: int, bits: int, kind: str, name: str) -> None:
    if (
        predictor in {0, NO_PREDICTOR}
        or (predictor == DIFFERENCES and bits in WHOLE_BYTES)
        or (predictor == FLOAT_DIFFERENCES and kind == "f")
    ):
        return
    raise FilmError(
        "unsupported_compression",
        f"{name!r} is a TIFF with predictor {predictor} on {bits} bits a sample, which is not "
        "supported; export it without predictor",
    )


def _segments(
    page: Directory, grid: tuple[int, int, int], name: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Read the places of the segments, and their sizes (0 where no size is stated)."""
    planes, down, across = grid
    count = planes * down * across
    found: list[npt.NDArray[np.int64]] = []
    for tags in ((TILE_OFFSETS, STRIP_OFFSETS), (TILE_SIZES, STRIP_SIZES)):
        tag = next((tag for tag in tags if tag in page.entries), tags[1])
        if page.outside(tag):
            raise truncated(name, TIFF, len(page.data))
        values = page.numbers(tag)
        if not found and values.size < count:
            raise damaged(name, f"it lists {values.size} of its {count} strips or tiles")
        if values.size < count:
            values = np.zeros(count)
        found.append(values[:count].astype(np.int64).reshape(grid))
    return found[0], found[1]


def _check_segments(layout: Layout) -> None:
    """Check that each segment is in the file, and can hold its pixels."""
    name, sizes, file_size = layout.name, layout.sizes, len(layout.page.data)
    unpacked = layout.offsets.size * layout.segment_height * layout.row_bytes
    if unpacked > MAX_FILE_BYTES:
        raise FilmError(
            "too_large",
            f"{name!r} unpacks to {unpacked / 2**20:,.0f} MiB; "
            f"an image file may have up to {MAX_FILE_BYTES / 2**20:.0f} MiB",
        )
    rows = np.array([layout.rows(index) for index in range(layout.down)], np.int64)
    needed = (rows * layout.row_bytes)[np.newaxis, :, np.newaxis]
    if layout.compression == UNCOMPRESSED:  # what is stored behind the pixels is of no use
        sizes = np.where(sizes == 0, needed, np.minimum(sizes, needed))
    sizes = np.minimum(sizes, MAX_FILE_BYTES)
    if bool(((layout.offsets <= 0) | (sizes <= 0)).any()):
        raise damaged(name, "a strip or tile is missing")
    if bool((layout.offsets > file_size - sizes).any()):
        raise truncated(name, TIFF, file_size)
    if bool((sizes * MOST_EXPANSION[layout.compression] < needed).any()):
        raise damaged(name, "a strip or tile is too short for its pixels")
