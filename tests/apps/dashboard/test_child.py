"""Growth, height and history on the pages, run by Streamlit's own test runner."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boneage.history import HISTORY_VARIABLE

pytest.importorskip("streamlit")
pytest.importorskip("sqlalchemy")
from streamlit.testing.v1 import AppTest

from boneage.history.store import History
from tests.apps.dashboard.reruns import abort_next_rerun
from tests.apps.dashboard.test_pages import button, captions, entry, opened, read, upload
from tests.clinical.test_course import COHORT


def written(page: AppTest) -> str:
    return "".join(html.proto.body for html in page.html)


def number_field(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(field for field in page.number_input if field.label.startswith(label))


def pseudonym(page: AppTest):  # type: ignore[no-untyped-def]
    return next(one for one in page.text_input if one.label == "Pseudonym of the child")


def test_growth_and_adult_height_of_a_film(
    weights: Path, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(HISTORY_VARIABLE, raising=False)
    page = upload(opened(weights, monkeypatch), ("hand.dcm", dicom))
    entry(page, "hand.dcm").edit("height", "55 in")
    read(page)
    text = written(page)
    for expected in (
        "SDS",
        "±2 SD",
        "Predicted adult height",
        "139.7 cm (55.0 in)",
        "female standard",
    ):
        assert expected in text
    assert "Visits: at 10 years 0 months" in captions(page)
    assert not any(button.label.startswith("Save to history") for button in page.button)


def test_an_answer_is_kept_shown_and_deleted(
    weights: Path, dicom: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "children.sqlite"
    monkeypatch.setenv(HISTORY_VARIABLE, str(where))
    page = upload(opened(weights, monkeypatch), ("hand.dcm", dicom))
    read(page)
    assert not where.exists(), "nothing is kept before the click"
    pseudonym(page).set_value("K17")
    button(page, "Save to history").click().run()
    assert not page.exception
    assert "K17" in page.success[0].value
    assert [person.entries for person in History(where).people()] == [1]
    button(page, "Save to history").click().run()
    assert [person.entries for person in History(where).people()] == [1], "it asks first"
    page.run()
    assert "K17" in page.success[0].value, "a rerun of the page takes nothing away"

    page = AppTest.from_function(shown_history, default_timeout=120).run()
    assert not page.exception
    assert "Visits: at 10 years 0 months" in captions(page)
    assert list(page.dataframe[0].value["Age"]) == ["10 years 0 months"]
    delete_all(page)
    drawn = abort_next_rerun(monkeypatch)
    button(page, "Delete").click().run()
    assert len(drawn) == 2, "deleted also when the rerun is aborted at once"
    assert not page.exception
    assert History(where).people() == []
    assert "Nothing is saved yet" in page.info[0].value


def test_visits_and_parents_are_added_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "children.sqlite"
    History(where).add_children([replace(COHORT["normal boy"], pseudonym="K17")])
    monkeypatch.setenv(HISTORY_VARIABLE, str(where))
    page = AppTest.from_function(shown_history, default_timeout=120).run()
    assert not page.exception
    assert "kept pace with age" in page.markdown[0].value
    assert "139.0 cm at 10 years 0 months" in captions(page)
    texts = {field.label: field for field in page.text_input}
    texts["Age"].set_value("13y")
    texts["Pubertal stage (Tanner)"].set_value("G3")
    number_field(page, "Height, cm").set_value(156.0)
    button(page, "Save visit").click().run()
    assert not page.exception
    assert not page.error
    assert list(page.dataframe[0].value["Growth, cm a year"])[1:] == [5.0, 5.5, 6.5]
    assert History(where).child("K17").visits[-1].pubertal_stage == "G3"
    number_field(page, "Height of the father").set_value(190.0)
    button(page, "Save heights").click().run()
    assert History(where).child("K17").father_cm == 190.0
    next(f for f in page.text_input if f.label == "Age").set_value("soon")
    button(page, "Save visit").click().run()
    assert "Not saved" in page.error[0].value
    assert len(History(where).entries("K17")) == 4


def test_a_child_that_is_gone_already_is_reported_once(
    weights: Path, dicom: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "children.sqlite"
    monkeypatch.setenv(HISTORY_VARIABLE, str(where))
    page = upload(opened(weights, monkeypatch), ("hand.dcm", dicom))
    read(page)
    pseudonym(page).set_value("K17")
    button(page, "Save to history").click().run()
    page = AppTest.from_function(shown_history, default_timeout=120).run()
    delete_all(page)
    History(where).delete("K17")  # in another window
    button(page, "Delete").click().run()
    assert "K17" in page.error[0].value
    page.run()
    assert not page.error
    assert "Nothing is saved yet" in page.info[0].value


def delete_all(page: AppTest) -> None:
    """Choose all visits of the child, and say that it is meant."""
    visit = next(one for one in page.selectbox if one.label == "Visit to delete")
    visit.set_value(0).run()
    page.checkbox[0].check().run()


def test_one_visit_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "children.sqlite"
    History(where).add_children([replace(COHORT["normal boy"], pseudonym="K17")])
    monkeypatch.setenv(HISTORY_VARIABLE, str(where))
    before = [visit.number for visit in History(where).entries("K17")]
    page = AppTest.from_function(shown_history, default_timeout=120).run()
    visit = next(one for one in page.selectbox if one.label == "Visit to delete")
    assert visit.options[0] == "Age 10 years 0 months, bone age 10 years 2 months (#1)"
    visit.set_value(before[1]).run()
    assert button(page, "Delete").disabled
    page.checkbox[0].check().run()
    button(page, "Delete").click().run()
    assert not page.exception
    assert [one.number for one in History(where).entries("K17")] == [before[0], *before[2:]]
    assert not page.checkbox[0].value, "the next deletion is asked for again"


def shown_history() -> None:
    from boneage.apps.dashboard.history_page import history_page  # noqa: PLC0415  its source is run alone

    history_page()
