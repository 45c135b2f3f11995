"""DICOM files of an invented patient, written as rightly or wrongly as asked."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from tools.encodings.ways import Array

INSTANCE = "1.2.826.0.1.3680043.10.19.1"
PIXEL_DATA, PADDING_VALUE, PADDING_LIMIT = 0x7FE00010, 0x00280120, 0x00280121
LUT_DESCRIPTOR, LUT_DATA = 0x00283002, 0x00283006


def dataset(stored: Array, bits: int, **elements: Any) -> Dataset:
    """Describe stored values, shape (rows, columns) or (rows, columns, samples).

    ``elements`` are set last, by their keyword; None removes one.
    """
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = ComputedRadiographyImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = UID(INSTANCE)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{INSTANCE}.1", f"{INSTANCE}.2"
    ds.PatientName, ds.PatientID = "INVENTED^CHILD", "ENCODINGS"
    ds.Modality, ds.BodyPartExamined = "CR", "HAND"
    ds.Rows, ds.Columns = stored.shape[:2]
    ds.SamplesPerPixel = 1 if stored.ndim == 2 else stored.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 * stored.dtype.itemsize
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    set_pixels(ds, np.ascontiguousarray(stored).tobytes(), stored.dtype.itemsize)
    with disable_value_validation():
        for keyword, value in elements.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
    return ds


def set_pixels(ds: Dataset, values: bytes, itemsize: int) -> None:
    """Set the pixel data, of an even length."""
    ds.add_new(PIXEL_DATA, "OB" if itemsize == 1 else "OW", values + b"\0" * (len(values) % 2))


def with_element(ds: Dataset, tag: int, vr: str, value: Any) -> Dataset:
    """Add an element in a value representation of choice."""
    with disable_value_validation():
        ds.add_new(tag, vr, value)
    return ds


def encapsulated(ds: Dataset, frame: bytes, syntax: str, fragments: int = 1) -> Dataset:
    """Replace the pixel data by a compressed frame."""
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.PixelData = encapsulate([frame], fragments_per_frame=fragments, has_bot=fragments == 1)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


def table(
    entries: Array, *, first: int = 0, bits: int = 16, descriptor: str = "US", data: str = "OW"
) -> Dataset:
    """Make the item of a lookup table, in the value representations named."""
    item = Dataset()
    count = len(entries) % 2**16
    item.add_new(LUT_DESCRIPTOR, descriptor, [count, first, bits])
    if data == "OW":
        content = entries.tobytes()
        item.add_new(LUT_DATA, data, content + b"\0" * (len(content) % 2))
    else:
        item.add_new(LUT_DATA, data, [int(entry) for entry in entries])
    return item


def groups(**macros: Dataset) -> Sequence[Dataset]:
    """Put macros (``FrameVOILUTSequence`` and so on) into functional groups."""
    item = Dataset()
    for keyword, macro in macros.items():
        setattr(item, keyword, [macro])
    return [item]


def macro(**elements: Any) -> Dataset:
    """Make an item of these elements."""
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def content(ds: Dataset) -> bytes:
    """Write a file in the transfer syntax that the dataset states."""
    syntax = ds.file_meta.TransferSyntaxUID
    little = syntax != ExplicitVRBigEndian
    if not little and ds.BitsAllocated > 8:
        ds.PixelData = (
            np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}").byteswap().tobytes()
        )
    file = BytesIO()
    with disable_value_validation():
        ds.save_as(
            file,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=little,
            enforce_file_format=True,
        )
    return file.getvalue()


def bare(ds: Dataset, *, implicit: bool) -> bytes:
    """Write a dataset alone: no preamble, no file meta information."""
    del ds.file_meta
    file = BytesIO()
    ds.save_as(file, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    return file.getvalue()
