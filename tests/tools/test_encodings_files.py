"""Each way's file holds the image, and states it as its name says: by decoders of others."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import tifffile
from PIL import Image, ImageOps
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi_lut,
    apply_windowing,
)
from pydicom.uid import UID

from tests.tools.comparing import assert_same
from tools.encodings import MODULES, WAYS
from tools.encodings.ways import Grey, Way

Values = npt.NDArray[Any]

WRONGLY_STATED: dict[str, dict[str, int]] = {
    "dicom_left_aligned_not_stated": {"BitsStored": 16},
    "dicom_bits_stored_10_for_12": {"BitsStored": 12},
    "dicom_bits_stored_12_for_16": {"BitsStored": 16},
    "dicom_bits_stored_8_for_10": {"BitsStored": 10},
    "dicom_unsigned_12_called_signed": {"PixelRepresentation": 0},
    "dicom_unsigned_16_called_signed": {"PixelRepresentation": 0},
    "dicom_signed_12_called_unsigned": {"PixelRepresentation": 1},
    "dicom_signed_16_called_unsigned": {"PixelRepresentation": 1},
    "dicom_signed_12_of_16_called_unsigned": {"PixelRepresentation": 1},
    "dicom_jpeg_2000_signed_called_unsigned": {"PixelRepresentation": 1},
    "dicom_jpeg_2000_unsigned_called_signed": {"PixelRepresentation": 0},
    "dicom_jpeg_2000_16_called_12": {"BitsStored": 16},
}
"""What makes the file right again: nothing else is wrong with it."""
NOT_DECODED = {
    "dicom_packed_12",
    "dicom_float",
    "dicom_jpeg_xl",
    "dicom_blank_vr",
    "dicom_deflated_zlib",
    "dicom_ge_private",
    "dicom_dashed_vr",
}


def test_there_are_many_ways_each_of_its_own_name() -> None:
    assert len(WAYS) == sum(len(module.WAYS) for module in MODULES) >= 80


def test_ways_are_repeatable(grey: Grey) -> None:
    for name in ("dicom_noise_above_the_bits", "dicom_padding_range", "bars_noise", "png_palette"):
        assert WAYS[name].write(grey) == WAYS[name].write(grey)


@pytest.mark.parametrize("way", WAYS.values(), ids=lambda way: way.name)
def test_the_image_is_in_the_file(way: Way, grey: Grey) -> None:
    content = way.write(grey)
    if way.name in NOT_DECODED:
        assert content
        return
    seen, aspect = decoded(way.name, content)
    assert_same(seen, aspect, grey, way)


def decoded(name: str, content: bytes) -> tuple[Values, float]:
    """Decode by a library that the program does not ask, or asks otherwise.

    Returns
    -------
    values : ndarray, shape (height, width)
    aspect : float
        Height of a pixel over its width, as it is stated.
    """
    if content[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return of_tiff(name, content)
    if name.startswith("dicom"):
        return of_dicom(name, content)
    return of_raster(name, content)


def of_raster(name: str, content: bytes) -> tuple[Values, float]:
    if name in {"jpeg_12_bits", "jpeg_lossless"}:
        return imagecodecs.jpeg8_decode(content), 1.0
    image: Image.Image = Image.open(BytesIO(content))
    x, y = (
        image.info.get("dpi") or image.info.get("aspect") or image.info.get("jfif_density", (1, 1))
    )
    if image.getexif().get(274, 1) in {5, 6, 7, 8}:
        x, y = y, x
    gamma = image.info.get("gamma")
    if name.startswith("png") and "turned" not in name and "palette" not in name:
        values = imagecodecs.png_decode(content)
        values = values if values.ndim == 2 else values[..., 0]
    else:
        values = np.asarray(ImageOps.exif_transpose(image).convert("L"))
    if gamma:
        values = (values / np.iinfo(values.dtype).max) ** (1 / (2.2 * gamma))
    return values, x / y


def of_tiff(name: str, content: bytes) -> tuple[Values, float]:
    with tifffile.TiffFile(BytesIO(content)) as file:
        pages = [page for page in file.pages if isinstance(page, tifffile.TiffPage)]
        page = max((p for p in pages if p.photometric != 4), key=lambda p: p.imagelength)
        values = page.asarray()
        x, y = page.resolution if "XResolution" in page.tags else (1.0, 1.0)
        if page.photometric == 3:
            assert page.colormap is not None
            values = page.colormap[0][values]
        elif page.photometric == 0:
            values = values.max() - values
        if values.ndim == 3:
            values = values[0] if page.planarconfig == 2 else values[..., 0]
        assert ("planar" in name) == (page.planarconfig == 2)
        assert ("tiles" in name) == page.is_tiled
        assert ("big_endian" in name) == (file.byteorder == ">")
        assert ("bigtiff" in name) == file.is_bigtiff
    if "turned" in name:
        values = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(content))))
    return values, x / y


def of_dicom(name: str, content: bytes) -> tuple[Values, float]:
    ds = pydicom.dcmread(BytesIO(content), force=True)
    stated = WRONGLY_STATED.get(name, {})
    for keyword, value in stated.items():
        assert getattr(ds, keyword) != value
        setattr(ds, keyword, value)
    ds.setdefault("PhotometricInterpretation", "MONOCHROME2")
    ds.setdefault("SamplesPerPixel", 1)
    ds.setdefault("PixelRepresentation", 0)
    if not hasattr(ds, "file_meta") or "TransferSyntaxUID" not in ds.file_meta:
        ds.ensure_file_meta()
        ds.file_meta.TransferSyntaxUID = UID(
            "1.2.840.10008.1.2" + (".1" if "explicit" in name else "")
        )
    from_groups(ds)
    values = stored(name, ds)
    shift = ds.get("HighBit", ds.BitsStored - 1) + 1 - ds.BitsStored
    if shift > 0 and "pixels" not in name:
        words = np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}").reshape(values.shape)
        values = words >> shift
    if "noise_above" in name or "overlay_above" in name:
        values = values & 0xFFF
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, ds)
    if values.ndim == 3:
        assert np.ptp(values.astype(np.int32), axis=-1).max() <= 2
        values = values[..., 1]
    if float(ds.get("RescaleSlope", 1)):
        values = apply_modality_lut(values, ds)
    values = shown(values, ds)
    shape = ds.get("PresentationLUTShape", "IDENTITY")
    if ds.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE":
        values = values.max() - values
    return values, aspect_of(ds)


def stored(name: str, ds: Dataset) -> Values:
    """The stored values; by imagecodecs where pydicom has no decoder."""
    if "htj2k" in name or "jpeg_extended" in name:
        frame = next(generate_frames(ds.PixelData, number_of_frames=1))
        htj2k = "htj2k" in name
        return np.asarray(
            imagecodecs.htj2k_decode(frame) if htj2k else imagecodecs.jpeg8_decode(frame)
        )
    return np.asarray(ds.pixel_array)


def with_words(item: Dataset) -> None:
    """State a table as pydicom wants it: words of 16 bits, a signed first value."""
    count, first, _ = item.LUTDescriptor
    if isinstance(item.LUTData, bytes):
        kind = "<u2" if len(item.LUTData) >= 2 * count else "u1"
        entries = np.frombuffer(item.LUTData, kind, count or 2**16)
        item.LUTData = entries.astype("<u2").tobytes()
    del item.LUTDescriptor
    item.add_new(0x00283002, "SS", [count, first - 2**16 if first >= 2**15 else first, 16])


def from_groups(ds: Dataset) -> None:
    """Take out of the functional groups what pydicom looks for in the dataset itself."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in ds.get(keyword, []):
            for sequence in group:
                for element in sequence.value[0]:
                    ds.add(element)


def shown(values: Values, ds: Dataset) -> Values:
    if "VOILUTSequence" in ds:
        if ds.VOILUTSequence[0].LUTDescriptor[0]:
            with_words(ds.VOILUTSequence[0])
        return apply_voi_lut(values.astype(np.int64), ds)
    function = ds.get("VOILUTFunction", "LINEAR")
    if "WindowWidth" not in ds or (function == "LINEAR" and np.max(ds.WindowWidth) < 1):
        return values
    ds.pop("RescaleSlope", None)  # pydicom would turn the result around where it is negative
    seen = apply_windowing(values, ds)
    return seen if np.ptp(seen) > 0 else values


def aspect_of(ds: Dataset) -> float:
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        if keyword in ds:
            high, wide = (float(number) for number in ds[keyword].value)
            return high / wide
    return 1.0
