"""How a film lies before it is read, and the way between it and the upright film.

The networks see upright films, bone bright, without a frame. Whatever is
shown or written lies in the pixels of the film as it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from boneage.assessment import Box, Look
from boneage.radiograph import Pixels
from boneage.regions import HeatMap


@dataclass(frozen=True)
class Stance:
    """How a film lies: what has to be done to it before it is read."""

    field: Box
    """The part that is read, in the film's pixels: all inside its frame."""
    quarters: int = 0
    """Clockwise quarter turns that bring it upright, 0 to 3."""
    inverted: bool = False
    """Whether it is a negative: bone dark."""

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the upright film."""
        size = self.field.height, self.field.width
        return size[::-1] if self.quarters % 2 else size

    def reads_as_it_is(self, height: int, width: int) -> bool:
        """Whether nothing has to be done to a film of this size."""
        whole = self.field == Box(0, 0, height, width)
        return whole and not self.quarters and not self.inverted

    def upright(self, pixels: Pixels) -> Pixels:
        """Bring a film upright.

        Parameters
        ----------
        pixels : float32 array, shape (height, width)
            0 to 1.

        Returns
        -------
        float32 array
            Of the shape ``size``, bone bright.
        """
        field = self.field
        part = pixels[field.min_row : field.max_row, field.min_col : field.max_col]
        if self.inverted:
            part = 1 - part
        return np.ascontiguousarray(np.rot90(part, -self.quarters))

    def box_on_film(self, box: Box) -> Box:
        """Carry a box from the upright film to the film as it came."""
        back = _turned(box, self.size, -self.quarters % 4)
        row, col = self.field.min_row, self.field.min_col
        return Box(back.min_row + row, back.min_col + col, back.max_row + row, back.max_col + col)

    def box_upright(self, box: Box) -> Box:
        """Carry a box from the film as it came to the upright film, as far as it lies there.

        Raises
        ------
        ValueError
            When no part of it lies inside the frame.
        """
        field = self.field
        inside = Box(
            max(box.min_row - field.min_row, 0),
            max(box.min_col - field.min_col, 0),
            min(box.max_row - field.min_row, field.height),
            min(box.max_col - field.min_col, field.width),
        )
        return _turned(inside, (field.height, field.width), self.quarters % 4)

    def map_on_film(self, upright: HeatMap, size: tuple[int, int]) -> HeatMap:
        """Carry a map over the upright film to one over the film as it came.

        Parameters
        ----------
        upright : array, shape (rows, columns)
            Over the whole upright film, at any resolution.
        size : (height, width)
            Of the film as it came, in pixels.

        Returns
        -------
        array
            Over the whole film, at about the same resolution; 0 on the frame.
        """
        inner = np.rot90(upright, self.quarters)
        if self.field == Box(0, 0, *size):
            return np.ascontiguousarray(inner)
        scale = inner.shape[0] / self.field.height, inner.shape[1] / self.field.width
        before = round(self.field.min_row * scale[0]), round(self.field.min_col * scale[1])
        after = (
            round((size[0] - self.field.max_row) * scale[0]),
            round((size[1] - self.field.max_col) * scale[1]),
        )
        widths = ((before[0], after[0]), (before[1], after[1]))
        whole: HeatMap = np.pad(inner, widths)
        return whole

    def looks_on_film(self, looks: tuple[Look, ...], size: tuple[int, int]) -> tuple[Look, ...]:
        """Carry looks at the upright film to the film as it came, of this (height, width)."""
        if self.reads_as_it_is(*size):
            return looks
        return tuple(
            replace(
                look,
                box=self.box_on_film(look.box),
                heat_map=self.map_on_film(look.heat_map, size),
            )
            for look in looks
        )


def whole_film(height: int, width: int) -> Stance:
    """The stance of a film that is read as it is."""
    return Stance(Box(0, 0, height, width))


def _turned(box: Box, size: tuple[int, int], quarters: int) -> Box:
    """A box on a picture of this (height, width) that is turned clockwise."""
    for _ in range(quarters):
        box = Box(box.min_col, size[0] - box.max_row, box.max_col, size[0] - box.min_row)
        size = size[::-1]
    return box
