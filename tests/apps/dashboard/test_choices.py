"""What must be chosen before a film can be read."""

from __future__ import annotations

from boneage.apps.dashboard.uploads import (
    Choice,
    UploadedImage,
    age_in_months,
    blocking_reason,
    sex_mismatch,
)
from boneage.domain.radiograph import Sex


def test_an_age_in_years_and_months() -> None:
    assert age_in_months(10, 6) == 126
    assert age_in_months(None, 6) == 6
    assert age_in_months(10, None) == 120
    assert age_in_months(None, None) is None


def test_a_sex_that_contradicts_the_file_is_reported(
    film: UploadedImage, stating_film: UploadedImage
) -> None:
    assert "states female, but male was chosen" in sex_mismatch(stating_film, Choice(Sex.MALE))
    assert sex_mismatch(stating_film, Choice(Sex.FEMALE)) == ""
    assert sex_mismatch(stating_film, Choice(None)) == ""
    assert sex_mismatch(film, Choice(Sex.MALE)) == ""


def test_what_prevents_the_analysis(film: UploadedImage, stating_film: UploadedImage) -> None:
    films = [film, stating_film]
    ready = {"a": Choice(Sex.MALE), "b": Choice(Sex.FEMALE)}
    assert blocking_reason(films, ready, "") == ""
    assert blocking_reason([], {}, "") == "Add a radiograph first."
    assert "No model" in blocking_reason(films, ready, "no weights in 'x'")
    assert blocking_reason([film], {"a": Choice(None)}, "") == "Choose the sex."
    assert blocking_reason(films, ready | {"b": Choice(None)}, "") == "Choose the sex for hand.dcm."
    neither = {"a": Choice(None), "b": Choice(None)}
    assert blocking_reason(films, neither, "") == "Choose the sex for hand.png and 1 other."
    wrong = ready | {"a": Choice(Sex.MALE, problem="These dates …")}
    assert blocking_reason(films, wrong, "") == "Correct the age for hand.png."
