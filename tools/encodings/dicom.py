"""DICOM files of an invented patient, valid or deliberately invalid."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, TypeAlias

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

from tools.encodings.ways import Array, Grey, Way, deep, inverted, ways

INSTANCE = "1.2.826.0.1.3680043.10.19.1"
PIXEL_DATA, PADDING_VALUE, PADDING_LIMIT = 0x7FE00010, 0x00280120, 0x00280121
LUT_DESCRIPTOR, LUT_DATA = 0x00283002, 0x00283006
OVERLAY = 0x60000000
DicomTable: TypeAlias = dict[str, Callable[[Grey], Dataset | bytes]]
"""What writes each way: a dataset, or a file."""


def dicom_ways(writers: DicomTable, **flags: Any) -> tuple[Way, ...]:
    files = {name: partial(_written, make=make) for name, make in writers.items()}
    return ways("dicom", ".dcm", files, **flags)


def _written(grey: Grey, make: Callable[[Grey], Dataset | bytes]) -> bytes:
    made = make(grey)
    return content(made) if isinstance(made, Dataset) else made


def dataset(stored: Array, bits: int, **elements: Any) -> Dataset:
    """Describe stored values; ``elements`` are set last, by keyword, and None removes one."""
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
                setattr(ds, keyword, _value(value))
    return ds


def _value(value: Any) -> Any:
    """Make items of a sequence of what a table has in their place."""
    if isinstance(value, dict):
        return item(**{keyword: _value(one) for keyword, one in value.items()})
    return [_value(one) for one in value] if isinstance(value, list) else value


def twelve(grey: Grey, **elements: Any) -> Dataset:
    return dataset(deep(grey, 12), 12, **elements)


def monochrome1(grey: Grey, bits: int = 12, **elements: Any) -> Dataset:
    """Store an image with white as the lowest value."""
    return dataset(inverted(grey, 12), bits, PhotometricInterpretation="MONOCHROME1", **elements)


def set_pixels(ds: Dataset, values: bytes, itemsize: int) -> None:
    ds.add_new(PIXEL_DATA, "OB" if itemsize == 1 else "OW", even(values))


def even(values: bytes) -> bytes:
    return values + b"\0" * (len(values) % 2)


def with_element(ds: Dataset, tag: int, vr: str, value: Any) -> Dataset:
    """Add an element in a value representation of choice."""
    with disable_value_validation():
        ds.add_new(tag, vr, value)
    return ds


def with_overlay(ds: Dataset, bits: int, bit: int, data: bytes | None = None) -> Dataset:
    """Describe a graphic over the whole image, in a bit of its pixels or in ``data``."""
    described: list[tuple[int, str, Any]] = [
        (0x10, "US", ds.Rows),
        (0x11, "US", ds.Columns),
        (0x40, "CS", "G"),
        (0x50, "SS", [1, 1]),
        (0x100, "US", bits),
        (0x102, "US", bit),
    ]
    if data is not None:
        described.append((0x3000, "OW", data))
    for element, vr, value in described:
        with_element(ds, OVERLAY + element, vr, value)
    return ds


def encapsulated(ds: Dataset, frame: bytes, syntax: str, fragments: int = 1) -> Dataset:
    """Replace the pixel data by a compressed frame."""
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.PixelData = encapsulate([frame], fragments_per_frame=fragments, has_bot=fragments == 1)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


def item(**elements: Any) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def in_groups(sequence: str, *, each: bool = False, **elements: Any) -> dict[str, Any]:
    """State something in functional groups: of each frame, or shared by all."""
    keyword = f"{'PerFrame' if each else 'Shared'}FunctionalGroupsSequence"
    return {"NumberOfFrames": 1, keyword: [item(**{sequence: [item(**elements)]})]}


def table(
    entries: Array, *, first: int = 0, bits: int = 16, descriptor: str = "US", data: str = "OW"
) -> Dataset:
    """Make the item of a lookup table, in the value representations named."""
    made = Dataset()
    made.add_new(LUT_DESCRIPTOR, descriptor, [len(entries) % 2**16, first, bits])
    made.add_new(LUT_DATA, data, even(entries.tobytes()) if data == "OW" else entries.tolist())
    return made


def content(ds: Dataset) -> bytes:
    """Write a file in the transfer syntax that the dataset states."""
    syntax = ds.file_meta.TransferSyntaxUID
    little = syntax != ExplicitVRBigEndian
    if not little and ds.BitsAllocated > 8:
        values = np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}")
        ds.PixelData = values.byteswap().tobytes()
    with disable_value_validation():
        return _saved(ds, syntax == ImplicitVRLittleEndian, little_endian=little, whole=True)


def bare(ds: Dataset, *, implicit: bool) -> bytes:
    """Write a dataset alone: no preamble, no file meta information."""
    del ds.file_meta
    return _saved(ds, implicit, little_endian=True, whole=False)


def _saved(ds: Dataset, implicit: bool, *, little_endian: bool, whole: bool) -> bytes:
    file = BytesIO()
    ds.save_as(file, implicit_vr=implicit, little_endian=little_endian, enforce_file_format=whole)
    return file.getvalue()
