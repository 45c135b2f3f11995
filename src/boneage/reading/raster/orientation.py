"""Which way up a camera or scanner says that an image is, and the shape of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.Image import Exif, Image

X_RESOLUTION, Y_RESOLUTION, ORIENTATION = 282, 283, 274
UPRIGHT = 1
MOST_ASPECT = 3.0
"""Pixels that are stated to be longer than this are a mistake."""


def exif_of(image: Image) -> Exif:
    """Read the EXIF of an image; empty where there is none that can be read."""
    try:
        return image.getexif()
    except Exception:  # decoders raise anything on damaged files
        return Exif()


def orientation_of(exif: Exif) -> int:
    """Read the EXIF orientation, 1 to 8; 1 where there is none that makes sense."""
    value = exif.get(ORIENTATION, UPRIGHT)
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def aspect_of(image: Image, exif: Exif) -> float:
    """Read the height of a pixel over its width, as stored; 1 where none is stated.

    From a PNG's or BMP's pixels per metre, a JPEG's JFIF density (whatever its
    unit: without one it is the shape alone), else from EXIF.
    """
    info = image.info
    if "jfif" in info:
        density = info.get("jfif_density", ())
    elif image.format in {"PNG", "BMP"}:
        density = info.get("aspect", info.get("dpi", ()))
    else:
        density = exif.get(X_RESOLUTION), exif.get(Y_RESOLUTION)
    return aspect_of_resolution(density[:1], density[1:])


def aspect_of_resolution(
    across: Sequence[Any] | npt.NDArray[Any], down: Sequence[Any] | npt.NDArray[Any]
) -> float:
    """Give the height of a pixel over its width, of pixels per length across and down.

    1 where they are missing, or no shape of pixels.
    """
    try:
        aspect = float(across[0]) / float(down[0])
    except (IndexError, TypeError, ValueError, ZeroDivisionError):
        return 1.0
    return aspect if 1 / MOST_ASPECT <= aspect <= MOST_ASPECT else 1.0


def upright(values: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn values that are stored in the given EXIF orientation upright."""
    if orientation >= 5:  # stored by columns
        values = values.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        values = np.flip(values, 0)
    if orientation in {2, 3, 6, 7}:
        values = np.flip(values, 1)
    return values


def upright_aspect(aspect: float, orientation: int) -> float:
    """Turn the shape of a pixel likewise."""
    return 1 / aspect if orientation >= 5 else aspect
