"""The page that assesses radiographs: add them, choose the sex, see the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from boneage.apps.dashboard import analysis, downloads
from boneage.apps.dashboard.analysis import Outcome, analyse_image
from boneage.apps.dashboard.image_view import ask_choice, show_image, show_rejection
from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB
from boneage.apps.dashboard.markup import escape_markdown
from boneage.apps.dashboard.result_view import show_exports, show_result
from boneage.apps.dashboard.uploads import (
    EXAMPLE,
    Choice,
    UploadedImage,
    blocking_reason,
)
from boneage.apps.dashboard.visit import Visit, assessor, history_place, weights_problem
from boneage.domain.assessment import Failure, Severity
from boneage.inference.session import steps_of
from boneage.reports.wording import DISCLAIMER, bone_age_text, interval_text

EXAMPLE_KEY = "example"
HOW = Path(__file__).with_name("how.md").read_text("utf-8")
SAVED = """
Only what you save to the history, under a pseudonym, is stored: ages, height and SDS, no image.
"""
FILES: tuple[tuple[str, str, str, Callable[[Sequence[Outcome]], bytes]], ...] = (
    ("CSV", "bone_ages.csv", "text/csv", downloads.csv_of),
    ("JSON", "bone_ages.json", "application/json", downloads.json_of),
    ("Pictures (ZIP)", "bone_ages.zip", downloads.ZIP_TYPE, downloads.pictures_of),
)
COLUMNS = ("Image", "File", "Sex", "Bone age", "Months", "Prediction interval", "Findings")


def assessment_page() -> None:
    """Draw the page."""
    visit = Visit.current()
    problem = weights_problem()
    st.title("Bone age from a hand radiograph")
    st.html(f'<p class="notice">{DISCLAIMER}</p>')
    inputs, viewer = st.columns([1, 2.5], gap="large")
    with inputs:
        _add(visit)
        choices = {}
        for image in visit.images:
            with st.container(border=True):
                choices[image.key] = ask_choice(image, many=len(visit.images) > 1)
        reason = blocking_reason(visit.images, choices, problem)
        count = len(visit.images)
        st.button(
            "Assess bone age" if count < 2 else f"Analyse {count} radiographs",
            type="primary",
            disabled=bool(reason),
            width="stretch",
            on_click=visit.request_all,
        )
        if reason:
            st.caption(reason)
        visit.queue_all_requested(choices, possible=not reason)
        if not problem:
            _analyse(visit, choices)
    with viewer:
        if problem:
            st.error(problem)
        _view(visit, choices)


def _add(visit: Visit) -> None:
    uploads = st.file_uploader(
        "Drop radiographs here (PNG, JPEG, TIFF, WebP, BMP, DICOM)",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_LIMIT_MB,
        key="uploads",
    )
    st.caption(f"Up to {UPLOAD_LIMIT_MB} MB each; export a larger image compressed.")
    st.button(
        "Try the synthetic example",
        type="tertiary",
        icon=":material/draw:",
        on_click=visit.add_example,
    )
    files = [(upload.file_id, upload.name, upload.getvalue) for upload in uploads]
    if visit.with_example:
        files.append((EXAMPLE_KEY, f"{EXAMPLE.file_name}.dcm", EXAMPLE.dicom))
    visit.update_uploads(files)
    for rejected in visit.rejected:
        show_rejection(rejected)


def _analyse(visit: Visit, choices: Mapping[str, Choice]) -> None:
    """Analyse the pending images, also those left by an aborted rerun."""
    pending = visit.pending(choices)
    if not pending:
        return
    shared = assessor()
    steps = steps_of(shared)
    place = st.empty()
    for number, (image, request) in enumerate(pending, start=1):
        of = f"radiograph {number} of {len(pending)}: " if len(pending) > 1 else ""

        def show_step(step: str, of: str = of) -> None:
            place.progress(steps.index(step) / len(steps), f"{of}{step} …".capitalize())

        try:
            found = analyse_image(shared, image, request.choice, show_step, force=request.force)
        except Exception:  # of the weights: without this it would recur in every rerun
            visit.requests.clear()
            raise
        visit.record_outcome(image, request, found)
    place.empty()


def _view(visit: Visit, choices: Mapping[str, Choice]) -> None:
    if not visit.images:
        st.header("How it works")
        st.markdown(HOW if history_place() is None else HOW + SAVED)
        return
    image = _pick(visit, choices)
    found = visit.outcome_of(image, choices[image.key])
    if found is None:
        show_image(image)
        if image.key in visit.outcomes:
            st.info("Sex, age or height has changed: assess the bone age again.")
    elif isinstance(found, Failure):
        st.error(escape_markdown(found.message))
        for finding in found.findings:
            if finding.severity is Severity.WARNING:
                st.warning(escape_markdown(finding.message))
        if found.refused:
            st.button(
                "Analyse anyway",
                key=f"force-{image.key}",
                on_click=visit.request,
                args=(image, choices[image.key]),
                kwargs={"force": True},
            )
    else:
        show_result(found)
        show_exports(found)
        if len(visit.images) == 1:
            _show_downloads([found])


def _pick(visit: Visit, choices: Mapping[str, Choice]) -> UploadedImage:
    """Draw the table of several images, and give the selected one."""
    outcomes = {image.key: visit.outcome_of(image, choices[image.key]) for image in visit.images}
    if len(visit.images) == 1:
        return visit.images[0]
    if any(outcomes.values()):
        st.header("All radiographs")
        st.dataframe(
            result_table(visit.images, outcomes),
            hide_index=True,
            row_height=64,
            column_config={
                "Image": st.column_config.ImageColumn(width=64),
                "Months": st.column_config.NumberColumn(format="%.1f"),
                "Findings": st.column_config.TextColumn(width="large"),
            },
        )
        _show_downloads([outcome for outcome in outcomes.values() if outcome is not None])
    return st.selectbox(
        "Radiograph shown below",
        visit.images,
        format_func=lambda image: image.name,
        key="image-shown",
    )


def result_table(
    images: Sequence[UploadedImage], outcomes: Mapping[str, Outcome | None]
) -> dict[str, list[object]]:
    """One row per image, by column."""
    rows = [
        (analysis.thumbnail_url(image), image.name, *_cells(outcomes[image.key]))
        for image in images
    ]
    return {name: list(cells) for name, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)}


def _cells(outcome: Outcome | None) -> tuple[object, ...]:
    if outcome is None:
        return (None, None, None, None, "Not analysed yet")
    if isinstance(outcome, Failure):
        return (None, None, None, None, outcome.message)
    found = outcome.assessment
    interval = interval_text(found.interval) if found.interval else None
    findings = " ".join(finding.message for finding in found.warnings) or "none"
    age = bone_age_text(found)
    return (found.sex.value, age, found.age_months, interval, findings)


def _show_downloads(outcomes: Sequence[Outcome]) -> None:
    """Draw the buttons that save the results as files."""
    with st.container(horizontal=True):
        for label, name, kind, write in FILES:
            st.download_button(
                label,
                partial(write, outcomes),
                name,
                kind,
                on_click="ignore",
                icon=":material/download:",
            )
