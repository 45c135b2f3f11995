"""The pages, run by Streamlit's own test runner, without a browser."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boneage
from boneage.datasets.films import load_films
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.training.fit_uncertainty.clinic import fit_clinic, write_calibration
from boneage.training.fit_uncertainty.error_model import estimate_films
from boneage.uncertainty.calibration import FILE_VARIABLE
from tests.classifiers import put_classifier

st = pytest.importorskip("streamlit")
from streamlit.testing.v1 import AppTest  # noqa: E402

from tests.apps.dashboard.reruns import abort_next_rerun  # noqa: E402

APP = Path(boneage.__file__).parent / "apps" / "dashboard" / "app.py"
TIMEOUT = 120  # seconds; the machine may be busy


@pytest.fixture
def page(weights: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page as a visitor opens it, with the small weights."""
    return opened(weights, monkeypatch)


def opened(weights: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(FOLDER_VARIABLE, str(weights))
    st.cache_resource.clear()
    return AppTest.from_file(APP, default_timeout=TIMEOUT).run()


def upload(page: AppTest, *files: tuple[str, bytes]) -> AppTest:
    uploaded = [(name, data, "application/octet-stream") for name, data in files]
    return page.file_uploader[0].set_value(uploaded).run()


def read_button(page: AppTest):  # type: ignore[no-untyped-def]
    return next(button for button in page.button if button.label.startswith(("Assess", "Analyse")))


def sex_radios(page: AppTest):  # type: ignore[no-untyped-def]
    return [radio for radio in page.radio if radio.label.startswith("Sex")]


def headline(page: AppTest) -> str:
    found = [html.proto.body for html in page.html if "bone-age-months" in html.proto.body]
    return next((text for text in found if "<style>" not in text), "")


def test_nothing_can_be_read_before_there_is_a_film(page: AppTest) -> None:
    assert not page.exception
    assert read_button(page).disabled
    assert "Add a radiograph first." in [caption.value for caption in page.caption]


def test_a_film_is_read_once_the_sex_is_chosen(
    page: AppTest, png: bytes, assessor: Assessor
) -> None:
    upload(page, ("hand.png", png))
    assert read_button(page).disabled
    assert sex_radios(page)[0].value is None
    assert "Choose the sex." in [caption.value for caption in page.caption]
    sex_radios(page)[0].set_value(Sex.MALE).run()
    assert not read_button(page).disabled
    read_button(page).click().run()
    assert not page.exception
    expected = assessor.assess(boneage.read(png), "male")
    assert f"{expected.age_months:.1f} months · Greulich and Pyle, male standard" in headline(page)
    assert boneage.years_and_months(expected.age_months) in headline(page)
    assert len(page.image) == 1 + 3 + 3
    assert "tiny-1" in "".join(html.proto.body for html in page.html)


def test_a_changed_choice_takes_the_answer_away(page: AppTest, png: bytes) -> None:
    upload(page, ("hand.png", png))
    sex_radios(page)[0].set_value(Sex.MALE).run()
    read_button(page).click().run()
    sex_radios(page)[0].set_value(Sex.FEMALE).run()
    assert headline(page) == ""
    assert "assess the bone age again" in page.info[0].value


def warnings(page: AppTest) -> str:
    return " ".join(warning.value for warning in page.warning)


def test_a_dicom_film_states_its_sex_and_a_contradiction_is_reported(
    page: AppTest, dicom: bytes
) -> None:
    upload(page, ("hand.dcm", dicom))
    assert sex_radios(page)[0].value is Sex.FEMALE
    assert not read_button(page).disabled
    assert "was chosen" not in warnings(page)
    assert "which may identify" not in warnings(page), "what marks it as drawn does not"
    assert "The image is synthetic" in " ".join(one.value for one in page.info), (
        "a note, not a warning"
    )
    sex_radios(page)[0].set_value(Sex.MALE).run()
    assert "states female, but male was chosen" in warnings(page)
    read_button(page).click().run()
    assert any("analysed by the male standard" in warning.value for warning in page.warning)
    assert "Chronological age 10 years 0 months" in headline(page)


def test_dates_that_make_no_sense_are_reported(page: AppTest, dicom: bytes) -> None:
    upload(page, ("hand.dcm", dicom))
    next(radio for radio in page.radio if radio.label.startswith("Age")).set_value("Dates").run()
    birth, film = page.date_input
    assert film.value == date(2020, 1, 1)
    birth.set_value(date(2020, 1, 2)).run()
    assert "birth date lies after the study date" in page.warning[0].value
    assert read_button(page).disabled


def test_a_file_that_is_not_an_image_is_reported_and_the_others_are_assessed(
    page: AppTest, png: bytes
) -> None:
    upload(page, ("notes.txt", b"just words"), ("hand.png", png))
    assert "notes" in page.error[0].value
    assert "Upload the radiograph itself" in page.error[0].value
    assert len(sex_radios(page)) == 1


def test_many_films_make_a_table(page: AppTest, png: bytes, dicom: bytes) -> None:
    upload(page, ("one.png", png), ("two.dcm", dicom))
    sex_radios(page)[0].set_value(Sex.MALE).run()
    assert read_button(page).label == "Analyse 2 radiographs"
    read_button(page).click().run()
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["File"]) == ["one.png", "two.dcm"]
    assert list(table["Sex"]) == ["male", "female"]
    assert [button.label for button in page.download_button] == [
        "CSV",
        "JSON",
        "Pictures (ZIP)",
    ]
    first = headline(page)
    page.selectbox[0].set_value(page.selectbox[0].options[1]).run()
    assert headline(page) not in {"", first}


def test_a_refused_image_is_analysed_on_request(
    weights_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp, file = np.tile(np.linspace(0, 255, 360), (480, 1)).astype(np.uint8), BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    page = upload(opened(put_classifier(weights_copy), monkeypatch), ("ramp.png", file.getvalue()))
    sex_radios(page)[0].set_value(Sex.MALE).run()
    read_button(page).click().run()
    assert "The image looks like a radiograph of a chest" in page.error[0].value
    assert headline(page) == ""
    next(button for button in page.button if button.label == "Analyse anyway").click().run()
    assert not page.exception
    assert "male standard" in headline(page)
    assert "Analysed at the user's request despite a failed quality check" in page.error[0].value


def test_an_analysis_survives_an_aborted_rerun(
    page: AppTest, png: bytes, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, ("hand.png", png), ("hand.dcm", dicom))
    sex_radios(page)[0].set_value(Sex.FEMALE).run()
    drawn = abort_next_rerun(monkeypatch)
    read_button(page).click().run()
    assert len(drawn) == 2
    assert headline(page) != ""
    assert len(page.session_state["visit"].outcomes) == 2


def test_what_can_no_longer_be_read_is_not_read_later(
    page: AppTest, png: bytes, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, ("hand.dcm", dicom))
    abort_next_rerun(monkeypatch)
    read_button(page).click()
    upload(page, ("hand.dcm", dicom), ("hand.png", png))
    assert "Choose the sex for hand.png." in [caption.value for caption in page.caption]
    sex_radios(page)[1].set_value(Sex.FEMALE).run()
    assert page.session_state["visit"].outcomes == {}, "it takes another click"


def test_the_example_survives_an_aborted_rerun(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = abort_next_rerun(monkeypatch)
    page.button[0].click().run()
    assert len(drawn) == 2
    assert sex_radios(page)[0].value is Sex.FEMALE


def test_the_example_needs_one_more_click(page: AppTest) -> None:
    page.button[0].click().run()
    assert sex_radios(page)[0].value is Sex.FEMALE
    read_button(page).click().run()
    assert "female standard" in headline(page)


def test_a_film_taken_away_is_forgotten(page: AppTest, png: bytes) -> None:
    upload(page, ("hand.png", png))
    assert len(page.session_state["visit"].uploads) == 1
    page.file_uploader[0].clear().run()
    assert page.session_state["visit"].uploads == {}


def test_two_visitors_do_not_see_each_other(
    page: AppTest, weights: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, ("hand.png", png))
    other = opened(weights, monkeypatch)
    assert sex_radios(other) == []
    assert other.session_state["visit"].images == []


def test_without_weights_there_is_a_sentence(
    tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(tmp_path, monkeypatch)
    assert not page.exception
    assert "No weights in" in page.error[0].value
    upload(page, ("hand.png", png))
    assert read_button(page).disabled


def test_the_interval_and_the_clinic_are_shown(
    sure_weights: Path, labelled: Path, png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = tmp_path / "clinic.json"
    sure = Assessor(sure_weights)
    answers = list(estimate_films(sure, load_films(labelled).films))
    write_calibration(clinic, fit_clinic(answers, sure, "films", "<St Anna>"))
    monkeypatch.setenv(FILE_VARIABLE, str(clinic))
    page = opened(sure_weights, monkeypatch)
    upload(page, ("hand.png", png), ("hand-2.png", png))
    for radio in sex_radios(page):
        radio.set_value(Sex.FEMALE)
    page.run()
    read_button(page).click().run()
    assert not page.exception
    output = headline(page)
    assert "90 % prediction interval: " in output
    assert "calibration radiographs of both sexes" in output
    assert "Site calibration: &lt;St Anna&gt; (" in output
    interval = page.dataframe[0].value["Prediction interval"].iloc[0]
    assert str(interval).startswith("90 % prediction interval: ")


def test_a_calibration_that_cannot_be_used_is_reported(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "none.json"))
    page = opened(weights, monkeypatch)
    assert not page.exception
    assert "cannot be read: No such file" in page.error[0].value


def _data_page_alone() -> None:
    from boneage.apps.dashboard.dataset_page import dataset_page  # noqa: PLC0415  run as a script

    dataset_page()


def test_the_data_page(tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    films = tmp_path / "boneage-training-dataset"
    films.mkdir()
    (films / "1.png").write_bytes(png)
    labels = "id,boneage,male\n1,120,True\n1,130,True\n2,60,False\n"
    (tmp_path / "boneage-training-dataset.csv").write_text(labels)
    page = AppTest.from_function(_data_page_alone, default_timeout=TIMEOUT).run()
    assert not page.exception
    page.text_input[0].set_value(str(tmp_path / "nowhere"))
    page.button[0].click().run()
    assert "There is no folder" in page.error[0].value
    page.text_input[0].set_value(str(tmp_path))
    drawn = abort_next_rerun(monkeypatch)
    page.button[0].click().run()
    assert len(drawn) == 2, "analysed also when the rerun is aborted at once"
    assert not page.exception
    shown = " ".join(markdown.value for markdown in page.markdown)
    assert "labelled twice" in shown
    assert "no image of this id" in shown
