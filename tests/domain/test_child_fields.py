"""What people write of a child, the same for every interface."""

from __future__ import annotations

from datetime import date

import pytest

from boneage.domain.child import Child, child_of, parse_fields
from boneage.domain.clinical_findings import Centre
from boneage.errors import AgeError, HeightError


def test_every_field_is_parsed_and_an_empty_one_is_not_known() -> None:
    texts = {
        "age": "11y4m",
        "birth_date": "2009-06-01",
        "study_date": "20201001",
        "height_cm": "142,5",
        "height_in": "",
        "note": "tall",
    }
    assert child_of(parse_fields(texts), brush_mean=True) == Child(
        136, date(2009, 6, 1), date(2020, 10, 1), 142.5, Centre.BRUSH_MEAN
    )
    assert child_of(parse_fields({"age": ""})) == child_of({"height_in": None}) == Child()
    assert child_of(parse_fields({"height_in": "60"})).height_cm == pytest.approx(152.4)


@pytest.mark.parametrize(
    ("name", "text", "error", "expected"),
    [
        ("age", "old", AgeError, "is not understood"),
        ("age", "30y", AgeError, "not a child's age"),
        ("birth_date", "1.6.2009", AgeError, "the birth date is not understood"),
        ("study_date", "x", AgeError, "the study date is not understood"),
        ("height_cm", "1.42", HeightError, "looks like metres"),
        ("height_in", "142", HeightError, "is it in centimetres?"),
    ],
)
def test_what_is_no_childs_is_refused(
    name: str, text: str, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=expected):
        parse_fields({name: text})


def test_fields_that_contradict_each_other_are_refused() -> None:
    assert child_of({"height_cm": 152.0, "height_in": 152.4}).height_cm == 152.0
    with pytest.raises(HeightError, match="contradict each other"):
        child_of({"height_cm": 150.0, "height_in": 177.8})
    with pytest.raises(AgeError, match="lies after the study date"):
        child_of({"birth_date": date(2021, 1, 1), "study_date": date(2020, 1, 1)})
