"""Lead markers drawn onto radiographs: L and R, in many fonts, angles and styles, and mirrored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Grey = npt.NDArray[np.float32]
"""Shape (height, width), 0 to 1."""
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold",
    "DejaVuSerif", "DejaVuSerif-Bold",
    "STIXGeneral", "STIXGeneralBol", "cmss10", "cmr10", "cmb10", "cmtt10",
)  # fmt: skip
"""Of matplotlib."""
HEIGHTS = (0.02, 0.065)
"""Of a letter, of the image's longer side."""
INITIALS = "ABCDEGHJKMNPSTVWZ"
OTHERS = "ABCDEGHJKMNPSTVWZ0123456789+-/:|<>"
SUPERSAMPLED = 4


@dataclass(frozen=True, eq=False)
class DrawnMarker:
    """A marker on an image."""

    pixels: Grey
    """The whole image."""
    box: tuple[float, float, float, float]
    """Left, top, right, bottom of the letter's middle half, in pixels."""
    letter: str
    mirrored: bool


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font of matplotlib."""
    folder = Path(mpl.get_data_path()) / "fonts/ttf"
    return ImageFont.truetype(str(folder / f"{name}.ttf"), size)


def with_marker(
    pixels: Grey,
    free: npt.NDArray[np.bool_],
    random: np.random.Generator,
    letter: str,
    *,
    mirrored: bool,
) -> DrawnMarker | None:
    """Draw a marker where an image is ``free``; None where there is no room.

    A letter of lead on a plate or without one, in a frame or cut out of a plate, with or without
    initials, pale or bright, sharp or not, at any angle.
    """
    longest = max(pixels.shape)
    tall = float(random.uniform(*HEIGHTS)) * longest
    lead, plate, middle = _plate(tall, random, letter)
    if mirrored:
        lead, plate = lead[:, ::-1], plate[:, ::-1]
        middle = (lead.shape[1] - middle[0], middle[1])
    usual = random.random() < 0.6
    degrees = float(random.normal(0, 12) if usual else random.uniform(-180, 180))
    lead, plate, middle = _turned(lead, plate, middle, degrees)
    place = _place(free, lead.shape, random)
    if place is None:
        return None
    top, left = place
    rows, cols = slice(top, top + lead.shape[0]), slice(left, left + lead.shape[1])
    image = pixels.copy()
    part = image[rows, cols]
    white = float(random.uniform(max(0.25, float(part.mean()) + 0.15), 1.0))
    glass = float(random.uniform(0.0, 0.25))
    blur = float(random.uniform(0.2, 0.0025 * longest))
    lead, plate = (cv2.GaussianBlur(layer, (0, 0), blur) for layer in (lead, plate))
    part = part + plate * glass * (1 - part)
    image[rows, cols] = part + lead * (white - part)
    half = tall / 4
    at = left + middle[0], top + middle[1]
    box = at[0] - half, at[1] - half, at[0] + half, at[1] + half
    return DrawnMarker(np.clip(image, 0, 1), box, letter, mirrored)


def _plate(
    tall: float, random: np.random.Generator, letter: str
) -> tuple[Grey, Grey, tuple[float, float]]:
    """The lead, the plate it lies on, and the middle of the letter (column, row)."""
    size = max(8, round(tall * SUPERSAMPLED / 0.73))
    name = FONTS[int(random.integers(len(FONTS)))]
    shape = round(3.2 * tall * SUPERSAMPLED), round(2.6 * tall * SUPERSAMPLED)
    lead = Image.new("L", shape[::-1])
    draw = ImageDraw.Draw(lead)
    centre = shape[1] / 2, shape[0] * 0.36
    outline = random.random() < 0.12
    stroke = max(1, round(0.05 * tall * SUPERSAMPLED))
    if outline:
        drawn = {"fill": 0, "stroke_width": stroke, "stroke_fill": 255}
    else:
        drawn = {"fill": 255, "stroke_width": int(random.integers(0, 2 * stroke + 1))}
    draw.text(centre, letter, font=font(name, size), anchor="mm", **drawn)
    if random.random() < 0.7:
        count = int(random.integers(1, 4))
        text = "".join(random.choice(list(INITIALS), count))
        smaller = max(6, round(size * float(random.uniform(0.35, 0.75))))
        draw.text(
            (shape[1] / 2, shape[0] * 0.75), text, font=font(name, smaller), fill=255, anchor="mm"
        )
    if random.random() < 0.2:
        reach = 0.7 * tall * SUPERSAMPLED
        frame = (centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)
        draw.rectangle(frame, outline=255, width=max(1, stroke // 2))
    plate = Image.new("L", shape[::-1], 255 if random.random() < 0.7 else 0)
    small = round(shape[1] / SUPERSAMPLED), round(shape[0] / SUPERSAMPLED)
    layers = [
        np.asarray(layer.resize(small, Image.Resampling.BOX), np.float32) / np.float32(255)
        for layer in (lead, plate)
    ]
    return layers[0], layers[1], (centre[0] / SUPERSAMPLED, centre[1] / SUPERSAMPLED)


def _turned(
    lead: Grey, plate: Grey, middle: tuple[float, float], degrees: float
) -> tuple[Grey, Grey, tuple[float, float]]:
    height, width = lead.shape
    side = int(np.ceil(np.hypot(height, width)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turn[:, 2] += (side - width) / 2, (side - height) / 2
    at = turn @ np.array([*middle, 1.0])
    layers = [cv2.warpAffine(np.ascontiguousarray(x), turn, (side, side)) for x in (lead, plate)]
    return layers[0], layers[1], (float(at[0]), float(at[1]))


def _place(
    free: npt.NDArray[np.bool_], shape: tuple[int, int], random: np.random.Generator
) -> tuple[int, int] | None:
    """A random place where next to nothing is hidden; None where there is none."""
    height, width = shape
    if height >= free.shape[0] or width >= free.shape[1]:
        return None
    hidden = cv2.integral((~free).astype(np.uint8)).astype(np.float64)
    covered = (
        hidden[height:, width:]
        - hidden[:-height, width:]
        - hidden[height:, :-width]
        + hidden[:-height, :-width]
    )
    places = np.argwhere(covered <= max(covered.min(), 0.02 * height * width))
    if covered.min() > 0.25 * height * width:
        return None
    top, left = places[int(random.integers(len(places)))]
    return int(top), int(left)
