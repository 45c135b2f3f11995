"""The limits of images that are accepted: their size, and that they have contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from boneage.errors import FilmError


@dataclass(frozen=True)
class Limits:
    """The sizes of image that are accepted, checked before any pixel is decoded."""

    min_side_px: int = 128
    """A hand of fewer pixels shows no growth plates."""
    max_px: int = 100_000_000
    """Height times width. A 35 x 43 cm plate at 50 µm is 60 megapixels; a file that states far more
    is damaged or malicious."""

    def check(self, height: int, width: int, name: str) -> None:
        """Raise FilmError for a size outside the limits."""
        size = f"{name!r} is {width} x {height} px"
        if height * width > self.max_px:
            raise FilmError(
                "too_large",
                f"{size} ({height * width / 1e6:,.0f} megapixels); "
                f"an image may have up to {self.max_px / 1e6:g} megapixels",
            )
        if min(height, width) < self.min_side_px:
            raise FilmError(
                "too_small", f"{size}; an image needs {self.min_side_px} px or more on each side"
            )


DEFAULT_LIMITS = Limits()


def check_contrast(values: npt.NDArray[Any], name: str) -> None:
    """Raise FilmError for an image of one grey."""
    low = values.min()
    if low == values.max():
        raise FilmError(
            "constant",
            f"{name!r} is blank: every pixel has the value {low}",
        )
