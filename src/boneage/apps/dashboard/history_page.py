"""The page of the history: the course of each child, its visits, exports, deletion."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import streamlit as st

from boneage.apps.dashboard.interactive_chart import chart_spec
from boneage.apps.dashboard.language import page_words
from boneage.apps.dashboard.markup import escape_markdown
from boneage.apps.dashboard.visit import Visit, history_place
from boneage.clinical.course import Course, VisitFindings, course_of
from boneage.domain.ages import parse_age
from boneage.domain.child import HEIGHT_RANGE_CM
from boneage.domain.reported import (
    CM_DECIMALS,
    MONTHS_DECIMALS,
    SDS_DECIMALS,
    reported,
)
from boneage.domain.visits import ClinicVisit
from boneage.errors import BoneageError, HistoryError
from boneage.history.store import History
from boneage.i18n.words import Words, noop
from boneage.reports.charts import BONE_AGE, HEIGHT, SDS, course_charts
from boneage.reports.child_files import CHILD_FILES
from boneage.reports.clinical_wording import CLASSIFICATIONS
from boneage.reports.course import conclusion
from boneage.reports.exports import ReportOptions
from boneage.reports.wording import finding_text

TABS = {BONE_AGE: noop("Bone age"), HEIGHT: noop("Height"), SDS: noop("SDS")}
PARENTS = {"father": noop("Height of the father, cm"), "mother": noop("Height of the mother, cm")}
TEXTS = ("age", "bone-age", "stage", "treatment")
"""What is written of a visit without an image."""


def history_page() -> None:
    """Draw the page."""
    st.title(page_words().gettext("Bone age over time"))
    try:
        history = History(history_place() or "")
        _delete_requested(history)
        _show(history)
        history.close()
    except HistoryError as error:
        st.error(escape_markdown(f"{error}."))


def _show(history: History) -> None:
    _ = page_words().gettext
    visit = Visit.current()
    if visit.history_problem:
        st.error(escape_markdown(visit.history_problem))
        visit.history_problem = ""
    names = [person.pseudonym for person in history.people()]
    if not names:
        st.info(_("Nothing is saved yet: assess a radiograph and save the result to the history."))
        return
    pseudonym = st.selectbox(_("Child"), names, key="person")
    course = course_of(history.child(pseudonym))
    if course.visits:
        _show_course(course)
    with st.expander(_("Add a visit without an image")):
        _ask_visit(pseudonym)
    with st.expander(_("Heights of the parents")):
        _ask_parents(course)
    with st.expander(_("Delete visits")):
        _ask_deletion(course)


def _show_course(course: Course) -> None:
    words = page_words()
    _ = words.gettext
    for finding in course.findings:
        st.warning(escape_markdown(finding_text(finding, words)))
    st.markdown(escape_markdown(conclusion(course, words)))
    charts = course_charts(course, words)
    for tab, chart in zip(
        st.tabs([_(TABS[name]) for name in charts]), charts.values(), strict=True
    ):
        tab.vega_lite_chart(chart_spec(chart), key=f"chart-{chart.title}")
        tab.caption(chart.description)
    rows = [_row(found, words) for found in course.visits]
    known = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    st.dataframe([{name: row[name] for name in known} for row in rows], hide_index=True)
    options = ReportOptions(language=words.language)
    with st.container(horizontal=True):
        for one in CHILD_FILES.values():
            if one.name.removeprefix("chart/") in TABS.keys() - charts.keys():
                continue
            if one.library is None or find_spec(one.library) is not None:
                st.download_button(
                    _(one.label),
                    partial(one.content, course, options),
                    f"history{one.suffix}",
                    one.media_type,
                    on_click="ignore",
                    icon=":material/download:",
                )


def _ask_visit(pseudonym: str) -> None:
    _ = page_words().gettext
    low, high = HEIGHT_RANGE_CM
    with st.form(f"visit-{pseudonym}", clear_on_submit=True, border=False):
        first = st.columns(3)
        first[0].text_input(_("Age"), key="visit-age", placeholder="11y4m")
        first[1].number_input(
            _("Height, cm"), low, high, None, step=0.1, format="%.1f", key="visit-height"
        )
        first[2].text_input(
            _("Bone age read by a person"), key="visit-bone-age", placeholder="10y6m"
        )
        second = st.columns(2)
        second[0].text_input(_("Pubertal stage (Tanner)"), key="visit-stage", placeholder="B2 PH2")
        second[1].text_input(
            _("Treatment"),
            key="visit-treatment",
            help=_("A note, such as 'growth hormone'; no name."),
        )
        st.form_submit_button(_("Save visit"), on_click=_save_visit, args=(pseudonym,))


def _save_visit(pseudonym: str) -> None:
    """Save in the callback of the click: a rerun may be aborted, and the click lost."""
    state = st.session_state

    def work(history: History) -> None:
        texts = {name: (state[f"visit-{name}"] or "").strip() for name in TEXTS}
        age, bone_age = (parse_age(texts[one]) if texts[one] else None for one in TEXTS[:2])
        visit = ClinicVisit(
            history.child(pseudonym).sex,
            chronological_age_months=age,
            height_cm=state["visit-height"],
            reader_months=bone_age,
            pubertal_stage=texts["stage"] or None,
            treatment=texts["treatment"] or None,
        )
        history.add(pseudonym, visit)

    _change(work)


def _ask_parents(course: Course) -> None:
    _ = page_words().gettext
    low, high = HEIGHT_RANGE_CM
    child = course.child
    with st.form(f"parents-{child.pseudonym}", border=False):
        heights = (child.father_cm, child.mother_cm)
        for column, (name, label), known in zip(
            st.columns(2), PARENTS.items(), heights, strict=True
        ):
            column.number_input(_(label), low, high, known, step=0.1, format="%.1f", key=name)
        st.form_submit_button(_("Save heights"), on_click=_save_parents, args=(child.pseudonym,))


def _save_parents(pseudonym: str) -> None:
    father, mother = st.session_state["father"], st.session_state["mother"]
    _change(lambda history: history.set_parents(pseudonym, father_cm=father, mother_cm=mother))


def _change(work: Callable[[History], None]) -> None:
    """Change the history; a problem is shown once, by the rerun that follows."""
    try:
        history = History(history_place() or "")
        work(history)
        history.close()
    except BoneageError as error:
        Visit.current().history_problem = f"Not saved: {error}."


def _row(found: VisitFindings, words: Words) -> dict[str, object]:
    """A visit, by column."""
    _ = words.gettext
    visit, growth, velocity, adult = found.visit, found.growth, found.velocity, found.adult_height
    for_age = found.height.for_age if found.height else None
    age, bone_age = visit.chronological_age_months, visit.reported_bone_age_months
    return {
        _("Age"): _("not known") if age is None else words.age(age),
        _("Bone age"): None if bone_age is None else words.age(bone_age),
        _("Months"): _rounded(bone_age, MONTHS_DECIMALS),
        _("SDS"): _rounded(growth.sds if growth else None, SDS_DECIMALS),
        _("Classification"): _(CLASSIFICATIONS[growth.classification]) if growth else None,
        _("Height, cm"): _rounded(visit.height_cm, CM_DECIMALS),
        _("Height SDS"): _rounded(for_age.sds if for_age else None, SDS_DECIMALS),
        _("Growth, cm a year"): _rounded(velocity.cm_a_year if velocity else None, CM_DECIMALS),
        _("Predicted adult height, cm"): _rounded(
            adult.predicted_cm if adult else None, CM_DECIMALS
        ),
        _("Puberty"): visit.pubertal_stage,
        _("Treatment"): visit.treatment,
        _("Read by"): visit.weights if visit.reader_months is None else _("a person"),
    }


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else reported(value, decimals)


def _ask_deletion(course: Course) -> None:
    """Ask which visit, or all of them, is to be deleted; deleted is what the click was shown."""
    words = page_words()
    _ = words.gettext
    pseudonym = course.child.pseudonym
    labels = {found.visit.number or 0: _visit_label(found.visit, words) for found in course.visits}
    labels[0] = _("All visits, and the child")
    number = st.selectbox(
        _("Visit to delete"),
        labels,
        format_func=labels.__getitem__,
        key=f"deleted-visit-{pseudonym}",
    )
    sure = st.checkbox(_("Delete permanently"), key=f"sure-{pseudonym}-{number}")
    chosen = pseudonym, number or None
    st.button(_("Delete"), disabled=not sure, on_click=_request_deletion, args=chosen)


def _visit_label(visit: ClinicVisit, words: Words) -> str:
    """Tell visits at one age apart by their bone age and number."""
    age, bone_age = visit.chronological_age_months, visit.reported_bone_age_months
    at = words.gettext("not known") if age is None else words.age(age)
    parts = [words.gettext("Age {age}").format(age=at)]
    if bone_age is not None:
        parts.append(words.gettext("bone age {age}").format(age=words.age(bone_age)))
    return f"{', '.join(parts)} (#{visit.number})"


def _request_deletion(pseudonym: str, number: int | None) -> None:
    Visit.current().deletion = pseudonym, number


def _delete_requested(history: History) -> None:
    visit = Visit.current()
    requested, visit.deletion = visit.deletion, None  # first: a failure is reported once
    if requested is not None:
        history.delete(*requested)
