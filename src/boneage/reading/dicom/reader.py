"""DICOM to a radiograph: CR, DX, secondary capture, or any other single grey image.

Also what is stored as colour, where it is grey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID

from boneage.domain.radiograph import Radiograph
from boneage.errors import FilmError
from boneage.reading.accepted import DICOM, Limits, truncated
from boneage.reading.dicom.decoding import PixelDescription, decode_frame
from boneage.reading.dicom.display import displayed
from boneage.reading.dicom.lookup_table import LookupTable
from boneage.reading.dicom.metadata import metadata_of
from boneage.reading.dicom.parsing import parse
from boneage.reading.dicom.stated_geometry import (
    Padding,
    Shutter,
    stated_padding,
    stated_pixel_aspect,
    stated_shutter,
    unstated_padding,
)
from boneage.reading.dicom.stored_values import (
    Cells,
    Mask,
    StoredValues,
    resolve_coding,
    stated_coding,
)
from boneage.reading.dicom.values import TABLES, text_of, whole_number
from boneage.reading.raster.grey import luminance

SYNTAXES: Mapping[str, str] = TABLES["syntaxes"]
ALLOCATED = frozenset((1, 8, 12, 16, 32))
MOST_BITS = 32
FLOAT_PIXELS = ("FloatPixelData", "DoubleFloatPixelData")
GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
TOLERANCE = 4 / 255
"""Between the channels of a grey: conversion from YCbCr and lossy compression leave less."""


def read_dicom(data: bytes, limits: Limits) -> Radiograph:
    """Read the bytes of a DICOM file; FilmError where they are not one whole grey image."""
    try:
        return _read(data, limits)
    except FilmError:
        raise
    except Exception as error:
        # Not chained: pydicom's message may quote the patient.
        raise FilmError(
            "damaged",
            f"is a damaged DICOM file ({type(error).__name__}): "
            "it cannot be decoded; export it again",
        ) from None


def _read(data: bytes, limits: Limits) -> Radiograph:
    dataset, syntax, cut_off, notes = parse(data)
    if "PixelData" not in dataset or not dataset["PixelData"].value:
        damaged = any(note.code == "skipped_elements" for note in notes)
        raise _without_pixels(dataset, len(data), cut_off=cut_off, damaged=damaged)
    description = _describe(dataset)
    limits.check(description.rows, description.columns)
    frames = whole_number(dataset, "NumberOfFrames") or 1
    if frames > 1:
        raise FilmError(
            "several_frames", f"is a DICOM file of {frames} frames; give one image per file"
        )
    if syntax not in SYNTAXES:
        raise FilmError(
            "unsupported_compression",
            f"is DICOM compressed as {UID(syntax).name!r}, which is not supported; "
            "export it uncompressed, or as RLE, JPEG, JPEG-LS or JPEG 2000",
        )
    cells = decode_frame(dataset, syntax, description)
    stored, padding = _stored(cells, dataset, description)
    aspect, found = stated_pixel_aspect(dataset)
    shutter = stated_shutter(dataset, description.rows, description.columns, aspect)
    counted = _counted(padding, shutter)
    pixels, shown = displayed(stored, dataset, description.photometric, counted)
    if padding is not None:
        pixels[padding.around] = 0
    exposed, unpadded = shutter.applied(pixels), padding.box if padding else None
    if exposed and unpadded:
        exposed = exposed.intersection(unpadded) or exposed
    found += (*stored.notes, *(padding.notes if padding else ()), *shutter.notes, *shown)
    stored_as = f"DICOM ({SYNTAXES[syntax]})"
    metadata = metadata_of(dataset, stored_as, stored.coding.bits, notes)
    return Radiograph(
        pixels, metadata, pixel_aspect=aspect, exposed=exposed or unpadded, notes=found
    )


def _stored(
    cells: Cells, dataset: Dataset, description: PixelDescription
) -> tuple[StoredValues, Padding | None]:
    described = description.bits_stored, description.high_bit
    if description.photometric.startswith("PALETTE"):
        coding = stated_coding(cells, *described, signed=False)
        greys = through_palette(coding.of(cells.values), dataset)
        return StoredValues(greys, coding, cells.notes), None
    grey = one_channel(cells.values, description.photometric, description.bits_stored)
    cells = replace(cells, values=grey)
    coding = stated_coding(cells, *described, signed=description.signed)
    padding = stated_padding(dataset, cells, coding) or unstated_padding(coding.of(grey))
    counted = ~padding.values if padding else None
    return resolve_coding(cells, coding, counted, signed=description.signed), padding


def _counted(padding: Padding | None, shutter: Shutter) -> Mask | None:
    """Find the pixels of the image itself; None where all are."""
    if padding is None:
        return shutter.shown
    counted = ~padding.values if shutter.shown is None else ~padding.values & shutter.shown
    return counted if counted.any() else None


def _describe(dataset: Dataset) -> PixelDescription:
    rows, columns = (_needed(dataset, keyword) for keyword in ("Rows", "Columns"))
    allocated = _needed(dataset, "BitsAllocated")
    if allocated not in ALLOCATED:
        raise FilmError(
            "unsupported_pixels",
            f"stores {allocated} bits a pixel; 1, 8, 12, 16 and 32 are supported",
        )
    stored = whole_number(dataset, "BitsStored") or allocated
    samples = whole_number(dataset, "SamplesPerPixel") or 1
    photometric = text_of(dataset, "PhotometricInterpretation") or "MONOCHROME2"
    return PixelDescription(
        rows=rows,
        columns=columns,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=stored if 1 <= stored <= MOST_BITS else allocated,
        high_bit=whole_number(dataset, "HighBit"),
        signed=whole_number(dataset, "PixelRepresentation") == 1,
        photometric=photometric.upper(),
        planar=whole_number(dataset, "PlanarConfiguration") == 1,
    )


def _needed(dataset: Dataset, keyword: str) -> int:
    value = whole_number(dataset, keyword)
    if value is None or value < 1:
        raise FilmError("damaged", f"is a damaged DICOM file: it states no {keyword} of its image")
    return value


def _without_pixels(dataset: Dataset, size: int, *, cut_off: bool, damaged: bool) -> FilmError:
    if cut_off:
        return truncated(DICOM, size)
    if damaged:
        return FilmError(
            "damaged",
            "is a damaged DICOM file: its elements cannot be distinguished, and no image "
            "is found among them; export it again",
        )
    if any(keyword in dataset for keyword in FLOAT_PIXELS):
        return FilmError(
            "unsupported_pixels",
            "stores its pixels as floating-point numbers; whole numbers are supported",
        )
    meta = getattr(dataset, "file_meta", Dataset())
    stated = text_of(dataset, "SOPClassUID") or text_of(meta, "MediaStorageSOPClassUID")
    kind = UID(stated).name if stated else "of an unknown kind"
    return FilmError("no_pixels", f"is DICOM without an image ({kind}); give the radiograph itself")


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
