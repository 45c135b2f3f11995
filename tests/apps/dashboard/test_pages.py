"""The pages, run by Streamlit's own test runner, without a browser."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boneage
from boneage.apps.dashboard.entry import Entry
from boneage.apps.dashboard.visit import Visit
from boneage.datasets.films import load_films
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


def visit_of(page: AppTest) -> Visit:
    visit: Visit = page.session_state["visit"]
    return visit


def entry(page: AppTest, name: str) -> Entry:
    return next(one for one in visit_of(page).entries.values() if one.image.name == name)


def state(page: AppTest, name: str, sex: str) -> None:
    """State the sex in the row of an image."""
    entry(page, name).edit("sex", sex)
    page.run()


def button(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in page.button if one.label.startswith(label))


def read_button(page: AppTest):  # type: ignore[no-untyped-def]
    return next(one for one in page.button if one.label.startswith(("Assess", "Analyse ")))


def wait(page: AppTest) -> None:
    """Wait until every analysis is done, and draw the page again."""
    end = time.monotonic() + TIMEOUT
    while visit_of(page).is_busy:
        assert time.monotonic() < end
        time.sleep(0.02)
    page.run()


def read(page: AppTest) -> None:
    read_button(page).click().run()
    wait(page)
    assert not page.exception


def headline(page: AppTest) -> str:
    found = [html.proto.body for html in page.html if "bone-age-months" in html.proto.body]
    return next((text for text in found if "<style>" not in text), "")


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def test_nothing_can_be_read_before_there_is_a_film(page: AppTest) -> None:
    assert not page.exception
    assert [one.label for one in page.button] == ["Try the synthetic example"]
    assert "Add radiographs" in " ".join(one.value for one in page.markdown)


def test_a_film_is_read_once_the_sex_is_stated(
    page: AppTest, png: bytes, assessor: Assessor
) -> None:
    upload(page, ("hand.png", png))
    assert read_button(page).disabled
    assert "1 without a sex" in captions(page)
    state(page, "hand.png", "male")
    assert not read_button(page).disabled
    read(page)
    expected = assessor.assess(boneage.read(png), "male")
    assert f"{expected.age_months:.1f} months · Greulich and Pyle, male standard" in headline(page)
    assert boneage.years_and_months(expected.age_months) in headline(page)
    assert "tiny-1" in "".join(html.proto.body for html in page.html)


def test_an_other_sex_takes_the_answer_away(page: AppTest, png: bytes) -> None:
    upload(page, ("hand.png", png))
    state(page, "hand.png", "male")
    read(page)
    state(page, "hand.png", "female")
    assert headline(page) == ""
    assert not read_button(page).disabled


def test_images_stay_when_the_field_for_files_is_emptied(
    page: AppTest, png: bytes, dicom: bytes
) -> None:
    upload(page, ("hand.png", png))
    assert not page.file_uploader[0].value, "the field is empty again"
    upload(page, ("hand.dcm", dicom), ("notes.txt", b"just words"))
    assert [one.image.name for one in visit_of(page).entries.values()] == ["hand.png", "hand.dcm"]
    assert "1 cannot be read" in captions(page)
    page.run()
    assert len(visit_of(page).entries) == 2


def test_many_films_are_read_and_downloaded(page: AppTest, png: bytes, dicom: bytes) -> None:
    upload(page, ("one.png", png), ("two.dcm", dicom))
    assert read_button(page).label == "Analyse 1 radiographs", "the other has no sex"
    state(page, "one.png", "male")
    assert read_button(page).label == "Analyse 2 radiographs"
    read(page)
    labels = [one.label for one in page.download_button]
    assert labels[:3] == ["Table (CSV)", "JSON", "Pictures (ZIP)"]
    assert "2 assessed" in captions(page)
    first = headline(page)
    visit_of(page).open(entry(page, "two.dcm").key)
    page.run()
    assert headline(page) not in {"", first}
    assert "ahead of" in headline(page) or "behind" in headline(page)
    assert {"Report (PDF)", "FHIR"} <= {one.label for one in page.download_button}


def test_dicom_files_are_made_on_request(page: AppTest, dicom: bytes) -> None:
    upload(page, ("hand.dcm", dicom))
    read(page)
    assert "name, identifiers and dates of the patient" in captions(page)
    button(page, "DICOM files").click().run()
    assert not page.exception
    saved = [b.label for b in page.download_button if "boneage" in b.label]
    assert saved == [r"hand\.boneage\.zip"]
    next(radio for radio in page.radio if radio.label == "Paper").set_value("letter").run()
    assert not [b.label for b in page.download_button if "boneage" in b.label]


def test_the_reader_reads_first(page: AppTest, dicom: bytes) -> None:
    next(one for one in page.toggle if one.label.startswith("Read first")).set_value(True).run()
    upload(page, ("hand.dcm", dicom))
    read(page)
    assert headline(page) == "", "not before the reader's own"
    own = next(one for one in page.text_input if one.label.startswith("Your reading"))
    own.set_value("soon")
    button(page, "Read").click().run()
    assert "is not understood" in page.error[0].value
    next(one for one in page.text_input if one.label.startswith("Your reading")).set_value("9y6m")
    button(page, "Read").click().run()
    assert not page.exception
    assert headline(page) != ""
    stated = next(one for one in page.text_input if one.label == "Bone age that you state")
    assert stated.value == "9y6m"
    button(page, "State this one").click().run()
    reading = entry(page, "hand.dcm").reading
    assert reading is not None
    assert (reading.bone_age_months, reading.own_months) == (114.0, 114.0)
    assert reading.seconds is not None
    assert "Stated by the reader" in page.success[0].value
    button(page, "Reject").click().run()
    assert "nothing is exported" in " ".join(one.value for one in page.info)


def test_a_refused_image_is_analysed_on_request(
    weights_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ramp, file = np.tile(np.linspace(0, 255, 360), (480, 1)).astype(np.uint8), BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    page = upload(opened(put_classifier(weights_copy), monkeypatch), ("ramp.png", file.getvalue()))
    state(page, "ramp.png", "male")
    read(page)
    assert "The image looks like a radiograph of a chest" in page.error[0].value
    assert headline(page) == ""
    button(page, "Analyse anyway").click().run()
    wait(page)
    assert not page.exception
    assert "male standard" in headline(page)
    assert "Analysed at the user's request despite a failed quality check" in page.error[0].value


def test_an_analysis_survives_an_aborted_rerun(
    page: AppTest, png: bytes, dicom: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, ("hand.png", png), ("hand.dcm", dicom))
    state(page, "hand.png", "female")
    drawn = abort_next_rerun(monkeypatch)
    read_button(page).click().run()
    assert len(drawn) >= 2
    wait(page)
    assert headline(page) != ""
    assert len(visit_of(page).shown_outcomes(hidden=False)) == 2


def test_the_example_survives_an_aborted_rerun(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = abort_next_rerun(monkeypatch)
    button(page, "Try the synthetic example").click().run()
    assert len(drawn) >= 2
    read(page)
    assert "female standard" in headline(page)


def test_two_visitors_do_not_see_each_other(
    page: AppTest, weights: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(page, ("hand.png", png))
    other = opened(weights, monkeypatch)
    assert visit_of(other).entries == {}


def test_without_weights_there_is_a_sentence(
    tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(tmp_path, monkeypatch)
    assert not page.exception
    assert "No weights in" in page.error[0].value
    upload(page, ("hand.png", png))
    state(page, "hand.png", "male")
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
    upload(page, ("hand.png", png))
    state(page, "hand.png", "female")
    read(page)
    output = headline(page)
    assert "90 % prediction interval: " in output
    assert "calibration radiographs of both sexes" in output
    assert "Site calibration: &lt;St Anna&gt; (" in output


def test_a_calibration_that_cannot_be_used_is_reported(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(tmp_path / "none.json"))
    page = opened(weights, monkeypatch)
    assert not page.exception
    assert "cannot be read: No such file" in page.error[0].value


def test_the_page_speaks_german(page: AppTest, png: bytes) -> None:
    next(one for one in page.radio if one.label == "Language").set_value("de").run()
    assert page.title[0].value == "Knochenalter aus einer Röntgenaufnahme der Hand"
    upload(page, ("hand.png", png))
    assert "1 ohne Geschlecht" in captions(page)
    assert not page.exception


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
