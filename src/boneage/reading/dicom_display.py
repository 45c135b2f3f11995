"""From stored values to what a viewer shows: modality, VOI, inversion (PS3.3, C.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from boneage.radiograph import Pixels
from boneage.reading.dicom_frame import PixelDescription
from boneage.reading.dicom_parsing import numbers_of, text_of
from boneage.reading.lookup_table import LookupTable
from boneage.reading.pixels import check_contrast, spread

SMALLEST, LARGEST = 1e-9, 1e15
"""No slope, intercept or window of a real device comes near; beyond, floats run out of
range."""
FLOAT32_WHOLE = 2**24
"""Up to here, single precision tells whole numbers apart."""


Values: TypeAlias = npt.NDArray[Any]
"""Floating-point values, one a pixel."""


@dataclass(frozen=True)
class Window:
    """Which values are shown from black to white."""

    centre: float
    width: float
    function: str = "LINEAR"

    def apply(self, values: Values) -> Values:
        """Map values to 0 (black) to 1 (white)."""
        if self.function == "SIGMOID":
            with np.errstate(over="ignore"):
                return np.asarray(1 / (1 + np.exp(-4 / self.width * (values - self.centre))))
        centre, width = self.centre, self.width
        if self.function == "LINEAR":
            centre, width = centre - 0.5, width - 1
        if width <= 0:  # a window of width 1 is a threshold
            return np.asarray(values > centre, values.dtype)
        return np.asarray(np.clip((values - centre) / width + 0.5, 0, 1))


def displayed(
    stored: npt.NDArray[Any], dataset: Dataset, description: PixelDescription, name: str
) -> Pixels:
    """Show the stored values as the dataset says: bone bright, 0 to 1.

    Raises
    ------
    FilmError
        ``"constant"`` when all values are the same.
    """
    padding = _padding(stored, dataset)
    image = stored if padding is None else stored[~padding]
    check_contrast(image if image.size else stored, name)
    values = _modality_values(stored, dataset, description)
    pixels = _through_voi(values, dataset, description)
    if pixels is None or not pixels.min() < pixels.max():
        # No window, or one beside all values: the values' own range.
        pixels = _spread_without(values, padding)
    if _is_inverse(dataset, description):
        pixels = 1 - pixels
    if padding is not None:
        pixels[padding] = 0
    return np.ascontiguousarray(pixels, dtype=np.float32)


def _modality_values(
    stored: npt.NDArray[Any], dataset: Dataset, description: PixelDescription
) -> Values:
    table = _table(dataset, "ModalityLUTSequence", signed=description.signed)
    if table is not None:
        return table.entries[table.places(stored)].astype(np.float32)
    slope = (numbers_of(dataset, "RescaleSlope") or (1.0,))[0]
    intercept = (numbers_of(dataset, "RescaleIntercept") or (0.0,))[0]
    if not (SMALLEST < abs(slope) < LARGEST and abs(intercept) < LARGEST):
        slope, intercept = 1.0, 0.0
    single = stored.dtype.itemsize <= 2 and abs(intercept) < FLOAT32_WHOLE * min(1, abs(slope))
    values: Values = stored.astype(np.float32 if single else np.float64)
    return values if (slope, intercept) == (1, 0) else values * slope + intercept


def _through_voi(values: Values, dataset: Dataset, description: PixelDescription) -> Values | None:
    table = _table(dataset, "VOILUTSequence", signed=description.signed or bool(values.min() < 0))
    if table is not None:
        return (table.entries / np.float32(table.white))[table.places(values)]
    window = _window(dataset)
    return None if window is None else window.apply(values)


def _window(dataset: Dataset) -> Window | None:
    """The first window that the dataset states."""
    centres, widths = numbers_of(dataset, "WindowCenter"), numbers_of(dataset, "WindowWidth")
    if not centres or not widths:
        return None
    function = (text_of(dataset, "VOILUTFunction") or "LINEAR").upper()
    window = Window(centres[0], widths[0], function)
    narrowest = 1 if function == "LINEAR" else SMALLEST
    sound = narrowest <= window.width < LARGEST and abs(window.centre) < LARGEST
    return window if sound else None


def _table(dataset: Dataset, keyword: str, *, signed: bool) -> LookupTable | None:
    try:
        items = dataset.get(keyword) or []
        table = LookupTable.of(items[0]) if len(items) else None
    except Exception:  # a garbled table is no table
        return None
    return table.of_signed_values() if table is not None and signed else table


def _is_inverse(dataset: Dataset, description: PixelDescription) -> bool:
    """Whether low values are white. DX films say so twice, and are inverted once."""
    shape = (text_of(dataset, "PresentationLUTShape") or "").upper()
    return description.photometric == "MONOCHROME1" or shape == "INVERSE"


def _padding(stored: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.bool_] | None:
    """Find what was put around the image to fill the rectangle; None where nothing was."""
    value = numbers_of(dataset, "PixelPaddingValue")
    if not value:
        return None
    limit = numbers_of(dataset, "PixelPaddingRangeLimit") or value
    low, high = sorted((value[0], limit[0]))
    found = (stored >= low) & (stored <= high)
    return found if found.any() and not found.all() else None


def _spread_without(values: Values, padding: npt.NDArray[np.bool_] | None) -> Pixels:
    if padding is None:
        return spread(values)
    pixels = np.zeros(values.shape, np.float32)
    pixels[~padding] = spread(values[~padding])
    return pixels
