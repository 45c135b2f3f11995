"""Which way up a camera or scanner says that a picture is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

ORIENTATION = 0x0112
UPRIGHT = 1


def orientation_of(image: Image) -> int:
    """Read the EXIF orientation, 1 to 8; 1 where there is none that makes sense."""
    try:
        value = image.getexif().get(ORIENTATION, UPRIGHT)
    except Exception:
        return UPRIGHT
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT


def upright(values: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn values that are stored in the given EXIF orientation upright."""
    if orientation >= 5:  # stored by columns
        values = values.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        values = np.flip(values, 0)
    if orientation in {2, 3, 6, 7}:
        values = np.flip(values, 1)
    return values
