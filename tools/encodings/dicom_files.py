"""DICOM: transfer syntaxes, and files of unusual structure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from jpeg_ls import encode_buffer  # type: ignore[import-untyped]
from pydicom import uid
from pydicom.dataset import Dataset

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
from tools.encodings.ways import Array, Grey, Way, bordered, deep, stored, tabled, ways

JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
GE_PRIVATE = "1.2.840.113619.5.2"


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


def _jpeg(stored: Array, bits: int = 8, **options: Any) -> bytes:
    """Compress by the JPEG of 1992: baseline, extended or lossless."""
    return bytes(imagecodecs.jpeg8_encode(stored, bitspersample=bits, **options))


def _jpeg_ls(stored: Array, bits: int, near: int = 0) -> bytes:
    """Compress as JPEG-LS of so many bits, with an error of up to ``near`` a pixel."""
    rows, columns, *samples = stored.shape
    count, by_pixel = (samples[0], 2) if samples else (1, 0)
    values = np.ascontiguousarray(stored).tobytes()
    return bytes(encode_buffer(values, rows, columns, count, bits, near, by_pixel))


def _jpeg_2000(stored: Array, bits: int, **options: Any) -> bytes:
    """Compress as a bare JPEG 2000 codestream, lossless by default."""
    options = {"level": 0, "reversible": True, "codecformat": "j2k", **options}
    return bytes(imagecodecs.jpeg2k_encode(stored, bitspersample=bits, **options))


ENCODERS: Mapping[str, Callable[..., bytes]] = {
    "rle": _rle,
    "jpeg": _jpeg,
    "jpeg_lossless": partial(_jpeg, lossless=True, predictor=1),
    "jpeg_ls": _jpeg_ls,
    "jpeg_2000": _jpeg_2000,
    "htj2k": lambda stored, **options: bytes(imagecodecs.htj2k_encode(stored, **options)),
}


def _tabled(
    grey: Grey,
    pixels: str,
    bits: int = 0,
    syntax: str = "",
    border: int | None = None,
    odd: Sequence[tuple[int, str, Any]] = (),
    absent: Sequence[str] = (),
    **more: Any,
) -> bytes:
    """Write what ``ways.toml`` describes: elements, and how the pixels are compressed."""
    encoders = {name: more.pop(name) for name in more.keys() & ENCODERS}
    values, named = stored(grey, pixels), next(filter(str.isdigit, pixels.split()))
    values = values if border is None else bordered(values, border)
    ds = dataset(values, bits or int(named), **more, **dict.fromkeys(absent))
    for element in odd:
        with_element(ds, *element)
    if syntax:
        ds = _in(getattr(uid, syntax), ds)
    for name, options in encoders.items():
        ds = encapsulated(ds, ENCODERS[name](values, **options), ds.file_meta.TransferSyntaxUID)
    return content(ds)


def _in(syntax: uid.UID, ds: Dataset) -> Dataset:
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
    deflated = content(_in(uid.DeflatedExplicitVRLittleEndian, ds))
    return deflated[: _header_end(deflated)] + zlib.compress(plain[_header_end(plain) :])


def _header_end(written: bytes) -> int:
    """Behind preamble, prefix, and the element whose value counts the rest of the group."""
    return int(128 + 4 + 12 + struct.unpack("<I", written[140:144])[0])


def _jpeg_xl(grey: Grey) -> bytes:
    frame = bytes(imagecodecs.jpegxl_encode(grey, lossless=True))
    written = content(encapsulated(dataset(grey, 8), frame, uid.HTJ2K))
    # pydicom does not write what it does not know; both names are of one length.
    return written.replace(uid.HTJ2K.encode(), JPEG_XL_LOSSLESS.encode(), 1)


def _ge_private(grey: Grey) -> bytes:
    """GE's private syntax: implicit, little endian, with big-endian pixels."""
    ds = _in(uid.ImplicitVRLittleEndian, twelve(grey))
    ds.PixelData = deep(grey, 12).byteswap().tobytes()
    standard = even(str(uid.ImplicitVRLittleEndian).encode())
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
    "fragments": lambda g: encapsulated(
        twelve(g), _jpeg_ls(deep(g, 12), 12), uid.JPEGLSLossless, fragments=5
    ),
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
    *dicom_ways(COMPOSED, unreadable=UNREADABLE),
    *ways("dicom", ".dcm", tabled("dicom", _tabled)),
    *ways("dicom", ".dcm", tabled("dicom_lossy", _tabled), lossy=True),
    *ways("dicom", ".dcm", tabled("dicom_resampled", _tabled), resampled=True),
)
