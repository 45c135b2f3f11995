"""TIFF, in its many kinds."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
import tifffile

from tools.encodings.ways import (
    Array,
    Grey,
    Way,
    Writer,
    deep,
    rgb,
    shuffled_palette,
    stretched,
    turned,
)

ORIENTATION = 274
PREVIEW, MASK = 1, 4
"""Of NewSubfileType (254): a smaller copy of another page, and a mask of one."""
CENTIMETRE, INCH, NO_UNIT = 3, 2, 1


def tiff(pixels: Array, *, photometric: str = "minisblack", **options: Any) -> bytes:
    """Write one page."""
    file = BytesIO()
    container = {
        key: options.pop(key) for key in ("byteorder", "bigtiff", "imagej") if key in options
    }
    if "imagej" not in container:
        options.setdefault("metadata", None)
    with tifffile.TiffWriter(file, **container) as writer:
        writer.write(pixels, photometric=photometric, **options)
    return file.getvalue()


def _planes(pixels: Array, **options: Any) -> bytes:
    """Write the three colours one after the other."""
    return tiff(np.stack([pixels] * 3), photometric="rgb", planarconfig="separate", **options)


def _colours(pixels: Array, **options: Any) -> bytes:
    return tiff(rgb(pixels), photometric="rgb", **options)


def _with_alpha(channels: Array, photometric: str, extra: str = "unassalpha") -> bytes:
    opaque = np.full((*channels.shape[:2], 1), np.iinfo(channels.dtype).max, channels.dtype)
    channels = channels if channels.ndim == 3 else channels[..., np.newaxis]
    return tiff(
        np.concatenate([channels, opaque], axis=-1),
        photometric=photometric,
        planarconfig="contig",
        extrasamples=[extra],
    )


def _pages(grey: Grey, *others: tuple[Array, int]) -> bytes:
    """Write the image and behind it pages of another use."""
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(grey, photometric="minisblack", metadata=None)
        for page, use in others:
            writer.write(page, photometric="minisblack", metadata=None, subfiletype=use)
    return file.getvalue()


def _preview_first(grey: Grey) -> bytes:
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        small = np.ascontiguousarray(grey[::4, ::4])
        writer.write(small, photometric="minisblack", metadata=None, subfiletype=PREVIEW)
        writer.write(grey, photometric="minisblack", metadata=None)
    return file.getvalue()


def _preview_below(grey: Grey) -> bytes:
    """A preview in a directory of the page's own (SubIFDs)."""
    file = BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(grey, photometric="minisblack", metadata=None, subifds=1)
        small = np.ascontiguousarray(grey[::4, ::4])
        writer.write(small, photometric="minisblack", metadata=None, subfiletype=PREVIEW)
    return file.getvalue()


def _palette(grey: Grey) -> bytes:
    indices, levels = shuffled_palette(grey)
    colours = np.stack([levels.astype(np.uint16) * np.uint16(257)] * 3)
    return tiff(indices, photometric="palette", colormap=colours)


def _oriented(grey: Grey, orientation: int) -> bytes:
    tag = (ORIENTATION, "H", 1, orientation, True)
    return tiff(np.ascontiguousarray(turned(grey, orientation)), extratags=[tag])


def _resolution(pixels: Array, x: float, y: float, unit: int) -> bytes:
    return tiff(pixels, resolution=(x, y), resolutionunit=unit)


def _small(grey: Grey) -> Grey:
    return np.ascontiguousarray(grey[::4, ::4])


def _whole_mask(grey: Grey) -> Array:
    return np.ones(grey.shape, np.bool_)


def _unit(grey: Grey, kind: Any) -> Array:
    return (grey / np.float64(255)).astype(kind)


_LOSSLESS: tuple[tuple[str, Writer], ...] = (
    ("8", tiff),
    ("16", lambda g: tiff(deep(g, 16))),
    ("12_values_in_16", lambda g: tiff(deep(g, 12))),
    ("12_packed", lambda g: tiff(deep(g, 12), bitspersample=12)),
    ("signed_16", lambda g: tiff((deep(g, 16).astype(np.int32) - 32_768).astype(np.int16))),
    ("uint32", lambda g: tiff(deep(g, 16).astype(np.uint32) * np.uint32(65_537))),
    ("float_0_to_1", lambda g: tiff(_unit(g, np.float32))),
    ("float_any_range", lambda g: tiff((_unit(g, np.float32) * 3000 - 1000).astype("f4"))),
    ("float_predictor", lambda g: tiff(_unit(g, np.float32), compression="zlib", predictor=3)),
    ("strips", lambda g: tiff(g, rowsperstrip=7)),
    ("strips_16", lambda g: tiff(deep(g, 16), rowsperstrip=7)),
    ("tiles", lambda g: tiff(g, tile=(64, 80))),
    ("tiles_16", lambda g: tiff(deep(g, 16), tile=(64, 80))),
    ("big_endian_16", lambda g: tiff(deep(g, 16), byteorder=">")),
    ("bigtiff_16", lambda g: tiff(deep(g, 16), bigtiff=True)),
    ("bigtiff_big_endian", lambda g: tiff(deep(g, 16), bigtiff=True, byteorder=">")),
    ("imagej", lambda g: tiff(deep(g, 16), imagej=True)),
    ("white_is_zero", lambda g: tiff(255 - g, photometric="miniswhite")),
    (
        "white_is_zero_16",
        lambda g: tiff(np.uint16(65_535) - deep(g, 16), photometric="miniswhite"),
    ),
    (
        "white_is_zero_12_values",
        lambda g: tiff(np.uint16(4095) - deep(g, 12), photometric="miniswhite"),
    ),
    ("palette", _palette),
    ("rgb", _colours),
    ("rgb_16", lambda g: _colours(deep(g, 16))),
    ("rgb_16_tiles", lambda g: _colours(deep(g, 16), tile=(64, 80))),
    ("rgb_planar", _planes),
    ("rgb_planar_16", lambda g: _planes(deep(g, 16))),
    ("rgb_planar_16_tiles", lambda g: _planes(deep(g, 16), tile=(64, 80))),
    ("rgb_planar_16_strips", lambda g: _planes(deep(g, 16), rowsperstrip=9)),
    ("rgb_planar_16_big_endian", lambda g: _planes(deep(g, 16), byteorder=">")),
    ("rgb_planar_deflate", lambda g: _planes(deep(g, 16), compression="zlib", predictor=2)),
    ("grey_alpha", lambda g: _with_alpha(g, "minisblack")),
    ("grey_alpha_16", lambda g: _with_alpha(deep(g, 16), "minisblack")),
    ("rgba", lambda g: _with_alpha(rgb(g), "rgb")),
    ("rgba_16", lambda g: _with_alpha(rgb(deep(g, 16)), "rgb")),
    ("rgba_premultiplied", lambda g: _with_alpha(rgb(g), "rgb", "assocalpha")),
    ("lzw", lambda g: tiff(g, compression="lzw")),
    ("lzw_predictor_16", lambda g: tiff(deep(g, 16), compression="lzw", predictor=2)),
    ("deflate", lambda g: tiff(g, compression="zlib")),
    (
        "deflate_predictor_tiles",
        lambda g: tiff(deep(g, 16), compression="zlib", predictor=2, tile=(64, 80)),
    ),
    ("packbits", lambda g: tiff(g, compression="packbits")),
    ("packbits_16", lambda g: tiff(deep(g, 16), compression="packbits")),
    ("preview", lambda g: _pages(g, (_small(g), PREVIEW))),
    ("mask", lambda g: _pages(g, (_whole_mask(g), MASK))),
    ("preview_and_mask", lambda g: _pages(g, (_small(g), PREVIEW), (_whole_mask(g), MASK))),
    ("preview_first", _preview_first),
    ("preview_below", _preview_below),
    *((f"turned_{turn}", partial(_oriented, orientation=turn)) for turn in (2, 3, 4, 5, 6, 7, 8)),
    ("resolution_square", lambda g: _resolution(g, 150, 150, INCH)),
)
LOSSLESS = tuple(Way(f"tiff_{name}", ".tif", write) for name, write in _LOSSLESS)

JPEG: tuple[Way, ...] = tuple(
    Way(f"tiff_jpeg_{name}", ".tif", write, lossy=True)
    for name, write in (
        ("grey", lambda g: tiff(g, compression="jpeg", compressionargs={"level": 90})),
        (
            "tiles",
            lambda g: tiff(g, compression="jpeg", compressionargs={"level": 90}, tile=(64, 80)),
        ),
        ("ycbcr", lambda g: _colours(g, compression="jpeg", compressionargs={"level": 90})),
    )
)

RESOLUTIONS: tuple[Way, ...] = tuple(
    Way(f"tiff_resolution_{name}", ".tif", write, resampled=True)
    for name, write in (
        ("wide", lambda g: _resolution(stretched(g, wider=1.2), 180, 150, INCH)),
        ("high", lambda g: _resolution(deep(stretched(g, higher=1.2), 16), 50, 60, CENTIMETRE)),
        ("no_unit", lambda g: _resolution(stretched(g, wider=1.2), 6, 5, NO_UNIT)),
    )
)

UNREADABLE: tuple[Way, ...] = tuple(
    Way(f"tiff_{name}", ".tif", write, unreadable=reason)
    for name, write, reason in (
        ("10_packed", lambda g: tiff(deep(g, 10), bitspersample=10), "10 bits a sample are rare"),
        ("float64", lambda g: tiff(_unit(g, np.float64)), "64 bits a sample are rare"),
        ("float16", lambda g: tiff(_unit(g, np.float16)), "half-precision samples are rare"),
        (
            "jpeg_2000",
            lambda g: tiff(g, compression="jpeg2000", compressionargs={"reversible": True}),
            "JPEG 2000 in TIFF is rare",
        ),
    )
)

WAYS: tuple[Way, ...] = (*LOSSLESS, *JPEG, *RESOLUTIONS, *UNREADABLE)
