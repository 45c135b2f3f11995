"""What must be chosen before a film can be read."""

from __future__ import annotations

from boneage.apps.dashboard.choices import (
    Choice,
    age_of,
    contradiction,
    obstacle,
)
from boneage.apps.dashboard.uploads import UploadedImage
from boneage.domain.radiograph import Sex


def test_an_age_in_years_and_months() -> None:
    assert age_of(10, 6) == 126
    assert age_of(None, 6) == 6
    assert age_of(10, None) == 120
    assert age_of(None, None) is None


def test_a_sex_against_the_film_is_said(film: UploadedImage, stating_film: UploadedImage) -> None:
    assert "states female, but male was chosen" in contradiction(stating_film, Choice(Sex.MALE))
    assert contradiction(stating_film, Choice(Sex.FEMALE)) == ""
    assert contradiction(stating_film, Choice(None)) == ""
    assert contradiction(film, Choice(Sex.MALE)) == ""


def test_what_keeps_films_from_being_read(film: UploadedImage, stating_film: UploadedImage) -> None:
    films = [film, stating_film]
    ready = {"a": Choice(Sex.MALE), "b": Choice(Sex.FEMALE)}
    assert obstacle(films, ready, "") == ""
    assert obstacle([], {}, "") == "Add a radiograph first."
    assert "No model" in obstacle(films, ready, "no weights in 'x'")
    assert obstacle([film], {"a": Choice(None)}, "") == "Choose the sex."
    assert obstacle(films, ready | {"b": Choice(None)}, "") == "Choose the sex of hand.dcm."
    neither = {"a": Choice(None), "b": Choice(None)}
    assert obstacle(films, neither, "") == "Choose the sex of hand.png and 1 more."
    wrong = ready | {"a": Choice(Sex.MALE, problem="These dates …")}
    assert obstacle(films, wrong, "") == "Correct the age of hand.png."
