"""Reader first: the radiologist's own reading before the program's, then accept, edit, reject."""

from __future__ import annotations

import time

import streamlit as st

from boneage.apps.dashboard.entry import Entry, short_age
from boneage.domain.ages import parse_age
from boneage.domain.reader import Decision, ReaderReading, checked_bone_age
from boneage.domain.reported import reported
from boneage.errors import AgeError
from boneage.i18n.words import Words
from boneage.reports.wording import reading_text

READER_FIRST, READER_NAME = "read-first", "reader-name"


def is_hidden(entry: Entry, *, hidden: bool) -> bool:
    """Whether the reader has still to read an image before the program's bone age is shown."""
    return hidden and entry.analysed is not None and entry.own_reading is None


def ask_own_reading(entry: Entry, words: Words) -> None:
    """Ask for the reader's own bone age."""
    _ = words.gettext
    with st.form(f"own-{entry.key}", border=True):
        first, second = st.columns([2, 1], vertical_alignment="bottom")
        first.text_input(
            _("Your reading of the bone age"),
            placeholder="11y4m",
            key=f"own-age-{entry.key}",
            help=_("Years and months, such as 11y4m, or months. The program's is shown after it."),
        )
        second.form_submit_button(
            _("Read"), type="primary", width="stretch", on_click=_read, args=(entry,)
        )
    if problem := entry.problems_of_reading:
        st.error(problem)


def _read(entry: Entry) -> None:
    text: str = st.session_state[f"own-age-{entry.key}"]
    try:
        months = checked_bone_age(parse_age(text))
    except AgeError as error:
        entry.problems_of_reading = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return
    entry.problems_of_reading = ""
    seconds = time.monotonic() - (entry.opened_at or time.monotonic())
    entry.own_reading = reported(months), reported(seconds)


def ask_decision(entry: Entry, words: Words) -> None:
    """Ask what the reader makes of the program's bone age."""
    _ = words.gettext
    analysed = entry.analysed
    if analysed is None:
        return
    program = analysed.assessment.age_months
    if entry.own_reading is not None:
        months, seconds = entry.own_reading
        own = _(
            "Your reading: {age}, after {seconds} seconds; the program's is {difference} of it."
        )
        st.markdown(
            own.format(
                age=words.age(months),
                seconds=words.number(seconds, 0),
                difference=words.months(program - months, sign=True),
            )
        )
    reading = entry.reading
    if reading is not None:
        st.success(reading_text(reading, words))
    with st.form(f"decision-{entry.key}", border=False):
        suggested = entry.own_reading[0] if entry.own_reading else program
        st.text_input(
            _("Bone age that you state"),
            value=short_age(round(suggested)),
            key=f"stated-{entry.key}",
            help=_("Used by 'State this one'."),
        )
        with st.container(horizontal=True):
            for decision, label in (
                (Decision.ACCEPTED, _("Accept the program's")),
                (Decision.EDITED, _("State this one")),
                (Decision.REJECTED, _("Reject: no bone age from this image")),
            ):
                st.form_submit_button(label, on_click=_decide, args=(entry, decision))
    if entry.problems_of_reading:
        st.error(entry.problems_of_reading)


def _decide(entry: Entry, decision: Decision) -> None:
    analysed = entry.analysed
    if analysed is None:
        return
    months: float | None = analysed.assessment.age_months
    try:
        if decision is Decision.EDITED:
            months = checked_bone_age(parse_age(st.session_state[f"stated-{entry.key}"]))
        elif decision is Decision.REJECTED:
            months = None
    except AgeError as error:
        entry.problems_of_reading = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return
    entry.problems_of_reading = ""
    own, seconds = entry.own_reading or (None, None)
    reader = str(st.session_state.get(READER_NAME) or "").strip()
    stated = None if months is None else reported(months)
    program = reported(analysed.assessment.age_months)
    entry.reading = ReaderReading(decision, stated, program, own, seconds, reader)
