"""An image before it is analysed: its picture, its information, and the form beside it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from boneage.apps.dashboard import analysis
from boneage.apps.dashboard.markup import escape_markdown, image_name, metadata_list
from boneage.apps.dashboard.uploads import (
    Choice,
    RejectedFile,
    UploadedImage,
    age_in_months,
    sex_mismatch,
)
from boneage.domain.child import CM_PER_INCH, HEIGHT_RANGE_CM, age_between
from boneage.domain.findings import Severity
from boneage.domain.radiograph import Sex
from boneage.domain.reported import years_and_months
from boneage.errors import AgeError

SEXES = (Sex.FEMALE, Sex.MALE)
THUMBNAIL_WIDTH = 56
EARLIEST = date(1900, 1, 1)
DATES, AGE = "Dates", "Age"
UNITS = {"centimetres": 1.0, "inches": CM_PER_INCH}


def show_rejection(rejected: RejectedFile) -> None:
    """Show why a file is rejected, and the remedy."""
    st.error(f"{escape_markdown(rejected.message)} {escape_markdown(rejected.advice)}")


def show_image(image: UploadedImage) -> None:
    """Show the image as decoded, and its information."""
    picture = analysis.of_image(image)
    shown, words = st.columns([1.5, 1], gap="medium")
    shown.image(picture.jpeg, picture.caption, alt=picture.alt, width="stretch")
    with words:
        st.header("Image information")
        st.html(metadata_list(image.information()))


def ask_choice(image: UploadedImage, *, many: bool) -> Choice:
    """Ask for the sex and, if known, age and height."""
    if many:
        with st.container(horizontal=True, vertical_alignment="center"):
            small = analysis.thumbnail(image)
            st.image(small, alt=f"Thumbnail of {image.name}", width=THUMBNAIL_WIDTH)
            st.html(image_name(image.name))
    else:
        st.html(image_name(image.name))
    stated = image.metadata.sex
    sex = st.radio(
        "Sex (required)" if stated is None else "Sex (as stated in the file)",
        SEXES,
        index=None if stated is None else SEXES.index(stated),
        format_func=lambda sex: sex.value.capitalize(),
        horizontal=True,
        key=f"sex-{image.key}",
    )
    with st.expander("Age and height (optional)"):
        choice = replace(_ask_age(image, sex), height_cm=_ask_height(image))
    for sentence in filter(None, (sex_mismatch(image, choice), choice.problem)):
        st.warning(sentence)
    for finding in image.findings:
        show = st.info if finding.severity is Severity.NOTE else st.warning
        show(escape_markdown(finding.message))
    return choice


def _ask_age(image: UploadedImage, sex: Sex | None) -> Choice:
    metadata, key = image.metadata, image.key
    stated = metadata.chronological_age_months
    otherwise = "Not given" if stated is None else "As stated in the file"
    way = st.radio(
        "Age at the examination", (otherwise, DATES, AGE), horizontal=True, key=f"way-{key}"
    )
    if way == DATES:
        left, right = st.columns(2)
        birth = _ask_date(left, "Date of birth", metadata.birth_date, f"birth-{key}")
        study = _ask_date(right, "Study date", metadata.study_date, f"study-{key}")
        if birth is None or study is None:
            return Choice(sex)
        try:
            return Choice(sex, age_between(birth, study))
        except AgeError as error:
            return Choice(sex, problem=f"{str(error)[:1].upper()}{str(error)[1:]}.")
    if way == AGE:
        left, right = st.columns(2)
        years = left.number_input("Years", 0, 25, None, key=f"years-{key}")
        months = right.number_input("Months", 0, 11, None, key=f"months-{key}")
        return Choice(sex, age_in_months(years, months))
    if stated is not None:
        st.caption(years_and_months(stated))
    return Choice(sex)


def _ask_height(image: UploadedImage) -> float | None:
    low, high = HEIGHT_RANGE_CM
    label = "Height at the examination"
    unit = st.radio(label, UNITS, horizontal=True, key=f"unit-{image.key}")
    factor = UNITS[unit]
    given: float | None = st.number_input(
        f"Height in {unit}",
        float(math.ceil(low / factor)),
        float(math.floor(high / factor)),
        None,
        step=0.1,
        format="%.1f",
        help="Standing height; with the age, it gives the predicted adult height.",
        key=f"height-{unit}-{image.key}",
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
