"""An assessment as a picture: the radiograph, the regions, and the attention behind them.

Whatever the size of the radiograph, the picture has the same height, so that text and lines
stay legible on a thumbnail and on an image of 3,000 rows.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from boneage.domain.assessment import Assessment, Severity
from boneage.domain.radiograph import Radiograph
from boneage.imaging.preparing import stretch
from boneage.reports import clinical_wording, panels, wording

FILM_PX = 900
"""Height of the radiograph on the picture; also its greatest width."""
COLUMN_PX = 400
"""Greatest width of the column of one region."""
HEAT_PX = 560
CROP_PX = 290
"""Greatest heights of its two parts."""
TITLE_PX = 30
PAGE_PX = 960
"""Least width of the page, so that a narrow radiograph leaves room for the text."""
GAP_PX = 16
DIGEST_KEY = "boneage film"


def draw(assessment: Assessment, radiograph: Radiograph) -> panels.Rgb:
    """Draw an assessment on its radiograph.

    The bone age above; then the radiograph with the regions, and a column for each step of the
    region detection, with its attention above the region that it gave; the model below.
    """
    grey = panels.as_grey(stretch(radiograph.pixels))
    size = radiograph.height, radiograph.width
    film = panels.with_boxes(panels.fitted(grey, FILM_PX, FILM_PX), assessment.detections, size)
    columns = [_titled(film, "Radiograph and regions")]
    columns += [
        _step_column(grey, assessment, number) for number in range(len(assessment.detections))
    ]
    body = _beside(columns)
    model = f"boneage, model {wording.weights_text(assessment.weights)}"
    blocks = [_text_block(headlines(assessment), body.width), body]
    if assessment.detections:
        blocks.append(_right_aligned(panels.heat_scale(), body.width))
    blocks.append(
        _text_block(
            [(wording.DISCLAIMER, 20, panels.TEXT), (model, 16, panels.DIM_TEXT)], body.width
        )
    )
    drawn: panels.Rgb = np.asarray(_stacked(blocks))
    return drawn


def png(assessment: Assessment, radiograph: Radiograph) -> tuple[bytes, str]:
    """Draw an assessment as a PNG, and give its mark.

    The mark stands in the file, and tells images of one name apart; nothing of the patient can
    be read from it.
    """
    digest = hashlib.sha256(radiograph.pixels.tobytes())
    digest.update(assessment.sex.value.encode())
    mark = digest.hexdigest()
    metadata = PngInfo()
    metadata.add_text(DIGEST_KEY, mark)
    content = BytesIO()
    Image.fromarray(draw(assessment, radiograph)).save(content, "PNG", pnginfo=metadata)
    return content.getvalue(), mark


def _step_column(grey: panels.Rgb, assessment: Assessment, number: int) -> Image.Image:
    """One step: its attention over the radiograph, and below it the region at full resolution."""
    detection = assessment.detections[number]
    heat = panels.with_heat(panels.fitted(grey, HEAT_PX, COLUMN_PX), detection.heat_map)
    crop = Image.fromarray(panels.fitted(grey[detection.box.slices], CROP_PX, COLUMN_PX))
    edge = (0, 0, crop.width - 1, crop.height - 1)
    ImageDraw.Draw(crop).rectangle(edge, None, panels.colour_of(detection.region), 3)
    alone = assessment.age_by_network.get(detection.region)
    estimate = f": {alone:.0f} months" if alone is not None else ""
    above = _titled(heat, f"Step {number + 1}: {wording.region_label(detection)}")
    below = _titled(crop, f"{detection.region}{estimate}")
    column = Image.new("RGB", (COLUMN_PX, FILM_PX + TITLE_PX), panels.BACKGROUND)
    column.paste(above, (0, 0))
    column.paste(below, (0, FILM_PX - CROP_PX))
    return column.crop((0, 0, max(above.width, below.width), column.height))


def _beside(columns: Sequence[Image.Image]) -> Image.Image:
    """Put columns side by side, with gaps between and around."""
    width = max(PAGE_PX, sum(column.width for column in columns) + GAP_PX * (len(columns) + 1))
    body = Image.new("RGB", (width, max(column.height for column in columns)), panels.BACKGROUND)
    left = GAP_PX
    for column in columns:
        body.paste(column, (left, 0))
        left += column.width + GAP_PX
    return body


def _stacked(blocks: Sequence[Image.Image]) -> Image.Image:
    """Put blocks below each other."""
    width = max(block.width for block in blocks)
    page = Image.new("RGB", (width, sum(block.height for block in blocks)), panels.BACKGROUND)
    top = 0
    for block in blocks:
        page.paste(block, (0, top))
        top += block.height
    return page


def _titled(panel: Image.Image, title: str) -> Image.Image:
    """Put a panel below its title."""
    font = panels.font_of(18)
    block = Image.new("RGB", (int(font.getlength(title)) + 1, TITLE_PX), panels.BACKGROUND)
    ImageDraw.Draw(block).text((0, 4), title, panels.DIM_TEXT, font=font)
    return _stacked((block, panel))


Line = tuple[str, int, panels.Colour]
"""A text, its size in pixels and its colour."""


def headlines(assessment: Assessment) -> list[Line]:
    """What stands above the radiograph: refusals, bone age, reading, conclusion, findings."""
    lines = [
        (wording.refusal_sentence(finding), 24, panels.REFUSAL_TEXT)
        for finding in assessment.refusals
    ]
    lines.append((f"Bone age {wording.bone_age_text(assessment)}", 40, panels.TEXT))
    lines += [(line, 22, panels.TEXT) for line in wording.age_details(assessment)]
    if assessment.reading is not None:
        lines.append((wording.reading_text(assessment.reading), 22, panels.TEXT))
    if conclusion := clinical_wording.conclusion_text(assessment):
        lines.append((conclusion, 22, panels.TEXT))
    elif (age := assessment.chronological_age_months) is not None:
        lines.append((f"Chronological age {wording.age_text(age)}", 20, panels.DIM_TEXT))
    for finding in assessment.findings:
        if finding.severity is not Severity.REFUSAL:  # listed first
            colour = panels.DIM_TEXT if finding.severity is Severity.NOTE else panels.WARNING_TEXT
            lines.append((wording.finding_sentence(finding), 20, colour))
    return lines


def _right_aligned(block: Image.Image, width: int) -> Image.Image:
    row = Image.new("RGB", (width, block.height), panels.BACKGROUND)
    row.paste(block, (width - block.width - GAP_PX, 0))
    return row


def _text_block(lines: Sequence[Line], width: int) -> Image.Image:
    """Text on the background, wrapped to the width, each line at its size."""
    wrapped = [
        (part, size, colour)
        for text, size, colour in lines
        for part in textwrap.wrap(text, max(20, int((width - 2 * GAP_PX) / (size * 0.55))))
    ]
    height = 2 * GAP_PX + sum(int(size * 1.35) for _, size, _ in wrapped)
    block = Image.new("RGB", (width, height), panels.BACKGROUND)
    pen = ImageDraw.Draw(block)
    top = GAP_PX
    for text, size, colour in wrapped:
        pen.text((GAP_PX, top), text, colour, font=panels.font_of(size))
        top += int(size * 1.35)
    return block
