"""Changes of a film's pixels that the gate must see through, or must notice.

Accepted and refused pictures go through the same resampling and the same
JPEG, so that neither size nor compression tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from boneage.domain.radiograph import Pixels

Random = np.random.Generator

SMALL_PX = 520
"""Longer side at which films are changed: more than the network looks at."""
SIDES_PX = (220.0, 800.0)
QUALITY = (60, 96)
"""Of JPEG."""
TEXTS = (
    "MEIER ANNA",
    "Meier, Anna  12.03.2011",
    "ID 4711-2031",
    "SMITH^JOHN M 2009-04-17",
    "St. Mary Hospital",
    "12.03.2011",
)
TEXT_HEIGHTS = (0.014, 0.035)
"""Of a film's height."""


def small(pixels: Pixels) -> Pixels:
    """Bring a film to the size at which it is changed."""
    scale = SMALL_PX / max(pixels.shape)
    return _resized(pixels, scale, scale) if scale < 1 else pixels


def tilted(pixels: Pixels, degrees: float) -> Pixels:
    """Turn clockwise about the middle of a film that keeps its size; edges replicated."""
    height, width = pixels.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    turned: Pixels = cv2.warpAffine(
        pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return turned


def tilted_on_black(pixels: Pixels, degrees: float) -> Pixels:
    """Turn clockwise in a black image that holds all of it, as a cassette that lay aslant."""
    height, width = pixels.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    cos, sin = np.abs(matrix[0, :2])
    size = round(width * cos + height * sin), round(width * sin + height * cos)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    turned: Pixels = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR)
    return turned


def laid(pixels: Pixels, quarters: int, *, inverted: bool) -> Pixels:
    """Lay an upright film so that this many clockwise quarter turns bring it upright again."""
    film = np.rot90(pixels, quarters)
    return np.ascontiguousarray(1 - film if inverted else film)


def resaved(pixels: Pixels, random: Random) -> Pixels:
    """Crop or pad a film a little, resample it, spoil it a little, and save it as a JPEG."""
    film = _recut(pixels, random)
    side = float(np.exp(random.uniform(*np.log(SIDES_PX))))
    rows, cols = side / max(film.shape), side / max(film.shape)
    if random.random() < 0.4:  # as data sets for detectors are: squeezed to a square
        rows, cols = side / film.shape[0], side / film.shape[1]
    film = _resized(film, rows, cols)
    grey = np.clip(np.rint(film * 255), 0, 255)
    if random.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), random.uniform(0.3, 1.2))
    if random.random() < 0.2:
        grey = grey + random.normal(0, random.uniform(1, 8), grey.shape)
    bytes_ = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*QUALITY))]
    _, encoded = cv2.imencode(".jpg", bytes_, quality)
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32)
    return decoded / np.float32(255)


def _recut(film: Pixels, random: Random) -> Pixels:
    height, width = film.shape
    chance = random.random()
    if chance < 0.5:
        cut = random.uniform(0, 0.08, 4)
        rows = slice(int(cut[0] * height), height - int(cut[1] * height))
        return film[rows, int(cut[2] * width) : width - int(cut[3] * width)]
    if chance < 0.8:
        pads = random.uniform(0, 0.25, 4) * (height, height, width, width)
        top, bottom, left, right = map(int, pads)
        mode = cv2.BORDER_CONSTANT if random.random() < 0.5 else cv2.BORDER_REPLICATE
        framed: Pixels = cv2.copyMakeBorder(film, top, bottom, left, right, mode, value=0)
        return framed
    return film


def _resized(film: Pixels, rows: float, cols: float) -> Pixels:
    size = max(48, round(film.shape[1] * cols)), max(48, round(film.shape[0] * rows))
    way = cv2.INTER_AREA if min(rows, cols) < 1 else cv2.INTER_LINEAR
    changed: Pixels = cv2.resize(np.ascontiguousarray(film), size, interpolation=way)
    return changed


def with_text(film: Pixels, random: Random) -> Pixels:
    """Write a line that could name a patient at the upper or the lower edge of a film.

    White, or black and white on a box of the other, in letters of 1.4 to 3.5 % of the
    film's height. The names and numbers are invented.
    """
    image = Image.fromarray(np.rint(film * 255).astype(np.uint8))
    draw, text = ImageDraw.Draw(image), str(random.choice(TEXTS))
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


def wrist(film: Pixels, random: Random) -> Pixels:
    """The lower part of a film: no fingers."""
    return film[int(film.shape[0] * random.uniform(0.5, 0.65)) :]


def fingers(film: Pixels, random: Random) -> Pixels:
    """The upper part of a film: no wrist."""
    return film[: int(film.shape[0] * random.uniform(0.3, 0.5))]


def half(film: Pixels, random: Random) -> Pixels:
    """One side of a film."""
    cols = int(film.shape[1] * random.uniform(0.4, 0.55))
    return film[:, :cols] if random.random() < 0.5 else film[:, -cols:]


def joint(film: Pixels, random: Random) -> Pixels:
    """A small piece of a film."""
    height = int(film.shape[0] * random.uniform(0.15, 0.35))
    width = int(film.shape[1] * random.uniform(0.25, 0.5))
    top = int(random.uniform(0, film.shape[0] - height))
    left = int(random.uniform(0, film.shape[1] - width))
    return film[top : top + height, left : left + width]


PIECES: Mapping[str, Callable[[Pixels, Random], Pixels]] = {
    "wrist": wrist,
    "fingers": fingers,
    "half": half,
    "joint": joint,
}


def two_hands(one: Pixels, other: Pixels, random: Random) -> Pixels:
    """Two films side by side, the second as a right hand."""
    height = min(len(one), len(other))
    pair = [_resized(film, height / len(film), height / len(film)) for film in (one, other)]
    pair[1] = pair[1][:, ::-1]
    if random.random() < 0.5:
        pair.reverse()
    height = min(len(film) for film in pair)
    return np.ascontiguousarray(np.concatenate([film[:height] for film in pair], axis=1))
