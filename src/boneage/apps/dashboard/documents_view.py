"""The documents of an answer on the page: what they are to be, and the file to save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.documents import Made, Order, is_dicom, made
from boneage.apps.dashboard.markup import plain
from boneage.apps.dashboard.visit import Visit, assessor
from boneage.i18n.words import languages
from boneage.reports.exports import DICOM_PICTURE, DICOM_REPORT, FHIR, REPORT, ReportOptions
from boneage.reports.identity import Identity

PAPERS: Mapping[str, str] = {"a4": "A4", "letter": "Letter"}
NAMES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
CHOICES: Mapping[str, Sequence[str]] = {
    "Make the report (PDF)": (REPORT,),
    "Make the FHIR observation (JSON)": (FHIR,),
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
        choices = dict(CHOICES)
        if is_dicom(answer):
            choices[DICOM_LABEL] = (DICOM_PICTURE, DICOM_REPORT)
        _ask(answer, choices)
        order = Visit.current().order
        if order is not None and order.is_for(answer, _options(answer.film.key)):
            _show(order)


def _ask(answer: Answer, choices: Mapping[str, Sequence[str]]) -> None:
    """Ask how the documents are to be, and which is wanted."""
    key = answer.film.key
    with st.form(f"documents-{key}", border=False):
        first, second, third = st.columns(3)
        first.radio(
            "Paper",
            PAPERS,
            format_func=PAPERS.__getitem__,
            horizontal=True,
            key=f"paper-{key}",
        )
        second.radio(
            "Language of the report",
            languages(),
            format_func=lambda code: NAMES.get(code, code),
            horizontal=True,
            key=f"language-{key}",
        )
        third.text_input(
            "Pseudonym to print (optional)",
            max_chars=PSEUDONYM_LETTERS,
            help="What you call the child, in the report and the FHIR observation.",
            key=f"printed-{key}",
        )
        st.caption(WHO if DICOM_LABEL not in choices else f"{WHO} {WHO_DICOM}")
        with st.container(horizontal=True):
            for label, names in choices.items():
                st.form_submit_button(label, on_click=_order, args=(names, answer))


def _order(names: Sequence[str], answer: Answer) -> None:
    """Note what was clicked: any redraw may break off this one, and no other sees the click."""
    Visit.current().order = Order(names, answer, _options(answer.film.key))


def _options(key: str) -> ReportOptions:
    state = st.session_state
    pseudonym = state[f"printed-{key}"].strip() or None
    date = assessor().weights.manifest.date
    identity = Identity(pseudonym)
    return ReportOptions(state[f"paper-{key}"], state[f"language-{key}"], identity, date)


def _show(order: Order) -> None:
    if order.found is None:
        with st.spinner("Making it …"):
            order.found = made(order.names, order.answer, order.options)
    found = order.found
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
