"""Keeping an answer in a history: only where the dashboard was started with one."""

from __future__ import annotations

import os

import streamlit as st

from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.markup import plain
from boneage.apps.dashboard.visit import Kept, Visit
from boneage.errors import HistoryError
from boneage.history import HISTORY_VARIABLE


def history_place() -> str | None:
    """Give the file or URL of the history; None where nothing is kept."""
    return os.environ.get(HISTORY_VARIABLE) or None


def offer_to_keep(answer: Answer) -> None:
    """Let the answer be kept under a pseudonym; nothing is kept before the click."""
    place = history_place()
    if place is None:
        return
    with st.form(f"keep-{answer.film.key}", border=True):
        st.text_input(
            "Pseudonym of the child",
            help="Letters and digits, no name. Kept: ages, height, SDS and the weights; "
            "no film, no name, no date of birth.",
            key=f"kept-as-{answer.film.key}",
        )
        st.form_submit_button("Keep in the history", on_click=_keep, args=(place, answer))
    kept = Visit.current().kept
    if kept is not None and kept.answer is answer:
        (st.error if kept.failed else st.success)(plain(kept.message))


def _keep(place: str, answer: Answer) -> None:
    """Keep at the click: a redraw could be broken off by another, and the click lost."""
    pseudonym: str = st.session_state[f"kept-as-{answer.film.key}"]
    from boneage.history.entry import entry_of  # noqa: PLC0415  needs the extra
    from boneage.history.store import History  # noqa: PLC0415

    try:
        history = History(place)
        history.add(pseudonym, entry_of(answer.assessment))
        history.close()
    except HistoryError as error:
        kept = Kept(answer, f"Not kept: {error}.", failed=True)
    else:
        kept = Kept(answer, f"Kept under {pseudonym.strip()}.")
    Visit.current().kept = kept
