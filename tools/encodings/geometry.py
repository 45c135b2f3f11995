"""Pixels that are not square, shutters, and bars around an image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from pydicom.dataset import Dataset

from tools.encodings.dicom_files import dataset, groups, macro
from tools.encodings.dicom_stored import dicom_way
from tools.encodings.raster import encoded
from tools.encodings.ways import SEED, Array, Grey, Way, deep, stretched

BLACK, GREY, WHITE = 0, 128, 255
SHUTTER_MARGIN = 0.15
"""Of the longer side: how wide the area outside a shutter is."""
SCATTER, UNEXPOSED = 25, 225
"""Mean grey level outside a shutter: some scattered rays, or bright as an inverted plate is."""


def _wider(grey: Grey, by: float = 1.2) -> Array:
    return deep(stretched(grey, wider=by), 12)


def _higher(grey: Grey, by: float = 1.2) -> Array:
    return deep(stretched(grey, higher=by), 12)


def _noise(shape: tuple[int, ...], mean: float) -> Grey:
    """Draw what a detector holds where no direct ray came: soft noise around a grey level."""
    coarse = np.random.default_rng(SEED).normal(mean, 8, (shape[0] // 8 + 2, shape[1] // 8 + 2))
    soft = cv2.resize(coarse.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)


def _around(grey: Grey, margin: int, mean: float) -> tuple[Grey, tuple[int, int, int, int]]:
    """Put an image into a larger one; its first and last row and column, counted from 1."""
    height, width = grey.shape
    canvas = _noise((height + 2 * margin, width + 2 * margin), mean)
    canvas[margin : margin + height, margin : margin + width] = grey
    return canvas, (margin + 1, margin + height, margin + 1, margin + width)


def _rectangular(grey: Grey, mean: float = SCATTER) -> Dataset:
    canvas, (top, bottom, left, right) = _around(
        grey, round(SHUTTER_MARGIN * max(grey.shape)), mean
    )
    ds = dataset(canvas, 8, ShutterShape="RECTANGULAR", ShutterPresentationValue=0)
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = top, bottom
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = left, right
    return ds


def _circular(grey: Grey) -> Dataset:
    """A circle around the whole image; between them the collimator made the plate black."""
    height, width = grey.shape
    radius = int(np.hypot(height, width) / 2) + 2
    side = 2 * radius + 40
    canvas = _noise((side, side), SCATTER)
    cv2.circle(canvas, (side // 2, side // 2), radius, (BLACK,), cv2.FILLED)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = grey
    return dataset(
        canvas,
        8,
        ShutterShape="CIRCULAR",
        CenterOfCircularShutter=[side // 2 + 1, side // 2 + 1],
        RadiusOfCircularShutter=radius,
        ShutterPresentationValue=0,
    )


def _octagon(grey: Grey) -> tuple[Dataset, list[int]]:
    """An octagon around the image, and its corners (row, column), counted from 1."""
    margin = round(SHUTTER_MARGIN * max(grey.shape))
    canvas, (top, bottom, left, right) = _around(grey, margin, SCATTER)
    row, column, out = (top + bottom) // 2, (left + right) // 2, margin // 2
    corners = [
        (top, left), (top - out, column), (top, right), (row, right + out),
        (bottom, right), (bottom + out, column), (bottom, left), (row, left - out),
    ]  # fmt: skip
    points = np.array([(x - 1, y - 1) for y, x in corners], np.int32)
    cv2.fillPoly(canvas, [points], (BLACK,))
    canvas[top - 1 : bottom, left - 1 : right] = grey
    ds = dataset(canvas, 8, ShutterShape="POLYGONAL", ShutterPresentationValue=0)
    return ds, [number for corner in corners for number in corner]


def _polygonal(grey: Grey) -> Dataset:
    ds, corners = _octagon(grey)
    ds.VerticesOfThePolygonalShutter = corners
    return ds


def _two_shutters(grey: Grey) -> Dataset:
    """A circle within which a rectangle leaves the image alone."""
    ds = _circular(grey)
    height, width = grey.shape
    canvas = np.frombuffer(ds.PixelData, np.uint8)[: ds.Rows * ds.Columns]
    canvas = canvas.reshape(ds.Rows, ds.Columns)
    top, left = (ds.Rows - height) // 2, (ds.Columns - width) // 2
    noisy = _noise(canvas.shape, SCATTER)
    noisy[top : top + height, left : left + width] = grey
    whole = dataset(noisy, 8, ShutterShape=["RECTANGULAR", "CIRCULAR"], ShutterPresentationValue=0)
    whole.ShutterUpperHorizontalEdge, whole.ShutterLowerHorizontalEdge = top + 1, top + height
    whole.ShutterLeftVerticalEdge, whole.ShutterRightVerticalEdge = left + 1, left + width
    whole.CenterOfCircularShutter = ds.CenterOfCircularShutter
    whole.RadiusOfCircularShutter = ds.RadiusOfCircularShutter
    return whole


def barred(
    grey: Grey,
    value: int,
    *,
    top: float = 0.0,
    bottom: float = 0.0,
    left: float = 0.0,
    right: float = 0.0,
) -> Grey:
    """Put bars of one grey level beside an image, their widths as parts of its longer side."""
    side = max(grey.shape)
    rows = round(top * side), round(bottom * side)
    columns = round(left * side), round(right * side)
    return np.pad(grey, (rows, columns), constant_values=value)


def _all_round(grey: Grey, value: int, width: float = 0.12) -> Grey:
    return barred(grey, value, top=width, bottom=width, left=width, right=width)


def _squared(grey: Grey, value: int) -> Grey:
    """Fill up the sides of a tall image, or the top and bottom of a wide one, to a square."""
    height, width = grey.shape
    missing = abs(height - width) / max(height, width) / 2
    if height >= width:
        return barred(grey, value, left=missing, right=missing)
    return barred(grey, value, top=missing, bottom=missing)


def _printed(grey: Grey) -> Grey:
    """A white line around the image on a black sheet."""
    line = max(2, round(0.004 * max(grey.shape)))
    return _all_round(np.pad(grey, line, constant_values=WHITE), BLACK, 0.05)


def _screenshot(grey: Grey) -> Grey:
    """A viewer's window: a dark bar with buttons above, light margins, a status line below."""
    canvas = barred(grey, 236, top=0.1, bottom=0.05, left=0.08, right=0.16)
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
    canvas = _noise((grey.shape[0], grey.shape[1] + 2 * width), 12)
    canvas[:, width:-width] = grey
    return canvas


def _bars(name: str, draw: Callable[[Grey], Grey]) -> Way:
    return Way(f"bars_{name}", ".png", lambda grey: encoded(draw(grey), "PNG"))


ASPECTS: tuple[Way, ...] = tuple(
    dicom_way(name, make, resampled=True)
    for name, make in (
        ("pixel_spacing_wide", lambda g: dataset(_wider(g), 12, PixelSpacing=["0.12", "0.1"])),
        ("pixel_spacing_high", lambda g: dataset(_higher(g), 12, PixelSpacing=["0.1", "0.12"])),
        (
            "pixel_spacing_double",
            lambda g: dataset(_wider(g, 2.0), 12, PixelSpacing=["0.2", "0.1"]),
        ),
        (
            "imager_pixel_spacing",
            lambda g: dataset(_wider(g), 12, ImagerPixelSpacing=["0.12", "0.1"]),
        ),
        ("pixel_aspect_ratio_wide", lambda g: dataset(_wider(g), 12, PixelAspectRatio=["6", "5"])),
        ("pixel_aspect_ratio_high", lambda g: dataset(_higher(g), 12, PixelAspectRatio=["5", "6"])),
        (
            "pixel_measures_in_groups",
            lambda g: dataset(
                _wider(g),
                12,
                NumberOfFrames=1,
                SharedFunctionalGroupsSequence=groups(
                    PixelMeasuresSequence=macro(PixelSpacing=["0.12", "0.1"])
                ),
            ),
        ),
    )
)

SHUTTERS: tuple[Way, ...] = (
    dicom_way("shutter_rectangular", _rectangular),
    dicom_way("shutter_bright_outside", lambda grey: _rectangular(grey, UNEXPOSED)),
    dicom_way("shutter_circular", _circular),
    dicom_way("shutter_polygonal", _polygonal),
    dicom_way("shutter_rectangular_and_circular", _two_shutters),
)

BARS: tuple[Way, ...] = (
    dicom_way(
        "pixel_spacing_square",
        lambda grey: dataset(deep(grey, 12), 12, PixelSpacing=["0.143", "0.143"]),
    ),
    _bars("black_left", lambda grey: barred(grey, BLACK, left=0.2)),
    _bars("black_both_sides", lambda grey: barred(grey, BLACK, left=0.15, right=0.15)),
    _bars("black_top", lambda grey: barred(grey, BLACK, top=0.15)),
    _bars("black_bottom", lambda grey: barred(grey, BLACK, bottom=0.15)),
    _bars("black_all_round", lambda grey: _all_round(grey, BLACK)),
    _bars("black_wide", lambda grey: barred(grey, BLACK, left=0.4, right=0.4)),
    _bars("black_square", lambda grey: _squared(grey, BLACK)),
    _bars("white_right", lambda grey: barred(grey, WHITE, right=0.2)),
    _bars("white_both_sides", lambda grey: barred(grey, WHITE, left=0.15, right=0.15)),
    _bars("white_top", lambda grey: barred(grey, WHITE, top=0.15)),
    _bars("white_all_round", lambda grey: _all_round(grey, WHITE)),
    _bars("white_square", lambda grey: _squared(grey, WHITE)),
    _bars("grey_bottom", lambda grey: barred(grey, GREY, bottom=0.15)),
    _bars("grey_both_sides", lambda grey: barred(grey, GREY, left=0.15, right=0.15)),
    _bars("grey_all_round", lambda grey: _all_round(grey, GREY)),
    _bars("grey_square", lambda grey: _squared(grey, GREY)),
    _bars("black_and_white", lambda grey: _all_round(_all_round(grey, BLACK, 0.06), WHITE, 0.06)),
    _bars("noise", _noisy_bars),
    _bars("printed_line", _printed),
    _bars("screenshot", _screenshot),
    Way(
        "bars_black_jpeg",
        ".jpg",
        lambda grey: encoded(_all_round(grey, BLACK), "JPEG", quality=85),
        lossy=True,
    ),
    dicom_way("bars_black", lambda grey: dataset(deep(_all_round(grey, BLACK), 12), 12)),
    dicom_way("bars_white", lambda grey: dataset(deep(_all_round(grey, WHITE), 12), 12)),
    dicom_way(
        "bars_monochrome1",
        lambda grey: dataset(
            np.uint16(4095) - deep(_squared(grey, WHITE), 12),
            12,
            PhotometricInterpretation="MONOCHROME1",
        ),
    ),
)

WAYS: tuple[Way, ...] = (*ASPECTS, *SHUTTERS, *BARS)
