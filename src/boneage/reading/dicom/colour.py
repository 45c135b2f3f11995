"""Grey images that DICOM stores as colour, and the refusal of those that are not grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from boneage.errors import FilmError
from boneage.reading.dicom.lookup_table import LookupTable
from boneage.reading.raster.grey import luminance

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
TOLERANCE = 4 / 255
"""Between the channels of a grey: conversion from YCbCr and lossy compression leave less."""


def one_channel(values: npt.NDArray[Any], photometric: str, bits: int) -> npt.NDArray[Any]:
    """Reduce colour that is grey to the grey that it is; FilmError where it is colour.

    Decoders differ in whether they convert luminance and colour differences to RGB, whatever
    the file states, so the values decide: three channels that agree are RGB, and where two keep
    to their middle, the first is luminance, and is taken as it is.
    """
    if values.ndim == 2:
        return values
    white = 2**bits - 1
    if values.shape[2] != 3:
        raise _in_colour(f"{photometric} of {values.shape[2]} samples")
    most = TOLERANCE * white
    first, second, third = (values[..., channel] for channel in range(3))
    middle = values.dtype.type(2 ** (bits - 1))
    if max(_apart(second, middle), _apart(third, middle)) <= most:
        return first
    apart = max(_apart(first, second), _apart(second, third))
    if apart > most:
        raise _in_colour(f"{photometric}, its channels differ by up to {apart}")
    return luminance(values) if apart else first


def _apart(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> int:
    """Give the largest difference; not of unsigned numbers, which would wrap around."""
    return int((np.maximum(one, other) - np.minimum(one, other)).max())


def through_palette(values: npt.NDArray[Any], dataset: Dataset) -> npt.NDArray[np.uint16]:
    """Look up the greys that palette indices stand for; FilmError where some are not grey."""
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
        raise _in_colour("a palette that cannot be read")
    channels = np.stack([table.entries[table.places(values)] for table in found], axis=-1)
    bits = max(int(table.white).bit_length() for table in found)
    return np.asarray(one_channel(channels, "a palette", bits), np.uint16)


def _in_colour(what: str) -> FilmError:
    return FilmError("colour", f"is a DICOM image in colour ({what}); a radiograph is grey")
