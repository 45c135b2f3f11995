"""The worklist of a visit: what is stated of each image, analyses beside the page, patients."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from starlette.applications import Starlette
from starlette.testclient import TestClient

from boneage.apps.dashboard.entry import Entry, Status, parse_length
from boneage.apps.dashboard.identity import patient_header, same_patients
from boneage.apps.dashboard.pictures import _shown
from boneage.apps.dashboard.uploads import UploadedImage, read_upload
from boneage.apps.dashboard.visit import ROUTES, Visit, _visits
from boneage.apps.dashboard.worklist import handle, sex_mismatch
from boneage.domain.radiograph import Sex
from boneage.domain.reader import Decision, ReaderReading
from boneage.errors import HeightError
from boneage.inference.assessor import Assessor
from boneage.reports.wording import EN
from tests.apps.dashboard.conftest import admitted

PATIENCE_SECONDS = 120


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def renamed(dicom: bytes, **stated: str) -> bytes:
    dataset = dcmread(BytesIO(dicom))
    for keyword, value in stated.items():
        setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=False)
    return file.getvalue()


def test_an_age_is_interpreted_again_and_a_sex_forgets_the_answer(
    assessor: Assessor, stating_film: UploadedImage
) -> None:
    visit = Visit()
    visit.take([stating_film])
    entry = visit.entries["b"]
    assert (entry.sex, entry.status) == (Sex.FEMALE, Status.READY)
    visit.analyse(visit.ready(), assessor)
    assert visit.is_busy
    until(lambda: not visit.is_busy)
    first = entry.analysed
    assert first is not None
    assert (entry.status, visit.ready()) == (Status.READ, [])
    entry.edit("age", "9y")
    entry.edit("height", "55 in")
    again = entry.analysed
    assert again is not None
    assert again.assessment.age_months == first.assessment.age_months
    assert again.assessment.chronological_age_months == 108
    assert again.assessment.clinical is not None
    assert again.assessment.clinical.height is not None
    assert again.assessment.clinical.height.height_cm == pytest.approx(139.7)
    entry.edit("age", "soon")
    assert entry.status is Status.INVALID
    entry.edit("age", "")
    entry.edit("sex", "male")
    assert (entry.analysed, entry.status) == (None, Status.READY)
    assert sex_mismatch(entry, EN)


def test_what_a_table_states_fills_in_also_later_images(png: bytes, dicom: bytes) -> None:
    table = b"path,sex,age,height_cm,pseudonym\nHAND,m,11y,140,K17\nIM1.dcm,f,8y,,\n"
    visit = Visit()
    visit.take(read_upload("a", "hand.png", png))
    visit.take(read_upload("t", "cases.csv", table))
    visit.take(read_upload("c", "IM1.dcm", dicom))
    first, second = visit.entries.values()
    assert (first.sex, first.age, first.height, first.pseudonym) == (
        Sex.MALE,
        "11y0m",
        "140",
        "K17",
    )
    assert (second.sex, second.age) == (Sex.FEMALE, "8y0m")
    first.edit("age", "9y")
    visit.take(read_upload("t2", "cases.csv", table))
    assert first.age == "9y", "what the visitor writes stays"


def test_events_of_the_worklist(png: bytes, dicom: bytes) -> None:
    visit = Visit()
    visit.take([admitted("a", "one.png", png), admitted("b", "two.dcm", dicom)])
    assert visit.opened == "a"
    handle(visit, {"kind": "open", "keys": ["b"]})
    assert visit.opened == "b"
    handle(visit, {"kind": "edit", "keys": ["a", "b", "gone"], "field": "sex", "text": "male"})
    assert [entry.sex for entry in visit.entries.values()] == [Sex.MALE, Sex.MALE]
    handle(visit, {"kind": "remove", "keys": ["b"]})
    assert (list(visit.entries), visit.opened) == (["a"], "a")
    handle(visit, {"kind": "remove", "keys": ["a"]})
    assert visit.opened == ""


def test_an_image_taken_off_the_list_leaves_nothing(
    assessor: Assessor, stating_film: UploadedImage
) -> None:
    visit = Visit()
    visit.take([stating_film])
    entry = visit.entries["b"]
    name = entry.name
    assert name in _shown
    visit.analyse([entry], assessor)
    visit.remove(["b"])
    job = entry.job
    assert job is not None
    until(lambda: visit.entries == {})
    del entry, job
    until(lambda: bool(gc.collect()) or name not in _shown)


def test_who_an_image_is_of(dicom: bytes, png: bytes) -> None:
    one = renamed(dicom, PatientName="Doe^Jane Mary", PatientID="7", AccessionNumber="A1")
    other = renamed(dicom, PatientName="Doe^Jane Mary", PatientID="7", PatientSex="M")
    header = patient_header(one)
    assert (header.initials, header.accession) == ("D. J. M.", "A1")
    assert "Doe" not in repr(header)
    assert patient_header(png).patient is None
    assert patient_header(b"nothing").patient is None
    images = [admitted(key, "IM0001", data) for key, data in (("a", one), ("b", other))]
    found = same_patients([(image.key, image.header, image.metadata) for image in images])
    assert found["a"].images == 2
    assert found["a"].contradicts == ("sex",)
    visit = Visit()
    visit.take([*images, admitted("c", "IM0001", one)])
    assert list(visit.duplicates()) == ["c"]


def test_what_a_reader_states_is_what_is_exported(
    assessor: Assessor, stating_film: UploadedImage
) -> None:
    visit = Visit()
    visit.take([stating_film])
    (entry,) = visit.entries.values()
    visit.analyse([entry], assessor)
    until(lambda: not visit.is_busy)
    assert visit.shown_outcomes(hidden=True) == [], "the reader reads first"
    assert entry.analysed is not None
    program = entry.analysed.assessment.age_months
    entry.reading = ReaderReading(Decision.EDITED, 130.0, program, 128.0, 14.0, "Dr. Roe")
    entry.own_reading = (128.0, 14.0)
    (stated,) = visit.shown_outcomes(hidden=True)
    assert stated is not entry.analysed
    assert entry.stated is not None
    assert entry.stated.assessment.age_months == 130.0
    entry.reading = ReaderReading(Decision.REJECTED, None, program)
    assert visit.shown_outcomes(hidden=False) == []


def test_a_refused_image_has_its_reason(assessor: Assessor) -> None:
    file = BytesIO()
    Image.fromarray(np.full((300, 200), 90, np.uint8)).save(file, "PNG")
    (found,) = read_upload("a", "blank.png", file.getvalue())
    visit = Visit()
    visit.take([found])
    assert list(visit.rejected or visit.entries) == ["a"]


@pytest.mark.parametrize(("text", "cm"), [("142,5", 142.5), ("56 in", 142.24), ("142.5 cm", 142.5)])
def test_lengths(text: str, cm: float) -> None:
    assert parse_length(text) == pytest.approx(cm)
    with pytest.raises(HeightError):
        parse_length("1.42")


def test_pictures_have_names_that_cannot_be_guessed(film: UploadedImage) -> None:
    names = {Entry(film, None).name for _ in range(50)}
    assert len(names) == 50
    assert min(map(len, names)) >= 24


def test_a_closed_tab_gives_everything_back(png: bytes) -> None:
    visit = Visit()
    visit.take([*read_upload("a", "hand.png", png), *read_upload("n", "notes.txt", b"words")])
    _visits[visit.name] = visit
    with TestClient(Starlette(routes=ROUTES)) as client:
        assert client.post("/visit/guessed/end").status_code == 204
        assert visit.entries
        assert client.post(f"/visit/{visit.name}/end").status_code == 204
    assert (visit.entries, visit.rejected, visit.tables) == ({}, {}, [])
