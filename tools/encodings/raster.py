"""PNG, JPEG, WebP and BMP."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from tools.encodings.ways import (
    Array,
    Grey,
    Way,
    Writer,
    deep,
    rgb,
    shuffled_palette,
    stored,
    stretched,
    tabled,
    turned,
    ways,
)

PNG_HEADER_END = 33
"""Bytes of a PNG's signature and first chunk, IHDR."""
ADAM7 = ("0088", "0488", "4084", "0244", "2042", "0122", "1021")
"""Of the seven passes: first row and column, steps between rows and columns."""
ORIENTATION = 274
DISPLAY_GAMMA = 2.2
"""Of the screen that PNG's gAMA is corrected for."""
GARBAGE = b"END OF FILE" * 9


def encoded(pixels: Array, kind: str, **options: Any) -> bytes:
    return _saved(Image.fromarray(np.ascontiguousarray(pixels)), kind, **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _png(pixels: Array) -> bytes:
    return bytes(imagecodecs.png_encode(pixels, level=1))


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _with_chunk(data: bytes, kind: bytes, content: bytes) -> bytes:
    return data[:PNG_HEADER_END] + _chunk(kind, content) + data[PNG_HEADER_END:]


def _interlaced(pixels: Array) -> bytes:
    """Write a grey PNG in the seven passes of Adam7, which no encoder at hand does."""
    height, width = pixels.shape
    octets = pixels.astype(pixels.dtype.newbyteorder(">"))
    lines = (
        b"\0" + row.tobytes()
        for top, left, down, right in (map(int, digits) for digits in ADAM7)
        for row in octets[top::down, left::right]
        if row.size
    )
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, 0, 0, 0, 1)
    compressed = zlib.compress(b"".join(lines), 1)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", compressed), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _gamma(grey: Grey, gamma: float) -> bytes:
    """Store 16-bit samples that the stated gamma turns into the image."""
    samples = np.rint(65_535 * (grey / 255) ** (DISPLAY_GAMMA * gamma)).astype(np.uint16)
    return _with_chunk(_png(samples), b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def _density(pixels: Array, x: int, y: int, unit: int) -> bytes:
    return _with_chunk(_png(pixels), b"pHYs", struct.pack(">IIB", x, y, unit))


def _palette(grey: Grey, kind: str) -> bytes:
    indices, levels = shuffled_palette(grey)
    image = Image.fromarray(indices, "L")
    image.putpalette(rgb(levels).tobytes())
    return _saved(image, kind)


def _oriented(grey: Grey, orientation: int, kind: str, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(turned(grey, orientation), kind, exif=exif, **options)


def _jpeg(pixels: Array, quality: int = 95, **options: Any) -> bytes:
    return encoded(pixels, "JPEG", quality=quality, **options)


def _jpeg8(pixels: Array, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, **options))


def _aspect_only(data: bytes, x: int, y: int) -> bytes:
    """State the shape of pixels, but no size, in a JPEG's JFIF header."""
    at = data.index(b"JFIF\0") + 7
    return data[:at] + struct.pack(">BHH", 0, x, y) + data[at + 5 :]


def _cmyk(grey: Grey) -> bytes:
    """The image in all four inks, as Adobe's programs write it: inverted, and marked as theirs."""
    return _saved(Image.fromarray(rgb(grey)).convert("CMYK"), "JPEG", quality=95)


def _top_down(grey: Grey) -> bytes:
    """A BMP whose first row is the top one: its height is negative."""
    data = encoded(grey[::-1], "BMP")
    return data[:22] + struct.pack("<i", -grey.shape[0]) + data[26:]


def _tabled(grey: Grey, kind: str, pixels: str = "8", **options: Any) -> bytes:
    values = stored(grey, pixels)
    return _png(values) if kind == "PNG" else encoded(values, kind, **options)


PNG: dict[str, Writer] = {
    "12_values_in_16": lambda g: _png(g.astype(np.uint16) * np.uint16(16)),
    "8_values_in_16": lambda g: _png(g.astype(np.uint16)),
    "palette": lambda g: _palette(g, "PNG"),
    "interlaced": _interlaced,
    "interlaced_16": lambda g: _interlaced(deep(g, 16)),
    "gamma_1": lambda g: _gamma(g, 1.0),
    "gamma_0_6": lambda g: _gamma(g, 0.6),
    "gamma_of_a_screen": lambda g: _gamma(g, 0.45455),
    "density_square": lambda g: _density(g, 3_937, 3_937, 1),
    "turned_6": lambda g: _oriented(g, 6, "PNG"),
    "garbage_after": lambda g: _png(g) + GARBAGE,
}
PNG_RESAMPLED: dict[str, Writer] = {
    "wide": lambda g: _density(stretched(g, wider=1.2), 12_000, 10_000, 1),
    "high": lambda g: _density(stretched(g, higher=1.2), 10_000, 12_000, 1),
    "no_unit": lambda g: _density(stretched(g, wider=1.2), 6, 5, 0),
}
JPEG: dict[str, Writer] = {
    # Marked as such by Adobe's marker or by the names of the components.
    "rgb": lambda g: _jpeg8(rgb(g), level=95, colorspace="rgb", outcolorspace="rgb"),
    "cmyk": _cmyk,
    "garbage_after": lambda g: _jpeg(g) + GARBAGE,
    "12_bits": lambda g: _jpeg8(deep(g, 12), level=95, bitspersample=12),
    **{
        f"turned_{turn}": partial(_oriented, orientation=turn, kind="JPEG", quality=95)
        for turn in range(2, 9)
    },
}
JPEG_RESAMPLED: dict[str, Writer] = {
    "wide": lambda g: _jpeg(stretched(g, wider=1.2), dpi=(120, 100)),
    "high": lambda g: _jpeg(stretched(g, higher=1.2), dpi=(100, 120)),
    "no_unit": lambda g: _aspect_only(_jpeg(stretched(g, wider=1.2)), 6, 5),
    "turned": lambda g: _oriented(stretched(g, higher=1.2), 6, "JPEG", quality=95, dpi=(120, 100)),
}
WEBP: dict[str, Writer] = {"turned": lambda g: _oriented(g, 8, "WEBP", lossless=True)}
BMP: dict[str, Writer] = {"palette": lambda g: _palette(g, "BMP"), "top_down": _top_down}
JPEG_LOSSLESS: dict[str, Writer] = {"lossless": lambda g: _jpeg8(g, lossless=True, predictor=1)}
UNREADABLE = {
    "12_bits": "JPEG of 12 bits is for DICOM; no common program reads it as a picture",
    "lossless": "lossless JPEG is for DICOM; no common program reads it as a picture",
}

WAYS: tuple[Way, ...] = (
    *ways("png", ".png", tabled("png", partial(_tabled, kind="PNG")) | PNG),
    *ways("png_density", ".png", PNG_RESAMPLED, resampled=True),
    *ways("jpeg", ".jpg", tabled("jpeg", partial(_tabled, kind="JPEG")), lossy=True),
    *ways("jpeg", ".jpg", JPEG, lossy=True, unreadable=UNREADABLE),
    *ways("jpeg_density", ".jpg", JPEG_RESAMPLED, lossy=True, resampled=True),
    *ways("jpeg", ".jpg", JPEG_LOSSLESS, unreadable=UNREADABLE),
    *ways("webp", ".webp", tabled("webp", partial(_tabled, kind="WEBP")) | WEBP),
    *ways("webp", ".webp", {"lossy": lambda g: encoded(g, "WEBP", quality=90)}, lossy=True),
    *ways("bmp", ".bmp", tabled("bmp", partial(_tabled, kind="BMP")) | BMP),
)
