"""From a decoded picture of any mode to one grey value a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL.Image import Image

BYTE, WORD = 255.0, 65_535.0
WHITE_IS_ZERO = 0
PHOTOMETRIC = 262
RED_GREEN_BLUE = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as Pillow converts 8-bit colour."""


COLOURED_LEVELS = 8.0
"""Mean difference of the channels, of 255, above which a picture counts as
coloured. JPEG leaves less in what is grey; a coloured stamp on a film is small."""
SAMPLE = (64, 64)


@dataclass(frozen=True, eq=False)
class Grey:
    """One value a pixel."""

    values: npt.NDArray[Any]
    white: float | None
    """The value of white; None where the format states none: the highest is white."""
    from_pillow: bool = True


def grey_of(image: Image, bits: int) -> Grey:
    """Take the luminance of a loaded picture; what is transparent becomes black."""
    if image.mode.startswith("I;16"):
        return _words(image, bits)
    if image.mode in {"I", "F"}:
        return _wide(image)
    if image.mode == "LAB":
        return Grey(np.asarray(image.getchannel(0)), BYTE)
    if image.mode in {"P", "PA"}:
        transparent = image.mode == "PA" or "transparency" in image.info
        image = image.convert("RGBA" if transparent else "RGB")
    elif "transparency" in image.info and image.mode in {"1", "L", "RGB"}:
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    if image.mode in {"LA", "RGBA"}:
        return _over_black(image)
    if image.mode == "RGBa":  # colours that are multiplied with their alpha already
        bands = image.split()[:3]
        return Grey(_luminance([np.asarray(band) for band in bands]), BYTE)
    if image.mode in {"CMYK", "YCbCr", "RGBX", "HSV"}:
        image = image.convert("RGB")
    return Grey(np.asarray(image if image.mode == "L" else image.convert("L")), BYTE)


def is_coloured(image: Image) -> bool:
    """Tell a picture in colour from a grey one stored as colour."""
    if image.mode not in {"RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr", "HSV"}:
        return False
    sample = np.asarray(image.resize(SAMPLE).convert("RGB"), np.int16)
    return float(np.ptp(sample, axis=2).mean()) > COLOURED_LEVELS


def deep_grey(data: bytes) -> Grey | None:
    """Decode 16-bit colour, of which Pillow keeps 8 bits; None where OpenCV cannot.

    Only for files that Pillow has decoded without complaint.
    """
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] < 3:
        return None
    blue, green, red = (pixels[..., channel] for channel in range(3))
    values = _luminance([red, green, blue])
    if pixels.shape[2] == 4:
        values = values * (pixels[..., 3] / np.float32(WORD))
    return Grey(values, WORD, from_pillow=False)


def _luminance(channels: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    first = channels[0]
    if all(np.array_equal(first, other) for other in channels[1:]):
        return first  # grey stored as colour stays exactly what it is
    weighted = zip(RED_GREEN_BLUE, channels, strict=True)
    return np.asarray(sum(np.float32(weight) * values for weight, values in weighted))


def _over_black(image: Image) -> Grey:
    alpha = np.asarray(image.getchannel("A"))
    values = np.asarray(image.convert("L"))
    if alpha.min() == BYTE:
        return Grey(values, BYTE)
    return Grey(values * (alpha / np.float32(BYTE)), BYTE)


def _words(image: Image, bits: int) -> Grey:
    values = np.asarray(image)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    white = float(2 ** max(bits, 9) - 1)  # 12 bits a pixel are unpacked, but not widened
    if _white_is_zero(image):
        values = np.uint16(white) - values
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        values = np.where(values == transparent, np.uint16(0), values)
    return Grey(values, white)


def _wide(image: Image) -> Grey:
    """Take 32-bit integers and floats as they are where 0 to 1, else by their own range."""
    values = np.asarray(image)
    if _white_is_zero(image):
        values = -values.astype(np.float64)
    unit = values.dtype == np.float32 and values.min() >= 0 and values.max() <= 1
    return Grey(values, 1.0 if unit else None)


def _white_is_zero(image: Image) -> bool:
    tags = getattr(image, "tag_v2", {})
    return bool(tags.get(PHOTOMETRIC, 1) == WHITE_IS_ZERO)
