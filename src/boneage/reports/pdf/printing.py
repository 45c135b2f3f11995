"""Fonts, paragraphs and pictures on a page of a PDF, with ReportLab.

Places are in points (1/72 inch), from the page's lower left corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
"""DejaVu: Latin, Greek, Cyrillic and more, for a name may be written in any of them."""
INK = HexColor("#1a1a1c")
DIM = HexColor("#5a5a60")
LINE = HexColor("#9a9aa0")
WARNING = HexColor("#9a3a00")
LEADING = 1.28
JPEG_QUALITY = 92
UNKNOWN = "?"
"""Stands for a letter that the font lacks."""


@dataclass(frozen=True)
class Place:
    """A rectangle on the page; ``top`` is its upper edge."""

    left: float
    top: float
    width: float
    height: float


@cache
def style(size: float, *, bold: bool = False, colour: str = "ink") -> ParagraphStyle:
    """Give a style of text; colours: ``"ink"``, ``"dim"``, ``"warning"``."""
    ink = {"ink": INK, "dim": DIM, "warning": WARNING}[colour]
    return ParagraphStyle(
        f"{size}-{bold}-{colour}",
        fontName=_registered(BOLD if bold else REGULAR).fontName,
        fontSize=size,
        leading=size * LEADING,
        textColor=ink,
        splitLongWords=1,
    )


def paragraph(text: str, like: ParagraphStyle) -> Paragraph:
    """Make a text that wraps; nothing in it is markup."""
    return Paragraph(escape(_printable(text)), like)


def draw(canvas: Canvas, flowable: Flowable, left: float, top: float, width: float) -> float:
    """Draw something that wraps below a height of the page, and give where it ends."""
    _, height = flowable.wrapOn(canvas, width, top)
    flowable.drawOn(canvas, left, top - height)
    return float(top - height)


def draw_picture(canvas: Canvas, picture: Image.Image, place: Place) -> Place:
    """Draw a picture as large as fits, at the upper left of a place; give where it lies."""
    scale = min(place.width / picture.width, place.height / picture.height)
    width, height = picture.width * scale, picture.height * scale
    file = BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    file.seek(0)
    canvas.drawImage(ImageReader(file), place.left, place.top - height, width, height)
    return Place(place.left, place.top, width, height)


def draw_text(
    canvas: Canvas, text: str, left: float, baseline: float, like: ParagraphStyle
) -> float:
    """Write one line, and give where it ends."""
    text = _printable(text)
    canvas.setFont(like.fontName, like.fontSize)
    canvas.setFillColor(like.textColor)
    canvas.drawString(left, baseline, text)
    return left + pdfmetrics.stringWidth(text, like.fontName, like.fontSize)


def rule(canvas: Canvas, left: float, right: float, height: float) -> None:
    """Draw a thin line to write on."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(left, height, right, height)


@cache
def _registered(name: str) -> TTFont:
    font = TTFont(name, FONTS / f"{name}.ttf")
    pdfmetrics.registerFont(font)
    return font


def _printable(text: str) -> str:
    known = _registered(REGULAR).face.charToGlyph
    return "".join(letter if ord(letter) in known else UNKNOWN for letter in text)
