"""Small pieces of HTML and Markdown; texts of files and users are escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from boneage.domain.assessment import Assessment
from boneage.reports.wording import age_details, age_text, bone_age_text, difference_text

MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+.!|~$:-])")
HEAT_SCALE = '<p class="heat-scale">Attention: low <i></i> high</p>'


def escape_markdown(text: str) -> str:
    """Escape a text for Markdown."""
    return MARKDOWN.sub(r"\\\1", text)


def metadata_list(rows: Sequence[tuple[str, str]]) -> str:
    """Labels and values, as a list of definitions."""
    items = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    return f'<dl class="image-information">{items}</dl>'


def image_name(name: str) -> str:
    """The name of an image, above what belongs to it."""
    return f'<p class="image-name">{escape(name)}</p>'


def headline(assessment: Assessment) -> str:
    """The bone age, large; announced by screen readers."""
    months, *more = age_details(assessment)
    if assessment.interval is None:
        more.append("This model gives no prediction interval.")
    if (age := assessment.chronological_age_months) is not None:
        growth = assessment.clinical.growth if assessment.clinical else None
        difference = f"; difference {difference_text(growth)}" if growth else ""
        more.append(f"Chronological age {age_text(age)}{difference}")
    lines = [
        ("bone-age-label", "Bone age"),
        ("bone-age", bone_age_text(assessment)),
        ("bone-age-months", months),
        *(("bone-age-more", text) for text in more),
    ]
    paragraphs = "".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines)
    return f'<div role="status">{paragraphs}</div>'
