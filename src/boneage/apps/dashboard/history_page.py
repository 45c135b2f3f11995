"""The page of the history: the growth chart of each child, export, deletion."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from boneage.apps.dashboard.markup import escape_markdown
from boneage.apps.dashboard.visit import Visit, history_place
from boneage.domain.reported import (
    CM_DECIMALS,
    MONTHS_DECIMALS,
    SDS_DECIMALS,
    reported,
    years_and_months,
)
from boneage.domain.visits import ClinicVisit
from boneage.errors import HistoryError
from boneage.history.entry import chart_of, plain_visit
from boneage.history.store import History
from boneage.reports.chart_svg import chart_svg
from boneage.reports.charts import bone_age_chart
from boneage.reports.wording import stored_classification

CHART_PX = 860


def history_page() -> None:
    """Draw the page."""
    st.title("Bone age over time")
    try:
        history = History(history_place() or "")
        _delete_requested(history)
        _show(history)
        history.close()
    except HistoryError as error:
        st.error(escape_markdown(f"{error}."))


def _show(history: History) -> None:
    names = [person.pseudonym for person in history.people()]
    if not names:
        st.info("Nothing is saved yet: assess a radiograph and save the result to the history.")
        return
    pseudonym = st.selectbox("Child", names, key="person")
    entries = history.entries(pseudonym)
    if entries:
        chart = bone_age_chart(chart_of(entries))
        drawing = chart_svg(chart)
        st.image(drawing, alt=chart.description, width=CHART_PX)
        st.dataframe(table(entries), hide_index=True)
        plain_values = {"pseudonym": pseudonym, "entries": [plain_visit(one) for one in entries]}
        with st.container(horizontal=True):
            for label, name, kind, text in (
                ("JSON", "history.json", "application/json", json.dumps(plain_values, indent=2)),
                ("Chart (SVG)", "growth.svg", "image/svg+xml", drawing),
            ):
                st.download_button(
                    label, text, name, kind, on_click="ignore", icon=":material/download:"
                )
    with st.expander("Delete this child's assessments"):
        sure = st.checkbox(
            "Delete all assessments of this child permanently", key=f"sure-{pseudonym}"
        )
        st.button("Delete", disabled=not sure, on_click=_request_deletion, args=(pseudonym,))


def table(entries: Sequence[ClinicVisit]) -> dict[str, list[object]]:
    """One row per assessment, by column."""
    ages = [entry.chronological_age_months for entry in entries]
    bone_ages = [entry.reported_bone_age_months for entry in entries]
    return {
        "Age": ["not known" if age is None else years_and_months(age) for age in ages],
        "Bone age": [None if m is None else years_and_months(m) for m in bone_ages],
        "Months": [_rounded(m, MONTHS_DECIMALS) for m in bone_ages],
        "SDS": [_rounded(entry.sds, SDS_DECIMALS) for entry in entries],
        "Classification": [stored_classification(entry.determination) for entry in entries],
        "Height, cm": [_rounded(entry.height_cm, CM_DECIMALS) for entry in entries],
        "Predicted adult height, cm": [
            _rounded(entry.adult_height_cm, CM_DECIMALS) for entry in entries
        ],
        "Model": [entry.weights for entry in entries],
    }


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else reported(value, decimals)


def _request_deletion(pseudonym: str) -> None:
    Visit.current().pseudonym_to_delete = pseudonym


def _delete_requested(history: History) -> None:
    visit = Visit.current()
    pseudonym = visit.pseudonym_to_delete
    visit.pseudonym_to_delete = None  # first: a failure is reported once
    if pseudonym is not None:
        history.delete(pseudonym)
