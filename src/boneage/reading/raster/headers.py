"""Headers of raster files, checked before decoding: size, depth, orientation, shape of a pixel."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
from PIL.ExifTags import Base as Tag
from PIL.Image import Exif, Image

from boneage.errors import FilmError
from boneage.reading.accepted import BMP, JPEG, PNG, WEBP, truncated
from boneage.reading.codestream import jpeg_header

PNG_COLOUR_TYPES = frozenset((2, 4, 6))
"""RGB, grey with alpha, RGB with alpha."""
WEBP_ANIMATED = 0x02
BMP_OLDEST = 12
"""Bytes of the header that knows no compression."""
BMP_BITS, BMP_COMPRESSIONS = frozenset((1, 4, 8, 16, 24, 32)), frozenset(range(4))
"""Bits per pixel, and ways to store them: as they are, RLE of 8 and 4 bits, bit fields."""
UPRIGHT = 1
MOST_ASPECT = 3.0
"""A greater stated ratio is a mistake."""


@dataclass(frozen=True)
class Header:
    """Size where it is known before a decoder opens the file, and depth."""

    height: int | None = None
    width: int | None = None
    bits: int = 8
    deep_colour: bool = False
    """16 bits in each of several channels, of which Pillow keeps 8."""
    animated: bool = False
    transfer: int | None = None
    """Of a PNG: the code of its transfer characteristics (cICP)."""


def read_header(data: bytes, kind: str) -> Header:
    """Read a header, and check that the file is whole; of a TIFF, its decoder does."""
    if kind == PNG:
        return _png(data)
    if kind == JPEG:
        return _jpeg(data)
    if kind == WEBP:
        return _webp(data)
    if kind == BMP:
        return _bmp(data)
    return Header()


def _png(data: bytes) -> Header:
    """Walk over the chunks up to the end mark."""
    position, animated, transfer = 8, False, None
    while True:
        if position + 12 > len(data):
            raise truncated(PNG, len(data))
        length, chunk = struct.unpack_from(">I4s", data, position)
        if chunk == b"IEND":
            break
        animated = animated or chunk == b"acTL"
        if chunk == b"cICP" and length == 4:
            transfer = data[position + 9]
        position += 12 + length
    if data[12:16] != b"IHDR" or len(data) < 33:
        raise FilmError("damaged", "is a damaged PNG: it does not begin with its size")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    deep = bits == 16 and colour in PNG_COLOUR_TYPES
    return Header(height, width, bits, deep, animated, transfer)


def _jpeg(data: bytes) -> Header:
    header = jpeg_header(data)
    if header is None:
        raise truncated(JPEG, len(data))
    if header.bits != 8 or header.lossless:
        what = "lossless" if header.lossless else f"{header.bits}-bit"
        raise FilmError(
            "unsupported_format",
            f"is a {what} JPEG, which is supported only within DICOM; "
            "give an 8-bit JPEG, a PNG or the DICOM file",
        )
    return Header(header.rows, header.columns, header.bits)


def _webp(data: bytes) -> Header:
    """Read the canvas: Pillow's decoder reserves memory for it on opening."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data) or len(data) < 30:
        raise truncated(WEBP, len(data))
    chunk = data[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
        return Header(height, width, animated=bool(data[20] & WEBP_ANIMATED))
    if chunk == b"VP8L":
        packed = int.from_bytes(data[21:25], "little")
        return Header((packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1)
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(height & 0x3FFF, width & 0x3FFF)
    raise FilmError("damaged", "is a damaged WebP: it does not begin with an image")


def _bmp(data: bytes) -> Header:
    if len(data) < 54:
        raise truncated(BMP, len(data))
    oldest = int.from_bytes(data[14:18], "little") == BMP_OLDEST
    (bits,) = struct.unpack_from("<H", data, 24 if oldest else 28)
    compression = 0 if oldest else int.from_bytes(data[30:34], "little")
    if bits not in BMP_BITS or compression not in BMP_COMPRESSIONS:
        raise FilmError(
            "unsupported_format",
            f"is a BMP of {bits} bits a pixel with compression {compression}, which is "
            "not supported; export it as PNG",
        )
    return Header(bits=min(bits, 8))


def exif_of(image: Image) -> Exif:
    """Read the EXIF of an image; empty where there is none that can be read."""
    try:
        return image.getexif()
    except Exception:  # decoders raise anything on damaged files
        return Exif()


def orientation_of(exif: Exif) -> int:
    """Read the EXIF orientation, 1 to 8; 1 where there is none that makes sense."""
    value = exif.get(Tag.Orientation, UPRIGHT)
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def aspect_of(image: Image, exif: Exif) -> float:
    """Read the height of a pixel over its width, as stored, by the file's densities; else 1."""
    info = image.info
    if "jfif" in info:
        density = info.get("jfif_density", ())
    elif image.format in {"PNG", "BMP"}:
        density = info.get("aspect", info.get("dpi", ()))
    else:
        density = exif.get(Tag.XResolution), exif.get(Tag.YResolution)
    return aspect_of_resolution(density[:1], density[1:])


def aspect_of_resolution(
    across: Sequence[Any] | npt.NDArray[Any], down: Sequence[Any] | npt.NDArray[Any]
) -> float:
    """Give the height of a pixel over its width from its resolutions; 1 if they make no sense."""
    try:
        aspect = float(across[0]) / float(down[0])
    except (IndexError, TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return aspect if 1 / MOST_ASPECT <= aspect <= MOST_ASPECT else 1.0
