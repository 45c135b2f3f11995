"""Many films at once: the table of answers, what to download, which film to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from boneage.apps.dashboard import downloads, pictures
from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.films import Film
from boneage.apps.dashboard.markup import plain
from boneage.apps.dashboard.visit import Visit
from boneage.domain.assessment import Failure, Severity, years_and_months
from boneage.reports.wording import interval_text

Answers = Sequence[Answer | Failure]
FILES: tuple[tuple[str, str, str, Callable[[Answers], bytes]], ...] = (
    ("CSV", "bone_ages.csv", "text/csv", downloads.csv_of),
    ("JSON", "bone_ages.json", "application/json", downloads.json_of),
    ("Pictures (ZIP)", "bone_ages.zip", "application/zip", downloads.pictures_of),
)

COLUMNS = ("Picture", "Film", "Sex", "Bone age", "Months", "Interval", "Warnings")


def pick(visit: Visit, choices: Mapping[str, Choice]) -> Film:
    """Show the table, where there are many films, and let one of them be chosen."""
    answers = {film.key: visit.answer_to(film, choices[film.key]) for film in visit.films}
    film = visit.films[0]
    if len(visit.films) > 1:
        if any(answers.values()):
            st.header("All films")
            st.dataframe(
                table(visit.films, answers),
                hide_index=True,
                row_height=64,
                column_config={
                    "Picture": st.column_config.ImageColumn(width=64),
                    "Months": st.column_config.NumberColumn(format="%.1f"),
                    "Warnings": st.column_config.TextColumn(width="large"),
                },
            )
            offer([answer for answer in answers.values() if answer is not None])
        film = st.selectbox(
            "Film shown below", visit.films, format_func=lambda film: film.name, key="film-shown"
        )
    return film


def table(
    films: Sequence[Film], answers: Mapping[str, Answer | Failure | None]
) -> dict[str, list[object]]:
    """One row a film, by column."""
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for film in films:
        answer = answers[film.key]
        sex: object = None
        age: object = None
        months: object = None
        interval: object = None
        if answer is None:
            warnings = "Not read yet"
        elif isinstance(answer, Failure):
            warnings = answer.message
        else:
            found = answer.assessment
            sex, months = found.sex.value, found.age_months
            age = years_and_months(found.age_months)
            interval = interval_text(found.interval) if found.interval else None
            warnings = " ".join(finding.message for finding in found.warnings) or "none"
        cells = (pictures.thumbnail_url(film), film.name, sex, age, months, interval, warnings)
        for column, cell in zip(rows.values(), cells, strict=True):
            column.append(cell)
    return rows


def show_failure(failure: Failure) -> None:
    """Say why a film got no answer, and what else was found of it."""
    st.error(plain(failure.message))
    for finding in failure.findings:
        if finding.severity is Severity.WARNING:
            st.warning(plain(finding.message))


def offer(answers: Answers) -> None:
    """Offer the answers as files."""
    with st.container(horizontal=True):
        for label, name, kind, write in FILES:
            st.download_button(
                label,
                partial(write, answers),
                name,
                kind,
                on_click="ignore",
                icon=":material/download:",
            )
