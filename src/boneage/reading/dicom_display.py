"""From stored values to what a viewer shows: modality, VOI, inversion (PS3.3, C.11).

An image has far fewer values than pixels. So what the dataset states is worked out for each
value once, and the pixels look it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from boneage.domain.findings import Finding, Severity
from boneage.radiograph import Pixels
from boneage.reading.dicom_parsing import numbers_of, text_of
from boneage.reading.functional_groups import stating
from boneage.reading.lookup_table import LookupTable
from boneage.reading.padding import ROBUST, sample_of
from boneage.reading.pixels import check_contrast
from boneage.reading.stored_values import Integers, Mask

SMALLEST, LARGEST = 1e-9, 1e15
"""No slope, intercept or window of a real device comes near; beyond, floats run out of
range."""
MOST_LEVELS = 2**16
FAR_OUT = 1.0
"""Times the robust range: what lies further beyond it is a hot or a dead pixel."""
SATURATED = 0.01
"""Of black and white: as good as these."""
LEAST_SHOWN, MOST_WHITE = 0.3, 0.1
"""Of what is not black: a window that shows less of an image, or makes more of it white, is passed
over. All there is is better than bones burnt out: where a tenth of the pixels was made white,
answers moved by 3.6 months on average, and where 60 % were made black by 2.4; by a fiftieth of
white or a fifth of black, by less than one."""

Values: TypeAlias = npt.NDArray[Any]
"""Floating-point values, one a level."""


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

    def is_straight_over(self, values: Values) -> bool:
        """Whether the window hardly clips the values, which then are as good themselves."""
        low, high = float(values.min()), float(values.max())
        hardly = SATURATED * (high - low)
        starts, ends = self.centre - self.width / 2, self.centre + self.width / 2
        straight = self.function != "SIGMOID"
        return straight and starts <= low + hardly and ends >= high - hardly


@dataclass(frozen=True, eq=False)
class Levels:
    """The values that an image may have, and which of them each pixel has."""

    values: Values
    """Rising evenly from the lowest value to the highest."""
    index: npt.NDArray[np.unsignedinteger[Any]]
    """Places in ``values``, shape (rows, columns)."""
    sample: npt.NDArray[np.unsignedinteger[Any]]
    """The places of some pixels."""

    @classmethod
    def of(cls, stored: Integers, counted: Mask | None) -> Levels:
        """Find the levels of the pixels that are counted; others get the nearest ones."""
        if counted is None:
            low, high = int(stored.min()), int(stored.max())
        else:
            low, high = int(stored[counted].min()), int(stored[counted].max())
        if high - low >= MOST_LEVELS:
            low, high = _robust_limits(sample_of(stored, counted).astype(np.float64), low, high)
        step = (high - low) // MOST_LEVELS + 1
        if counted is not None or step > 1 or stored.dtype.itemsize > 2:
            stored = np.clip(stored, low, high)
        # What is taken off a number without a sign wraps around to the right one.
        unsigned = stored.view(f"u{stored.dtype.itemsize}")
        index = unsigned - unsigned.dtype.type(low % 2 ** (8 * unsigned.dtype.itemsize))
        if index.dtype.itemsize > 2:
            index = (index // index.dtype.type(step)).astype(np.uint16)
        values = low + step * np.arange((high - low) // step + 1, dtype=np.float64)
        return cls(values, index, sample_of(index, counted))


def displayed(
    stored: Integers, dataset: Dataset, photometric: str, counted: Mask | None, name: str
) -> tuple[Pixels, tuple[Finding, ...]]:
    """Show the stored values as the dataset says: bone bright, 0 to 1.

    Any line from black to white is as good as another: the darkest and the brightest of what
    is shown become 0 and 1, whatever share of a window's or a table's range they take.

    Parameters
    ----------
    stored : ndarray of integers, shape (rows, columns)
    dataset : Dataset
    photometric : str
        The photometric interpretation.
    counted : ndarray of bool, optional
        False where there is no image, which then sets no range; None: it is everywhere.
    name : str

    Raises
    ------
    FilmError
        ``"constant"`` when all values are the same.
    """
    check_contrast(stored if counted is None else stored[counted], name)
    levels = Levels.of(stored, counted)
    values = _modality_values(levels.values, dataset)
    inverse = _is_inverse(dataset, photometric)
    shown, notes = _through_voi(values, levels, dataset, inverse=inverse)
    greys = _spread(shown, levels, counted)
    if inverse:
        greys = 1 - greys
    pixels: Pixels = np.take(greys.astype(np.float32), levels.index)
    return pixels, notes


def _modality_values(stored: Values, dataset: Dataset) -> Values:
    table = _table(dataset, "ModalityLUTSequence", signed=bool(stored[0] < 0))
    if table is not None:
        return table.entries[table.places(stored)].astype(np.float64)
    source = stating(dataset, "RescaleSlope", "PixelValueTransformationSequence")
    slope = (numbers_of(source, "RescaleSlope") or (1.0,))[0]
    intercept = (numbers_of(source, "RescaleIntercept") or (0.0,))[0]
    if not (SMALLEST < abs(slope) < LARGEST and abs(intercept) < LARGEST):
        return stored
    return stored * slope + intercept


def _through_voi(
    values: Values, levels: Levels, dataset: Dataset, *, inverse: bool
) -> tuple[Values, tuple[Finding, ...]]:
    """Apply the first table, else the first window, that shows the image; else nothing."""
    notes = []
    table = _table(dataset, "VOILUTSequence", signed=bool(values.min() < 0))
    if table is not None:
        shown = table.entries[table.places(values)].astype(np.float64)
        sound = table.covers(values)
        if sound and _shows(shown / table.white, values, levels, inverse=inverse):
            return shown, ()
        notes.append(_ignored("VOI lookup table"))
    window = _window(dataset)
    if window is not None and not window.is_straight_over(values):
        shown = window.apply(values)
        if _shows(shown, values, levels, inverse=inverse):
            return shown, tuple(notes)
        notes.append(_ignored("window"))
    return values, tuple(notes)


def _shows(shown: Values, values: Values, levels: Levels, *, inverse: bool) -> bool:
    """Whether enough of the image is not black, and little of that is white.

    An image may have large areas of its own darkest and brightest value, which do not count.
    """
    sample = shown[levels.sample]
    if not sample.min() < sample.max():
        return False
    ends = _saturated(sample)
    own = _saturated(_spread(values, levels, None)[levels.sample])
    if (shown[-1] - shown[0]) * (values[-1] - values[0]) < 0:
        own = own[::-1]
    if inverse:
        ends, own = ends[::-1], own[::-1]
    (black, white), (own_black, own_white) = ends, own
    enough = 1 - black >= LEAST_SHOWN * (1 - own_black)
    return enough and white - own_white <= MOST_WHITE * (1 - black)


def _saturated(sample: Values) -> tuple[float, float]:
    """Shares of black and of white pixels."""
    return float((sample <= SATURATED).mean()), float((sample >= 1 - SATURATED).mean())


def _window(dataset: Dataset) -> Window | None:
    """The first window that the dataset states."""
    source = stating(dataset, "WindowCenter", "FrameVOILUTSequence")
    centres, widths = numbers_of(source, "WindowCenter"), numbers_of(source, "WindowWidth")
    if not centres or not widths:
        return None
    function = (text_of(source, "VOILUTFunction") or "LINEAR").upper()
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


def _is_inverse(dataset: Dataset, photometric: str) -> bool:
    """Whether low values are white. DX films say so twice, and are inverted once."""
    shape = (text_of(dataset, "PresentationLUTShape") or "").upper()
    return photometric == "MONOCHROME1" or shape == "INVERSE"


def _spread(shown: Values, levels: Levels, counted: Mask | None) -> Values:
    """Map the darkest of what is shown to 0 and the brightest to 1, but for stray pixels."""
    low, high = float(shown.min()), float(shown.max())
    nearest, farthest = _robust_limits(shown[levels.sample], low, high)
    if nearest > low or farthest < high:
        index = levels.index if counted is None else levels.index[counted]
        there = shown[np.bincount(index.ravel(), minlength=len(shown)) > 0]
        there = there[(there >= nearest) & (there <= farthest)]
        low, high = float(there.min()), float(there.max())
    return np.clip((shown - low) / ((high - low) or 1.0), 0.0, 1.0)


def _robust_limits(sample: Values, low: float, high: float) -> tuple[Any, Any]:
    """Bring the ends of a range as near to most values as stray pixels want."""
    first, last = (float(end) for end in np.percentile(sample, ROBUST))
    if not first < last:
        return low, high
    beyond = FAR_OUT * (last - first)
    return max(low, type(low)(first - beyond)), min(high, type(high)(last + beyond))


def _ignored(what: str) -> Finding:
    return Finding(
        "window_ignored",
        Severity.NOTE,
        f"The stated {what} makes most of the image black or white; all of its values were shown",
    )
