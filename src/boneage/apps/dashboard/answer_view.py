"""The answer to one film, with all that a reader needs to judge it."""

from __future__ import annotations

import streamlit as st

from boneage.apps.dashboard import pictures
from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.child_view import show_child
from boneage.apps.dashboard.films import facts_in_words
from boneage.apps.dashboard.markup import facts_list, headline, heat_scale, plain
from boneage.apps.dashboard.pictures import Picture
from boneage.domain.assessment import Severity
from boneage.reports.panels import HEAT_ALPHA
from boneage.reports.wording import DISCLAIMER

PICTURES_ABREAST = 3
"""At least, so that a picture of two is no larger than one of three."""


@st.fragment  # the slider redraws the answer, not the page
def show_answer(answer: Answer) -> None:
    """Draw the number, the warnings, the pictures and what answered."""
    words, film = st.columns([1, 1.35], gap="large")
    with words:
        for refusal in answer.assessment.refusals:
            st.error(plain(f"Refused: {refusal.message} Read all the same, as was asked."))
        st.html(headline(answer.assessment))
        for finding in answer.assessment.warnings:
            if finding.severity is not Severity.REFUSAL:  # said above the number
                st.warning(plain(finding.message))
        opacity = _ask_opacity(answer.film.key)
        st.html(heat_scale())
        st.html(f'<p class="notice">{DISCLAIMER}</p>')
    with film:
        _show(pictures.of_regions(answer, opacity))
    show_child(answer)
    _show_looks(answer, opacity)
    _show_details(answer)


def _ask_opacity(key: str) -> float:
    percent: int = st.slider(
        "Opacity of the heat map",
        0,
        100,
        round(HEAT_ALPHA * 100),
        step=5,
        format="%d%%",
        key=f"opacity-{key}",
    )
    return percent / 100


def _show_details(answer: Answer) -> None:
    readings = [
        (name.replace("_", " ").capitalize(), f"{age:.1f} months")
        for name, age in answer.assessment.readings.items()
    ]
    weights = answer.assessment.weights
    origin = [
        ("Weights", weights.name),
        ("Profile", weights.profile),
        ("SHA-256", weights.sha256[:12]),
        ("Time taken", f"{answer.assessment.seconds:.2f} seconds"),
    ]
    if calibrated := answer.assessment.calibrated:
        origin.append(("Calibration", f"{calibrated.name}, {calibrated.date}"))
    blocks = (
        ("Each network alone", readings),
        ("What answered", origin),
        ("What the file says", facts_in_words(answer.film)),
    )
    for column, (title, rows) in zip(st.columns(len(blocks)), blocks, strict=True):
        with column:
            st.header(title)
            st.html(facts_list(rows))


def _show_looks(answer: Answer, opacity: float) -> None:
    st.header("How the regions were found")
    st.markdown(
        "The attention network looks once for each region; what an earlier look found is "
        "blacked out, so that it looks elsewhere. Below: the regions as they were read, cut "
        "from the film at full resolution."
    )
    looks = answer.assessment.looks
    _show_row([pictures.of_look(answer, number, opacity) for number in range(len(looks))])
    _show_row([pictures.of_crop(answer, look) for look in looks])


def _show_row(row: list[Picture]) -> None:
    columns = st.columns(max(PICTURES_ABREAST, len(row)))
    for column, picture in zip(columns, row, strict=False):
        with column:
            _show(picture)


def _show(picture: Picture) -> None:
    st.image(picture.jpeg, plain(picture.caption), alt=picture.alt, width="stretch")
