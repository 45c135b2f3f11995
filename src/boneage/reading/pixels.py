"""From decoded values to the pixels of a film, 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.errors import FilmError


def check_contrast(values: npt.NDArray[Any], name: str) -> None:
    """Refuse a film that is one grey all over.

    Raises
    ------
    FilmError
        ``"constant"``
    """
    low = values.min()
    if low == values.max():
        raise FilmError(
            "constant",
            f"{name!r} shows nothing: every pixel has the value {low}; a film needs contrast",
        )


def check_finite(values: npt.NDArray[Any], name: str) -> None:
    """Refuse values that are not numbers, or infinite.

    Raises
    ------
    FilmError
        ``"not_finite"``
    """
    wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise FilmError(
            "not_finite",
            f"{name!r} has {wrong} pixels that are NaN or infinite; each must be a finite number",
        )


def scaled(values: npt.NDArray[Any], white: float) -> Pixels:
    """Divide by the value of white."""
    # A division, not a product with the inverse, so that white is exactly 1.
    pixels: Pixels = np.divide(values, np.float32(white), dtype=np.float32)
    return np.ascontiguousarray(pixels)


def spread(values: npt.NDArray[Any]) -> Pixels:
    """Map the lowest value to 0 and the highest to 1, where no white is stated."""
    low, high = float(values.min()), float(values.max())
    # Halved, so that the range of the largest numbers is a number, too.
    half_range = high / 2 - low / 2
    shifted = (values.astype(np.float64) / 2 - low / 2) / (half_range or 1.0)
    return np.ascontiguousarray(np.clip(shifted, 0.0, 1.0).astype(np.float32))
