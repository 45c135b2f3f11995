"""What there is to know of one image: interpretation, the reader's decision, regions, exports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from importlib.util import find_spec

import streamlit as st

from boneage.apps.dashboard.analysis import AnalysedImage
from boneage.apps.dashboard.downloads import (
    DownloadFile,
    ExportRequest,
    make_download,
    make_file,
)
from boneage.apps.dashboard.entry import Entry
from boneage.apps.dashboard.interactive_chart import chart_spec
from boneage.apps.dashboard.language import NAMES, page_language, page_words
from boneage.apps.dashboard.markup import HEAT_SCALE, escape_markdown, headline, metadata_list
from boneage.apps.dashboard.pictures import address
from boneage.apps.dashboard.reader import ask_decision, is_hidden
from boneage.apps.dashboard.visit import Visit, assessor, history_place
from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.course import course_of
from boneage.domain.assessment import Assessment
from boneage.domain.findings import Severity
from boneage.domain.visits import ChildRecord
from boneage.errors import HistoryError, OutputError
from boneage.history.entry import visit_of
from boneage.i18n.words import Words, languages
from boneage.reports import clinical_wording, wording
from boneage.reports.charts import bone_age_chart
from boneage.reports.exports import (
    DICOM_PICTURE,
    DICOM_REPORT,
    FHIR,
    FORMATS,
    REPORT,
    ReportOptions,
)
from boneage.reports.identity import Identity

PAPERS: Mapping[str, str] = {"a4": "A4", "letter": "Letter"}
PSEUDONYM_LETTERS = 64


def show_headline(assessment: Assessment, words: Words) -> None:
    """Draw the bone age, large, and what to know before it is used."""
    for refusal in assessment.refusals:
        st.error(escape_markdown(wording.refusal_sentence(refusal, words)))
    st.html(headline(assessment, words))
    for finding in assessment.warnings:
        if finding.severity is not Severity.REFUSAL:  # shown above the bone age
            st.warning(escape_markdown(wording.finding_text(finding, words)))


def show_result(visit: Visit, entry: Entry, words: Words, *, hidden: bool) -> None:
    """Draw everything below the image, in tabs."""
    _ = words.gettext
    analysed = None if is_hidden(entry, hidden=hidden) else entry.analysed
    if analysed is None:
        with st.expander(_("Image information")):
            st.html(metadata_list(entry.image.information(words)))
        return
    names = [_("Clinical interpretation"), _("Reader"), _("Report and export")]
    names += [_("Region detection"), _("Details")]
    clinical, reader, exports, regions, details = st.tabs(names)
    with clinical:
        _show_clinical(entry.stated or analysed, words)
    with reader:
        ask_decision(entry, words)
    with exports:
        _show_exports(visit, entry, words)
    with regions:
        _show_regions(entry, analysed, words)
    with details:
        _show_details(analysed, words)


def _show_clinical(analysed: AnalysedImage, words: Words) -> None:
    """Draw the clinical interpretation; the chart where the age is known."""
    _ = words.gettext
    assessment = analysed.assessment
    if (clinical := assessment.clinical) is None:
        return
    age = clinical_wording.chronological_age(assessment, words)
    known = [(_("Chronological age"), age)] if age is not None else []
    st.html(metadata_list([*known, *clinical_wording.clinical_entries(clinical, words)]))
    if clinical.growth is None:
        st.caption(_("State the age in the row for difference, SDS, normal range and chart."))
        return
    child = ChildRecord("", assessment.sex, (visit_of(assessment),))
    reference = bone_age_reference(clinical.context.sds_reference)
    course = course_of(child, centre=clinical.context.centre, bone_ages=reference)
    chart = bone_age_chart(course.growth_chart, words)
    st.vega_lite_chart(chart_spec(chart), key=f"chart-{analysed.image.key}")
    st.caption(chart.description)


def _show_regions(entry: Entry, analysed: AnalysedImage, words: Words) -> None:
    _ = words.gettext
    st.markdown(
        _(
            "The attention network locates one region in each step; the regions found before are "
            "blacked out. Below: the regions at full resolution, as the regional networks use them."
        )
    )
    st.html(HEAT_SCALE.format(low=_("Attention: low"), high=_("high")))
    detections = analysed.assessment.detections
    steps, crops = [], []
    for number, detection in enumerate(detections):
        name = wording.region_label(detection, words)
        alone = analysed.assessment.age_by_network.get(detection.region)
        step = _("Step {number}: {region}").format(number=number + 1, region=name)
        estimate = f": {words.months(alone)}" if alone is not None else ""
        steps.append((f"step-{number}", step))
        crops.append((f"crop-{number}", f"{name}{estimate}"))
    for row in (steps, crops):
        st.html(_pictures(entry, row))


def _pictures(entry: Entry, pictures: list[tuple[str, str]]) -> str:
    drawn = "".join(
        f'<figure><img loading="lazy" src="{address(entry.name, view, entry.version)}" '
        f'alt="{escape(caption)}"><figcaption>{escape(caption)}</figcaption></figure>'
        for view, caption in pictures
    )
    return f'<div class="pictures">{drawn}</div>'


def _show_details(analysed: AnalysedImage, words: Words) -> None:
    _ = words.gettext
    assessment = analysed.assessment
    weights = assessment.weights
    estimates = [
        (wording.region_name(name, words).capitalize(), words.months(age))
        for name, age in assessment.age_by_network.items()
    ]
    seconds = _("{seconds} seconds").format(seconds=words.number(assessment.seconds, 2))
    model = [
        (_("Name"), weights.name),
        (_("Profile"), weights.profile),
        ("SHA-256", weights.sha256[:12]),
        (_("Processing time"), seconds),
    ]
    if calibrated := assessment.calibrated:
        model.append((_("Site calibration"), f"{calibrated.name}, {words.date(calibrated.date)}"))
    for title, rows in (
        (_("Regional estimates"), estimates),
        (_("Model"), model),
        (_("Image information"), analysed.image.information(words)),
    ):
        st.header(title)
        st.html(metadata_list(rows))


def _show_exports(visit: Visit, entry: Entry, words: Words) -> None:
    """Draw the buttons of report, FHIR and DICOM, and the form that saves to the history."""
    _ = words.gettext
    stated, key = entry.stated, entry.key
    if stated is None:
        st.info(_("The reader has rejected this bone age: nothing is exported."))
        _show_save_form(visit, entry, words)
        return
    _ask_options(entry, words)
    options = _options(entry)
    with st.container(horizontal=True):
        for name, label in ((REPORT, _("Report (PDF)")), (FHIR, "FHIR")):
            kind = FORMATS[name]
            if kind.library is None or find_spec(kind.library) is not None:
                st.download_button(
                    label,
                    partial(_written, visit, key, name, options),
                    f"{stated.image.stem}{kind.suffix}",
                    kind.media_type,
                    on_click="ignore",
                    type="primary" if name == REPORT else "secondary",
                    icon=":material/download:",
                    key=f"{name}-{key}",
                )
        if stated.image.is_dicom and find_spec("highdicom") is not None:
            st.button(
                _("DICOM files (ZIP)"),
                on_click=_request_dicom,
                args=(visit, entry),
                key=f"dicom-{key}",
            )
    st.caption(_("Report and FHIR do not identify the child, except by pseudonym and study date."))
    if stated.image.is_dicom:
        st.caption(
            _(
                "The DICOM files, picture and structured report, join the study of the image: they "
                "contain **name, identifiers and dates of the patient**, as stated in the image."
            )
        )
    request = visit.export
    if request is not None and request.key == key and request.options == options:
        _show_export(request, stated)
    _show_save_form(visit, entry, words)


def _written(visit: Visit, key: str, name: str, options: ReportOptions) -> bytes:
    """Write a file at the click; Streamlit holds the button's function, and no image by it."""
    entry = visit.entries.get(key)
    if entry is None or entry.stated is None:
        raise OutputError("the image is no longer in the list")
    return make_file(name, entry.stated, options)


def _ask_options(entry: Entry, words: Words) -> None:
    _, key = words.gettext, entry.key
    first, second, third = st.columns(3)
    known = languages()
    first.radio(
        _("Language of the report"),
        known,
        index=known.index(page_language()),
        format_func=lambda code: NAMES.get(code, code),
        horizontal=True,
        key=f"language-{key}",
    )
    second.radio(
        _("Paper"), PAPERS, format_func=PAPERS.__getitem__, horizontal=True, key=f"paper-{key}"
    )
    third.text_input(
        _("Pseudonym to print (optional)"),
        value=entry.pseudonym,
        max_chars=PSEUDONYM_LETTERS,
        help=_("Identifies the child in the report and the FHIR observation."),
        key=f"printed-{key}",
    )
    if entry.image.metadata.study_date is not None:
        st.checkbox(_("State the study date"), value=True, key=f"dated-{key}")


def _options(entry: Entry) -> ReportOptions:
    state, key = st.session_state, entry.key
    date = entry.image.metadata.study_date if state.get(f"dated-{key}") else None
    identity = Identity(state[f"printed-{key}"].strip() or None, study_date=date)
    made = assessor().weights.manifest.date
    return ReportOptions(state[f"paper-{key}"], state[f"language-{key}"], identity, made)


def _request_dicom(visit: Visit, entry: Entry) -> None:
    """Store the request: the rerun of the click may be aborted, and no other sees the click."""
    stated = entry.stated
    if stated is not None:
        names = (DICOM_PICTURE, DICOM_REPORT)
        visit.export = ExportRequest(entry.key, names, stated.assessment, _options(entry))


def _show_export(request: ExportRequest, stated: AnalysedImage) -> None:
    if request.download is None:
        with st.spinner("…"):
            request.download = make_download(request.names, stated, request.options)
    download = request.download
    if isinstance(download, DownloadFile):
        st.download_button(
            escape_markdown(f"{download.name}"),
            download.content,
            download.name,
            download.media_type,
            on_click="ignore",
            type="primary",
            icon=":material/download:",
            key=f"save-{request.key}",
        )
    else:
        st.error(escape_markdown(download.message))


def _show_save_form(visit: Visit, entry: Entry, words: Words) -> None:
    """Draw the form that saves the result under a pseudonym; nothing is saved before the click."""
    _, place = words.gettext, history_place()
    if place is None:
        return
    with st.form(f"save-{entry.key}", border=True):
        st.text_input(
            _("Pseudonym of the child"),
            value=entry.pseudonym,
            help=_(
                "Letters and digits, no name. Saved: ages, height, SDS and the model; no image, no "
                "name, no date of birth."
            ),
            key=f"pseudonym-{entry.key}",
        )
        if entry.saved_as:
            names = ", ".join(entry.saved_as)
            saved = _("Saved to history as {pseudonym}.").format(pseudonym=names)
            st.success(escape_markdown(saved))
            st.checkbox(_("Save it once more"), key=f"again-{entry.key}")
        st.form_submit_button(_("Save to history"), on_click=_save, args=(visit, place, entry))


def _save(visit: Visit, place: str, entry: Entry) -> None:
    """Save in the callback of the click: a rerun may be aborted, and the click lost."""
    from boneage.history.store import History  # noqa: PLC0415  needs the extra

    analysed, state = entry.analysed, st.session_state
    if analysed is None or (entry.saved_as and not state.get(f"again-{entry.key}")):
        return
    pseudonym: str = state[f"pseudonym-{entry.key}"]
    saved = visit_of(analysed.assessment, analysed.fingerprint, entry.reading)
    try:
        history = History(place)
        history.add(pseudonym, saved)
        history.close()
    except HistoryError as error:
        sentence = page_words().gettext("Not saved: {reason}.")
        visit.note(sentence.format(reason=error), failed=True)
    else:
        entry.saved_as.append(pseudonym.strip())
