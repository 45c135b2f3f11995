"""Small pieces of HTML and Markdown; texts of files and users are escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from boneage.domain.assessment import Assessment
from boneage.i18n.words import Words
from boneage.reports.clinical_wording import conclusion_text
from boneage.reports.wording import EN, age_details, bone_age_text, reading_text

MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+.!|~$:-])")
HEAT_SCALE = '<p class="heat-scale">{low} <i></i> {high}</p>'


def escape_markdown(text: str) -> str:
    """Escape a text for Markdown."""
    return MARKDOWN.sub(r"\\\1", text)


def metadata_list(rows: Sequence[tuple[str, str]]) -> str:
    """Labels and values, as a list of definitions."""
    items = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    return f'<dl class="image-information">{items}</dl>'


def headline(assessment: Assessment, words: Words = EN) -> str:
    """The bone age, large, with a sentence of conclusion; announced by screen readers."""
    _ = words.gettext
    months, *more = age_details(assessment, words)
    if assessment.interval is None and assessment.reading is None:
        more.append(_("This model gives no prediction interval."))
    if assessment.reading is not None:
        more.append(reading_text(assessment.reading, words))
    lines = [
        ("bone-age-label", _("Bone age")),
        ("bone-age", bone_age_text(assessment, words)),
        ("bone-age-months", months),
        ("bone-age-conclusion", conclusion_text(assessment, words)),
        *(("bone-age-more", text) for text in more),
    ]
    paragraphs = "".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines if text)
    return f'<div role="status">{paragraphs}</div>'
