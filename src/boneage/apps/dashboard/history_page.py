"""The page of the history: the growth chart of each child, export, deletion."""

from __future__ import annotations

import json

import streamlit as st

from boneage.apps.dashboard.keeping import history_place
from boneage.apps.dashboard.markup import plain
from boneage.apps.dashboard.visit import Visit
from boneage.domain.assessment import years_and_months
from boneage.errors import HistoryError
from boneage.history.chart import chart_of
from boneage.history.entry import Entry
from boneage.history.store import History
from boneage.reports.growth_svg import description, growth_svg

CHART_PX = 860


def history_page() -> None:
    """Draw the page."""
    st.title("Growth over time")
    try:
        history = History(history_place() or "")
        _delete_wanted(history)
        _show(history)
        history.close()
    except HistoryError as error:
        st.error(plain(f"{error}."))


def _show(history: History) -> None:
    people = history.people()
    if not people:
        st.info("Nothing is kept yet: read a film, and keep the answer under a pseudonym.")
        return
    names = [person.pseudonym for person in people]
    pseudonym = st.selectbox("Child", names, key="person")
    entries = history.entries(pseudonym)
    if entries:
        chart = chart_of(entries)
        st.image(growth_svg(chart), alt=description(chart), width=CHART_PX)
        st.dataframe(table(entries), hide_index=True)
        _offer(pseudonym, entries)
    _ask_deletion(pseudonym)


def table(entries: list[Entry]) -> dict[str, list[object]]:
    """One row an entry, by column."""
    ages = [entry.chronological_age_months for entry in entries]
    return {
        "Age": ["not known" if age is None else years_and_months(age) for age in ages],
        "Bone age": [years_and_months(entry.bone_age_months) for entry in entries],
        "Months": [round(entry.bone_age_months, 1) for entry in entries],
        "SDS": [None if entry.sds is None else round(entry.sds, 1) for entry in entries],
        "Determination": [entry.determination for entry in entries],
        "Height, cm": [entry.height_cm for entry in entries],
        "Adult height, cm": [
            None if entry.adult_height_cm is None else round(entry.adult_height_cm, 1)
            for entry in entries
        ],
        "Weights": [entry.weights for entry in entries],
    }


def _offer(pseudonym: str, entries: list[Entry]) -> None:
    plain_values = {"pseudonym": pseudonym, "entries": [entry.to_dict() for entry in entries]}
    with st.container(horizontal=True):
        for label, name, kind, text in (
            ("JSON", "history.json", "application/json", json.dumps(plain_values, indent=2)),
            ("Chart (SVG)", "growth.svg", "image/svg+xml", growth_svg(chart_of(entries))),
        ):
            st.download_button(
                label, text, name, kind, on_click="ignore", icon=":material/download:"
            )


def _ask_deletion(pseudonym: str) -> None:
    with st.expander("Delete this child"):
        sure = st.checkbox("Delete every entry for good", key=f"sure-{pseudonym}")
        st.button("Delete", disabled=not sure, on_click=_want_deleted, args=(pseudonym,))


def _want_deleted(pseudonym: str) -> None:
    Visit.current().to_delete = pseudonym


def _delete_wanted(history: History) -> None:
    visit = Visit.current()
    pseudonym, visit.to_delete = visit.to_delete, None  # first: what fails is said once
    if pseudonym is not None:
        history.delete(pseudonym)
