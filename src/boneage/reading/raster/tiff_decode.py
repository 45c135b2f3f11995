"""The decoded samples of a TIFF page.

Uncompressed segments are copied. JPEG segments are decoded one by one, after a check of their size.
For all other compressions libtiff, through Pillow, gets the page as rows of plain bytes: it then
only unpacks, and gives an error where it cannot fill a segment; depth, byte order, planes and
prediction are applied here. All memory is cleared first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.ExifTags import Base as Tag
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile

from boneage.errors import FilmError
from boneage.reading.codestream import jpeg_header
from boneage.reading.raster.tiff_layout import (
    DIFFERENCES,
    FLOAT_DIFFERENCES,
    JPEG,
    UNCOMPRESSED,
    WHOLE_BYTES,
    Layout,
    damaged,
)

LOWEST_BIT_FIRST = 2
"""Fill order: the first pixel in the lowest bit of a byte."""
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
BLOCK = 1 << 24
"""Bits that are unpacked at a time."""
LONG = 4
END, START_OF_SCAN, APPLICATION = 0xD9, 0xDA, range(0xE0, 0xF0)


def samples_of(layout: Layout, in_ycbcr: bool) -> npt.NDArray[Any]:
    """Decode the samples of a page, shape (height, width, samples); YCbCr in JPEG becomes RGB."""
    data = layout.page.data
    if layout.page.number(Tag.FillOrder, 1) == LOWEST_BIT_FIRST:
        data = data.translate(REVERSED)
    planes = []
    for plane in range(layout.planes):
        if layout.compression == UNCOMPRESSED:
            stored = _copied(data, layout, plane)
        elif layout.compression == JPEG:
            stored = _from_jpeg(layout, plane, in_ycbcr)
        else:
            stored = _unpacked(data, layout, plane)
        planes.append(_samples(stored, layout))
    return planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)


def _copied(data: bytes, layout: Layout, plane: int) -> npt.NDArray[np.uint8]:
    """Gather uncompressed segments: shape (rows, segments across, bytes)."""
    offsets = layout.offsets[plane]
    rows = layout.stored_rows
    size = layout.segment_height * layout.row_bytes
    whole = not layout.tiled and bool((np.diff(offsets[:, 0]) == size).all())
    if whole:
        count = rows * layout.row_bytes
        start = int(offsets[0, 0])
        return np.frombuffer(data, np.uint8, count, start).reshape(rows, 1, layout.row_bytes)
    stored = np.zeros((rows, layout.across, layout.row_bytes), np.uint8)
    for top, column, segment in _places(layout):
        height = layout.rows(segment)
        stored[top : top + height, column] = np.frombuffer(
            data, np.uint8, height * layout.row_bytes, int(offsets[segment, column])
        ).reshape(height, layout.row_bytes)
    return stored


def _places(layout: Layout) -> Iterator[tuple[int, int, int]]:
    """Top row, column and row of each segment."""
    for segment in range(layout.down):
        for column in range(layout.across):
            yield segment * layout.segment_height, column, segment


def _unpacked(data: bytes, layout: Layout, plane: int) -> npt.NDArray[np.uint8]:
    """Let libtiff unpack the segments, as an image of 8-bit grey as wide as their bytes."""
    rows = layout.stored_rows
    width = layout.across * layout.row_bytes
    offsets, sizes, height = layout.offsets[plane], layout.sizes[plane], layout.segment_height
    tags: dict[int, npt.ArrayLike] = {
        **{Tag.ImageWidth: width, Tag.ImageLength: rows, Tag.Compression: layout.compression},
        **{Tag.BitsPerSample: 8, Tag.SamplesPerPixel: 1, Tag.PhotometricInterpretation: 1},
    }
    if _undone_by_libtiff(layout):
        tags[Tag.Predictor] = DIFFERENCES
    if layout.tiled:
        tags |= {Tag.TileWidth: layout.row_bytes, Tag.TileLength: height}
        tags |= {Tag.TileOffsets: offsets, Tag.TileByteCounts: sizes}
    else:
        tags |= {Tag.StripOffsets: offsets, Tag.RowsPerStrip: height, Tag.StripByteCounts: sizes}
    with TiffImageFile(BytesIO(_rewritten(data, tags))) as image:
        image.load()
        return np.asarray(image).reshape(rows, layout.across, layout.row_bytes)


def _undone_by_libtiff(layout: Layout) -> bool:
    """Tell differences of plain bytes, which libtiff undoes as right, and faster."""
    return layout.predictor == DIFFERENCES and layout.bits == 8 and layout.samples_together == 1


def _rewritten(data: bytes, tags: dict[int, npt.ArrayLike]) -> bytes:
    """Put another directory behind a file, all its numbers LONG, and have its head point there."""
    start = len(data) + len(data) % 2
    behind = start + 2 + 12 * len(tags) + 4
    directory, values = struct.pack("<H", len(tags)), b""
    for tag in sorted(tags):
        numbers = place = np.asarray(tags[tag], "<u4").tobytes()
        if len(numbers) > 4:
            place = struct.pack("<I", behind + len(values))
            values += numbers
        directory += struct.pack("<HHI", tag, LONG, len(numbers) // 4) + place
    head = b"II*\0" + struct.pack("<I", start)
    return b"".join((head, data[8:], b"\0" * (start - len(data)), directory, bytes(4), values))


def _from_jpeg(layout: Layout, plane: int, to_rgb: bool) -> npt.NDArray[np.uint8]:
    """Decode each segment as the JPEG file that it is, with the tables they share."""
    tables = layout.page.numbers(Tag.JPEGTables).tobytes()
    rows = layout.stored_rows
    samples = layout.samples_together
    if layout.bits != 8 or samples not in {1, 3, 4}:
        raise _unsupported_jpeg(f"{samples} samples of {layout.bits} bits")
    shape = rows, layout.across, layout.row_bytes
    stored = np.zeros(shape, np.uint8)
    for top, column, segment in _places(layout):
        start = int(layout.offsets[plane, segment, column])
        size = int(layout.sizes[plane, segment, column])
        stream = layout.page.data[start : start + size]
        height = layout.rows(segment)
        _check_jpeg(stream, height, layout)
        with JpegImageFile(BytesIO(_whole_jpeg(stream, tables, to_rgb))) as image:
            image.load()
            pixels = np.asarray(image)[:height]
        if samples == 4:  # Pillow takes a JPEG of four samples for inverted CMYK
            pixels = 255 - pixels
        if layout.offsets[plane].size == 1:
            return pixels.reshape(shape)
        stored[top : top + height, column] = pixels.reshape(height, layout.row_bytes)
    return stored


def _check_jpeg(stream: bytes, height: int, layout: Layout) -> None:
    head = jpeg_header(stream)
    if head is None:
        raise damaged("a strip or tile is not a JPEG stream")
    if head.bits != 8 or head.lossless:
        raise _unsupported_jpeg("lossless" if head.lossless else f"{head.bits} bits a sample")
    # The last strip may be stored as high as the others.
    heights = {height} if layout.tiled else {height, layout.segment_height}
    if (
        head.rows not in heights
        or head.columns != layout.segment_width
        or head.components != layout.samples_together
    ):
        raise damaged(
            f"a JPEG of {head.columns} x {head.rows} px of {head.components} samples in place of "
            f"{layout.segment_width} x {height} px of {layout.samples_together}"
        )


def _whole_jpeg(stream: bytes, tables: bytes, to_rgb: bool) -> bytes:
    """Make a file of a stream and its tables; its own statements of colours are left out."""
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([int(to_rgb)])
    shared = b"".join(_segments(tables)) if tables else b""
    return b"\xff\xd8" + adobe + shared + b"".join(_segments(stream))


def _segments(stream: bytes) -> Iterator[bytes]:
    """Walk over the marker segments, without start, end and application data."""
    position = 2
    while position + 4 <= len(stream):
        if stream[position] != 0xFF or stream[position + 1] == 0xFF:
            position += 1
            continue
        marker = stream[position + 1]
        if marker == START_OF_SCAN:
            yield stream[position:]
            return
        length = 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
        if marker == END:
            return
        if marker not in APPLICATION:
            yield stream[position : position + length]
        position += length


def _unsupported_jpeg(what: str) -> FilmError:
    return FilmError(
        "unsupported_compression",
        f"is a TIFF with JPEG compression of another kind ({what}), which is not "
        "supported; export it uncompressed, or with LZW or Deflate",
    )


def _samples(stored: npt.NDArray[np.uint8], layout: Layout) -> npt.NDArray[Any]:
    """Read bytes as samples: depth, byte order, prediction; and cut what pads the tiles."""
    rows, across, _ = stored.shape
    grid = rows, across, layout.segment_width, layout.samples_together
    values: npt.NDArray[Any]
    if layout.bits not in WHOLE_BYTES:
        values = _from_bits(stored, layout.bits, layout.segment_width * layout.samples_together)
    elif layout.predictor == FLOAT_DIFFERENCES:
        values = _from_float_differences(stored, layout)
    else:
        order = layout.page.order if layout.bits > 8 else "|"
        values = stored.view(f"{order}{layout.kind}{layout.bits // 8}")
    values = values.reshape(grid)
    if layout.predictor == DIFFERENCES and not _undone_by_libtiff(layout):
        # Differences are of the bits, whatever they stand for, and wrap around.
        whole = values.view(values.dtype.str.replace(layout.kind, "u"))
        native = whole.dtype.newbyteorder("=")
        values = np.cumsum(whole, axis=2, dtype=native).view(f"={layout.kind}{layout.bits // 8}")
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    values = values.reshape(rows, across * layout.segment_width, layout.samples_together)
    return values[: layout.height, : layout.width]


def _from_bits(stored: npt.NDArray[np.uint8], bits: int, count: int) -> npt.NDArray[np.uint16]:
    """Unpack samples of 1 to 15 bits, the highest bit first; each row begins a byte."""
    flat = stored.reshape(-1, stored.shape[-1])
    values = np.zeros((len(flat), count), np.uint16)
    step = max(1, BLOCK // (8 * flat.shape[1]))
    for top in range(0, len(flat), step):
        block = np.unpackbits(flat[top : top + step], axis=1, count=count * bits)
        block = block.reshape(-1, count, bits)
        for bit in range(bits):
            values[top : top + step] |= block[..., bit].astype(np.uint16) << (bits - 1 - bit)
    return values


def _from_float_differences(stored: npt.NDArray[np.uint8], layout: Layout) -> npt.NDArray[Any]:
    """Undo predictor 3: differences of bytes, the highest bytes of a row first."""
    rows, across, size = stored.shape
    width = layout.bits // 8
    steps = stored.reshape(rows, across, -1, layout.samples_together)
    whole = np.cumsum(steps, axis=2, dtype=np.uint8).reshape(rows, across, width, size // width)
    return np.ascontiguousarray(whole.swapaxes(2, 3)).view(f">f{width}")
