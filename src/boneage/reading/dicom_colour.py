"""Grey images that DICOM stores as colour, and the refusal of those that are not grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from boneage.errors import FilmError
from boneage.reading.lookup_table import LookupTable

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
TOLERANCE = 4 / 255
"""Between the channels of one grey: what conversion from YCbCr and lossy compression leave."""


def one_channel(
    values: npt.NDArray[Any], photometric: str, bits: int, name: str
) -> npt.NDArray[Any]:
    """Reduce colour whose channels agree to one of them.

    Parameters
    ----------
    values : ndarray of integers, shape (rows, columns) or (rows, columns, samples)
    photometric : str
        The photometric interpretation, for the message.
    bits : int
        Of a sample.
    name : str

    Raises
    ------
    FilmError
        ``"colour"`` when they do not.
    """
    if values.ndim == 2:
        return values
    white = 2**bits - 1
    if values.shape[2] != 3:
        raise _in_colour(name, f"{photometric} of {values.shape[2]} samples")
    green = values[..., 1]
    for other in (values[..., 0], values[..., 2]):
        # Not the difference of unsigned numbers, which would wrap around.
        apart = int((np.maximum(green, other) - np.minimum(green, other)).max())
        if apart > TOLERANCE * white:
            raise _in_colour(name, f"{photometric}, its channels differ by up to {apart}")
    return green


def through_palette(
    values: npt.NDArray[Any], dataset: Dataset, name: str
) -> npt.NDArray[np.uint16]:
    """Look up the greys that palette indices stand for.

    Raises
    ------
    FilmError
        ``"colour"`` when some of them are no greys.
    """
    tables = [
        LookupTable.of(
            dataset,
            f"{colour}PaletteColorLookupTableDescriptor",
            f"{colour}PaletteColorLookupTableData",
        )
        for colour in ("Red", "Green", "Blue")
    ]
    found = [table for table in tables if table is not None]
    if len(found) != 3 or values.ndim != 2:
        raise _in_colour(name, "a palette that cannot be read")
    channels = np.stack([table.entries[table.places(values)] for table in found], axis=-1)
    bits = max(int(table.white).bit_length() for table in found)
    return np.asarray(one_channel(channels, "a palette", bits, name), np.uint16)


def _in_colour(name: str, what: str) -> FilmError:
    return FilmError(
        "colour", f"{name!r} is a DICOM image in colour ({what}); a radiograph is grey"
    )
