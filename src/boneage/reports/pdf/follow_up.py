"""The follow-up report of a child as PDF: conclusion, charts, and a table of the visits."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, SimpleDocTemplate, Spacer, Table

from boneage._version import __version__
from boneage.clinical.course import Course, VisitFindings
from boneage.i18n.words import ENGLISH, Words, words_of
from boneage.reports import clinical_wording, wording
from boneage.reports.charts import course_charts
from boneage.reports.course import conclusion
from boneage.reports.pdf.chart import ChartDrawing
from boneage.reports.pdf.page import GAP, LINE, MARGIN, PAPERS, paragraph, style

CHART_HEIGHT = 62 * mm
FRAME = 6
"""Points around what ReportLab puts on a page."""
COLUMN_SHARES = (0.11, 0.13, 0.09, 0.13, 0.1, 0.1, 0.12, 0.11, 0.11)
"""Of the table's width."""


def follow_up_report(course: Course, *, paper: str = "a4", language: str = ENGLISH) -> bytes:
    """Write the follow-up report of a child under its pseudonym; the same input, the same bytes.

    Raises a `LanguageError` when no translation ships for the language.
    """
    words = words_of(language)
    _ = words.gettext
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=PAPERS[paper],
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=_("Follow-up report"),
        creator=f"boneage {__version__}",
        lang=words.language,
        invariant=1,
    )
    document.build(_parts(course, words, document.width - 2 * FRAME))
    return file.getvalue()


def _parts(course: Course, words: Words, width: float) -> list[Flowable]:
    _ = words.gettext
    child = course.child
    stated = [(_("Pseudonym"), child.pseudonym)]
    stated.append((_("Standard"), wording.standard_text(child.sex, words)))
    if course.target is not None:
        low, high = course.target.low_cm, course.target.high_cm
        height = clinical_wording.length_text(course.target.cm, words)
        around = clinical_wording.length_range(low, high, words)
        stated.append((_("Target height by the parents"), f"{height}, {around}"))
    parts: list[Flowable] = [
        paragraph(_("Follow-up report"), style(15, bold=True)),
        paragraph(_(wording.DISCLAIMER), style(8, colour="warning")),
        Spacer(width, GAP / 2),
        paragraph(_joined(stated), style(9)),
        Spacer(width, GAP),
        paragraph(conclusion(course, words), style(10)),
        Spacer(width, GAP),
        _charts(course, words, width),
        Spacer(width, GAP),
        _table(course, words, width),
        Spacer(width, GAP),
    ]
    parts += [
        paragraph(wording.finding_sentence(finding, words), style(8.5, colour="warning"))
        for finding in course.findings
    ]
    sources = [
        (_("SDS reference"), _(course.bone_age_reference.name)),
        (_("Height reference"), course.height_reference.name),
        (_("Software"), f"boneage {__version__}"),
    ]
    return [*parts, Spacer(width, GAP), paragraph(_joined(sources), style(7, colour="dim"))]


def _joined(entries: Sequence[wording.Entry]) -> str:
    return " · ".join(f"{label}: {text}" for label, text in entries)


def _charts(course: Course, words: Words, width: float) -> Table:
    """The charts that there are, two in a row."""
    half = (width - GAP) / 2
    drawn = [
        ChartDrawing(chart, half, CHART_HEIGHT) for chart in course_charts(course, words).values()
    ]
    rows = [[*drawn[start : start + 2], ""][:2] for start in range(0, len(drawn), 2)]
    flush: list[Any] = [
        (f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")
    ]
    return Table(rows, colWidths=[half + GAP, half], style=flush)


def _table(course: Course, words: Words, width: float) -> Table:
    """One row a visit; the head is repeated on every page."""
    _ = words.gettext
    head = (
        *(_("Age"), _("Bone age"), _("SDS"), _("Classification"), _("Height, cm"), _("Height SDS")),
        *(_("Growth, cm a year"), _("Adult height, cm"), _("Puberty, treatment")),
    )
    rows = [[paragraph(text, style(7, bold=True)) for text in head]]
    rows += [
        [paragraph(text, style(7)) for text in _cells(found, words)] for found in course.visits
    ]
    looks: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2),
    ]
    widths = [share * width for share in COLUMN_SHARES]
    return Table(rows, colWidths=widths, style=looks, repeatRows=1)


def _cells(found: VisitFindings, words: Words) -> list[str]:
    visit, growth, height = found.visit, found.growth, found.height
    for_age = height.for_age if height else None
    bone_age = visit.reported_bone_age_months
    age = visit.chronological_age_months
    read = words.gettext("read by a person") if visit.reader_months is not None else ""
    speed = found.velocity.cm_a_year if found.velocity else None
    adult = found.adult_height.predicted_cm if found.adult_height else None
    sds = growth.sds if growth else None
    height_sds = for_age.sds if for_age else None
    classification = clinical_wording.CLASSIFICATIONS[growth.classification] if growth else ""
    return [
        words.gettext("not known") if age is None else words.age(age),
        "" if bone_age is None else " ".join(filter(None, (words.age(bone_age), read))),
        "" if sds is None else clinical_wording.sds_number(sds, words),
        words.gettext(classification) if classification else "",
        "" if visit.height_cm is None else words.number(visit.height_cm),
        "" if height_sds is None else clinical_wording.sds_number(height_sds, words),
        "" if speed is None else words.number(speed),
        "" if adult is None else words.number(adult),
        ", ".join(filter(None, (visit.pubertal_stage, visit.treatment))),
    ]
