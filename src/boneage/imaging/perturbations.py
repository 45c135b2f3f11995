"""Small changes of an image's grey values, to measure robustness by and to train on.

Images are bone bright, shape (height, width): uint8, uint16, or float32 from 0 to 1; a
function keeps the type it is given. Black is 0, white the type's highest value. Values
beyond either are clipped, as a file of that many bits clips them. Shares are of a side or
of white, 0 to 1. Where training depends on a function, a seed gives the same bytes for ever
(``tests/imaging/test_perturbations.py``).
"""

from __future__ import annotations

import hashlib
import math
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels, Radiograph

Grey: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]
AnyGrey = TypeVar("AnyGrey", Grey, Pixels)
Random: TypeAlias = np.random.Generator

BYTE_BITS = 8
TINY = 1e-6
"""Of a pixel: the cosine of 90° is not quite 0."""
COLLIMATOR_TILT_DEGREES = 3.0
COLLIMATOR_WHITE = 0.9
"""What no ray reached is bright where bone is bright."""
PENUMBRA = 0.004
"""Of the shorter side: how unsharp the edge of a collimator is."""
LETTER_L = ((0, 0), (0, 1), (1, 1))
"""Of height and width 1; OpenCV's own letters change with its version."""
LETTER_WIDTH, LETTER_STROKE = 0.6, 1 / 7
"""Of a letter's height."""
LETTER_MARGIN = 0.03
INVENTED_TEXTS = (
    "MEIER ANNA",
    "Meier, Anna  12.03.2011",
    "ID 4711-2031",
    "SMITH^JOHN M 2009-04-17",
    "St. Mary Hospital",
    "12.03.2011",
)
TEXT_HEIGHTS = (0.014, 0.035)
"""Of the image's height."""


def random_of(name: str) -> Random:
    """Give chance that is seeded by a name."""
    digest = hashlib.sha256(name.encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(digest))


def grey_of(radiograph: Radiograph) -> Grey:
    """Take an image's grey values in as many bits as its file had: 8, or else 16."""
    kind: type[np.unsignedinteger[Any]] = (
        np.uint8 if radiograph.metadata.bits <= BYTE_BITS else np.uint16
    )
    return np.rint(radiograph.pixels * np.float64(np.iinfo(kind).max)).astype(kind)


def white_of(grey: Grey) -> int:
    return int(np.iinfo(grey.dtype).max)


def turned(grey: Grey, degrees: float) -> Grey:
    """Turn clockwise, bicubic, on an image that grows to hold all of it; what is new is black."""
    rows, cols = _sides_when_turned(grey.shape, degrees)
    size = math.ceil(rows - TINY), math.ceil(cols - TINY)
    return _rotated(grey, degrees, size, flags=cv2.INTER_CUBIC, borderValue=0)


def tilted(pixels: AnyGrey, degrees: float) -> AnyGrey:
    """Turn clockwise about the middle of an image that keeps its size; edges replicated."""
    size = pixels.shape[0], pixels.shape[1]
    border = cv2.BORDER_REPLICATE
    return _rotated(pixels, degrees, size, flags=cv2.INTER_LINEAR, borderMode=border)


def tilted_on_black(pixels: AnyGrey, degrees: float) -> AnyGrey:
    """Turn clockwise in a black image that holds all of it, as a cassette that lay aslant."""
    rows, cols = _sides_when_turned(pixels.shape, degrees)
    return _rotated(pixels, degrees, (round(rows), round(cols)), flags=cv2.INTER_LINEAR)


def _sides_when_turned(shape: tuple[int, ...], degrees: float) -> tuple[float, float]:
    cos, sin = np.abs(cv2.getRotationMatrix2D((0, 0), -degrees, 1.0)[0, :2])
    return shape[1] * sin + shape[0] * cos, shape[1] * cos + shape[0] * sin


def _rotated(image: AnyGrey, degrees: float, size: tuple[int, int], **options: int) -> AnyGrey:
    """Turn clockwise about the middle, onto an image of ``size`` (rows, columns)."""
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    matrix[:, 2] += (size[1] - width) / 2, (size[0] - height) / 2
    rotated: AnyGrey = cv2.warpAffine(image, matrix, size[::-1], **options)
    return rotated


def quarter_turned(grey: Grey, quarters: int) -> Grey:
    """Turn clockwise by right angles, pixel by pixel."""
    return np.rot90(grey, -quarters)


def mirrored(grey: Grey) -> Grey:
    return np.fliplr(grey)


def upside_down(grey: Grey) -> Grey:
    """Exchange top and bottom, as a mirror below the hand would."""
    return np.flipud(grey)


def brightened(grey: Grey, share: float) -> Grey:
    """Add a share of white to every pixel; below 0 darkens."""
    return _like(grey, grey + share * float(white_of(grey)))


def contrasted(grey: Grey, factor: float) -> Grey:
    """Stretch the grey values away from middle grey, or below 1 towards it."""
    middle = white_of(grey) / 2
    return _like(grey, middle + (grey - middle) * factor)


def exposed(pixels: Pixels, contrast: float, brightness: float) -> Pixels:
    """Change contrast and brightness by shares of white, without clipping."""
    return (pixels - 0.5) * np.float32(1 + contrast) + np.float32(0.5 + brightness)


def gamma_changed(grey: Grey, gamma: float) -> Grey:
    """Raise the grey values, as shares of white, to a power: below 1 brightens."""
    white = white_of(grey)
    return _like(grey, white * np.power(grey / white, gamma))


def inverted(grey: Grey) -> Grey:
    """Exchange black and white: bone becomes dark."""
    return np.asarray(white_of(grey) - grey, grey.dtype)


def blurred(grey: Grey, share: float) -> Grey:
    """Blur with a Gaussian whose standard deviation is a share of the shorter side."""
    return smoothed(grey, share * min(grey.shape))


def smoothed(image: AnyGrey, sigma_px: float) -> AnyGrey:
    """Blur with a Gaussian of this standard deviation; edges replicated."""
    border = cv2.BORDER_REPLICATE
    smooth: AnyGrey = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=border)
    return smooth


def noisy(grey: Grey, share: float, random: Random) -> Grey:
    """Add Gaussian noise whose standard deviation is a share of white."""
    return _like(grey, with_noise(grey, share * white_of(grey), random))


def with_noise(image: npt.NDArray[Any], deviation: float, random: Random) -> npt.NDArray[Any]:
    """Add Gaussian noise of this standard deviation, without rounding or clipping."""
    noise = random.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(image + noise * np.float32(deviation))


def shrunk(grey: AnyGrey, factor: float) -> AnyGrey:
    """Make a smaller image, each pixel the mean of those it replaces."""
    height, width = (max(1, round(side * factor)) for side in grey.shape)
    small: AnyGrey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return small


def coarsened(pixels: AnyGrey, factor: float) -> AnyGrey:
    """Lose resolution: shrunk by a factor, and brought back to its size."""
    size = pixels.shape[1], pixels.shape[0]
    grown: AnyGrey = cv2.resize(shrunk(pixels, factor), size, interpolation=cv2.INTER_CUBIC)
    return grown


def jpeg_compressed(grey: npt.NDArray[np.uint8], quality: int) -> Pixels:
    """Save as a JPEG of a quality from 1 to 100, and read again: 0 to 1."""
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32)
    return decoded / np.float32(255)


def cropped(
    grey: Grey, *, top: float = 0, bottom: float = 0, left: float = 0, right: float = 0
) -> Grey:
    """Cut shares of the height and of the width off the image."""
    height, width = grey.shape
    rows = slice(round(top * height), height - round(bottom * height))
    return grey[rows, round(left * width) : width - round(right * width)]


def with_border(grey: Grey, share: float, level: float) -> Grey:
    """Put a border of a share of each side around the image; its grey is a share of white."""
    rows, cols = (round(share * side) for side in grey.shape)
    value = round(level * white_of(grey))
    return np.pad(grey, ((rows, rows), (cols, cols)), constant_values=value)


def collimated(grey: Grey, share: float) -> Grey:
    """Put the tilted, unsharp, bright edge of a collimator around the image.

    The image is widened by ``share`` of its side at each side and keeps the
    whole hand; outside a rectangle as large as the image, turned by
    ``COLLIMATOR_TILT_DEGREES``, no ray arrives.
    """
    height, width = grey.shape
    rows, cols = (round(share * side) for side in grey.shape)
    wide = np.pad(grey, ((rows, rows), (cols, cols)), mode="edge")
    centre = ((wide.shape[1] - 1) / 2, (wide.shape[0] - 1) / 2)
    corners = cv2.boxPoints((centre, (width, height), COLLIMATOR_TILT_DEGREES))
    field = np.zeros(wide.shape, np.float32)
    cv2.fillConvexPoly(field, np.rint(corners).astype(np.int32), 1.0)
    field = cv2.GaussianBlur(field, (0, 0), max(PENUMBRA * min(grey.shape), 0.5))
    return _like(wide, field * wide + (1 - field) * np.float32(COLLIMATOR_WHITE * white_of(grey)))


def marked(grey: Grey, share: float) -> Grey:
    """Burn a white L into the upper left corner, as tall as a share of the shorter side."""
    tall = share * min(grey.shape)
    image = np.ascontiguousarray(grey).copy()
    margin = LETTER_MARGIN * min(grey.shape)
    points = np.rint(np.array(LETTER_L) * (LETTER_WIDTH * tall, tall) + margin).astype(np.int32)
    thickness = max(1, round(LETTER_STROKE * tall))
    cv2.polylines(image, [points], False, white_of(grey), thickness, cv2.LINE_8)
    return image


def with_text(pixels: Pixels, random: Random) -> Pixels:
    """Burn in a line that could name a patient, at the upper or the lower edge of an image.

    White, or black and white on a box of the other, in letters of 1.4 to 3.5 % of the
    image's height. The names and numbers are invented.
    """
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  assessing needs no Pillow

    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    draw, text = ImageDraw.Draw(image), str(random.choice(INVENTED_TEXTS))
    font = ImageFont.load_default(max(10, round(random.uniform(*TEXT_HEIGHTS) * image.height)))
    edge = random.uniform(0.01, 0.06) if random.random() < 0.5 else random.uniform(0.9, 0.95)
    place = random.uniform(0, 0.3) * image.width, edge * image.height
    ink = 255
    if random.random() < 0.3:
        ink = 255 * int(random.random() < 0.5)
        left, top, right, bottom = draw.textbbox(place, text, font=font)
        draw.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=255 - ink)
    draw.text(place, text, font=font, fill=ink)
    return np.asarray(image, np.float32) / np.float32(255)


def _like(grey: Grey, values: npt.NDArray[Any]) -> Grey:
    """Round and clip values to the type of an image."""
    return np.asarray(np.clip(np.rint(values), 0, white_of(grey)).astype(grey.dtype))
