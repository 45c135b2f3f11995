"""Small pieces of HTML. Whatever a file or a person wrote is escaped on its way in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from boneage.apps.dashboard.answers import against_age, interval_in_words
from boneage.domain.assessment import Assessment, years_and_months
from boneage.reports.wording import site_calibration

MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+.!|~$:-])")


def plain(text: str) -> str:
    """Let Markdown show a text as it is."""
    return MARKDOWN.sub(r"\\\1", text)


def facts_list(rows: Sequence[tuple[str, str]]) -> str:
    """Labels and values, as a list of definitions."""
    items = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in rows)
    return f'<dl class="facts">{items}</dl>'


def labelled(lines: Sequence[tuple[str, str]]) -> str:
    """Labels and texts, as a list; a text without label goes on from the one above."""
    joined: list[tuple[str, list[str]]] = []
    for label, text in lines:
        if label or not joined:
            joined.append((label, []))
        joined[-1][1].append(text)
    return facts_list([(label, "; ".join(texts)) for label, texts in joined])


def film_name(name: str) -> str:
    """The name of a film, above what belongs to it."""
    return f'<p class="film-name">{escape(name)}</p>'


def headline(assessment: Assessment) -> str:
    """The answer, large; read aloud when it appears."""
    lines = [
        '<p class="bone-age-label">Bone age</p>',
        f'<p class="bone-age">{years_and_months(assessment.age_months)}</p>',
        f'<p class="bone-age-months">{assessment.age_months:.1f} months, '
        f"{assessment.sex} standard</p>",
        f'<p class="bone-age-more">{escape(interval_in_words(assessment))}</p>',
    ]
    if calibrated := assessment.calibrated:
        said = f"{site_calibration(calibrated)}."
        lines.append(f'<p class="bone-age-more">{escape(said)}</p>')
    if said := against_age(assessment):
        lines.append(f'<p class="bone-age-more">{escape(said)}</p>')
    return f'<div role="status">{"".join(lines)}</div>'


def heat_scale() -> str:
    """What the colours of the heat map mean."""
    return '<p class="heat-scale">no attention <i></i> highest</p>'
