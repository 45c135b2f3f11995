"""Rectangles on a radiograph."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle in the pixels of the original film, max row and column excluded."""

    min_row: int
    min_col: int
    max_row: int
    max_col: int

    def __post_init__(self) -> None:
        if not (0 <= self.min_row < self.max_row and 0 <= self.min_col < self.max_col):
            raise ValueError(f"{self} is empty or starts outside the film")

    @property
    def height(self) -> int:
        """Rows inside."""
        return self.max_row - self.min_row

    @property
    def width(self) -> int:
        """Columns inside."""
        return self.max_col - self.min_col

    @property
    def area(self) -> int:
        """Pixels inside."""
        return self.height * self.width
