"""Films written for the tests, in every format that is read."""

from __future__ import annotations

import struct
import tempfile
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import Any

import jpeg_ls  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import tifffile
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000 as JPEG2000_UID
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.conftest import drawn_hand

HEIGHT, WIDTH = 200, 150
PATIENT = "ZZYZX^QUENTIN"
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"
STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"

DEEP = drawn_hand(HEIGHT, WIDTH, top=4_000, floor=100)
"""12 bits in 16, shape (200, 150)."""
GREY = (DEEP >> 4).astype(np.uint8)
UNIT = (GREY / 255).astype(np.float32)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def raster(kind: str, pixels: npt.NDArray[Any] = GREY, **options: Any) -> bytes:
    if kind == "WEBP":
        options.setdefault("lossless", True)
    return encoded(Image.fromarray(pixels), kind, **options)


def tiff(*pages: npt.NDArray[Any] | dict[str, Any], **options: Any) -> bytes:
    """A TIFF by tifffile: arrays, or for each page what its ``write`` takes."""
    file = BytesIO()
    whole = {key: options.pop(key) for key in ("bigtiff", "byteorder") if key in options}
    with tifffile.TiffWriter(file, **whole) as writer:
        for page in pages:
            given = page if isinstance(page, dict) else {"data": page}
            writer.write(**deepcopy({"metadata": None, **options, **given}))
    return file.getvalue()


def profile(curve: bytes, space: bytes = b"GRAY") -> bytes:
    """An ICC profile that holds one curve, for grey or for all three colours."""
    names = [b"kTRC"] if space == b"GRAY" else [b"rTRC", b"gTRC", b"bTRC"]
    start = 128 + 4 + 12 * len(names)
    table = b"".join(struct.pack(">4sII", name, start, len(curve)) for name in names)
    head = bytes(8) + b"\2\x10\0\0mntr" + space + b"XYZ " + bytes(12) + b"acsp"
    content = head.ljust(128, b"\0")[4:] + struct.pack(">I", len(names)) + table + curve
    return struct.pack(">I", len(content) + 4) + content


def linear_profile() -> bytes:
    """An ICC profile that says that grey levels are linear in light."""
    return profile(b"curv" + bytes(8))


def dataset(pixels: npt.NDArray[Any] = DEEP, bits: int = 12, **elements: Any) -> Dataset:
    """A computed radiograph of somebody whose name must not come out."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = COMPUTED_RADIOGRAPHY
    ds.SOPInstanceUID = "1.2.826.0.1.3680043.10.1"
    ds.Modality = "CR"
    ds.PatientName = PATIENT
    ds.PatientID = PATIENT
    ds.StudyDescription = PATIENT
    ds.Rows, ds.Columns = pixels.shape[:2]
    ds.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    ds.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
    if pixels.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = 8 * pixels.dtype.itemsize
    ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def written(ds: Dataset) -> bytes:
    """The bytes of a DICOM file."""
    syntax = ds.file_meta.TransferSyntaxUID
    file = BytesIO()
    if syntax == ExplicitVRBigEndian:
        words = np.frombuffer(ds.PixelData, f"<u{ds.BitsAllocated // 8}")
        ds.PixelData = words.byteswap().tobytes()
    ds.save_as(
        file,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        enforce_file_format=True,
    )
    return file.getvalue()


def dicom(pixels: npt.NDArray[Any] = DEEP, bits: int = 12, **elements: Any) -> bytes:
    return written(dataset(pixels, bits, **elements))


def bare(implicit: bool, little: bool = True) -> bytes:
    """A dataset without preamble and file meta information."""
    ds = dataset()
    del ds.file_meta
    if not little:
        ds.PixelData = DEEP.byteswap().tobytes()
    file = BytesIO()
    ds.save_as(file, implicit_vr=implicit, little_endian=little)
    return file.getvalue()


def in_syntax(syntax: str, pixels: npt.NDArray[Any] = DEEP, bits: int = 12) -> bytes:
    """A DICOM file in any transfer syntax that is read."""
    ds = dataset(pixels, bits)
    if syntax in UNCOMPRESSED:
        ds.file_meta.TransferSyntaxUID = UID(syntax)
        return written(ds)
    if syntax == RLELossless:
        ds.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
        return written(ds)
    if syntax in BY_GDCM:  # which makes up, each time anew, what is missing
        ds.StudyTime, ds.StudyInstanceUID, ds.SeriesInstanceUID = "120000", "1.2.3", "1.2.4"
        return _by_gdcm(written(ds), syntax, bits)
    return encapsulated(ds, syntax, codestream(syntax, pixels, bits))


def encapsulated(ds: Dataset, syntax: str, frame: bytes) -> bytes:
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    return written(ds)


def codestream(syntax: str, pixels: npt.NDArray[Any], bits: int) -> bytes:
    if syntax == JPEG2000Lossless:
        return bytes(encode_array(pixels, bits_stored=bits))
    if syntax == JPEG2000_UID:
        return bytes(encode_array(pixels, bits_stored=bits, compression_ratios=[3.0]))
    if syntax == JPEGBaseline8Bit:
        return raster("JPEG", pixels, quality=98)
    error = 2 if syntax == JPEGLSNearLossless else 0
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
    return bytes(
        jpeg_ls.encode_buffer(
            unsigned.tobytes(), pixels.shape[0], pixels.shape[1], 1, bits, error, 0
        )
    )


def _by_gdcm(content: bytes, syntax: str, bits: int) -> bytes:
    # Loaded before zlib, GDCM puts its own zlib in its place, and writing a
    # deflated file ends the process.
    import gdcm  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "film.dcm")
        Path(path).write_bytes(content)
        reader = gdcm.ImageReader()
        reader.SetFileName(path)
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
        change.SetInput(reader.GetImage())
        codec = gdcm.JPEGCodec()
        if syntax == JPEGExtended12Bit:
            codec.SetLossless(False)
            codec.SetQuality(100)
            change.SetUserCodec(codec)
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(path)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return Path(path).read_bytes()


UNCOMPRESSED = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
BY_GDCM = (JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1)
LOSSLESS: dict[str, str] = {
    ImplicitVRLittleEndian: "uncompressed",
    ExplicitVRLittleEndian: "uncompressed",
    ExplicitVRBigEndian: "uncompressed, big endian",
    DeflatedExplicitVRLittleEndian: "deflated",
    RLELossless: "RLE",
    JPEGLossless: "JPEG lossless",
    JPEGLosslessSV1: "JPEG lossless",
    JPEGLSLossless: "JPEG-LS lossless",
    JPEG2000Lossless: "JPEG 2000 lossless",
}
LOSSY: dict[str, str] = {
    JPEGExtended12Bit: "JPEG extended",
    JPEGLSNearLossless: "JPEG-LS near-lossless",
    JPEG2000_UID: "JPEG 2000",
}


def stretched(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Lowest value 0, highest 1."""
    wide = pixels.astype(np.float64)
    return np.asarray((wide - wide.min()) / (wide.max() - wide.min()))
