"""An answer as a picture: the film, where the attention looked, what it read.

Whatever the film's size, the picture has the same height, so that text and
lines stay legible on a thumbnail and on a film of 3,000 rows.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from boneage.domain.assessment import Assessment, Severity, years_and_months
from boneage.domain.radiograph import Radiograph
from boneage.imaging.preparing import stretch
from boneage.reports.panels import (
    BACKGROUND,
    DIM_TEXT,
    REFUSAL_TEXT,
    TEXT,
    WARNING_TEXT,
    Colour,
    Rgb,
    as_grey,
    colour_of,
    fitted,
    font_of,
    heat_scale,
    name_of,
    with_boxes,
    with_heat,
)
from boneage.reports.text import (
    DISCLAIMER,
    basis,
    calibrated_text,
    interval_text,
    weights_text,
)

FILM_PX = 900
"""Height of a film on the picture; also its greatest width."""
COLUMN_PX = 400
"""Greatest width of the column of one look."""
HEAT_PX = 560
CROP_PX = 290
"""Greatest heights of its two parts."""
TITLE_PX = 30
PAGE_PX = 960
"""Least width of the page, so that a narrow film leaves room for the text."""
GAP_PX = 16
DIGEST_KEY = "boneage film"


def draw(answer: Assessment, radiograph: Radiograph) -> Rgb:
    """Draw an answer on its film.

    Parameters
    ----------
    answer : Assessment
    radiograph : Radiograph
        The film that was read.

    Returns
    -------
    uint8 array, shape (rows, columns, 3)
        RGB: the answer above; then the film with the boxes, and a column for
        each look, with its attention above the region that it gave; what
        answered, below.
    """
    grey = as_grey(stretch(radiograph.pixels))
    film = with_boxes(fitted(grey, FILM_PX, FILM_PX), answer.looks, radiograph)
    columns = [_titled(film, "Film and regions")]
    columns += [_look_column(grey, answer, number) for number in range(len(answer.looks))]
    body = _beside(columns)
    head, foot = _head(answer, body.width), _foot(answer, body.width)
    page = Image.new("RGB", (body.width, head.height + body.height + foot.height), BACKGROUND)
    page.paste(head, (0, 0))
    page.paste(body, (0, head.height))
    page.paste(foot, (0, head.height + body.height))
    drawn: Rgb = np.asarray(page)
    return drawn


def png(answer: Assessment, radiograph: Radiograph) -> tuple[bytes, str]:
    """Draw an answer as a PNG.

    Returns
    -------
    content : bytes
    mark : str
        Stands in the file, and tells images of one name apart; nothing of the patient can be
        read from it.
    """
    digest = hashlib.sha256(radiograph.pixels.tobytes())
    digest.update(answer.sex.value.encode())
    mark = digest.hexdigest()
    facts = PngInfo()
    facts.add_text(DIGEST_KEY, mark)
    content = BytesIO()
    Image.fromarray(draw(answer, radiograph)).save(content, "PNG", pnginfo=facts)
    return content.getvalue(), mark


def _look_column(grey: Rgb, answer: Assessment, number: int) -> Image.Image:
    """One look: its attention over the film, and below it the region at full resolution."""
    look = answer.looks[number]
    heat = with_heat(fitted(grey, HEAT_PX, COLUMN_PX), look.heat_map)
    box = look.box
    cut = grey[box.min_row : box.max_row, box.min_col : box.max_col]
    crop = Image.fromarray(fitted(cut, CROP_PX, COLUMN_PX))
    edge = (0, 0, crop.width - 1, crop.height - 1)
    ImageDraw.Draw(crop).rectangle(edge, None, colour_of(look.region), 3)
    alone = answer.readings.get(look.region)
    reading = f", alone {alone:.0f} months" if alone is not None else ""
    above = _titled(heat, f"Look {number + 1}: {name_of(look)}")
    below = _titled(crop, f"{look.region}{reading}")
    column = Image.new("RGB", (COLUMN_PX, FILM_PX + TITLE_PX), BACKGROUND)
    column.paste(above, (0, 0))
    column.paste(below, (0, FILM_PX - CROP_PX))
    return column.crop((0, 0, max(above.width, below.width), column.height))


def _beside(columns: Sequence[Image.Image]) -> Image.Image:
    """Put columns side by side, with gaps between and around."""
    width = max(PAGE_PX, sum(column.width for column in columns) + GAP_PX * (len(columns) + 1))
    body = Image.new("RGB", (width, max(column.height for column in columns)), BACKGROUND)
    left = GAP_PX
    for column in columns:
        body.paste(column, (left, 0))
        left += column.width + GAP_PX
    return body


def _titled(panel: Image.Image, title: str) -> Image.Image:
    """Put a panel below its title."""
    font = font_of(18)
    width = max(panel.width, int(font.getlength(title)) + 1)
    titled = Image.new("RGB", (width, panel.height + TITLE_PX), BACKGROUND)
    ImageDraw.Draw(titled).text((0, 4), title, DIM_TEXT, font=font)
    titled.paste(panel, (0, TITLE_PX))
    return titled


def _head(answer: Assessment, width: int) -> Image.Image:
    lines = [
        (f"Refused: {finding.message} Read all the same, as was asked.", 24, REFUSAL_TEXT)
        for finding in answer.refusals
    ]
    lines += [
        (f"Bone age {years_and_months(answer.age_months)}", 40, TEXT),
        (f"{answer.age_months:.1f} months, read by the {answer.sex} standard", 24, TEXT),
    ]
    if answer.interval is not None:
        lines.append((interval_text(answer.interval), 24, TEXT))
        lines.append((basis(answer.interval).capitalize(), 16, DIM_TEXT))
    if answer.calibrated is not None:
        lines.append((f"Calibrated {calibrated_text(answer.calibrated)}", 20, TEXT))
    if answer.chronological_age_months is not None:
        age = answer.chronological_age_months
        lines.append(
            (f"Chronological age {years_and_months(age)} ({age:.1f} months)", 20, DIM_TEXT)
        )
    for finding in answer.findings:
        if finding.severity is Severity.REFUSAL:
            continue  # said first
        colour = DIM_TEXT if finding.severity is Severity.NOTE else WARNING_TEXT
        lines.append((f"{finding.severity.value.capitalize()}: {finding.message}", 20, colour))
    return _lines(lines, width)


def _foot(answer: Assessment, width: int) -> Image.Image:
    weights = f"boneage, weights {weights_text(answer.weights)}"
    foot = _lines([(DISCLAIMER, 20, TEXT), (weights, 16, DIM_TEXT)], width)
    if answer.looks:
        scale = heat_scale()
        foot.paste(scale, (width - scale.width - GAP_PX, GAP_PX))
    return foot


def _lines(lines: list[tuple[str, int, Colour]], width: int) -> Image.Image:
    """Text on the background, wrapped to the width, each line at its size."""
    wrapped = [
        (part, size, colour)
        for text, size, colour in lines
        for part in textwrap.wrap(text, max(20, int((width - 2 * GAP_PX) / (size * 0.55))))
    ]
    block = Image.new(
        "RGB", (width, 2 * GAP_PX + sum(int(size * 1.35) for _, size, _ in wrapped)), BACKGROUND
    )
    pen = ImageDraw.Draw(block)
    top = GAP_PX
    for text, size, colour in wrapped:
        pen.text((GAP_PX, top), text, colour, font=font_of(size))
        top += int(size * 1.35)
    return block
