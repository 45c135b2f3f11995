"""The stated geometry of an image: the shape of its pixels, and its shutter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from pydicom.dataset import Dataset

from boneage.domain.findings import Finding
from boneage.domain.geometry import Box
from boneage.domain.radiograph import Pixels
from boneage.reading.dicom.stored_values import Mask
from boneage.reading.dicom.values import numbers_of, stating

MOST_OBLONG = 3.0
"""No device has pixels of a greater ratio; such a statement is a mistake."""
AS_GOOD_AS_SQUARE = 0.01
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
LEAST_SHOWN = 0.1
"""Of the image: a shutter that leaves less is a mistake."""
FARTHEST = 10**6
"""Pixels; a corner further off is a mistake."""


def stated_pixel_aspect(dataset: Dataset) -> tuple[float, tuple[Finding, ...]]:
    """Find the height of a pixel over its width.

    Spacings take precedence over the ratio, which the standard requires only without them, and the
    one at the patient over the one at the detector.
    """
    found = {}
    for keyword in SPACINGS:
        macro = "PixelMeasuresSequence"
        found[keyword] = _ratio(numbers_of(stating(dataset, keyword, macro), keyword))
    found["PixelAspectRatio"] = _ratio(numbers_of(dataset, "PixelAspectRatio"))
    stated = [(keyword, ratio) for keyword, ratio in found.items() if ratio is not None]
    if not stated:
        return 1.0, ()
    first, aspect = stated[0]
    for other, ratio in stated[1:]:
        if abs(ratio / aspect - 1) > AS_GOOD_AS_SQUARE:
            message = (
                f"Contradictory pixel aspect ratios ({first}: {aspect:.3g}, {other}: {ratio:.3g}); "
                f"{first} was used"
            )
            return aspect, (Finding.warning("pixel_shape_contradictory", message),)
    return aspect, ()


def _ratio(numbers: tuple[float, ...]) -> float | None:
    if len(numbers) != 2 or min(numbers) <= 0:
        return None
    ratio = numbers[0] / numbers[1]
    if not 1 / MOST_OBLONG <= ratio <= MOST_OBLONG:
        return None
    return 1.0 if abs(ratio - 1) <= AS_GOOD_AS_SQUARE else ratio


@dataclass(frozen=True, eq=False)
class Shutter:
    """The part of an image that a viewer shows."""

    shown: Mask | None
    """Shape (rows, columns); None: all of it."""
    box: Box | None
    """Around the part that is shown."""
    notes: tuple[Finding, ...] = ()

    def applied(self, pixels: Pixels) -> Box | None:
        """Set what is not shown to 0, and give the box around the image that is left.

        The corners of a circle's or polygon's box are not part of the image, and often what is
        beside the exposed field is not either: lines that are all black are left out.
        """
        if self.shown is None or self.box is None:
            return self.box
        pixels[~self.shown] = 0
        if self.shown[self.box.slices].all():
            return self.box
        return Box.around(pixels > 0) or self.box


ALL_SHOWN = Shutter(None, None)


def stated_shutter(dataset: Dataset, rows: int, columns: int, pixel_aspect: float) -> Shutter:
    """Find the part of an image inside its shutters (PS3.3, C.7.6.11), of whatever shapes."""
    source = stating(dataset, "ShutterShape", "FrameDisplayShutterSequence")
    shapes = _shapes(source)
    drawn = [
        draw(source, rows, columns, pixel_aspect)
        for shape in shapes
        if (draw := SHAPES.get(shape)) is not None
    ]
    if not drawn:
        return ALL_SHOWN
    known = [mask for mask in drawn if mask is not None]
    shown = np.logical_and.reduce(known) if known else np.zeros((rows, columns), np.bool_)
    share = float(shown.mean())
    if share < LEAST_SHOWN:
        message = (
            f"A {' and '.join(shapes).lower()} shutter is stated that leaves "
            f"{100 * share:.0f} % of the image; it was not applied"
        )
        finding = Finding.note("shutter_ignored", message, share, LEAST_SHOWN)
        return Shutter(None, None, (finding,))
    if shown.all():
        return ALL_SHOWN
    return Shutter(shown, Box.around(shown))


def _shapes(source: Dataset) -> list[str]:
    try:
        value = source.get("ShutterShape") or ()
        words = [value] if isinstance(value, str) else list(value)
        words = [str(word).strip(" \0").upper() for word in words]
    except Exception:  # a malformed value is no value
        return []
    return [word for word in words if word in SHAPES]


def _rectangle(source: Dataset, rows: int, columns: int, _: float) -> Mask | None:
    def edge(keyword: str, otherwise: int) -> int:
        found = numbers_of(source, keyword)
        return round(min(max(found[0], -FARTHEST), FARTHEST)) if found else otherwise

    # Columns and rows count from 1, and the edges are shown.
    left = max(1, edge("ShutterLeftVerticalEdge", 1))
    right = max(0, edge("ShutterRightVerticalEdge", columns))
    upper = max(1, edge("ShutterUpperHorizontalEdge", 1))
    lower = max(0, edge("ShutterLowerHorizontalEdge", rows))
    mask = np.zeros((rows, columns), np.bool_)
    mask[upper - 1 : lower, left - 1 : right] = True
    return mask


def _circle(source: Dataset, rows: int, columns: int, pixel_aspect: float) -> Mask | None:
    centre = numbers_of(source, "CenterOfCircularShutter")
    radius = numbers_of(source, "RadiusOfCircularShutter")
    if len(centre) != 2 or not radius or not 0 < radius[0] < FARTHEST:
        return None
    # The radius counts pixels along a row; on the patient it is a circle.
    down = ((np.arange(1, rows + 1) - centre[0]) * pixel_aspect) ** 2
    across = (np.arange(1, columns + 1) - centre[1]) ** 2
    mask: Mask = down[:, None] + across[None, :] <= radius[0] ** 2
    return mask


def _polygon(source: Dataset, rows: int, columns: int, _: float) -> Mask | None:
    numbers = numbers_of(source, "VerticesOfThePolygonalShutter")
    corners = np.array(numbers[: len(numbers) // 2 * 2]).reshape(-1, 2)
    if len(corners) < 3 or np.abs(corners).max() > FARTHEST:
        return None
    mask = np.zeros((rows, columns), np.uint8)
    # OpenCV wants column and row, from 0.
    points = np.rint(corners[:, ::-1] - 1).astype(np.int32)
    cv2.fillPoly(mask, [points], 1)
    return mask.astype(np.bool_)


SHAPES: dict[str, Callable[[Dataset, int, int, float], Mask | None]] = {
    "RECTANGULAR": _rectangle,
    "CIRCULAR": _circle,
    "POLYGONAL": _polygon,
}
"""A BITMAP shutter is an overlay that hides drawings; it is not applied."""
