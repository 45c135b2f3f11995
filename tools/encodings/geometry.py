"""Pixels that are not square, shutters, and bars around an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from pydicom.dataset import Dataset

from tools.encodings.dicom import DicomTable, dataset, dicom_ways, monochrome1, twelve
from tools.encodings.raster import encoded
from tools.encodings.ways import SEED, Grey, Way, Writer, stretched, tabled, ways

BLACK, GREY, WHITE = 0, 128, 255
SHUTTER_MARGIN = 0.15
"""Of the longer side: how wide the area outside a shutter is."""
SCATTER, UNEXPOSED = 25, 225
"""Mean grey level outside a shutter: some scattered rays, or bright as an inverted plate is."""


def _noise(height: int, width: int, mean: float) -> Grey:
    """Draw what a detector holds where no direct ray came: soft noise around a grey level."""
    coarse = np.random.default_rng(SEED).normal(mean, 8, (height // 8 + 2, width // 8 + 2))
    soft = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


def _put(grey: Grey, canvas: Grey) -> dict[str, int]:
    """Put an image into the middle of a larger one; where a rectangular shutter is around it."""
    (height, width), (rows, columns) = grey.shape, canvas.shape
    top, left = (rows - height) // 2, (columns - width) // 2
    canvas[top : top + height, left : left + width] = grey
    return {
        "ShutterUpperHorizontalEdge": top + 1,
        "ShutterLowerHorizontalEdge": top + height,
        "ShutterLeftVerticalEdge": left + 1,
        "ShutterRightVerticalEdge": left + width,
    }


def _margin(grey: Grey) -> int:
    margin: int = round(SHUTTER_MARGIN * max(grey.shape))
    return margin


def _around(grey: Grey, mean: float = SCATTER) -> Grey:
    height, width = grey.shape
    return _noise(height + 2 * _margin(grey), width + 2 * _margin(grey), mean)


def _shuttered(canvas: Grey, shape: str | list[str], **elements: Any) -> Dataset:
    return dataset(canvas, 8, ShutterShape=shape, ShutterPresentationValue=0, **elements)


def _rectangular(grey: Grey, mean: float = SCATTER) -> Dataset:
    canvas = _around(grey, mean)
    edges = _put(grey, canvas)
    return _shuttered(canvas, "RECTANGULAR", **edges)


def _circle(grey: Grey) -> tuple[Grey, dict[str, Any]]:
    """Draw what surrounds the circle around an image, and where the circle is."""
    radius = int(np.hypot(*grey.shape) / 2) + 2
    centre = radius + 20
    canvas = _noise(2 * centre, 2 * centre, SCATTER)
    return canvas, {
        "CenterOfCircularShutter": [centre + 1, centre + 1],
        "RadiusOfCircularShutter": radius,
    }


def _circular(grey: Grey) -> Dataset:
    """A circle around the whole image; between them the collimator made the plate black."""
    canvas, circle = _circle(grey)
    centre = len(canvas) // 2
    cv2.circle(canvas, (centre, centre), circle["RadiusOfCircularShutter"], (BLACK,), cv2.FILLED)
    _put(grey, canvas)
    return _shuttered(canvas, "CIRCULAR", **circle)


def _two_shutters(grey: Grey) -> Dataset:
    """A circle within which a rectangle leaves the image alone."""
    canvas, circle = _circle(grey)
    edges = _put(grey, canvas)
    return _shuttered(canvas, ["RECTANGULAR", "CIRCULAR"], **edges, **circle)


def _polygonal(grey: Grey) -> Dataset:
    """An octagon around the image; its corners are counted from 1, row before column."""
    canvas = _around(grey)
    edges = _put(grey, canvas)
    top, bottom, left, right = edges.values()
    row, column, out = (top + bottom) // 2, (left + right) // 2, _margin(grey) // 2
    corners = [
        (top, left), (top - out, column), (top, right), (row, right + out),
        (bottom, right), (bottom + out, column), (bottom, left), (row, left - out),
    ]  # fmt: skip
    points = np.array([(x - 1, y - 1) for y, x in corners], np.int32)
    cv2.fillPoly(canvas, [points], (BLACK,))
    _put(grey, canvas)
    numbers = [number for corner in corners for number in corner]
    return _shuttered(canvas, "POLYGONAL", VerticesOfThePolygonalShutter=numbers)


def _barred(grey: Grey, value: int, **widths: float) -> Grey:
    """Put bars of one grey level beside an image, their widths as parts of its longer side."""
    top, bottom, left, right = (
        round(widths.get(side, 0.0) * max(grey.shape))
        for side in ("top", "bottom", "left", "right")
    )
    return np.pad(grey, ((top, bottom), (left, right)), constant_values=value)


def _all_round(grey: Grey, value: int, width: float = 0.12) -> Grey:
    return _barred(grey, value, top=width, bottom=width, left=width, right=width)


def _squared(grey: Grey, value: int) -> Grey:
    """Fill up the sides of a tall image, or the top and bottom of a wide one, to a square."""
    height, width = grey.shape
    missing = abs(height - width) / max(height, width) / 2
    if height >= width:
        return _barred(grey, value, left=missing, right=missing)
    return _barred(grey, value, top=missing, bottom=missing)


def _printed(grey: Grey) -> Grey:
    """A white line around the image on a black sheet."""
    line = max(2, round(0.004 * max(grey.shape)))
    return _all_round(np.pad(grey, line, constant_values=WHITE), BLACK, 0.05)


def _screenshot(grey: Grey) -> Grey:
    """A viewer's window: a dark bar with buttons above, light margins, a status line below."""
    canvas = _barred(grey, 236, top=0.1, bottom=0.05, left=0.08, right=0.16)
    side = max(grey.shape)
    canvas[: round(0.045 * side)] = 48
    size = max(2, round(0.02 * side))
    for number in range(8):
        left = round(0.02 * side) + 2 * size * number
        canvas[round(0.012 * side) : round(0.012 * side) + size, left : left + size] = 200
    return canvas


def _noisy_bars(grey: Grey) -> Grey:
    """Bars at the left and right that are not of one grey level, as a scanner leaves."""
    width = round(0.1 * max(grey.shape))
    canvas = _noise(grey.shape[0], grey.shape[1] + 2 * width, 12)
    canvas[:, width:-width] = grey
    return canvas


BARS: dict[str, Callable[[Grey], Grey]] = {
    "black_square": lambda g: _squared(g, BLACK),
    "white_square": lambda g: _squared(g, WHITE),
    "grey_square": lambda g: _squared(g, GREY),
    "black_and_white": lambda g: _all_round(_all_round(g, BLACK, 0.06), WHITE, 0.06),
    "noise": _noisy_bars,
    "printed_line": _printed,
    "screenshot": _screenshot,
}


def _png(draw: Callable[[Grey], Grey]) -> Writer:
    return lambda grey: encoded(draw(grey), "PNG")


ASPECTS: DicomTable = {
    "pixel_spacing_double": lambda g: twelve(stretched(g, wider=2.0), PixelSpacing=["0.2", "0.1"])
}
SURROUNDED: DicomTable = {
    "shutter_rectangular": _rectangular,
    "shutter_bright_outside": lambda g: _rectangular(g, UNEXPOSED),
    "shutter_circular": _circular,
    "shutter_polygonal": _polygonal,
    "shutter_rectangular_and_circular": _two_shutters,
    "bars_black": lambda g: twelve(_all_round(g, BLACK)),
    "bars_white": lambda g: twelve(_all_round(g, WHITE)),
    "bars_monochrome1": lambda g: monochrome1(_squared(g, WHITE)),
}


def _jpeg(grey: Grey) -> bytes:
    return encoded(_all_round(grey, BLACK), "JPEG", quality=85)


WAYS: tuple[Way, ...] = (
    *dicom_ways(ASPECTS, resampled=True),
    *dicom_ways(SURROUNDED),
    *ways("bars", ".png", tabled("bars", lambda g, **bars: encoded(_barred(g, **bars), "PNG"))),
    *ways("bars", ".png", {name: _png(draw) for name, draw in BARS.items()}),
    *ways("bars", ".jpg", {"black_jpeg": _jpeg}, lossy=True),
)
