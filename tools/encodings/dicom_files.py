"""DICOM: transfer syntaxes, and files of unusual structure."""

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

from tools.encodings.dicom import (
    PIXEL_DATA,
    DicomTable,
    bare,
    content,
    dataset,
    dicom_ways,
    encapsulated,
    even,
    item,
    twelve,
    with_element,
    with_overlay,
)
from tools.encodings.ways import Array, Grey, Way, deep, rgb, signed, ycbcr

JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
GE_PRIVATE = "1.2.840.113619.5.2"
QUALITY = 90
YBR_FULL = {"PhotometricInterpretation": "YBR_FULL"}
YBR_422 = {"PhotometricInterpretation": "YBR_FULL_422"}
Encoder = Callable[[Array], bytes]


def _rle(stored: Array) -> bytes:
    """Compress values as DICOM does (PS3.5 G): PackBits by rows, a segment for each byte."""
    samples = stored if stored.ndim == 3 else stored[..., np.newaxis]
    octets = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8)
    segments = []
    for segment in range(octets.shape[-1]):
        plane = np.ascontiguousarray(octets[..., segment])
        segments.append(even(b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane)))
    offsets = np.cumsum([64, *(len(segment) for segment in segments[:-1])])
    header = np.zeros(16, "<u4")
    header[0], header[1 : 1 + len(segments)] = len(segments), offsets
    return header.tobytes() + b"".join(segments)


def _jpeg(bits: int = 8, **options: Any) -> Encoder:
    """Compress by the JPEG of 1992: baseline, extended or lossless."""
    options = {"bitspersample": bits, **options}
    return lambda stored: bytes(imagecodecs.jpeg8_encode(stored, **options))


def _jpeg_lossless(bits: int, predictor: int = 1) -> Encoder:
    return _jpeg(bits, lossless=True, predictor=predictor)


def _jpeg_ls(bits: int, near: int = 0) -> Encoder:
    """Compress as JPEG-LS of so many bits, with an error of up to ``near`` a pixel."""

    def encode(stored: Array) -> bytes:
        rows, columns, *samples = stored.shape
        count, by_pixel = (samples[0], 2) if samples else (1, 0)
        values = np.ascontiguousarray(stored).tobytes()
        return bytes(encode_buffer(values, rows, columns, count, bits, near, by_pixel))

    return encode


def _jpeg_2000(bits: int, **options: Any) -> Encoder:
    """Compress as a bare JPEG 2000 codestream, lossless by default."""
    options = {"level": 0, "reversible": True, "codecformat": "j2k", **options}
    return lambda stored: bytes(imagecodecs.jpeg2k_encode(stored, bitspersample=bits, **options))


def _htj2k(stored: Array, **options: Any) -> bytes:
    """Compress as high-throughput JPEG 2000."""
    return bytes(imagecodecs.htj2k_encode(stored, **options))


def _frame(syntax: str, stored: Array, bits: int, encode: Encoder, **elements: Any) -> Dataset:
    """Store compressed values, which the dataset states to have so many bits."""
    return encapsulated(dataset(stored, bits, **elements), encode(stored), syntax)


_as_rle = partial(_frame, RLELossless)
_as_jpeg = partial(_frame, JPEGLosslessSV1)
_as_baseline = partial(_frame, JPEGBaseline8Bit)
_as_jpeg_ls = partial(_frame, JPEGLSLossless)
_as_jpeg_2000 = partial(_frame, JPEG2000Lossless)


def _lossless(grey: Grey, syntax: str, bits: int, encoder: Callable[[int], Encoder]) -> Dataset:
    return _frame(syntax, grey if bits == 8 else deep(grey, bits), bits, encoder(bits))


COMPRESSED: DicomTable = {
    "rle_8": lambda g: _as_rle(g, 8, _rle),
    "rle_12": lambda g: _as_rle(deep(g, 12), 12, _rle),
    "rle_rgb": lambda g: _as_rle(rgb(g), 8, _rle),
    "rle_ybr_full": lambda g: _as_rle(ycbcr(g), 8, _rle, **YBR_FULL),
    "rle_signed": lambda g: _as_rle(signed(g, 12), 12, _rle),
    **{
        f"{name}_{bits}": partial(_lossless, syntax=syntax, bits=bits, encoder=encoder)
        for name, syntax, encoder in (
            ("jpeg_lossless", JPEGLosslessSV1, _jpeg_lossless),
            ("jpeg_ls", JPEGLSLossless, _jpeg_ls),
            ("jpeg_2000", JPEG2000Lossless, _jpeg_2000),
        )
        for bits in (8, 12, 16)
    },
    "jpeg_lossless_process_14": lambda g: _frame(
        JPEGLossless, deep(g, 12), 12, _jpeg_lossless(12, predictor=6)
    ),
    "jpeg_lossless_16_called_12": lambda g: _as_jpeg(deep(g, 12), 12, _jpeg_lossless(16)),
    "jpeg_ls_12_called_16": lambda g: _as_jpeg_ls(deep(g, 12), 16, _jpeg_ls(12)),
    "jpeg_ls_16_called_12": lambda g: _as_jpeg_ls(deep(g, 12), 12, _jpeg_ls(16)),
    "jpeg_ls_rgb": lambda g: _as_jpeg_ls(rgb(g), 8, _jpeg_ls(8)),
    "jpeg_2000_12_called_16": lambda g: _as_jpeg_2000(deep(g, 12), 16, _jpeg_2000(12)),
    "jpeg_2000_16_called_12": lambda g: _as_jpeg_2000(deep(g, 16), 12, _jpeg_2000(16)),
    "jpeg_2000_signed": lambda g: _as_jpeg_2000(signed(g, 12), 12, _jpeg_2000(12)),
    "jpeg_2000_signed_called_unsigned": lambda g: _as_jpeg_2000(
        signed(g, 12), 12, _jpeg_2000(12), PixelRepresentation=0
    ),
    "jpeg_2000_unsigned_called_signed": lambda g: _as_jpeg_2000(
        deep(g, 12), 12, _jpeg_2000(12), PixelRepresentation=1
    ),
    "jpeg_2000_in_jp2": lambda g: _as_jpeg_2000(deep(g, 12), 12, _jpeg_2000(12, codecformat="jp2")),
    "jpeg_2000_rgb": lambda g: _as_jpeg_2000(
        rgb(g), 8, _jpeg_2000(8, mct=True), PhotometricInterpretation="YBR_RCT"
    ),
    "htj2k_8": lambda g: _frame(HTJ2KLossless, g, 8, _htj2k),
    "htj2k_16": lambda g: _frame(HTJ2KLossless, deep(g, 16), 16, _htj2k),
    "htj2k_rpcl": lambda g: _frame(HTJ2KLosslessRPCL, deep(g, 16), 16, _htj2k),
    "fragments": lambda g: encapsulated(
        twelve(g), _jpeg_ls(12)(deep(g, 12)), JPEGLSLossless, fragments=5
    ),
}

LOSSY: DicomTable = {
    "jpeg_baseline": lambda g: _as_baseline(g, 8, _jpeg(level=QUALITY)),
    "jpeg_baseline_ybr_422": lambda g: _as_baseline(
        rgb(g), 8, _jpeg(level=QUALITY, subsampling="422"), **YBR_422
    ),
    "jpeg_baseline_rgb": lambda g: _as_baseline(
        rgb(g), 8, _jpeg(level=QUALITY, colorspace="rgb", outcolorspace="rgb")
    ),
    "jpeg_extended_12": lambda g: _frame(
        JPEGExtended12Bit, deep(g, 12), 12, _jpeg(12, level=QUALITY)
    ),
    "jpeg_ls_near": lambda g: _frame(JPEGLSNearLossless, deep(g, 12), 12, _jpeg_ls(12, 20)),
    "jpeg_2000_lossy": lambda g: _frame(
        JPEG2000, deep(g, 12), 12, _jpeg_2000(12, level=55, reversible=False)
    ),
    "htj2k_lossy": lambda g: encapsulated(dataset(g, 8), _htj2k(g, level=0.002), HTJ2K),
}


# File structure


def _in(syntax: UID, ds: Dataset) -> Dataset:
    ds.file_meta.TransferSyntaxUID = syntax
    return ds


def _odd_vr(grey: Grey, vr: bytes) -> bytes:
    """Overwrite the value representation of one element that matters to nobody."""
    ds = twelve(grey, SeriesDescription="HAND")
    return content(ds).replace(b"\x08\x00\x3e\x10LO", b"\x08\x00\x3e\x10" + vr, 1)


def _zlib_deflated(grey: Grey) -> bytes:
    """Deflate with the header of zlib, which DICOM forbids and some devices write."""
    ds = twelve(grey)
    plain = content(ds)
    deflated = content(_in(DeflatedExplicitVRLittleEndian, ds))
    return deflated[: _header_end(deflated)] + zlib.compress(plain[_header_end(plain) :])


def _header_end(written: bytes) -> int:
    """Behind preamble, prefix, and the element whose value counts the rest of the group."""
    return int(128 + 4 + 12 + struct.unpack("<I", written[140:144])[0])


def _jpeg_xl(grey: Grey) -> bytes:
    frame = bytes(imagecodecs.jpegxl_encode(grey, lossless=True))
    written = content(encapsulated(dataset(grey, 8), frame, HTJ2K))
    # pydicom does not write what it does not know; both names are of one length.
    return written.replace(HTJ2K.encode(), JPEG_XL_LOSSLESS.encode(), 1)


def _ge_private(grey: Grey) -> bytes:
    """GE's private syntax: implicit, little endian, with big-endian pixels."""
    ds = _in(ImplicitVRLittleEndian, twelve(grey))
    ds.PixelData = deep(grey, 12).byteswap().tobytes()
    standard = even(str(ImplicitVRLittleEndian).encode())
    # As long as its place (18 bytes), so that no length changes.
    return content(ds).replace(standard, GE_PRIVATE.encode().ljust(len(standard), b"\0"), 1)


def _with_icon(grey: Grey, missing: int) -> Dataset:
    """A small copy of the image before it, with ``missing`` bytes too few."""
    small = np.ascontiguousarray(grey[:: grey.shape[0] // 64, :: grey.shape[1] // 48])
    icon = item(
        Rows=small.shape[0],
        Columns=small.shape[1],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
    )
    icon.add_new(PIXEL_DATA, "OB", even(small.tobytes()[: small.size - missing]))
    return twelve(grey, IconImageSequence=[icon])


def _other_overlay(grey: Grey) -> Dataset:
    """A graphic beside the image, in an element of its own; it is no part of the image."""
    data = b"\xff" * ((grey.size + 15) // 16 * 2)
    return with_overlay(twelve(grey), bits=1, bit=0, data=data)


def _private_block(grey: Grey) -> Dataset:
    ds = with_element(twelve(grey), 0x00290010, "LO", "INVENTED")
    return with_element(ds, 0x00291010, "OB", b"\1" * 9999)


def _pixels(ds: Dataset, vr: str, values: bytes) -> Dataset:
    return with_element(ds, PIXEL_DATA, vr, values)


COMPOSED: DicomTable = {
    "implicit": lambda g: _in(ImplicitVRLittleEndian, twelve(g)),
    "big_endian": lambda g: _in(ExplicitVRBigEndian, twelve(g)),
    "big_endian_8": lambda g: _in(ExplicitVRBigEndian, dataset(g, 8)),
    "deflated": lambda g: _in(DeflatedExplicitVRLittleEndian, twelve(g)),
    "without_preamble": lambda g: content(twelve(g))[132:],
    "bare_implicit": lambda g: bare(twelve(g), implicit=True),
    "bare_explicit": lambda g: bare(twelve(g), implicit=False),
    "zeros_after": lambda g: content(twelve(g)) + b"\0" * 4096,
    "garbage_after": lambda g: content(twelve(g)) + b"END OF FILE" * 9,
    "trailing_padding": lambda g: with_element(twelve(g), 0xFFFCFFFC, "OB", b"\0" * 512),
    "pixels_too_long": lambda g: _pixels(twelve(g), "OW", deep(g, 12).tobytes() + b"\0" * 1024),
    "pixels_16_as_ob": lambda g: _pixels(twelve(g), "OB", deep(g, 12).tobytes()),
    "pixels_8_as_ow": lambda g: _pixels(dataset(g, 8), "OW", even(g.tobytes())),
    "pixels_of_unknown_vr": lambda g: _pixels(twelve(g), "UN", deep(g, 12).tobytes()),
    "sparse_description": lambda g: twelve(
        g, PixelRepresentation=None, SamplesPerPixel=None, PhotometricInterpretation=None
    ),
    "one_frame": lambda g: twelve(g, NumberOfFrames="1"),
    "icon": lambda g: _with_icon(g, 0),
    "icon_too_short": lambda g: _with_icon(g, 100),
    "overlay_beside": _other_overlay,
    "private_block": _private_block,
    "jpeg_xl": _jpeg_xl,
    "blank_vr": lambda g: _odd_vr(g, b"  "),
    "dashed_vr": lambda g: _odd_vr(g, b"--"),
    "deflated_zlib": _zlib_deflated,
    "ge_private": _ge_private,
}
UNREADABLE = {
    "jpeg_xl": "JPEG XL is too new in DICOM for a decoder that is chosen with care",
    "blank_vr": "after a blank value representation the length may be of two kinds",
    "dashed_vr": "after the value representation -- the length may be of two kinds",
    "deflated_zlib": "DICOM deflates without the header of zlib (PS3.5 A.5)",
    "ge_private": "a private transfer syntax of one manufacturer",
}

WAYS: tuple[Way, ...] = (
    *dicom_ways(COMPRESSED | COMPOSED, unreadable=UNREADABLE),
    *dicom_ways(LOSSY, lossy=True),
)
