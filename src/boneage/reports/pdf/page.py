"""The report of one film as a PDF of one page, A4 or Letter.

What always has the same height stands at the head and the foot; the findings
between shrink where they must, and the pictures take what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, KeepInFrame, Spacer, Table

from boneage._version import __version__
from boneage.i18n.words import Words
from boneage.reports.panels import heat_bar
from boneage.reports.pdf.pictures import LookPictures, ReportPictures
from boneage.reports.pdf.printing import (
    LINE,
    Place,
    draw,
    draw_picture,
    draw_text,
    paragraph,
    rule,
    style,
)
from boneage.reports.pdf.texts import Entry, ReportTexts, Section

PAPERS = {"a4": A4, "letter": LETTER}
MARGIN = 14 * mm
GAP = 3.5 * mm
FILM_SHARE = 0.44
"""Of the page's width, at most, for the film."""
PICTURES_MIN, PICTURES_MAX = 52 * mm, 96 * mm
READER_HEIGHT = 47 * mm
ROW = 9.2 * mm
"""Between two lines to write on."""
LABEL_SHARE = 0.36
"""Of a column's width, for the labels."""
CAPTION = 4.4 * mm


def report_page(texts: ReportTexts, pictures: ReportPictures, words: Words, paper: str) -> bytes:
    """Lay a report out.

    Parameters
    ----------
    texts : ReportTexts
    pictures : ReportPictures
    words : Words
        The language of what stands around them.
    paper : str
        A key of :data:`PAPERS`.

    Returns
    -------
    bytes
        A PDF of one page; the same input gives the same bytes.
    """
    size = PAPERS[paper]
    file = BytesIO()
    # Invariant: with the time of writing left out, for that is nearly the date of the film.
    canvas = Canvas(file, pagesize=size, invariant=1, lang=words.language)
    canvas.setTitle(texts.title)
    canvas.setCreator(f"boneage {__version__}")
    canvas.setKeywords(texts.film)
    width = size[0] - 2 * MARGIN
    top = _head(canvas, texts, words, Place(MARGIN, size[1] - MARGIN, width, 0))
    bottom = _provenance(canvas, texts, width)
    bottom = _reader(canvas, words, Place(MARGIN, bottom + READER_HEIGHT, width, READER_HEIGHT))
    told = _told(texts, words, width, top - bottom - PICTURES_MIN - 2 * GAP)
    _, height = told.wrapOn(canvas, width, top)
    room = min(PICTURES_MAX, top - bottom - height - 2 * GAP)
    ends = _pictures(canvas, pictures, words, Place(MARGIN, top, width, room))
    draw(canvas, told, MARGIN, ends - GAP, width)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _head(canvas: Canvas, texts: ReportTexts, words: Words, place: Place) -> float:
    left, top, width = place.left, place.top, place.width
    top = draw(canvas, paragraph(texts.title, style(15, bold=True)), left, top, width)
    top = draw(canvas, paragraph(texts.purpose, style(8, colour="warning")), left, top - 3, width)
    if texts.identity:
        said = " · ".join(f"{label}: {text}" for label, text in texts.identity)
        top = draw(canvas, paragraph(said, style(9)), left, top - 5, width)
    else:  # to be filled in by hand
        label = words.gettext("Child")
        end = draw_text(canvas, label, left, top - 6 * mm, style(9, colour="dim"))
        rule(canvas, end + 4, left + width, top - 6 * mm - 2)
        top -= 6 * mm + 2
    top = draw(canvas, paragraph(texts.age, style(22, bold=True)), left, top - GAP, width) - 2
    first, *others = texts.answer
    top = draw(canvas, paragraph(first, style(10)), left, top, width)
    for line in others:
        top = draw(canvas, paragraph(line, style(9)), left, top - 1, width)
    for refusal in texts.refusals:
        like = style(10, bold=True, colour="warning")
        top = draw(canvas, paragraph(refusal, like), left, top - 2, width)
    return top - GAP


def _pictures(canvas: Canvas, pictures: ReportPictures, words: Words, place: Place) -> float:
    """The film, and beside it each look: its attention above its region."""
    across = place.width * (FILM_SHARE if pictures.looks else 1)
    room = Place(place.left, place.top, across, place.height - CAPTION)
    film = draw_picture(canvas, pictures.film, room)
    below = place.top - place.height
    caption = words.gettext("Film and regions")
    draw_text(canvas, caption, place.left, film.top - film.height - 9, style(7.5, colour="dim"))
    if not pictures.looks:
        return film.top - film.height - CAPTION
    left = film.left + film.width + GAP
    beside = Place(left, place.top, place.left + place.width - left, place.height - CAPTION)
    lowest = _looks(canvas, pictures.looks, beside)
    _heat_scale(canvas, words, left, lowest - 9)
    return max(below, min(film.top - film.height, lowest) - CAPTION)


def _looks(canvas: Canvas, looks: Sequence[LookPictures], place: Place) -> float:
    """Draw the looks side by side, and give their lower edge."""
    across = (place.width - GAP * (len(looks) - 1)) / len(looks)
    part = (place.height - CAPTION - GAP / 2) / 2
    lowest = place.top
    for number, look in enumerate(looks):
        left = place.left + number * (across + GAP)
        name = paragraph(look.caption, style(7.5, colour="dim"))
        draw(canvas, name, left, place.top + 2, across + GAP)
        top = place.top - CAPTION
        heat = draw_picture(canvas, look.heat, Place(left, top, across, part))
        top -= heat.height + GAP / 2
        crop = draw_picture(canvas, look.crop, Place(left, top, across, part))
        lowest = min(lowest, top - crop.height)
    return lowest


def _heat_scale(canvas: Canvas, words: Words, left: float, baseline: float) -> None:
    like = style(7.5, colour="dim")
    end = draw_text(canvas, words.gettext("attention: none"), left, baseline, like)
    bar: Image.Image = heat_bar(160, 14)
    place = draw_picture(canvas, bar, Place(end + 4, baseline + 6, 70, 7))
    draw_text(canvas, words.gettext("highest"), place.left + place.width + 4, baseline, like)


def _told(texts: ReportTexts, words: Words, width: float, room: float) -> Flowable:
    """Growth, height, reading and findings, shrunk where they would not fit."""
    first, *others = texts.sections
    column = (width - GAP) / 2
    columns = Table(
        [[_sections([first], column), _sections(others, column)]],
        colWidths=[column + GAP, column],
        hAlign="LEFT",  # else it stands in the middle of the wider room where it is shrunk
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (0, 0), GAP),
            ("RIGHTPADDING", (1, 0), (1, 0), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
        ],
    )
    title = paragraph(words.gettext("Findings on the film"), style(9.5, bold=True))
    lines = [paragraph(finding, style(8.5, colour="warning")) for finding in texts.warnings]
    lines += [paragraph(finding, style(8.5)) for finding in texts.notes]
    lines = lines or [paragraph(words.gettext("None."), style(8.5))]
    parts: list[Flowable] = [columns, Spacer(width, GAP), title, *lines]
    return KeepInFrame(width, room, parts, mode="shrink")


def _sections(sections: Sequence[Section], width: float) -> list[Flowable]:
    parts: list[Flowable] = []
    for section in sections:
        if parts:
            parts.append(Spacer(width, GAP))
        parts.append(paragraph(section.title, style(9.5, bold=True)))
        parts.append(_entries(section.entries, width, size=8.5))
    return parts


def _entries(entries: Sequence[Entry], width: float, size: float) -> Table:
    label = width * LABEL_SHARE
    rows = [
        [paragraph(name, style(size, colour="dim")), paragraph(text, style(size))]
        for name, text in entries
    ]
    return Table(
        rows,
        colWidths=[label, width - label],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("TOPPADDING", (0, 0), (-1, -1), 0.6),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.6),
        ],
    )


def _reader(canvas: Canvas, words: Words, place: Place) -> float:
    """The place for the reader's own assessment and signature; gives its upper edge."""
    _ = words.gettext
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.8)
    canvas.rect(place.left, place.top - place.height, place.width, place.height)
    inside = Place(place.left + 3 * mm, place.top, place.width - 6 * mm, place.height)
    baseline = place.top - 5.2 * mm
    draw_text(canvas, _("Reader's own assessment"), inside.left, baseline, style(9.5, bold=True))
    for labels in (
        ((_("Bone age, read without looking at the above"), 0.62), (_("by the standard"), 0.38)),
        ((_("After looking at the above"), 0.62), (_("Verdict"), 0.38)),
        ((_("Remarks"), 1.0),),
        ((_("Name"), 0.4), (_("Date"), 0.22), (_("Signature"), 0.38)),
    ):
        baseline -= ROW
        _lines_to_write_on(canvas, labels, inside, baseline)
    return place.top + GAP


def _lines_to_write_on(
    canvas: Canvas, labels: Sequence[tuple[str, float]], place: Place, baseline: float
) -> None:
    left = place.left
    for label, share in labels:
        right = left + share * place.width
        end = draw_text(canvas, label, left, baseline, style(8.5, colour="dim"))
        rule(canvas, end + 3, right - 3 * mm, baseline - 2)
        left = right


def _provenance(canvas: Canvas, texts: ReportTexts, width: float) -> float:
    """What answered, at the foot of the page; gives its upper edge."""
    said = " · ".join(f"{label}: {text}" for label, text in texts.provenance)
    block = paragraph(said, style(6.8, colour="dim"))
    _, height = block.wrapOn(canvas, width, MARGIN * 4)
    block.drawOn(canvas, MARGIN, MARGIN * 0.75)
    return float(MARGIN * 0.75 + height + GAP)
