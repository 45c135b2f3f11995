"""What must be chosen before a film can be read."""

from __future__ import annotations

from datetime import date

import pytest

from boneage.apps.dashboard.choices import (
    AgeError,
    Choice,
    age_between,
    age_of,
    contradiction,
    obstacle,
)
from boneage.apps.dashboard.films import Film
from boneage.domain.radiograph import Sex


def test_an_age_from_dates() -> None:
    assert age_between(date(2010, 1, 1), date(2020, 1, 1)) == pytest.approx(120, abs=0.05)
    assert age_between(None, date(2020, 1, 1)) is None
    assert age_between(date(2010, 1, 1), None) is None


@pytest.mark.parametrize(
    ("birth", "film", "said"),
    [
        (date(2020, 1, 2), date(2020, 1, 1), "before the birth date"),
        (date(1950, 1, 1), date(2020, 1, 1), "70 years old"),
    ],
)
def test_dates_that_make_no_sense(birth: date, film: date, said: str) -> None:
    with pytest.raises(AgeError, match=said):
        age_between(birth, film)


def test_an_age_in_years_and_months() -> None:
    assert age_of(10, 6) == 126
    assert age_of(None, 6) == 6
    assert age_of(10, None) == 120
    assert age_of(None, None) is None


def test_a_sex_against_the_film_is_said(film: Film, stating_film: Film) -> None:
    assert "states female, you chose male" in contradiction(stating_film, Choice(Sex.MALE))
    assert contradiction(stating_film, Choice(Sex.FEMALE)) == ""
    assert contradiction(stating_film, Choice(None)) == ""
    assert contradiction(film, Choice(Sex.MALE)) == ""


def test_what_keeps_films_from_being_read(film: Film, stating_film: Film) -> None:
    films = [film, stating_film]
    ready = {"a": Choice(Sex.MALE), "b": Choice(Sex.FEMALE)}
    assert obstacle(films, ready, "") == ""
    assert obstacle([], {}, "") == "Add a film first."
    assert "no weights" in obstacle(films, ready, "no weights in 'x'")
    assert obstacle([film], {"a": Choice(None)}, "") == "Choose the sex."
    assert obstacle(films, ready | {"b": Choice(None)}, "") == "Choose the sex of hand.dcm."
    neither = {"a": Choice(None), "b": Choice(None)}
    assert obstacle(films, neither, "") == "Choose the sex of hand.png and 1 more."
    wrong = ready | {"a": Choice(Sex.MALE, problem="These dates …")}
    assert obstacle(films, wrong, "") == "Correct the age of hand.png."
