"""Report, FHIR and DICOM of an answer: what is made, what is said, and nothing before the click."""

from __future__ import annotations

import json
import logging
import re
import sys
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage

from boneage.apps.dashboard.analysis import AnalysedImage, analyse_image
from boneage.apps.dashboard.downloads import DownloadFailure, DownloadFile, make_download
from boneage.apps.dashboard.uploads import Choice
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.reports.exports import DICOM_PICTURE, DICOM_REPORT, FHIR, REPORT, ReportOptions
from boneage.reports.identity import Identity
from tests.apps.dashboard.conftest import admitted

NAME, PATIENT_ID = "ZZYZX^QUENTIN", "QZ-4711"
DICOM = (DICOM_PICTURE, DICOM_REPORT)
CHILD_7 = Identity("child 7")


@pytest.fixture(scope="session")
def named_dicom(dicom: bytes) -> bytes:
    """The same film, which states a patient."""
    dataset = dcmread(BytesIO(dicom))
    dataset.PatientName, dataset.PatientID = NAME, PATIENT_ID
    changed = BytesIO()
    dataset.save_as(changed, enforce_file_format=False)
    return changed.getvalue()


@pytest.fixture
def of_dicom(assessor: Assessor, named_dicom: bytes) -> AnalysedImage:
    found = analyse_image(assessor, admitted("b", "hand.dcm", named_dicom), Choice(Sex.FEMALE))
    assert isinstance(found, AnalysedImage)
    return found


def file(found: DownloadFile | DownloadFailure) -> DownloadFile:
    assert isinstance(found, DownloadFile), found
    return found


@pytest.mark.parametrize(("paper", "size"), [("a4", b"595.2"), ("letter", b"612 792")])
def test_the_report_has_its_paper(of_dicom: AnalysedImage, paper: str, size: bytes) -> None:
    found = file(
        make_download([REPORT], of_dicom, ReportOptions(paper, "de", CHILD_7, "2026-11-25"))
    )
    assert (found.name, found.media_type) == ("hand.boneage.pdf", "application/pdf")
    assert found.content.startswith(b"%PDF-")
    assert size in found.content
    assert len(re.findall(rb"/Type /Page\b(?!s)", found.content)) == 1


def test_the_observation_names_nobody_but_the_pseudonym(of_dicom: AnalysedImage) -> None:
    found = file(make_download([FHIR], of_dicom, ReportOptions()))
    assert (found.name, found.media_type) == ("hand.boneage.json", "application/fhir+json")
    resource = json.loads(found.content)
    assert resource["resourceType"] == "Observation"
    assert "subject" not in resource
    for secret in (NAME, "Quentin", PATIENT_ID, "hand.dcm"):
        assert secret.lower() not in found.content.decode().lower()
    named = json.loads(
        file(make_download([FHIR], of_dicom, ReportOptions(identity=CHILD_7))).content
    )
    assert named["subject"]["identifier"]["value"] == "child 7"


def test_both_dicom_files_join_the_study_of_the_film(
    of_dicom: AnalysedImage, named_dicom: bytes
) -> None:
    found = file(make_download(DICOM, of_dicom, ReportOptions()))
    assert (found.name, found.media_type) == ("hand.boneage.zip", "application/zip")
    film = dcmread(BytesIO(named_dicom))
    with zipfile.ZipFile(BytesIO(found.content)) as archive:
        names = archive.namelist()
        datasets = [dcmread(BytesIO(archive.read(name))) for name in names]
    assert names == ["hand.picture.boneage.dcm", "hand.report.boneage.dcm"]
    assert [dataset.SOPClassUID for dataset in datasets] == [
        SecondaryCaptureImageStorage,
        ComprehensiveSRStorage,
    ]
    for dataset in datasets:
        assert dataset.StudyInstanceUID == film.StudyInstanceUID
        assert dataset.PatientID == PATIENT_ID


def test_a_film_that_is_no_dicom_reports_it(answered: AnalysedImage) -> None:
    assert not answered.image.is_dicom
    found = make_download(DICOM, answered, ReportOptions())
    assert isinstance(found, DownloadFailure)
    assert found.message.startswith("'hand.png' is not a DICOM file")
    assert found.message.endswith("give the image as DICOM.")


def test_a_dicom_film_without_a_kind_reports_it(assessor: Assessor, dicom: bytes) -> None:
    dataset = dcmread(BytesIO(dicom))
    del dataset.SOPClassUID, dataset.file_meta.MediaStorageSOPClassUID
    changed = BytesIO()
    dataset.save_as(changed, enforce_file_format=False)
    film = admitted("c", "hand.dcm", changed.getvalue())
    found = analyse_image(assessor, film, Choice(Sex.FEMALE))
    assert isinstance(found, AnalysedImage)
    failure = make_download(DICOM, found, ReportOptions())
    assert isinstance(failure, DownloadFailure)
    assert "states no SOPClassUID" in failure.message
    assert isinstance(make_download([REPORT], found, ReportOptions()), DownloadFile)


@pytest.mark.parametrize(
    ("library", "extra", "names"),
    [("reportlab", "report", [REPORT]), ("highdicom", "dicom", DICOM)],
)
def test_a_library_that_is_missing_is_named(
    of_dicom: AnalysedImage,
    library: str,
    extra: str,
    names: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in [name for name in sys.modules if name.startswith("boneage.reports.pdf")]:
        monkeypatch.delitem(sys.modules, module)
    for module in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, library, None)
    found = make_download(names, of_dicom, ReportOptions())
    assert isinstance(found, DownloadFailure)
    assert f'[{extra}]".' in found.message


def test_a_language_without_a_translation_is_named(answered: AnalysedImage) -> None:
    found = make_download([REPORT], answered, ReportOptions(language="xx"))
    assert isinstance(found, DownloadFailure)
    assert "No translation ships for the language 'xx'" in found.message


def test_what_goes_wrong_otherwise_is_reported_without_its_words(
    of_dicom: AnalysedImage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError(NAME)

    monkeypatch.setattr("boneage.reports.dicom.writing.dicom_file", fail)
    with caplog.at_level(logging.DEBUG):
        found = make_download(DICOM, of_dicom, ReportOptions())
    assert found == DownloadFailure("Unexpected RuntimeError.")
    assert NAME not in caplog.text


def test_a_film_without_a_name_still_has_a_file(answered: AnalysedImage) -> None:
    nameless = replace(answered, image=replace(answered.image, name=""))
    assert file(make_download([FHIR], nameless, ReportOptions())).name == "film.boneage.json"
