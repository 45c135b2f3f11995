"""The page of a report, A4 or Letter, laid out with ReportLab.

What always has the same height stands at the head and the foot; the findings between shrink
where they must, and the pictures take what is left. Places are in points (1/72 inch), from
the lower left corner of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, Paragraph, Spacer, Table

from boneage._version import __version__
from boneage.i18n.words import Words
from boneage.reports.panels import heat_bar
from boneage.reports.wording import Entry, EntryGroup

PAPERS = {"a4": A4, "letter": LETTER}
MARGIN = 14 * mm
GAP = 3.5 * mm
FILM_SHARE = 0.44
"""Of the page's width, at most, for the radiograph."""
PICTURES_MIN, PICTURES_MAX = 52 * mm, 96 * mm
READER_HEIGHT = 47 * mm
ROW = 9.2 * mm
"""Between two lines to write on."""
LABEL_SHARE = 0.4
"""Of a column's width, for the labels."""
CAPTION = 4.4 * mm

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
"""DejaVu: Latin, Greek, Cyrillic and more, for a name may be written in any of them."""
COLOURS = {"ink": HexColor("#1a1a1c"), "dim": HexColor("#5a5a60"), "warning": HexColor("#9a3a00")}
LINE = HexColor("#9a9aa0")
LEADING = 1.28
JPEG_QUALITY = 92
MISSING_GLYPH = "?"
"""Replaces a character that the font lacks."""


CHART_SHARE, CHART_MAX = 0.34, 62 * mm
"""Of the width, and its greatest height."""


@dataclass(frozen=True)
class ReportTexts:
    """Every text of a report, except the captions."""

    title: str
    purpose: str
    identity: tuple[Entry, ...]
    """Empty by default: then there is a line to write on."""
    age: str
    conclusion: str
    """One sentence; empty at an unknown age."""
    age_details: tuple[str, ...]
    """The lines below the age: months and standard, interval, calibration."""
    sections: tuple[EntryGroup, ...]
    refusals: tuple[str, ...]
    """Why an image that was analysed at the user's request failed the quality check."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    provenance: tuple[Entry, ...]
    film: str
    """The image's fingerprint, for the metadata of the file."""
    reader: str = ""
    """The name of the reader who has decided; empty: there is a line to write on."""


@dataclass(frozen=True)
class RegionPictures:
    """One region: its name, its attention over the radiograph, and what was cut out."""

    caption: str
    heat: Image.Image
    crop: Image.Image


@dataclass(frozen=True)
class ReportPictures:
    """All pictures of a report."""

    film: Image.Image
    regions: tuple[RegionPictures, ...]


@dataclass(frozen=True)
class PageArea:
    """A rectangle on the page; ``top`` is its upper edge."""

    left: float
    top: float
    width: float
    height: float


def report_page(
    texts: ReportTexts,
    pictures: ReportPictures,
    words: Words,
    paper: str,
    chart: Flowable | None = None,
) -> bytes:
    """Lay a report out as a PDF of one page; the same input gives the same bytes."""
    size = PAPERS[paper]
    file = BytesIO()
    # Invariant: without the time of writing, which is nearly the date of the image.
    canvas = Canvas(file, pagesize=size, invariant=1, lang=words.language)
    canvas.setTitle(texts.title)
    canvas.setCreator(f"boneage {__version__}")
    canvas.setKeywords(texts.film)
    width = size[0] - 2 * MARGIN
    top = _head(canvas, texts, words, PageArea(MARGIN, size[1] - MARGIN, width, 0))
    bottom = _provenance(canvas, texts, width)
    area = PageArea(MARGIN, bottom + READER_HEIGHT, width, READER_HEIGHT)
    bottom = _reader(canvas, texts.reader, words, area)
    findings = _findings(texts, words, width, top - bottom - PICTURES_MIN - 2 * GAP)
    _, height = findings.wrapOn(canvas, width, top)
    room = min(PICTURES_MAX, top - bottom - height - 2 * GAP)
    beside = width * (1 - CHART_SHARE) if chart is not None and pictures.regions else width
    end = _pictures(canvas, pictures, words, PageArea(MARGIN, top, beside, room))
    if chart is not None and beside < width:
        chart.width, chart.height = width - beside - GAP, min(room, CHART_MAX)
        chart.drawOn(canvas, MARGIN + beside + GAP, top - chart.height)
    _draw(canvas, findings, MARGIN, end - GAP, width)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _head(canvas: Canvas, texts: ReportTexts, words: Words, area: PageArea) -> float:
    left, top, width = area.left, area.top, area.width

    def write(text: str, size: float, gap: float = 0, **more: Any) -> None:
        nonlocal top
        block = paragraph(text, style(size, **more))
        top = _draw(canvas, block, left, top - gap, width)

    write(texts.title, 15, bold=True)
    write(texts.purpose, 8, 3, colour="warning")
    if texts.identity:
        write(" · ".join(f"{label}: {text}" for label, text in texts.identity), 9, 5)
    else:  # to be filled in by hand
        label = words.gettext("Patient")
        end = _draw_text(canvas, label, left, top - 6 * mm, style(9, colour="dim"))
        _rule(canvas, end + 4, left + width, top - 6 * mm - 2)
        top -= 6 * mm + 2
    write(texts.age, 22, GAP, bold=True)
    if texts.conclusion:
        write(texts.conclusion, 10.5, 2, bold=True)
    for number, line in enumerate(texts.age_details):
        write(line, 9 if number else 10, 1 if number else 2)
    for refusal in texts.refusals:
        write(refusal, 10, 2, bold=True, colour="warning")
    return top - GAP


def _pictures(canvas: Canvas, pictures: ReportPictures, words: Words, area: PageArea) -> float:
    """The radiograph, and beside it each region: its attention above its crop."""
    across = area.width * (FILM_SHARE if pictures.regions else 1)
    room = PageArea(area.left, area.top, across, area.height - CAPTION)
    film = _draw_picture(canvas, pictures.film, room)
    caption = words.gettext("Radiograph and regions")
    small = style(7.5, colour="dim")
    end = _draw_text(canvas, caption, area.left, film.top - film.height - 9, small)
    if not pictures.regions:
        return film.top - film.height - CAPTION
    left = film.left + film.width + GAP
    beside = PageArea(left, area.top, area.left + area.width - left, area.height - CAPTION)
    lowest = _regions(canvas, pictures.regions, beside)
    start = max(left, end + GAP)
    end = _draw_text(canvas, words.gettext("Attention: low"), start, lowest - 9, small)
    scale = _draw_picture(canvas, heat_bar(160, 14), PageArea(end + 4, lowest - 3, 70, 7))
    _draw_text(canvas, words.gettext("high"), scale.left + scale.width + 4, lowest - 9, small)
    return max(area.top - area.height, min(film.top - film.height, lowest) - CAPTION)


def _regions(canvas: Canvas, regions: Sequence[RegionPictures], area: PageArea) -> float:
    """Draw the regions side by side, and give their lower edge."""
    across = (area.width - GAP * (len(regions) - 1)) / len(regions)
    part = (area.height - CAPTION - GAP / 2) / 2
    lowest = area.top
    for number, region in enumerate(regions):
        left = area.left + number * (across + GAP)
        name = paragraph(region.caption, style(7.5, colour="dim"))
        _draw(canvas, name, left, area.top + 2, across + GAP)
        top = area.top - CAPTION
        heat = _draw_picture(canvas, region.heat, PageArea(left, top, across, part))
        top -= heat.height + GAP / 2
        crop = _draw_picture(canvas, region.crop, PageArea(left, top, across, part))
        lowest = min(lowest, top - crop.height)
    return lowest


def _findings(texts: ReportTexts, words: Words, width: float, room: float) -> Flowable:
    """Clinical interpretation, details and findings, shrunk where they would not fit."""
    left: list[EntryGroup] = []
    right: list[EntryGroup] = []
    for section in texts.sections:
        (left if _text_length(left) <= _text_length(right) else right).append(section)
    column = (width - GAP) / 2
    columns = Table(
        [[_sections(left, column), _sections(right, column)]],
        colWidths=[column + GAP, column],
        hAlign="LEFT",  # else it stands in the middle of the wider room where it is shrunk
        style=[*_padded(0), ("RIGHTPADDING", (0, 0), (0, 0), GAP)],
    )
    title = paragraph(words.gettext("Image quality check"), style(9.5, bold=True))
    lines = [paragraph(finding, style(8.5, colour="warning")) for finding in texts.warnings]
    lines += [paragraph(finding, style(8.5)) for finding in texts.notes]
    lines = lines or [paragraph(words.gettext("No findings."), style(8.5))]
    parts: list[Flowable] = [columns, Spacer(width, GAP), title, *lines]
    return KeepInFrame(width, room, parts, mode="shrink")


def _text_length(sections: Sequence[EntryGroup]) -> int:
    """The number of characters, from which the height of sections is estimated."""
    return sum(len(text) for section in sections for _, text in section.entries)


def _sections(sections: Sequence[EntryGroup], width: float) -> list[Flowable]:
    parts: list[Flowable] = []
    label = width * LABEL_SHARE
    for section in sections:
        if parts:
            parts.append(Spacer(width, GAP))
        parts.append(paragraph(section.title, style(9.5, bold=True)))
        rows = [
            [paragraph(name, style(8.5, colour="dim")), paragraph(text, style(8.5))]
            for name, text in section.entries
        ]
        padding = [*_padded(0.6), ("RIGHTPADDING", (0, 0), (-1, -1), 3)]
        parts.append(Table(rows, colWidths=[label, width - label], style=padding))
    return parts


def _padded(points: float) -> list[tuple[str, tuple[int, int], tuple[int, int], Any]]:
    """A table whose cells are padded above and below alone."""
    everywhere = (0, 0), (-1, -1)
    sides = [(f"{side}PADDING", *everywhere, 0) for side in ("LEFT", "RIGHT")]
    return [
        ("VALIGN", *everywhere, "TOP"),
        *sides,
        *((f"{side}PADDING", *everywhere, points) for side in ("TOP", "BOTTOM")),
    ]


def _reader(canvas: Canvas, name: str, words: Words, area: PageArea) -> float:
    """The place for the radiologist's own report and signature; gives its upper edge."""
    _ = words.gettext
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.8)
    canvas.rect(area.left, area.top - area.height, area.width, area.height)
    left, width = area.left + 3 * mm, area.width - 6 * mm
    baseline = area.top - 5.2 * mm
    _draw_text(canvas, _("Radiologist's report"), left, baseline, style(9.5, bold=True))
    for labels in (
        ((_("Bone age, independent reading"), 0.62), (_("Standard"), 0.38)),
        ((_("Final bone age"), 0.62), (_("Classification"), 0.38)),
        ((_("Remarks"), 1.0),),
        ((_("Name"), 0.4), (_("Date"), 0.22), (_("Signature"), 0.38)),
    ):
        baseline -= ROW
        start = left
        for label, share in labels:
            right = start + share * width
            end = _draw_text(canvas, label, start, baseline, style(8.5, colour="dim"))
            if name and label == _("Name"):
                _draw_text(canvas, name, end + 4, baseline, style(8.5))
            _rule(canvas, end + 3, right - 3 * mm, baseline - 2)
            start = right
    return area.top + GAP


def _provenance(canvas: Canvas, texts: ReportTexts, width: float) -> float:
    """Software and model, at the foot of the page; gives its upper edge."""
    line = " · ".join(f"{label}: {text}" for label, text in texts.provenance)
    block = paragraph(line, style(6.8, colour="dim"))
    _, height = block.wrapOn(canvas, width, MARGIN * 4)
    block.drawOn(canvas, MARGIN, MARGIN * 0.75)
    return float(MARGIN * 0.75 + height + GAP)


@cache
def style(size: float, *, bold: bool = False, colour: str = "ink") -> ParagraphStyle:
    """The style of a text; the colour is one of ``COLOURS``."""
    return ParagraphStyle(
        f"{size}-{bold}-{colour}",
        fontName=registered(BOLD if bold else REGULAR).fontName,
        fontSize=size,
        leading=size * LEADING,
        textColor=COLOURS[colour],
        splitLongWords=1,
    )


def paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    """Make a text that wraps; nothing in it is markup."""
    return Paragraph(escape(in_font(text)), style)


def _draw(canvas: Canvas, flowable: Flowable, left: float, top: float, width: float) -> float:
    """Draw something that wraps below a height of the page, and give where it ends."""
    _, height = flowable.wrapOn(canvas, width, top)
    flowable.drawOn(canvas, left, top - height)
    return float(top - height)


def _draw_picture(canvas: Canvas, picture: Image.Image, area: PageArea) -> PageArea:
    """Draw a picture as large as fits, at the upper left of an area; give where it lies."""
    scale = min(area.width / picture.width, area.height / picture.height)
    width, height = picture.width * scale, picture.height * scale
    file = BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    file.seek(0)
    canvas.drawImage(ImageReader(file), area.left, area.top - height, width, height)
    return PageArea(area.left, area.top, width, height)


def _draw_text(
    canvas: Canvas, text: str, left: float, baseline: float, style: ParagraphStyle
) -> float:
    """Write one line, and give where it ends."""
    text = in_font(text)
    canvas.setFont(style.fontName, style.fontSize)
    canvas.setFillColor(style.textColor)
    canvas.drawString(left, baseline, text)
    return left + pdfmetrics.stringWidth(text, style.fontName, style.fontSize)


def _rule(canvas: Canvas, left: float, right: float, height: float) -> None:
    """Draw a thin line to write on."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(left, height, right, height)


@cache
def registered(name: str) -> TTFont:
    """A font that ships with boneage, known to ReportLab."""
    font = TTFont(name, FONTS / f"{name}.ttf")
    pdfmetrics.registerFont(font)
    return font


def in_font(text: str) -> str:
    """A text without the characters that the font lacks."""
    known = registered(REGULAR).face.charToGlyph
    return "".join(letter if ord(letter) in known else MISSING_GLYPH for letter in text)
