"""DICOM: transfer syntaxes, and files that are put together oddly."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from jpeg_ls import encode_buffer  # type: ignore[import-untyped]
from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
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

from tools.encodings.dicom_display import ycbcr
from tools.encodings.dicom_files import (
    PIXEL_DATA,
    bare,
    content,
    dataset,
    encapsulated,
    with_element,
)
from tools.encodings.dicom_stored import dicom_way, signed
from tools.encodings.ways import Array, Grey, Way, deep, rgb

JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
GE_PRIVATE = "1.2.840.113619.5.2"
QUALITY = 90


def rle(stored: Array) -> bytes:
    """Compress values as DICOM does (PS3.5 G): PackBits by rows, a segment for each byte."""
    samples = stored if stored.ndim == 3 else stored[..., np.newaxis]
    octets = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8)
    segments = []
    for segment in range(octets.shape[-1]):
        plane = np.ascontiguousarray(octets[..., segment])
        packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane)
        segments.append(packed + b"\0" * (len(packed) % 2))
    offsets = np.cumsum([64, *(len(segment) for segment in segments[:-1])])
    header = np.zeros(16, "<u4")
    header[0], header[1 : 1 + len(segments)] = len(segments), offsets
    return header.tobytes() + b"".join(segments)


def jpeg(stored: Array, bits: int = 8, **options: Any) -> bytes:
    """Compress by the JPEG of 1992: baseline, extended or lossless."""
    return bytes(imagecodecs.jpeg8_encode(stored, bitspersample=bits, **options))


def jpeg_ls(stored: Array, bits: int, near: int = 0) -> bytes:
    """Compress as JPEG-LS of so many bits, with an error of up to ``near`` a pixel."""
    rows, columns, *samples = stored.shape
    by_pixel = 2 if samples else 0
    values = np.ascontiguousarray(stored).tobytes()
    count = samples[0] if samples else 1
    return bytes(encode_buffer(values, rows, columns, count, bits, near, by_pixel))


def jpeg_2000(stored: Array, bits: int, **options: Any) -> bytes:
    """Compress as a bare JPEG 2000 codestream, without loss unless told otherwise."""
    options = {"level": 0, "reversible": True, "codecformat": "j2k", **options}
    return bytes(imagecodecs.jpeg2k_encode(stored, bitspersample=bits, **options))


def htj2k(stored: Array, **options: Any) -> bytes:
    """Compress as high-throughput JPEG 2000."""
    return bytes(imagecodecs.htj2k_encode(stored, **options))


def _way(
    name: str, syntax: str, make: Callable[[Grey], tuple[Dataset, bytes]], **flags: Any
) -> Way:
    def compressed(grey: Grey) -> Dataset:
        ds, frame = make(grey)
        return encapsulated(ds, frame, syntax)

    return dicom_way(name, compressed, **flags)


def _twelve(grey: Grey, **elements: Any) -> Dataset:
    return dataset(deep(grey, 12), 12, **elements)


def _in(grey: Grey, syntax: UID) -> Dataset:
    ds = _twelve(grey)
    ds.file_meta.TransferSyntaxUID = syntax
    return ds


def _big_endian_8(grey: Grey) -> Dataset:
    ds = dataset(grey, 8)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    return ds


def _jpeg_lossless(grey: Grey, bits: int) -> tuple[Dataset, bytes]:
    stored = grey if bits == 8 else deep(grey, bits)
    return dataset(stored, bits), jpeg(stored, bits, lossless=True, predictor=1)


def _signed_stream(grey: Grey, *, stated: bool) -> tuple[Dataset, bytes]:
    stored = signed(grey, 12)
    return dataset(stored, 12, PixelRepresentation=int(stated)), jpeg_2000(stored, 12)


def _unsigned_stream(grey: Grey) -> tuple[Dataset, bytes]:
    stored = deep(grey, 12)
    return dataset(stored, 12, PixelRepresentation=1), jpeg_2000(stored, 12)


def _colour(grey: Grey, frame: bytes, photometric: str) -> tuple[Dataset, bytes]:
    return dataset(rgb(grey), 8, PhotometricInterpretation=photometric), frame


def _odd_vr(grey: Grey, vr: bytes) -> bytes:
    """Overwrite the value representation of one element that matters to nobody."""
    ds = _twelve(grey, SeriesDescription="HAND")
    return content(ds).replace(b"\x08\x00\x3e\x10LO", b"\x08\x00\x3e\x10" + vr, 1)


def _zlib_deflated(grey: Grey) -> bytes:
    """Deflate with the header of zlib, which DICOM forbids and some devices write."""
    ds = _twelve(grey)
    written = content(ds)
    # Preamble, prefix, and the group length element whose value counts the rest of the group.
    end = 128 + 4 + 12 + struct.unpack("<I", written[140:144])[0]
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    deflated = content(ds)
    end_deflated = 128 + 4 + 12 + struct.unpack("<I", deflated[140:144])[0]
    return deflated[:end_deflated] + zlib.compress(written[end:])


def _jpeg_xl(grey: Grey) -> bytes:
    frame = bytes(imagecodecs.jpegxl_encode(grey, lossless=True))
    written = content(encapsulated(dataset(grey, 8), frame, HTJ2K))
    # pydicom does not write what it does not know; both names are of one length.
    return written.replace(HTJ2K.encode(), JPEG_XL_LOSSLESS.encode(), 1)


def _ge_private(grey: Grey) -> bytes:
    """GE's private syntax: implicit, little endian, with big-endian pixels."""
    stored = deep(grey, 12)
    ds = _in(grey, ImplicitVRLittleEndian)
    ds.PixelData = stored.byteswap().tobytes()
    standard = str(ImplicitVRLittleEndian).encode()
    written = content(ds)
    at = written.index(standard)
    private = GE_PRIVATE.encode()
    length = len(standard) + len(standard) % 2
    # As long as its place (18 bytes), so that no length changes.
    return written[:at] + private.ljust(length, b"\0") + written[at + length :]


def _with_icon(grey: Grey, missing: int) -> Dataset:
    """A small copy of the image before it, with ``missing`` bytes too few."""
    small = np.ascontiguousarray(grey[:: grey.shape[0] // 64, :: grey.shape[1] // 48])
    icon = Dataset()
    icon.Rows, icon.Columns = small.shape
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation = 8, 8, 7, 0
    values = small.tobytes()[: small.size - missing]
    icon.add_new(PIXEL_DATA, "OB", values + b"\0" * (len(values) % 2))
    return _twelve(grey, IconImageSequence=[icon])


def _other_overlay(grey: Grey) -> Dataset:
    """A graphic beside the image, in an element of its own; it is no part of the image."""
    ds = _twelve(grey)
    height, width = grey.shape
    for tag, vr, value in (
        (0x60000010, "US", height),
        (0x60000011, "US", width),
        (0x60000040, "CS", "G"),
        (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 1),
        (0x60000102, "US", 0),
        (0x60003000, "OW", b"\xff" * ((height * width + 15) // 16 * 2)),
    ):
        with_element(ds, tag, vr, value)
    return ds


WAYS: tuple[Way, ...] = (
    dicom_way("implicit", lambda grey: _in(grey, ImplicitVRLittleEndian)),
    dicom_way("big_endian", lambda grey: _in(grey, ExplicitVRBigEndian)),
    dicom_way("big_endian_8", _big_endian_8),
    dicom_way("deflated", lambda grey: _in(grey, DeflatedExplicitVRLittleEndian)),
    _way("rle_8", RLELossless, lambda grey: (dataset(grey, 8), rle(grey))),
    _way("rle_12", RLELossless, lambda grey: (_twelve(grey), rle(deep(grey, 12)))),
    _way("rle_rgb", RLELossless, lambda grey: _colour(grey, rle(rgb(grey)), "RGB")),
    _way("rle_ybr_full", RLELossless, lambda grey: _colour(grey, rle(ycbcr(grey)), "YBR_FULL")),
    _way(
        "rle_signed",
        RLELossless,
        lambda grey: (dataset(signed(grey, 12), 12), rle(signed(grey, 12))),
    ),
    _way(
        "jpeg_baseline",
        JPEGBaseline8Bit,
        lambda grey: (dataset(grey, 8), jpeg(grey, level=QUALITY)),
        lossy=True,
    ),
    _way(
        "jpeg_baseline_ybr_422",
        JPEGBaseline8Bit,
        lambda grey: _colour(
            grey, jpeg(rgb(grey), level=QUALITY, subsampling="422"), "YBR_FULL_422"
        ),
        lossy=True,
    ),
    _way(
        "jpeg_baseline_rgb",
        JPEGBaseline8Bit,
        lambda grey: _colour(
            grey, jpeg(rgb(grey), level=QUALITY, colorspace="rgb", outcolorspace="rgb"), "RGB"
        ),
        lossy=True,
    ),
    _way(
        "jpeg_extended_12",
        JPEGExtended12Bit,
        lambda grey: (_twelve(grey), jpeg(deep(grey, 12), 12, level=QUALITY)),
        lossy=True,
    ),
    *(
        _way(
            f"jpeg_lossless_{bits}",
            JPEGLosslessSV1,
            partial(_jpeg_lossless, bits=bits),
        )
        for bits in (8, 12, 16)
    ),
    _way(
        "jpeg_lossless_process_14",
        JPEGLossless,
        lambda grey: (_twelve(grey), jpeg(deep(grey, 12), 12, lossless=True, predictor=6)),
    ),
    _way(
        "jpeg_lossless_16_called_12",
        JPEGLosslessSV1,
        lambda grey: (_twelve(grey), jpeg(deep(grey, 12), 16, lossless=True, predictor=1)),
    ),
    _way("jpeg_ls_8", JPEGLSLossless, lambda grey: (dataset(grey, 8), jpeg_ls(grey, 8))),
    _way("jpeg_ls_12", JPEGLSLossless, lambda grey: (_twelve(grey), jpeg_ls(deep(grey, 12), 12))),
    _way(
        "jpeg_ls_16",
        JPEGLSLossless,
        lambda grey: (dataset(deep(grey, 16), 16), jpeg_ls(deep(grey, 16), 16)),
    ),
    _way(
        "jpeg_ls_12_called_16",
        JPEGLSLossless,
        lambda grey: (dataset(deep(grey, 12), 16), jpeg_ls(deep(grey, 12), 12)),
    ),
    _way(
        "jpeg_ls_16_called_12",
        JPEGLSLossless,
        lambda grey: (_twelve(grey), jpeg_ls(deep(grey, 12), 16)),
    ),
    _way("jpeg_ls_rgb", JPEGLSLossless, lambda grey: _colour(grey, jpeg_ls(rgb(grey), 8), "RGB")),
    _way(
        "jpeg_ls_near",
        JPEGLSNearLossless,
        lambda grey: (_twelve(grey), jpeg_ls(deep(grey, 12), 12, 20)),
        lossy=True,
    ),
    _way("jpeg_2000_8", JPEG2000Lossless, lambda grey: (dataset(grey, 8), jpeg_2000(grey, 8))),
    _way(
        "jpeg_2000_12",
        JPEG2000Lossless,
        lambda grey: (_twelve(grey), jpeg_2000(deep(grey, 12), 12)),
    ),
    _way(
        "jpeg_2000_16",
        JPEG2000Lossless,
        lambda grey: (dataset(deep(grey, 16), 16), jpeg_2000(deep(grey, 16), 16)),
    ),
    _way(
        "jpeg_2000_12_called_16",
        JPEG2000Lossless,
        lambda grey: (dataset(deep(grey, 12), 16), jpeg_2000(deep(grey, 12), 12)),
    ),
    _way(
        "jpeg_2000_16_called_12",
        JPEG2000Lossless,
        lambda grey: (_twelve(grey), jpeg_2000(deep(grey, 16), 16)),
    ),
    _way("jpeg_2000_signed", JPEG2000Lossless, lambda grey: _signed_stream(grey, stated=True)),
    _way(
        "jpeg_2000_signed_called_unsigned",
        JPEG2000Lossless,
        lambda grey: _signed_stream(grey, stated=False),
    ),
    _way("jpeg_2000_unsigned_called_signed", JPEG2000Lossless, _unsigned_stream),
    _way(
        "jpeg_2000_in_jp2",
        JPEG2000Lossless,
        lambda grey: (_twelve(grey), jpeg_2000(deep(grey, 12), 12, codecformat="jp2")),
    ),
    _way(
        "jpeg_2000_rgb",
        JPEG2000Lossless,
        lambda grey: _colour(grey, jpeg_2000(rgb(grey), 8, mct=True), "YBR_RCT"),
    ),
    _way(
        "jpeg_2000_lossy",
        JPEG2000,
        lambda grey: (_twelve(grey), jpeg_2000(deep(grey, 12), 12, level=55, reversible=False)),
        lossy=True,
    ),
    _way("htj2k_8", HTJ2KLossless, lambda grey: (dataset(grey, 8), htj2k(grey))),
    _way(
        "htj2k_16", HTJ2KLossless, lambda grey: (dataset(deep(grey, 16), 16), htj2k(deep(grey, 16)))
    ),
    _way(
        "htj2k_rpcl",
        HTJ2KLosslessRPCL,
        lambda grey: (dataset(deep(grey, 16), 16), htj2k(deep(grey, 16))),
    ),
    _way(
        "htj2k_lossy", HTJ2K, lambda grey: (dataset(grey, 8), htj2k(grey, level=0.002)), lossy=True
    ),
    Way(
        "dicom_jpeg_xl",
        ".dcm",
        _jpeg_xl,
        unreadable="JPEG XL is too new in DICOM for a decoder that is chosen with care",
    ),
    dicom_way(
        "fragments",
        lambda grey: encapsulated(_twelve(grey), jpeg_ls(deep(grey, 12), 12), JPEGLSLossless, 5),
    ),
    # How the file is put together
    Way("dicom_without_preamble", ".dcm", lambda grey: content(_twelve(grey))[132:]),
    Way("dicom_bare_implicit", ".dcm", lambda grey: bare(_twelve(grey), implicit=True)),
    Way("dicom_bare_explicit", ".dcm", lambda grey: bare(_twelve(grey), implicit=False)),
    Way("dicom_zeros_after", ".dcm", lambda grey: content(_twelve(grey)) + b"\0" * 4096),
    Way("dicom_garbage_after", ".dcm", lambda grey: content(_twelve(grey)) + b"END OF FILE" * 9),
    dicom_way(
        "trailing_padding",
        lambda grey: with_element(_twelve(grey), 0xFFFCFFFC, "OB", b"\0" * 512),
    ),
    dicom_way(
        "pixels_too_long",
        lambda grey: with_element(
            _twelve(grey), PIXEL_DATA, "OW", deep(grey, 12).tobytes() + b"\0" * 1024
        ),
    ),
    dicom_way(
        "pixels_16_as_ob",
        lambda grey: with_element(_twelve(grey), PIXEL_DATA, "OB", deep(grey, 12).tobytes()),
    ),
    dicom_way(
        "pixels_8_as_ow",
        lambda grey: with_element(
            dataset(grey, 8), PIXEL_DATA, "OW", grey.tobytes() + b"\0" * (grey.size % 2)
        ),
    ),
    dicom_way(
        "pixels_of_unknown_vr",
        lambda grey: with_element(_twelve(grey), PIXEL_DATA, "UN", deep(grey, 12).tobytes()),
    ),
    dicom_way(
        "sparse_description",
        lambda grey: _twelve(
            grey, PixelRepresentation=None, SamplesPerPixel=None, PhotometricInterpretation=None
        ),
    ),
    dicom_way("one_frame", lambda grey: _twelve(grey, NumberOfFrames="1")),
    dicom_way("icon", lambda grey: _with_icon(grey, 0)),
    dicom_way("icon_too_short", lambda grey: _with_icon(grey, 100)),
    dicom_way("overlay_beside", _other_overlay),
    dicom_way(
        "private_block",
        lambda grey: with_element(
            with_element(_twelve(grey), 0x00290010, "LO", "INVENTED"),
            0x00291010,
            "OB",
            b"\1" * 9999,
        ),
    ),
    Way(
        "dicom_blank_vr",
        ".dcm",
        lambda grey: _odd_vr(grey, b"  "),
        unreadable="after a blank value representation the length may be of two kinds",
    ),
    Way(
        "dicom_dashed_vr",
        ".dcm",
        lambda grey: _odd_vr(grey, b"--"),
        unreadable="after the value representation -- the length may be of two kinds",
    ),
    Way(
        "dicom_deflated_zlib",
        ".dcm",
        _zlib_deflated,
        unreadable="DICOM deflates without the header of zlib (PS3.5 A.5)",
    ),
    Way(
        "dicom_ge_private",
        ".dcm",
        _ge_private,
        unreadable="a private transfer syntax of one manufacturer",
    ),
)
