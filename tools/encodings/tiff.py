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
    inverted,
    rgb,
    shuffled_palette,
    signed,
    stretched,
    turned,
    ways,
    with_alpha,
)

ORIENTATION = 274
PREVIEW, MASK = 1, 4
"""Of NewSubfileType (254): a smaller copy of another page, and a mask of one."""
CENTIMETRE, INCH, NO_UNIT = 3, 2, 1
TILES = (64, 80)


def _pages(*pages: tuple[Array, dict[str, Any]], **container: Any) -> bytes:
    """Write pages, each with its own options."""
    file = BytesIO()
    # ImageJ's description is metadata of its own; other files shall have none.
    plain: dict[str, Any] = {} if "imagej" in container else {"metadata": None}
    with tifffile.TiffWriter(file, **container) as writer:
        for pixels, options in pages:
            writer.write(pixels, **{"photometric": "minisblack"} | plain | options)
    return file.getvalue()


def _tiff(pixels: Array, **options: Any) -> bytes:
    names = options.keys() & {"byteorder", "bigtiff", "imagej"}
    container = {name: options.pop(name) for name in names}
    return _pages((pixels, options), **container)


def _planes(pixels: Array, **options: Any) -> bytes:
    """Write the three colours one after the other."""
    return _tiff(np.stack([pixels] * 3), photometric="rgb", planarconfig="separate", **options)


def _colours(pixels: Array, **options: Any) -> bytes:
    return _tiff(rgb(pixels), photometric="rgb", **options)


def _jpeg(pixels: Array, **options: Any) -> bytes:
    return _tiff(pixels, compression="jpeg", compressionargs={"level": 90}, **options)


def _alpha(pixels: Array, extra: str = "unassalpha") -> bytes:
    kind = "minisblack" if pixels.ndim == 2 else "rgb"
    options = {"photometric": kind, "planarconfig": "contig", "extrasamples": [extra]}
    return _tiff(with_alpha(pixels), **options)


def _small(grey: Grey) -> tuple[Array, dict[str, Any]]:
    return np.ascontiguousarray(grey[::4, ::4]), {"subfiletype": PREVIEW}


def _mask(grey: Grey) -> tuple[Array, dict[str, Any]]:
    return np.ones(grey.shape, np.bool_), {"subfiletype": MASK}


def _palette(grey: Grey) -> bytes:
    indices, levels = shuffled_palette(grey)
    colours = np.stack([levels.astype(np.uint16) * np.uint16(257)] * 3)
    return _tiff(indices, photometric="palette", colormap=colours)


def _oriented(grey: Grey, orientation: int) -> bytes:
    tag = (ORIENTATION, "H", 1, orientation, True)
    return _tiff(np.ascontiguousarray(turned(grey, orientation)), extratags=[tag])


def _resolution(pixels: Array, x: float, y: float, unit: int) -> bytes:
    return _tiff(pixels, resolution=(x, y), resolutionunit=unit)


def _unit(grey: Grey, kind: Any) -> Array:
    return (grey / np.float64(255)).astype(kind)


LOSSLESS: dict[str, Writer] = {
    "8": _tiff,
    "16": lambda g: _tiff(deep(g, 16)),
    "12_values_in_16": lambda g: _tiff(deep(g, 12)),
    "12_packed": lambda g: _tiff(deep(g, 12), bitspersample=12),
    "signed_16": lambda g: _tiff(signed(g, 16)),
    "uint32": lambda g: _tiff(deep(g, 16).astype(np.uint32) * np.uint32(65_537)),
    "float_0_to_1": lambda g: _tiff(_unit(g, np.float32)),
    "float_any_range": lambda g: _tiff((_unit(g, np.float32) * 3000 - 1000).astype("f4")),
    "float_predictor": lambda g: _tiff(_unit(g, np.float32), compression="zlib", predictor=3),
    "strips": lambda g: _tiff(g, rowsperstrip=7),
    "strips_16": lambda g: _tiff(deep(g, 16), rowsperstrip=7),
    "tiles": lambda g: _tiff(g, tile=TILES),
    "tiles_16": lambda g: _tiff(deep(g, 16), tile=TILES),
    "big_endian_16": lambda g: _tiff(deep(g, 16), byteorder=">"),
    "bigtiff_16": lambda g: _tiff(deep(g, 16), bigtiff=True),
    "bigtiff_big_endian": lambda g: _tiff(deep(g, 16), bigtiff=True, byteorder=">"),
    "imagej": lambda g: _tiff(deep(g, 16), imagej=True),
    "white_is_zero": lambda g: _tiff(255 - g, photometric="miniswhite"),
    "white_is_zero_16": lambda g: _tiff(inverted(g, 16), photometric="miniswhite"),
    "white_is_zero_12_values": lambda g: _tiff(inverted(g, 12), photometric="miniswhite"),
    "palette": _palette,
    "rgb": _colours,
    "rgb_16": lambda g: _colours(deep(g, 16)),
    "rgb_16_tiles": lambda g: _colours(deep(g, 16), tile=TILES),
    "rgb_planar": _planes,
    "rgb_planar_16": lambda g: _planes(deep(g, 16)),
    "rgb_planar_16_tiles": lambda g: _planes(deep(g, 16), tile=TILES),
    "rgb_planar_16_strips": lambda g: _planes(deep(g, 16), rowsperstrip=9),
    "rgb_planar_16_big_endian": lambda g: _planes(deep(g, 16), byteorder=">"),
    "rgb_planar_deflate": lambda g: _planes(deep(g, 16), compression="zlib", predictor=2),
    "grey_alpha": _alpha,
    "grey_alpha_16": lambda g: _alpha(deep(g, 16)),
    "rgba": lambda g: _alpha(rgb(g)),
    "rgba_16": lambda g: _alpha(rgb(deep(g, 16))),
    "rgba_premultiplied": lambda g: _alpha(rgb(g), "assocalpha"),
    "lzw": lambda g: _tiff(g, compression="lzw"),
    "lzw_predictor_16": lambda g: _tiff(deep(g, 16), compression="lzw", predictor=2),
    "deflate": lambda g: _tiff(g, compression="zlib"),
    "deflate_predictor_tiles": lambda g: _tiff(
        deep(g, 16), compression="zlib", predictor=2, tile=TILES
    ),
    "packbits": lambda g: _tiff(g, compression="packbits"),
    "packbits_16": lambda g: _tiff(deep(g, 16), compression="packbits"),
    "preview": lambda g: _pages((g, {}), _small(g)),
    "mask": lambda g: _pages((g, {}), _mask(g)),
    "preview_and_mask": lambda g: _pages((g, {}), _small(g), _mask(g)),
    "preview_first": lambda g: _pages(_small(g), (g, {})),
    # In a directory of the page's own.
    "preview_below": lambda g: _pages((g, {"subifds": 1}), _small(g)),
    "resolution_square": lambda g: _resolution(g, 150, 150, INCH),
    **{f"turned_{turn}": partial(_oriented, orientation=turn) for turn in range(2, 9)},
    "10_packed": lambda g: _tiff(deep(g, 10), bitspersample=10),
    "float64": lambda g: _tiff(_unit(g, np.float64)),
    "float16": lambda g: _tiff(_unit(g, np.float16)),
    "jpeg_2000": lambda g: _tiff(g, compression="jpeg2000", compressionargs={"reversible": True}),
}
UNREADABLE = {
    "10_packed": "10 bits a sample are rare",
    "float64": "64 bits a sample are rare",
    "float16": "half-precision samples are rare",
    "jpeg_2000": "JPEG 2000 in TIFF is rare",
}
JPEG: dict[str, Writer] = {
    "grey": _jpeg,
    "tiles": lambda g: _jpeg(g, tile=TILES),
    "ycbcr": lambda g: _jpeg(rgb(g), photometric="rgb"),
}
RESOLUTIONS: dict[str, Writer] = {
    "wide": lambda g: _resolution(stretched(g, wider=1.2), 180, 150, INCH),
    "high": lambda g: _resolution(deep(stretched(g, higher=1.2), 16), 50, 60, CENTIMETRE),
    "no_unit": lambda g: _resolution(stretched(g, wider=1.2), 6, 5, NO_UNIT),
}

WAYS: tuple[Way, ...] = (
    *ways("tiff", ".tif", LOSSLESS, unreadable=UNREADABLE),
    *ways("tiff_jpeg", ".tif", JPEG, lossy=True),
    *ways("tiff_resolution", ".tif", RESOLUTIONS, resampled=True),
)
