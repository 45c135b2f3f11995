"""Places on a radiograph: boxes, heat maps, and the regions detected in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

HeatMap: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the image as it came; max row and column are excluded."""

    min_row: int
    min_col: int
    max_row: int
    max_col: int

    def __post_init__(self) -> None:
        if not (0 <= self.min_row < self.max_row and 0 <= self.min_col < self.max_col):
            raise ValueError(f"{self} is empty or starts outside the image")

    @property
    def height(self) -> int:
        return self.max_row - self.min_row

    @property
    def width(self) -> int:
        return self.max_col - self.min_col

    @property
    def area(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns, to cut it out of an array."""
        return slice(self.min_row, self.max_row), slice(self.min_col, self.max_col)

    @classmethod
    def around(cls, mask: npt.NDArray[np.bool_]) -> Box | None:
        """The smallest box around all that is True; None where nothing is."""
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        return cls(top, left, top + height, left + width) if width and height else None

    def intersection(self, other: Box) -> Box | None:
        """The part in both boxes; None where they do not overlap."""
        top, left = max(self.min_row, other.min_row), max(self.min_col, other.min_col)
        bottom, right = min(self.max_row, other.max_row), min(self.max_col, other.max_col)
        return Box(top, left, bottom, right) if top < bottom and left < right else None

    def moved(self, rows: int, cols: int) -> Box:
        """The box moved down and to the right."""
        return Box(
            self.min_row + rows, self.min_col + cols, self.max_row + rows, self.max_col + cols
        )

    @property
    def edges(self) -> Edges:
        return Edges(self.min_row, self.min_col, self.max_row, self.max_col)


@dataclass(frozen=True)
class Edges:
    """A rectangle whose edges may be between pixels; 0 is the image's own edge."""

    top: float
    left: float
    bottom: float
    right: float

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def width(self) -> float:
        return self.right - self.left

    def scaled(self, rows: float, cols: float) -> Edges:
        """The same place in an image of ``rows`` and ``cols`` times the size."""
        return Edges(self.top * rows, self.left * cols, self.bottom * rows, self.right * cols)

    def zoomed(self, times: float) -> Edges:
        """Enlarged about its middle; may reach beyond the image."""
        row, col = (self.top + self.bottom) / 2, (self.left + self.right) / 2
        height, width = self.height * times / 2, self.width * times / 2
        return Edges(row - height, col - width, row + height, col + width)

    def within(self, height: int, width: int) -> Box:
        """The nearest whole pixels of an image of this size, at least one."""
        row, col = min(round(self.top), height - 1), min(round(self.left), width - 1)
        return Box(
            row,
            col,
            max(row + 1, min(round(self.bottom), height)),
            max(col + 1, min(round(self.right), width)),
        )


@dataclass(frozen=True, eq=False)
class RegionDetection:
    """A region that the attention network detected in one step."""

    region: str
    """``"carpal"``, ``"metacarpal"`` or ``"phalanx"``."""
    heat_map: HeatMap
    """Attention over the whole image, 0 to 1, at the networks' low resolution: its first row is
    that of the image, its last row the image's last. Where the image was masked in this step, it
    is 0."""
    box: Box
    attention_found: bool
    """False when no attention stood out and ``box`` is the fallback."""
    edges: Edges | None = None
    """Of the region in the analysed image, before rounding to the pixels of ``box``; None where the
    box is exact."""
