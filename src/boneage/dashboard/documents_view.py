"""The documents of an answer on the page: what they are to be, and the file to save."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from boneage.dashboard.answers import Answer
from boneage.dashboard.documents import (
    Made,
    Maker,
    Wishes,
    dicom_of,
    fhir_of,
    is_dicom,
    made,
    report_of,
)
from boneage.dashboard.markup import plain
from boneage.dashboard.visit import assessor
from boneage.language.words import languages

PAPERS: Mapping[str, str] = {"a4": "A4", "letter": "Letter"}
NAMES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
MAKERS: Mapping[str, Maker] = {
    "Make the report (PDF)": report_of,
    "Make the FHIR observation (JSON)": fhir_of,
}
DICOM_LABEL = "Make the DICOM files (ZIP)"
PSEUDONYM_LETTERS = 64
WHO = "Report and FHIR observation name no child, but for the pseudonym."
WHO_DICOM = (
    "The DICOM files, picture and structured report, join the study of the film: "
    "they carry **name, identifiers and dates of its patient**, as the film states them."
)


@st.fragment  # making a document redraws its own part of the page alone
def offer_documents(answer: Answer) -> None:
    """Offer report, FHIR and, of a DICOM film, DICOM; nothing is made before the click."""
    with st.expander("Report, FHIR and DICOM", icon=":material/description:"):
        makers = dict(MAKERS)
        if is_dicom(answer):
            makers[DICOM_LABEL] = dicom_of
        wishes, wanted = _ask(answer.film.key, makers)
        if wanted is not None:
            _show(answer, wanted, wishes)


def _ask(key: str, makers: Mapping[str, Maker]) -> tuple[Wishes, Maker | None]:
    """Ask how the documents are to be, and which is wanted now."""
    with st.form(f"documents-{key}", border=False):
        first, second, third = st.columns(3)
        paper = first.radio("Paper", PAPERS, format_func=PAPERS.__getitem__, horizontal=True)
        language = second.radio(
            "Language of the report",
            languages(),
            format_func=lambda code: NAMES.get(code, code),
            horizontal=True,
        )
        pseudonym = third.text_input(
            "Pseudonym to print (optional)",
            max_chars=PSEUDONYM_LETTERS,
            help="What you call the child, in the report and the FHIR observation.",
        )
        st.caption(WHO if DICOM_LABEL not in makers else f"{WHO} {WHO_DICOM}")
        with st.container(horizontal=True):
            clicked = [make for label, make in makers.items() if st.form_submit_button(label)]
    date = assessor().weights.manifest.date
    wishes = Wishes(paper, language, pseudonym.strip() or None, date)
    return wishes, clicked[0] if clicked else None


def _show(answer: Answer, maker: Maker, wishes: Wishes) -> None:
    with st.spinner("Making it …"):
        found = made(maker, answer, wishes)
    if isinstance(found, Made):
        st.download_button(
            plain(f"Save {found.name}"),
            found.content,
            found.name,
            found.media_type,
            on_click="ignore",
            type="primary",
            icon=":material/download:",
        )
    else:
        st.error(plain(f"Not made: {found.message}"))
