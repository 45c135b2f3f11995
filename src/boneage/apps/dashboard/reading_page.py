"""The page that reads films: add them, say the sex, see what was seen."""

from __future__ import annotations

import streamlit as st

from boneage.apps.dashboard.advice import UPLOAD_LIMIT_MB
from boneage.apps.dashboard.answer_view import show_answer
from boneage.apps.dashboard.answers import answer
from boneage.apps.dashboard.choices import Choice, obstacle
from boneage.apps.dashboard.documents_view import offer_documents
from boneage.apps.dashboard.example import NAME, example_film
from boneage.apps.dashboard.film_view import ask_choice, show_film, show_refusal
from boneage.apps.dashboard.films import Film
from boneage.apps.dashboard.keeping import history_place
from boneage.apps.dashboard.results_view import offer, pick, show_failure
from boneage.apps.dashboard.visit import Visit, assessor, weights_problem
from boneage.domain.assessment import Failure
from boneage.inference.session import steps_of
from boneage.reports.wording import DISCLAIMER

EXAMPLE = "example"
HOW = """
1. **Add films** of a left hand: DICOM, PNG, JPEG or TIFF, one or many.
2. **Say the sex**; girls mature earlier, so the standards differ. A DICOM film may state it.
3. **Read** the bone age, and judge for yourself what was looked at.

Films stay in the memory of this computer. Nothing is written to disk or sent anywhere, and
all is forgotten when this page is closed or loaded again.
"""
KEPT = """
Only what you keep in the history, under a pseudonym, stays: ages, height, SDS, no film.
"""


def reading_page() -> None:
    """Draw the page."""
    visit = Visit.current()
    problem = weights_problem()
    st.title("Bone age from a hand radiograph")
    st.html(f'<p class="notice">{DISCLAIMER}</p>')
    inputs, viewer = st.columns([1, 2.5], gap="large")
    with inputs:
        _add(visit)
        choices = {film.key: _choose(film, many=len(visit.films) > 1) for film in visit.films}
        reason = obstacle(visit.films, choices, problem)
        count = len(visit.films)
        label = "Read the bone age" if count < 2 else f"Read {count} films"
        st.button(
            label,
            type="primary",
            disabled=bool(reason),
            width="stretch",
            on_click=visit.want_all,
        )
        if reason:
            st.caption(reason)
        visit.ask_all_wanted(choices, possible=not reason)
        if not problem:
            _read(visit, choices)
    with viewer:
        if problem:
            st.error(problem)
        _view(visit, choices)


def _add(visit: Visit) -> None:
    uploads = st.file_uploader(
        "Drop films here (DICOM, PNG, JPEG, TIFF)",
        accept_multiple_files=True,
        max_upload_size=UPLOAD_LIMIT_MB,
        key="uploads",
    )
    st.caption(f"Up to {UPLOAD_LIMIT_MB} MB each; export a larger film compressed.")
    st.button(
        "Try the synthetic example",
        type="tertiary",
        icon=":material/draw:",
        on_click=visit.add_example,
    )
    files = [(upload.file_id, upload.name, upload.getvalue) for upload in uploads]
    if visit.with_example:
        files.append((EXAMPLE, NAME, example_film))
    visit.admit(files)
    for refusal in visit.refusals:
        show_refusal(refusal)


def _choose(film: Film, *, many: bool) -> Choice:
    with st.container(border=True):
        return ask_choice(film, many=many)


def _read(visit: Visit, choices: dict[str, Choice]) -> None:
    """Read what is to be read, also what a redraw that was broken off has left."""
    waiting = visit.still_to_read(choices)
    if not waiting:
        return
    reader = assessor()
    steps = steps_of(reader)
    place = st.empty()
    for number, (film, asked) in enumerate(waiting, start=1):
        of = f"film {number} of {len(waiting)}: " if len(waiting) > 1 else ""

        def tell(step: str, of: str = of) -> None:
            place.progress(steps.index(step) / len(steps), f"{of}{step} …".capitalize())

        try:
            found = answer(reader, film, asked.choice, tell, force=asked.force)
        except Exception:  # of the weights, not of a redraw: it would come again and again
            visit.to_read.clear()
            raise
        visit.settle(film, asked, found)
    place.empty()


def _view(visit: Visit, choices: dict[str, Choice]) -> None:
    if not visit.films:
        st.header("How it works")
        st.markdown(HOW if history_place() is None else HOW + KEPT)
        return
    film = pick(visit, choices)
    found = visit.answer_to(film, choices[film.key])
    if found is None:
        show_film(film)
        if film.key in visit.answers:
            st.info("The sex, the age or the height was changed: read the film again.")
    elif isinstance(found, Failure):
        show_failure(found)
        if found.refused:
            st.button(
                "Read it all the same",
                key=f"force-{film.key}",
                on_click=visit.ask,
                args=(film, choices[film.key]),
                kwargs={"force": True},
            )
    else:
        show_answer(found)
        offer_documents(found)
        if len(visit.films) == 1:
            offer([found])
