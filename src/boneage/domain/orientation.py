"""The orientation of an image, and the way between it and the upright image.

The networks see upright images, bone bright, without border, of square pixels. Whatever is shown
or written is in the pixels of the image as it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.geometry import Box, HeatMap, RegionDetection
from boneage.domain.radiograph import Pixels

Points = npt.NDArray[np.float64]
ROUNDING = 1e-6
"""Of a pixel: the error of calculations whose result is a whole number."""


@dataclass(frozen=True)
class Tilt:
    """A tilted rectangle in the field; its units are the field's square pixels."""

    degrees: float
    """Clockwise; it is turned back before analysis."""
    row: float
    col: float
    """Of its middle."""
    height: int
    width: int

    def on_field(self, points: Points) -> Points:
        """Carry points (column, row) from the rectangle, turned straight, to the field."""
        return (points - self._middle) @ self._turn.T + (self.col, self.row)

    def straight(self, points: Points) -> Points:
        """Carry points (column, row) from the field to the rectangle, turned straight."""
        return (points - (self.col, self.row)) @ self._turn + self._middle

    def within(self, box: Box) -> Tilt:
        """The part of the rectangle in a box of its own pixels."""
        middle = np.array([(box.min_col + box.max_col) / 2, (box.min_row + box.max_row) / 2])
        col, row = self.on_field(middle)
        return replace(self, row=float(row), col=float(col), height=box.height, width=box.width)

    def scaled(self, factor: float) -> Tilt:
        """The same rectangle in a field of another resolution."""
        height, width = (max(1, round(side * factor)) for side in (self.height, self.width))
        return Tilt(self.degrees, self.row * factor, self.col * factor, height, width)

    @property
    def _middle(self) -> Points:
        return np.array([self.width / 2, self.height / 2])

    @property
    def _turn(self) -> Points:
        cos, sin = np.cos(np.radians(self.degrees)), np.sin(np.radians(self.degrees))
        return np.array([[cos, -sin], [sin, cos]])

    def cut_out(self, field: npt.NDArray[np.float32], *, outside: float) -> Pixels:
        """Cut it out of a field and turn it straight; ``outside`` is the grey beyond the field."""
        return np.asarray(
            cv2.warpAffine(
                field,
                self._affine(),
                (self.width, self.height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=outside,
            )
        )

    def put_back(self, part: npt.NDArray[np.float32], size: tuple[int, int]) -> HeatMap:
        """Put the straight rectangle back into an empty field of this (height, width)."""
        return np.asarray(
            cv2.warpAffine(
                part,
                self._affine(),
                size[::-1],
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_CONSTANT,
            )
        )

    def _affine(self) -> Points:
        # OpenCV counts from the middle of a pixel, we from its edge.
        half = np.array([0.5, 0.5])
        shift = self._turn @ (half - self._middle) + (self.col, self.row) - half
        return np.column_stack([self._turn, shift])


@dataclass(frozen=True)
class Orientation:
    """How an image is brought upright before analysis."""

    field: Box
    """The part that is analysed, in the image's pixels: all inside its border."""
    quarters: int = 0
    """Clockwise quarter turns that bring it upright, 0 to 3; after the tilt is corrected."""
    inverted: bool = False
    """Whether it is a negative: bone dark."""
    pixel_aspect: float = 1.0
    """Height of a pixel over its width; the upright image has square ones."""
    tilt: Tilt | None = None
    """The part of the field that is analysed, where it is tilted."""

    @classmethod
    def of_whole(cls, height: int, width: int) -> Orientation:
        """Of an image that is analysed as it is."""
        return cls(Box(0, 0, height, width))

    @property
    def square(self) -> tuple[int, int]:
        """Rows and columns of the field with square pixels; no resolution is lost."""
        height, width, aspect = self.field.height, self.field.width, self.pixel_aspect
        return (round(height * aspect), width) if aspect > 1 else (height, round(width / aspect))

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the upright image."""
        size = (self.tilt.height, self.tilt.width) if self.tilt else self.square
        return size[::-1] if self.quarters % 2 else size

    def is_identity(self, height: int, width: int) -> bool:
        """Whether an image of this size is upright as it is."""
        whole = self.field == Box(0, 0, height, width)
        return whole and not self.quarters and not self.inverted and not self.is_resampled

    @property
    def is_resampled(self) -> bool:
        """Whether the upright image has other pixels than the image."""
        return self.tilt is not None or self.square != (self.field.height, self.field.width)

    def share_of(self, height: int, width: int) -> float:
        """The share of an image of this size that is analysed."""
        size = self.square
        tilted = self.tilt.height * self.tilt.width / (size[0] * size[1]) if self.tilt else 1.0
        return min(1.0, tilted) * self.field.area / (height * width)

    def upright(self, pixels: Pixels, longest_px: int | None = None) -> Pixels:
        """Bring an image upright: bone bright, of the shape ``size``, or at most ``longest_px``."""
        field = self.field
        part = pixels[field.slices]
        scale = min(1.0, longest_px / max(self.size)) if longest_px else 1.0
        rows, cols = (max(1, round(side * scale)) for side in self.square)
        if (rows, cols) != part.shape:
            smaller = rows <= part.shape[0] and cols <= part.shape[1]
            way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            part = cv2.resize(np.ascontiguousarray(part), (cols, rows), interpolation=way)
        if self.tilt:
            edge = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
            part = self.tilt.scaled(scale).cut_out(part, outside=float(np.median(edge)))
        if self.inverted:
            part = 1 - part
        return np.ascontiguousarray(np.rot90(part, -self.quarters))

    def box_on_film(self, box: Box) -> Box:
        """Carry a box from the upright image to the image as it came."""
        corners = _corners(_turned(box, self.size, -self.quarters % 4))
        if self.tilt:
            corners = self.tilt.on_field(corners)
        field, (rows, cols) = self.field, self.square
        scale = np.array([field.width / cols, field.height / rows])
        return _box_around(corners * scale + (field.min_col, field.min_row), field)

    def box_upright(self, box: Box) -> Box:
        """Carry a box, as far as it is inside the border, to the upright image; or ValueError."""
        field, (rows, cols) = self.field, self.square
        scale = np.array([cols / field.width, rows / field.height])
        corners = (_corners(box) - (field.min_col, field.min_row)) * scale
        if self.tilt:
            corners = self.tilt.straight(corners)
            rows, cols = self.tilt.height, self.tilt.width
        inside = _box_around(corners, Box(0, 0, rows, cols))
        return _turned(inside, (rows, cols), self.quarters % 4)

    def map_on_film(self, upright: HeatMap, size: tuple[int, int]) -> HeatMap:
        """Carry a map over the upright image, at any resolution, to one over the image as it came.

        ``size`` is the (height, width) of the image as it came, in pixels. The map has about the
        same resolution, and is 0 on the border.
        """
        inner = np.ascontiguousarray(np.rot90(upright, self.quarters))
        if self.tilt:
            factor = max(inner.shape) / max(self.tilt.height, self.tilt.width)
            tilt = self.tilt.scaled(factor)
            inner = cv2.resize(inner, (tilt.width, tilt.height))
            rows, cols = (max(1, round(side * factor)) for side in self.square)
            inner = tilt.put_back(inner, (rows, cols))
        field = self.field
        if field == Box(0, 0, *size):
            return inner
        down, across = inner.shape[0] / field.height, inner.shape[1] / field.width
        rows = round(field.min_row * down), round((size[0] - field.max_row) * down)
        cols = round(field.min_col * across), round((size[1] - field.max_col) * across)
        return np.pad(inner, (rows, cols))

    def detections_on_film(
        self, detections: tuple[RegionDetection, ...], size: tuple[int, int]
    ) -> tuple[RegionDetection, ...]:
        """Carry detections to the image as it came, of this (height, width)."""
        if self.is_identity(*size):
            return detections
        return tuple(
            replace(
                detection,
                box=self.box_on_film(detection.box),
                heat_map=self.map_on_film(detection.heat_map, size),
            )
            for detection in detections
        )


def _corners(box: Box) -> Points:
    """Column and row of the corners of a box, shape (4, 2)."""
    sides = (box.min_col, box.max_col), (box.min_row, box.max_row)
    return np.array([(col, row) for col in sides[0] for row in sides[1]], np.float64)


def _box_around(corners: Points, limits: Box) -> Box:
    """The smallest box of whole pixels around corners (column, row), inside the limits."""
    left, top = map(int, np.floor(corners.min(axis=0) + ROUNDING))
    right, bottom = map(int, np.ceil(corners.max(axis=0) - ROUNDING))
    low = max(top, limits.min_row), max(left, limits.min_col)
    return Box(*low, min(bottom, limits.max_row), min(right, limits.max_col))


def _turned(box: Box, size: tuple[int, int], quarters: int) -> Box:
    """A box on an image of this (height, width) that is turned clockwise."""
    for _ in range(quarters):
        box = Box(box.min_col, size[0] - box.max_row, box.max_col, size[0] - box.min_row)
        size = size[::-1]
    return box
