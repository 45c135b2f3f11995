"""The actual transfer syntax of a DICOM file, where it states another or a private one."""

from __future__ import annotations

import zlib

import numpy as np
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from boneage.errors import FilmError
from boneage.reading.codestream import jpeg_header
from boneage.reading.dicom.elements import BIG, EXPLICIT, IMPLICIT, Encoding
from boneage.reading.source import MAX_FILE_BYTES

GE_PRIVATE = "1.2.840.113619.5.2"
"""Implicit VR little endian, but for its pixels, which are big endian."""
ENCODINGS = {
    str(ImplicitVRLittleEndian): IMPLICIT,
    GE_PRIVATE: IMPLICIT,
    str(ExplicitVRBigEndian): BIG,
}
"""Of the syntaxes that are not written in explicit VR little endian."""
UNCOMPRESSED = {
    IMPLICIT: str(ImplicitVRLittleEndian),
    EXPLICIT: str(ExplicitVRLittleEndian),
    BIG: str(ExplicitVRBigEndian),
}
JPEG = "1.2.840.10008.1.2.4."
JPEG_2000_BEGINNINGS = (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
BY_JPEG_FRAME = {0xC0: f"{JPEG}50", 0xC1: f"{JPEG}51", 0xC3: f"{JPEG}70", 0xF7: f"{JPEG}80"}
"""By the marker of the frame header (ITU-T T.81, B.1.1.3; T.87)."""
FAMILIES = (
    *((f"{JPEG}9", "JPEG 2000"), (f"{JPEG}20", "JPEG 2000"), (f"{JPEG}8", "JPEG-LS")),
    *((JPEG, "JPEG"), (str(RLELossless), "RLE")),
)
"""By how a transfer syntax begins; the first that fits."""
MOST_RLE_SEGMENTS = 15
RLE_HEADER = 64


def stated_encoding(syntax: str) -> Encoding | None:
    """Give the encoding of a transfer syntax; None where it is not known."""
    if not syntax.startswith(str(ImplicitVRLittleEndian)) and syntax not in ENCODINGS:
        return None
    return ENCODINGS.get(syntax, EXPLICIT)


def is_compressed(syntax: str) -> bool:
    return syntax == RLELossless or syntax.startswith(JPEG)


def is_private(syntax: str) -> bool:
    """Whether a transfer syntax is one that DICOM does not define."""
    return bool(syntax) and not syntax.startswith(str(ImplicitVRLittleEndian))


def inflated(data: bytes) -> bytes | None:
    """Inflate a data set, raw or with zlib's or gzip's wrapping; None: nothing was deflated."""
    for bits in (-zlib.MAX_WBITS, zlib.MAX_WBITS | 32):
        inflater = zlib.decompressobj(bits)
        try:
            content = inflater.decompress(data, MAX_FILE_BYTES)
        except zlib.error:
            continue
        if inflater.unconsumed_tail:
            raise FilmError(
                "too_many_bytes",
                f"inflates to more than an image file may have ({MAX_FILE_BYTES / 2**20:.0f} MiB)",
            )
        if not inflater.eof:
            raise FilmError(
                "truncated", "is a deflated DICOM file that is cut off; copy it again, whole"
            )
        return content
    return None


def true_syntax(
    stated: str, encoding: Encoding, pixels: bytes | None, *, encapsulated: bool
) -> str:
    """Determine the transfer syntax: the stated one, unless encoding or pixels contradict."""
    if encapsulated and pixels:
        table = int.from_bytes(pixels[4:8], "little")  # of offsets, comes first, empty or not
        found = _of_codestream(pixels[8 + table + 8 :])
        return found if found and _family(found) != _family(stated) else stated
    if stated == DeflatedExplicitVRLittleEndian and encoding == EXPLICIT:
        return stated
    if stated in {*UNCOMPRESSED.values(), "", GE_PRIVATE, DeflatedExplicitVRLittleEndian}:
        return UNCOMPRESSED.get(encoding, str(ExplicitVRBigEndian))
    return stated


def _family(syntax: str) -> str:
    return next((family for start, family in FAMILIES if syntax.startswith(start)), "")


def _of_codestream(content: bytes) -> str | None:
    if content.startswith(JPEG_2000_BEGINNINGS):
        return f"{JPEG}91"
    if content.startswith(b"\xff\xd8\xff"):
        header = jpeg_header(content)
        return BY_JPEG_FRAME.get(header.marker) if header else None
    segments = int.from_bytes(content[:4], "little")
    offset = int.from_bytes(content[4:8], "little")
    if 1 <= segments <= MOST_RLE_SEGMENTS and offset == RLE_HEADER:
        return str(RLELossless)
    return None


def in_little_endian(pixels: bytes, columns: int) -> bytes:
    """Give 16-bit pixels in the byte order in which neighbours differ less: low bytes are noise."""
    values = np.frombuffer(pixels, "<u2", len(pixels) // 2)
    if not 1 < columns <= len(values):
        return pixels
    rough, swapped = (
        np.abs(np.diff(words.astype(np.int32))).mean() for words in (values, values.byteswap())
    )
    return values.byteswap().tobytes() if swapped < rough else pixels
