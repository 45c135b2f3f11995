"""The parts of a picture: a radiograph with its regions, or with its attention map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Radiograph
from boneage.i18n.words import Words
from boneage.imaging.preparing import stretch
from boneage.reports.wording import EN, region_label

Colour = tuple[int, int, int]
Rgb = npt.NDArray[np.uint8]

COLOURS: Mapping[str, Colour] = {
    CARPAL: (230, 159, 0),
    METACARPAL: (86, 180, 233),
    PHALANX: (0, 190, 140),
}
"""Orange, sky blue and bluish green of Okabe and Ito, told apart with any colour
vision; every box carries its name as well."""
OTHER_COLOUR: Colour = (204, 121, 167)
BACKGROUND: Colour = (16, 16, 18)
TEXT: Colour = (240, 240, 240)
DIM_TEXT: Colour = (165, 165, 170)
WARNING_TEXT: Colour = (240, 228, 66)
REFUSAL_TEXT: Colour = (255, 120, 90)
SCALE_PX = 160
LABEL_PX = 18
"""Height of the letters on a box."""
HEAT_ALPHA = 0.55
"""Opacity where attention is highest; where it is 0 the radiograph shows as it is."""
HEAT_COLOURS = cv2.COLORMAP_INFERNO
"""Perceptually even, in order of brightness, and safe for any colour vision."""


def as_grey(stretched: Pixels) -> Rgb:
    """Turn a stretched radiograph into grey RGB."""
    grey = cv2.convertScaleAbs(np.ascontiguousarray(stretched), alpha=255.0)
    coloured: Rgb = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    return coloured


def as_analysed(
    radiograph: Radiograph, oriented: Orientation, longest_px: int | None = None
) -> Rgb:
    """The radiograph upright, without its border, its contrast stretched."""
    return as_grey(stretch(oriented.upright(radiograph.pixels, longest_px)))


def upright_map(
    heat_map: npt.NDArray[np.float32], oriented: Orientation, size: tuple[int, int], longest_px: int
) -> npt.NDArray[np.float32]:
    """Carry a map over the image as it came, of this (height, width), to the upright image."""
    whole = cv2.resize(heat_map, size[::-1], interpolation=cv2.INTER_LINEAR)
    return replace(oriented, inverted=False).upright(np.asarray(whole, np.float32), longest_px)


def fitted(image: Rgb, height: int, width: int) -> Rgb:
    """Make an image as large as fits, shape kept; smooth when enlarged, averaged when reduced."""
    scale = min(height / image.shape[0], width / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized: Rgb = cv2.resize(image, size, interpolation=kind)
    return resized


def with_boxes(
    film: Rgb,
    detections: Sequence[RegionDetection],
    size: tuple[int, int],
    label_px: int = LABEL_PX,
    words: Words = EN,
) -> Image.Image:
    """Draw the boxes of the regions, with their names, on a radiograph of any size.

    ``size`` is the height and width of the radiograph in whose pixels the boxes lie.
    """
    line = max(1, label_px // 6)
    panel = Image.fromarray(film)
    pen = ImageDraw.Draw(panel)
    rows, cols = film.shape[0] / size[0], film.shape[1] / size[1]
    corners = []
    for detection in detections:
        left, top = round(detection.box.min_col * cols), round(detection.box.min_row * rows)
        right = max(left, round(detection.box.max_col * cols) - 1)
        bottom = max(top, round(detection.box.max_row * rows) - 1)
        # A black line around the coloured one keeps it visible on white bone.
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), None, 0, line + 2)
        pen.rectangle((left, top, right, bottom), None, colour_of(detection.region), line)
        corners.append((left, top))
    for detection, corner in zip(detections, corners, strict=True):  # over every line
        _label(
            pen,
            region_label(detection, words),
            corner,
            colour_of(detection.region),
            film.shape[1],
            label_px,
        )
    return panel


def with_heat(
    film: Rgb, heat_map: npt.NDArray[np.float32], opacity: float = HEAT_ALPHA
) -> Image.Image:
    """Lay attention, half transparent, over a radiograph."""
    size = film.shape[1], film.shape[0]
    heat = np.clip(cv2.resize(heat_map, size, interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    alpha = (opacity * heat)[..., np.newaxis]
    mixed = film * (1 - alpha) + heat_colours(heat) * alpha
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def heat_scale() -> Image.Image:
    """Explain the colours of the attention, without a radiograph below them."""
    font = font_of(16)
    words = "Attention: low", "high"
    first, last = (int(font.getlength(word)) for word in words)
    scale = Image.new("RGB", (first + SCALE_PX + last + 16, 24), BACKGROUND)
    pen = ImageDraw.Draw(scale)
    pen.text((0, 0), words[0], DIM_TEXT, font=font)
    scale.paste(heat_bar(SCALE_PX, 14), (first + 8, 4))
    pen.text((first + SCALE_PX + 16, 0), words[1], DIM_TEXT, font=font)
    return scale


def heat_bar(width: int, height: int) -> Image.Image:
    """Show the colours of the attention, from none at the left to the highest."""
    ramp = np.repeat(np.linspace(0, 1, width, dtype=np.float32)[np.newaxis], height, axis=0)
    return Image.fromarray(heat_colours(ramp))


def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Give the font that comes with Pillow, at a size in pixels."""
    return ImageFont.load_default(size)


def colour_of(region: str) -> Colour:
    """Give the colour of a region."""
    return COLOURS.get(region, OTHER_COLOUR)


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    corner: tuple[int, int],
    colour: Colour,
    width: int,
    label_px: int,
) -> None:
    """Black letters on the colour of the box, on its upper edge, inside the panel."""
    font = font_of(label_px)
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    x = max(0, min(corner[0], width - (right - left) - 10))
    y = max(0, corner[1] - (bottom - top) - 10)
    pen.rectangle((x, y, x + right - left + 9, y + bottom - top + 9), fill=colour)
    pen.text((x + 5 - left, y + 5 - top), text, (0, 0, 0), font=font)


def heat_colours(heat: npt.NDArray[np.float32]) -> Rgb:
    """Colour attention from 0 to 1."""
    colours = cv2.applyColorMap(cv2.convertScaleAbs(heat, alpha=255.0), HEAT_COLOURS)
    rgb: Rgb = cv2.cvtColor(colours, cv2.COLOR_BGR2RGB)
    return rgb
