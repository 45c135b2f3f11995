"""TIFF, in its many kinds."""

from __future__ import annotations

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
    shuffled_palette,
    stored,
    tabled,
    ways,
)

PREVIEW, MASK = 1, 4
"""Of NewSubfileType (254): a smaller copy of another page, and a mask of one."""


def _pages(*pages: tuple[Array, dict[str, Any]], **container: Any) -> bytes:
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


def _tabled(grey: Grey, pixels: str = "8", **options: Any) -> bytes:
    return _tiff(stored(grey, pixels), **options)


def _small(grey: Grey) -> tuple[Array, dict[str, Any]]:
    return np.ascontiguousarray(grey[::4, ::4]), {"subfiletype": PREVIEW}


def _mask(grey: Grey) -> tuple[Array, dict[str, Any]]:
    return np.ones(grey.shape, np.bool_), {"subfiletype": MASK}


def _palette(grey: Grey) -> bytes:
    indices, levels = shuffled_palette(grey)
    colours = np.stack([levels.astype(np.uint16) * np.uint16(257)] * 3)
    return _tiff(indices, photometric="palette", colormap=colours)


LOSSLESS: dict[str, Writer] = {
    "uint32": lambda g: _tiff(deep(g, 16).astype(np.uint32) * np.uint32(65_537)),
    "float_any_range": lambda g: _tiff((stored(g, "float32") * 3000 - 1000).astype("f4")),
    "palette": _palette,
    "preview": lambda g: _pages((g, {}), _small(g)),
    "mask": lambda g: _pages((g, {}), _mask(g)),
    "preview_and_mask": lambda g: _pages((g, {}), _small(g), _mask(g)),
    "preview_first": lambda g: _pages(_small(g), (g, {})),
    # In a directory of the page's own.
    "preview_below": lambda g: _pages((g, {"subifds": 1}), _small(g)),
}
UNREADABLE = {
    "10_packed": "10 bits a sample are rare",
    "float64": "64 bits a sample are rare",
    "float16": "half-precision samples are rare",
    "jpeg_2000": "JPEG 2000 in TIFF is rare",
}

WAYS: tuple[Way, ...] = (
    *ways("tiff", ".tif", tabled("tiff", _tabled), unreadable=UNREADABLE),
    *ways("tiff", ".tif", LOSSLESS),
    *ways("tiff_jpeg", ".tif", tabled("tiff_jpeg", _tabled), lossy=True),
    *ways("tiff_resolution", ".tif", tabled("tiff_resolution", _tabled), resampled=True),
)
