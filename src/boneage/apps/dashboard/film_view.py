"""A film before it is read: what it shows and states, and what must be said of it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from boneage.apps.dashboard import pictures
from boneage.apps.dashboard.choices import AgeError, Choice, age_between, age_of, contradiction
from boneage.apps.dashboard.films import Film, Refusal, facts_in_words
from boneage.apps.dashboard.markup import facts_list, film_name, plain
from boneage.domain.assessment import years_and_months
from boneage.domain.child import CM_PER_INCH, HEIGHT_RANGE_CM
from boneage.domain.radiograph import Sex

SEXES = (Sex.FEMALE, Sex.MALE)
THUMBNAIL_WIDTH = 56
EARLIEST = date(1900, 1, 1)
DATES, AGE = "Dates", "Age"
UNITS = {"centimetres": 1.0, "inches": CM_PER_INCH}


def show_refusal(refusal: Refusal) -> None:
    """Say what is wrong with a file, and what to do."""
    st.error(f"{plain(refusal.message)} {plain(refusal.advice)}")


def ask_choice(film: Film, *, many: bool) -> Choice:
    """Ask for the sex and, if known, the age."""
    if many:
        with st.container(horizontal=True, vertical_alignment="center"):
            small = pictures.thumbnail(film)
            st.image(small, alt=f"Thumbnail of {film.name}", width=THUMBNAIL_WIDTH)
            st.html(film_name(film.name))
    else:
        st.html(film_name(film.name))
    stated = film.facts.sex
    sex = st.radio(
        "Sex (required)" if stated is None else "Sex (as the film states)",
        SEXES,
        index=None if stated is None else SEXES.index(stated),
        format_func=lambda sex: sex.value.capitalize(),
        horizontal=True,
        key=f"sex-{film.key}",
    )
    with st.expander("Age and height (optional)"):
        choice = replace(_ask_age(film, sex), height_cm=_ask_height(film))
    for sentence in filter(None, (contradiction(film, choice), choice.problem)):
        st.warning(sentence)
    for finding in film.findings:
        st.warning(plain(finding.message))
    return choice


def _ask_age(film: Film, sex: Sex | None) -> Choice:
    stated = film.facts.chronological_age_months
    otherwise = "Not given" if stated is None else "As the film states"
    way = st.radio(
        "Age on the day of the film",
        (otherwise, DATES, AGE),
        horizontal=True,
        key=f"way-{film.key}",
    )
    if way == DATES:
        born, taken = st.columns(2)
        birth = _ask_date(born, "Birth date", film.facts.birth_date, f"birth-{film.key}")
        study = _ask_date(taken, "Film date", film.facts.study_date, f"study-{film.key}")
        try:
            return Choice(sex, age_between(birth, study))
        except AgeError as error:
            return Choice(sex, problem=str(error))
    if way == AGE:
        whole, rest = st.columns(2)
        years = whole.number_input("Years", 0, 25, None, key=f"years-{film.key}")
        months = rest.number_input("Months", 0, 11, None, key=f"months-{film.key}")
        return Choice(sex, age_of(years, months))
    if stated is not None:
        st.caption(years_and_months(stated))
    return Choice(sex)


def _ask_height(film: Film) -> float | None:
    low, high = HEIGHT_RANGE_CM
    unit = st.radio("Height on the day of the film", UNITS, horizontal=True, key=f"unit-{film.key}")
    factor = UNITS[unit]
    given: float | None = st.number_input(
        f"Height in {unit}",
        float(math.ceil(low / factor)),
        float(math.floor(high / factor)),
        None,
        step=0.1,
        format="%.1f",
        help="Standing. Predicts the adult height, where the age is known too.",
        key=f"height-{unit}-{film.key}",
    )
    return None if given is None else given * factor


def _ask_date(where: DeltaGenerator, label: str, stated: date | None, key: str) -> date | None:
    today = date.today()
    possible = stated is not None and EARLIEST <= stated <= today
    given = where.date_input(
        label,
        stated if possible else None,
        min_value=EARLIEST,
        max_value=today,
        format="YYYY-MM-DD",
        key=key,
    )
    return given if isinstance(given, date) else None


def show_film(film: Film) -> None:
    """The film as read, and its facts."""
    picture = pictures.of_film(film)
    shown, words = st.columns([1.5, 1], gap="medium")
    shown.image(picture.jpeg, picture.caption, alt=picture.alt, width="stretch")
    with words:
        st.header("What the file says")
        st.html(facts_list(facts_in_words(film)))
