"""The result of one image: how it came about, saving it and exporting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from boneage.apps.dashboard import analysis
from boneage.apps.dashboard.analysis import AnalysedImage, BrowserPicture
from boneage.apps.dashboard.downloads import DownloadFile, ExportRequest, make_download
from boneage.apps.dashboard.markup import HEAT_SCALE, escape_markdown, headline, metadata_list
from boneage.apps.dashboard.visit import SaveMessage, Visit, assessor, history_place
from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.course import course_of
from boneage.domain.assessment import Severity
from boneage.domain.visits import ChildRecord
from boneage.errors import HistoryError
from boneage.history.entry import visit_of
from boneage.i18n.words import languages
from boneage.reports import wording
from boneage.reports.chart_svg import chart_svg
from boneage.reports.charts import bone_age_chart
from boneage.reports.exports import DICOM_PICTURE, DICOM_REPORT, FHIR, REPORT, ReportOptions
from boneage.reports.identity import Identity
from boneage.reports.panels import HEAT_ALPHA

PICTURES_ABREAST = 3
"""Columns at least, so that two pictures are no larger than three."""
PAPERS: Mapping[str, str] = {"a4": "A4", "letter": "Letter"}
LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
EXPORTS: Mapping[str, Sequence[str]] = {
    "Create report (PDF)": (REPORT,),
    "Create FHIR observation (JSON)": (FHIR,),
}
DICOM_EXPORT = "Create DICOM files (ZIP)"
PSEUDONYM_LETTERS = 64
IDENTITY_NOTE = "Report and FHIR observation do not identify the child, except by the pseudonym."
IDENTITY_DICOM_NOTE = (
    "The DICOM files, picture and structured report, join the study of the image: they contain "
    "**name, identifiers and dates of the patient**, as stated in the image."
)


@st.fragment  # the slider redraws the result, not the page
def show_result(analysed: AnalysedImage) -> None:
    """Draw the bone age, the warnings, the pictures and the details."""
    assessment = analysed.assessment
    words, picture = st.columns([1, 1.35], gap="large")
    with words:
        for refusal in assessment.refusals:
            st.error(escape_markdown(wording.refusal_sentence(refusal)))
        st.html(headline(assessment))
        for finding in assessment.warnings:
            if finding.severity is not Severity.REFUSAL:  # shown above the bone age
                st.warning(escape_markdown(finding.message))
        percent: int = st.slider(
            "Opacity of the heat map",
            *(0, 100, round(HEAT_ALPHA * 100)),
            step=5,
            format="%d%%",
            key=f"opacity-{analysed.image.key}",
        )
        opacity = percent / 100
        st.html(HEAT_SCALE)
        st.html(f'<p class="notice">{wording.DISCLAIMER}</p>')
    with picture:
        _show(analysis.of_regions(analysed, opacity))
    _show_clinical(analysed)
    st.header("Region detection")
    st.markdown(
        "The attention network locates one region in each step; the regions found before are "
        "blacked out. Below: the regions at full resolution, as the regional networks use them."
    )
    detections = assessment.detections
    _show_row([analysis.of_step(analysed, number, opacity) for number in range(len(detections))])
    _show_row([analysis.of_crop(analysed, detection) for detection in detections])
    _show_details(analysed)


def _show_clinical(analysed: AnalysedImage) -> None:
    """Draw the clinical interpretation; the chart where the age is known."""
    assessment = analysed.assessment
    if (clinical := assessment.clinical) is None:
        return
    words, drawing = st.columns([1, 1.35], gap="large")
    age = wording.chronological_age(assessment)
    with words:
        st.header("Clinical interpretation")
        known = [("Chronological age", age)] if age is not None else []
        st.html(metadata_list([*known, *wording.clinical_entries(clinical)]))
        if clinical.growth is None:
            st.caption("Enter the age for difference, SDS, normal range and growth chart.")
        _show_save_form(analysed)
    if clinical.growth is not None:
        child = ChildRecord("", assessment.sex, (visit_of(assessment),))
        reference = bone_age_reference(clinical.context.sds_reference)
        course = course_of(child, centre=clinical.context.centre, bone_ages=reference)
        chart = bone_age_chart(course.growth_chart)
        # As a picture: Streamlit removes SVG from HTML.
        drawing.image(chart_svg(chart), alt=chart.description, width="stretch")


def _show_details(analysed: AnalysedImage) -> None:
    assessment = analysed.assessment
    weights = assessment.weights
    estimates = [
        (wording.region_name(name).capitalize(), wording.EN.months(age))
        for name, age in assessment.age_by_network.items()
    ]
    model = [
        ("Name", weights.name),
        ("Profile", weights.profile),
        ("SHA-256", weights.sha256[:12]),
        ("Processing time", f"{assessment.seconds:.2f} seconds"),
    ]
    if calibrated := assessment.calibrated:
        model.append(("Site calibration", f"{calibrated.name}, {calibrated.date}"))
    blocks = (
        ("Estimates by network", estimates),
        ("Model", model),
        ("Image information", analysed.image.information()),
    )
    for column, (title, rows) in zip(st.columns(len(blocks)), blocks, strict=True):
        with column:
            st.header(title)
            st.html(metadata_list(rows))


def _show_row(row: Sequence[BrowserPicture]) -> None:
    columns = st.columns(max(PICTURES_ABREAST, len(row)))
    for column, picture in zip(columns, row, strict=False):
        with column:
            _show(picture)


def _show(picture: BrowserPicture) -> None:
    st.image(picture.jpeg, escape_markdown(picture.caption), alt=picture.alt, width="stretch")


def _show_save_form(analysed: AnalysedImage) -> None:
    """Draw the form that saves the result under a pseudonym; nothing is saved before the click."""
    place = history_place()
    if place is None:
        return
    with st.form(f"save-{analysed.image.key}", border=True):
        st.text_input(
            "Pseudonym of the child",
            help="Letters and digits, no name. Saved: ages, height, SDS and the model; "
            "no image, no name, no date of birth.",
            key=f"pseudonym-{analysed.image.key}",
        )
        st.form_submit_button("Save to history", on_click=_save, args=(place, analysed))
    saved = Visit.current().saved
    if saved is not None and saved.analysed is analysed:
        (st.error if saved.failed else st.success)(escape_markdown(saved.message))


def _save(place: str, analysed: AnalysedImage) -> None:
    """Save in the callback of the click: a rerun may be aborted, and the click lost."""
    from boneage.history.store import History  # noqa: PLC0415  needs the extra

    pseudonym: str = st.session_state[f"pseudonym-{analysed.image.key}"]
    try:
        history = History(place)
        history.add(pseudonym, visit_of(analysed.assessment, analysed.session().fingerprint))
        history.close()
    except HistoryError as error:
        saved = SaveMessage(analysed, f"Not saved: {error}.", failed=True)
    else:
        saved = SaveMessage(analysed, f"Saved to history as {pseudonym.strip()}.")
    Visit.current().saved = saved


@st.fragment  # creating a file redraws only this part of the page
def show_exports(analysed: AnalysedImage) -> None:
    """Draw the form for report, FHIR and, of a DICOM image, DICOM; the click creates them."""
    key = analysed.image.key
    exports = dict(EXPORTS)
    if analysed.image.is_dicom:
        exports[DICOM_EXPORT] = (DICOM_PICTURE, DICOM_REPORT)
    with st.expander("Report, FHIR and DICOM", icon=":material/description:"):
        with st.form(f"documents-{key}", border=False):
            _ask_options(key)
            st.caption(
                f"{IDENTITY_NOTE} {IDENTITY_DICOM_NOTE}"
                if analysed.image.is_dicom
                else IDENTITY_NOTE
            )
            with st.container(horizontal=True):
                for label, names in exports.items():
                    st.form_submit_button(label, on_click=_request_export, args=(names, analysed))
        request = Visit.current().export
        if request is not None and request.matches(analysed, _options(key)):
            _show_export(request)


def _ask_options(key: str) -> None:
    first, second, third = st.columns(3)
    first.radio(
        "Paper", PAPERS, format_func=PAPERS.__getitem__, horizontal=True, key=f"paper-{key}"
    )
    second.radio(
        "Language of the report",
        languages(),
        format_func=lambda code: LANGUAGES.get(code, code),
        horizontal=True,
        key=f"language-{key}",
    )
    third.text_input(
        "Pseudonym to print (optional)",
        max_chars=PSEUDONYM_LETTERS,
        help="Identifies the child in the report and the FHIR observation.",
        key=f"printed-{key}",
    )


def _request_export(names: Sequence[str], analysed: AnalysedImage) -> None:
    """Store the request: the rerun of the click may be aborted, and no other sees the click."""
    options = _options(analysed.image.key)
    Visit.current().export = ExportRequest(names, analysed, options)


def _options(key: str) -> ReportOptions:
    state = st.session_state
    identity = Identity(state[f"printed-{key}"].strip() or None)
    date = assessor().weights.manifest.date
    return ReportOptions(state[f"paper-{key}"], state[f"language-{key}"], identity, date)


def _show_export(request: ExportRequest) -> None:
    if request.download is None:
        with st.spinner("Creating the file …"):
            request.download = make_download(request.names, request.analysed, request.options)
    download = request.download
    if isinstance(download, DownloadFile):
        st.download_button(
            escape_markdown(f"Save {download.name}"),
            download.content,
            download.name,
            download.media_type,
            on_click="ignore",
            type="primary",
            icon=":material/download:",
        )
    else:
        st.error(escape_markdown(f"Not created: {download.message}"))
