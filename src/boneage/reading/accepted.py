"""What is accepted as an image: the kind of a file by its content, its size, and its contrast.

A FilmError of the readers begins with a verb: :func:`boneage.reading.source.naming` puts the
name of the file before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from boneage.errors import FilmError
from boneage.storage.typed import shipped_toml

PNG, JPEG, TIFF, WEBP, BMP, DICOM = "PNG", "JPEG", "TIFF", "WebP", "BMP", "DICOM"
FORMATS = "PNG, JPEG, TIFF, WebP, BMP or DICOM"
ACCEPTED = f"an image is a {FORMATS} file"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BMP_HEADER_SIZES = frozenset((12, 40, 52, 56, 64, 108, 124))
SHORT_LENGTH = 64
"""Of the first element of a bare dataset: a group length, a character set, a UID."""

SIGNATURES = shipped_toml("boneage.reading", "signatures.toml")
"""Of accepted kinds, other images and anything else: where, what (in Latin 1), and the kind."""


def kind_of(data: bytes) -> str:
    """Give the accepted kind of a file; the FilmError of any other says what it is."""
    if kind := _accepted(data):
        return kind
    if PNG_SIGNATURE.startswith(data):
        raise FilmError("truncated", f"is a PNG cut off after {len(data)} bytes")
    if other := _by_signature(data, "other_images"):
        raise FilmError("unsupported_format", f"is {other}; {ACCEPTED}")
    other = _by_signature(data, "not_images") or _other_kind(data)
    raise FilmError("not_an_image", f"is {other}; {ACCEPTED}")


def _by_signature(data: bytes, kinds: str) -> str | None:
    for place, beginning, kind in SIGNATURES[kinds]:
        if data.startswith(beginning.encode("latin-1"), place):
            return str(kind)
    return None


def _accepted(data: bytes) -> str | None:
    if kind := _by_signature(data, "accepted"):
        return kind
    if data.startswith(b"RIFF") and data.startswith(b"WEBP", 8):
        return WEBP
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in BMP_HEADER_SIZES:
        return BMP
    # Of DICOM, the preamble or its prefix may be missing, or follow something else.
    misplaced = data.startswith(b"\2\0\0\0UL\4\0", 128) or b"DICM\2\0" in data[:1024]
    # A dataset alone begins with the group 0002 or 0008.
    explicit = data[4:6].isalpha() and data[4:6].isupper()
    bare = data[:3] == b"\x00\x08\x00" and explicit
    if data[:2] in {b"\x02\x00", b"\x08\x00"} and data[3:4] == b"\x00":
        bare = explicit or 0 < int.from_bytes(data[4:8], "little") <= SHORT_LENGTH
    return DICOM if misplaced or bare else None


def _other_kind(data: bytes) -> str:
    head = data[:1024]
    text = _as_text(head)
    if text is None:
        return f"not an image: it begins with the bytes {head[:8].hex(' ')}"
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        return "a web page (HTML)"
    if start.startswith(("<?xml", "<svg")):
        return "an XML document"
    return "text"


def _as_text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    for cut in range(4):  # the head may end within a character
        try:
            text = head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return text if all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text) else None
    return None


@dataclass(frozen=True)
class Limits:
    """The sizes of image that are accepted, checked before any pixel is decoded."""

    min_side_px: int = 128
    """A hand of fewer pixels shows no growth plates."""
    max_px: int = 100_000_000
    """Height times width. A 35 x 43 cm plate at 50 µm is 60 megapixels; a file that states far more
    is damaged or malicious."""

    def check(self, height: int, width: int) -> None:
        size = f"is {width} x {height} px"
        if height * width > self.max_px:
            raise FilmError(
                "too_large",
                f"{size} ({height * width / 1e6:,.0f} megapixels); "
                f"an image may have up to {self.max_px / 1e6:g} megapixels",
            )
        if min(height, width) < self.min_side_px:
            raise FilmError(
                "too_small", f"{size}; an image needs {self.min_side_px} px or more on each side"
            )


DEFAULT_LIMITS = Limits()


def check_contrast(values: npt.NDArray[Any]) -> None:
    """Raise FilmError for an image of one grey."""
    low = values.min()
    if low == values.max():
        raise FilmError("constant", f"is blank: every pixel has the value {low}")


def truncated(kind: str, size: int) -> FilmError:
    """Build the error of a file that ends too early."""
    return FilmError(
        "truncated", f"is a {kind} file cut off after {size:,} bytes; copy it again, whole"
    )
