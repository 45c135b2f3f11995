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

from tools.encodings.ways import Array, Grey, Way, deep, rgb, shuffled_palette, stretched, turned

PNG_HEADER_END = 33
"""Bytes of a PNG's signature and first chunk, IHDR."""
ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
"""Of the seven passes: first row and column, steps between rows and columns."""
ORIENTATION = 274
DISPLAY_GAMMA = 2.2
"""Of the screen that PNG's gAMA is corrected for."""


def encoded(pixels: Array, kind: str, **options: Any) -> bytes:
    """Let Pillow write an image."""
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, kind, **options)
    return file.getvalue()


def png(pixels: Array) -> bytes:
    """Write 8 or 16 bits, of 1 to 4 channels."""
    return bytes(imagecodecs.png_encode(pixels, level=1))


def chunk(kind: bytes, content: bytes) -> bytes:
    """Make a chunk of a PNG."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def with_chunks(data: bytes, *chunks: bytes) -> bytes:
    """Put chunks behind a PNG's header."""
    return data[:PNG_HEADER_END] + b"".join(chunks) + data[PNG_HEADER_END:]


def interlaced(pixels: Array) -> bytes:
    """Write a grey PNG in the seven passes of Adam7, which no encoder at hand does."""
    height, width = pixels.shape
    octets = pixels.astype(pixels.dtype.newbyteorder(">"))
    lines = (
        b"\0" + row.tobytes()
        for top, left, down, right in ADAM7
        for row in octets[top::down, left::right]
        if row.size
    )
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, 0, 0, 0, 1)
    compressed = zlib.compress(b"".join(lines), 1)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", compressed), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _gamma(grey: Grey, gamma: float) -> bytes:
    """Store 16-bit samples that the stated gamma turns into the image."""
    samples = np.rint(65_535 * (grey / 255) ** (DISPLAY_GAMMA * gamma)).astype(np.uint16)
    return with_chunks(png(samples), chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000))))


def _density(pixels: Array, x: int, y: int, unit: int) -> bytes:
    return with_chunks(png(pixels), chunk(b"pHYs", struct.pack(">IIB", x, y, unit)))


def _palette(grey: Grey, kind: str) -> bytes:
    indices, levels = shuffled_palette(grey)
    image = Image.fromarray(indices, "L")
    image.putpalette(rgb(levels).tobytes())
    file = BytesIO()
    image.save(file, kind)
    return file.getvalue()


def _with_alpha(pixels: Array) -> Array:
    """Add a channel that says that nothing is transparent."""
    channels = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    opaque = np.full((*channels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([channels, opaque], axis=-1)


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def _jpeg(pixels: Array, quality: int = 95, **options: Any) -> bytes:
    return encoded(pixels, "JPEG", quality=quality, **options)


def _oriented(grey: Grey, orientation: int, kind: str, **options: Any) -> bytes:
    return encoded(turned(grey, orientation), kind, exif=_exif(orientation), **options)


def _aspect_only(data: bytes, x: int, y: int) -> bytes:
    """State the shape of pixels, but no size, in a JPEG's JFIF header."""
    at = data.index(b"JFIF\0") + 7
    return data[:at] + struct.pack(">BHH", 0, x, y) + data[at + 5 :]


def _cmyk(grey: Grey) -> bytes:
    """The image in all four inks, as Adobe's programs write it: inverted, and marked as theirs."""
    file = BytesIO()
    Image.fromarray(rgb(grey)).convert("CMYK").save(file, "JPEG", quality=95)
    return file.getvalue()


def _rgb_jpeg(grey: Grey) -> bytes:
    """Red, green and blue as they are, marked so by Adobe's marker or by the components' names."""
    return bytes(
        imagecodecs.jpeg8_encode(rgb(grey), level=95, colorspace="rgb", outcolorspace="rgb")
    )


def _top_down(grey: Grey) -> bytes:
    """A BMP whose first row is the top one: its height is negative."""
    data = encoded(grey[::-1], "BMP")
    return data[:22] + struct.pack("<i", -grey.shape[0]) + data[26:]


def _black_in_ink(grey: Grey) -> Array:
    return np.asarray(255 - grey, np.uint8)


PNG: tuple[Way, ...] = tuple(
    Way(f"png_{name}", ".png", write, resampled=resampled)
    for name, write, resampled in (
        ("16", lambda g: png(deep(g, 16)), False),
        ("12_values_in_16", lambda g: png(g.astype(np.uint16) * np.uint16(16)), False),
        ("10_values_in_16", lambda g: png(deep(g, 10)), False),
        ("8_values_in_16", lambda g: png(g.astype(np.uint16)), False),
        ("palette", lambda g: _palette(g, "PNG"), False),
        ("rgb", lambda g: png(rgb(g)), False),
        ("rgb_16", lambda g: png(rgb(deep(g, 16))), False),
        ("rgba", lambda g: png(_with_alpha(rgb(g))), False),
        ("rgba_16", lambda g: png(_with_alpha(rgb(deep(g, 16)))), False),
        ("grey_alpha", lambda g: png(_with_alpha(g)), False),
        ("grey_alpha_16", lambda g: png(_with_alpha(deep(g, 16))), False),
        ("interlaced", interlaced, False),
        ("interlaced_16", lambda g: interlaced(deep(g, 16)), False),
        ("gamma_1", lambda g: _gamma(g, 1.0), False),
        ("gamma_0_6", lambda g: _gamma(g, 0.6), False),
        ("gamma_of_a_screen", lambda g: _gamma(g, 0.45455), False),
        ("density_wide", lambda g: _density(stretched(g, wider=1.2), 12_000, 10_000, 1), True),
        ("density_high", lambda g: _density(stretched(g, higher=1.2), 10_000, 12_000, 1), True),
        ("density_no_unit", lambda g: _density(stretched(g, wider=1.2), 6, 5, 0), True),
        ("density_square", lambda g: _density(g, 3_937, 3_937, 1), False),
        ("turned_6", lambda g: _oriented(g, 6, "PNG"), False),
        ("garbage_after", lambda g: png(g) + b"END OF FILE" * 9, False),
    )
)

JPEG: tuple[Way, ...] = (
    *(
        Way(f"jpeg_{name}", ".jpg", write, lossy=True)
        for name, write in (
            ("95", _jpeg),
            ("75", lambda g: _jpeg(g, 75)),
            ("progressive", lambda g: _jpeg(g, progressive=True)),
            ("ycbcr_420", lambda g: _jpeg(rgb(g), subsampling="4:2:0")),
            ("rgb", _rgb_jpeg),
            ("cmyk", _cmyk),
            ("restarts", lambda g: _jpeg(g, restart_marker_rows=4)),
            ("garbage_after", lambda g: _jpeg(g) + b"END OF FILE" * 9),
        )
    ),
    *(
        Way(
            f"jpeg_turned_{turn}",
            ".jpg",
            partial(_oriented, orientation=turn, kind="JPEG", quality=95),
            lossy=True,
        )
        for turn in (2, 3, 4, 5, 6, 7, 8)
    ),
    *(
        Way(f"jpeg_density_{name}", ".jpg", write, lossy=True, resampled=True)
        for name, write in (
            ("wide", lambda g: _jpeg(stretched(g, wider=1.2), dpi=(120, 100))),
            ("high", lambda g: _jpeg(stretched(g, higher=1.2), dpi=(100, 120))),
            ("no_unit", lambda g: _aspect_only(_jpeg(stretched(g, wider=1.2)), 6, 5)),
            (
                "turned",
                lambda g: _oriented(
                    stretched(g, higher=1.2), 6, "JPEG", quality=95, dpi=(120, 100)
                ),
            ),
        )
    ),
    Way(
        "jpeg_12_bits",
        ".jpg",
        lambda g: bytes(imagecodecs.jpeg8_encode(deep(g, 12), level=95, bitspersample=12)),
        lossy=True,
        unreadable="JPEG of 12 bits is for DICOM; no common program reads it as a picture",
    ),
    Way(
        "jpeg_lossless",
        ".jpg",
        lambda g: bytes(imagecodecs.jpeg8_encode(g, lossless=True, predictor=1)),
        unreadable="lossless JPEG is for DICOM; no common program reads it as a picture",
    ),
)

OTHERS: tuple[Way, ...] = (
    Way("webp_lossless", ".webp", lambda g: encoded(g, "WEBP", lossless=True)),
    Way(
        "webp_alpha",
        ".webp",
        lambda g: encoded(_with_alpha(rgb(g)), "WEBP", lossless=True, exact=True),
    ),
    Way("webp_lossy", ".webp", lambda g: encoded(g, "WEBP", quality=90), lossy=True),
    Way(
        "webp_turned",
        ".webp",
        lambda g: _oriented(g, 8, "WEBP", lossless=True),
    ),
    Way("bmp_8", ".bmp", lambda g: encoded(g, "BMP")),
    Way("bmp_palette", ".bmp", lambda g: _palette(g, "BMP")),
    Way("bmp_24", ".bmp", lambda g: encoded(rgb(g), "BMP")),
    Way("bmp_32", ".bmp", lambda g: encoded(_with_alpha(rgb(g)), "BMP")),
    Way("bmp_top_down", ".bmp", _top_down),
)

WAYS: tuple[Way, ...] = (*PNG, *JPEG, *OTHERS)
