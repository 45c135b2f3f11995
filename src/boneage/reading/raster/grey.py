"""From a decoded image of any mode to one grey value a pixel."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL.Image import Image
from PIL.PngImagePlugin import PngImageFile

from boneage.reading.raster.tone_curve import ToneCurve

BYTE, WORD = 255.0, 65_535.0
COLOURED_LEVELS = 8.0
"""Mean difference of the channels, of 255, above which an image counts as coloured. JPEG leaves
less in grey images; a coloured stamp is small."""
SAMPLE = (64, 64)
PNG_GREY_WITH_ALPHA, PNG_RGBA = 4, 6
PNG_HEAD = 16
"""Where the size and kind of a PNG's pixels begin."""


@dataclass(frozen=True, eq=False)
class Grey:
    """One value a pixel."""

    values: npt.NDArray[Any]
    white: float | None
    """The value of white; None where the format states none: the highest is white."""
    alpha: npt.NDArray[np.float32] | None = None
    """How opaque each pixel is, 0 to 1; what is transparent becomes black."""


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A raster file's image as it is stored."""

    grey: Grey
    bits: int
    coloured: bool
    orientation: int
    """EXIF, 1 to 8."""
    aspect: float
    """Height of a stored pixel over its width."""
    curve: ToneCurve | None
    """Of the grey levels, where it is not a display's."""
    synthetic: bool = False
    """Whether the file says that boneage drew it."""

    @property
    def upright(self) -> Grey:
        alpha = None if self.grey.alpha is None else self._turned(self.grey.alpha)
        return Grey(self._turned(self.grey.values), self.grey.white, alpha)

    @property
    def upright_aspect(self) -> float:
        """Height of a pixel over its width, once the image is upright."""
        return 1 / self.aspect if self.orientation >= 5 else self.aspect

    def _turned(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self.orientation >= 5:  # stored by columns
            values = values.swapaxes(0, 1)
        if self.orientation in {3, 4, 7, 8}:
            values = np.flip(values, 0)
        return np.flip(values, 1) if self.orientation in {2, 3, 6, 7} else values


def grey_of(image: Image, bits: int) -> Grey:
    """Take the luminance of an image of a depth that Pillow has loaded."""
    transparent_level = image.info.get("transparency")
    if image.mode == "L" and bits < 8 and isinstance(transparent_level, int):
        # Pillow widens the levels to 8 bits, and leaves the transparent one as it was stored.
        image.info["transparency"] = transparent_level * 255 // (2**bits - 1)
    if image.mode.startswith("I;16"):
        return _words(image)
    if image.mode in {"P", "PA"}:
        transparent = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    elif "transparency" in image.info and image.mode in {"1", "L", "RGB"}:
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    if image.mode in {"LA", "RGBA"}:
        return Grey(
            np.asarray(image.convert("L")), BYTE, opacity(np.asarray(image.getchannel("A")), BYTE)
        )
    if image.mode in {"CMYK", "YCbCr", "RGBX", "HSV"}:
        image = image.convert("RGB")
    return Grey(np.asarray(image if image.mode == "L" else image.convert("L")), BYTE)


def opacity(alpha: npt.NDArray[Any], white: float) -> npt.NDArray[np.float32] | None:
    """Scale an alpha channel to 0 to 1; None where all or nothing is opaque: it is not used."""
    return (
        None
        if alpha.min() == white or alpha.max() == 0
        else np.asarray(alpha / np.float32(white), np.float32)
    )


def is_coloured(image: Image) -> bool:
    """Whether an image is in colour, not a grey one stored as colour."""
    if image.mode not in {"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV"}:
        return False
    return channels_differ(np.asarray(image.resize(SAMPLE).convert("RGB")), BYTE)


def channels_differ(colours: npt.NDArray[Any], white: float | None) -> bool:
    """Whether the channels of colours, shape (height, width, 3), differ, by their averages."""
    step = max(1, min(colours.shape[:2]) // (8 * SAMPLE[0]))
    some = np.ascontiguousarray(colours[::step, ::step], np.float32)
    small = cv2.resize(some, SAMPLE, interpolation=cv2.INTER_AREA)
    full = white or float(np.ptp(small)) or 1.0
    return float(np.ptp(small, axis=2).mean()) > COLOURED_LEVELS / BYTE * full


def luminance(colours: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Take ITU-R BT.601 luminance of RGB in the last axis, as Pillow does; grey stays as it is."""
    first = colours[..., 0]
    if all(np.array_equal(first, colours[..., channel]) for channel in (1, 2)):
        return first
    if colours.dtype in {np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)}:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY))
    return np.asarray(colours.astype(np.float64) @ (0.299, 0.587, 0.114))


def _words(image: Image) -> Grey:
    values = np.asarray(image)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        return Grey(values, WORD, opacity(values != transparent, 1.0))
    return Grey(values, WORD)


def deep_grey(data: bytes, image: Image) -> Grey | None:
    """Decode a PNG of 16 bits in several channels, of which Pillow keeps the upper 8.

    It is decoded twice, and the two must agree, for OpenCV may leave pixels unfilled or take the
    data for something else. None where no decoder gives all 16 bits and agrees.
    """
    if data[PNG_HEAD + 9] == PNG_GREY_WITH_ALPHA:
        return _deep_grey_with_alpha(data)
    return _deep_colour(data, image)


def _deep_grey_with_alpha(data: bytes) -> Grey:
    """Read the four bytes of a pixel as if they were 8-bit PNG_RGBA, which PNG stores alike."""
    width, height, _, _, *rest = struct.unpack_from(">IIBBBBB", data, PNG_HEAD)
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, PNG_RGBA, *rest)
    changed = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[PNG_HEAD + 17 :]
    with PngImageFile(BytesIO(changed)) as image:
        image.load()
        words = np.asarray(image).view(">u2").astype(np.uint16)
    return Grey(words[..., 0], WORD, opacity(words[..., 1], WORD))


def _deep_colour(data: bytes, image: Image) -> Grey | None:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] < 3:
        return None
    order = [2, 1, 0, 3][: pixels.shape[2] if image.mode == "RGBA" else 3]
    words: npt.NDArray[np.uint16] = np.ascontiguousarray(pixels[..., order])
    seen = np.asarray(image)
    if words.shape != seen.shape or not np.array_equal(words >> 8, seen):
        return None
    colours = words[..., :3]
    transparent = image.info.get("transparency")
    alpha = None
    if words.shape[2] == 4:
        alpha = opacity(words[..., 3], WORD)
    elif isinstance(transparent, tuple) and len(transparent) == 3:
        alpha = opacity((colours != np.array(transparent)).any(axis=2), 1.0)
    return Grey(luminance(colours), WORD, alpha)
