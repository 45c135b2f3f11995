"""Answers as DICOM, read by pydicom and by other people's software."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage

from boneage import read
from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.errors import OutputError
from boneage.reports.dicom.source import SourceDataset, identity_of, read_source
from boneage.reports.dicom.structured_report import structured_report
from boneage.reports.dicom.writing import PICTURE, REPORT, dicom_file
from boneage.reports.picture import draw
from tests.reports.conftest import PATIENT, PATIENT_ID


@pytest.fixture
def source(dicom_film: Path) -> SourceDataset:
    return read_source(dicom_film)


def dicom_files(
    answer: Assessment, radiograph: Radiograph, source: SourceDataset
) -> dict[str, bytes]:
    """Both files of an assessment."""
    kinds = (PICTURE, REPORT)
    return {kind: dicom_file(kind, answer, radiograph, source) for kind in kinds}


@pytest.fixture
def written(
    interpreted: Assessment, dicom_film: Path, source: SourceDataset, tmp_path: Path
) -> dict[str, Path]:
    paths = {}
    for kind, content in dicom_files(interpreted, read(dicom_film), source).items():
        paths[kind] = tmp_path / f"{kind}.dcm"
        paths[kind].write_bytes(content)
    return paths


def tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not here (apt-get install {package})")
    return path


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, check=True)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def items(dataset: Dataset) -> Iterator[Dataset]:
    """Every content item of a structured report."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from items(item)


def named(dataset: Dataset, meaning: str) -> list[Dataset]:
    return [
        item
        for item in items(dataset)
        if item.get("ConceptNameCodeSequence")
        and item.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def number(item: Dataset) -> tuple[float, str]:
    measured = item.MeasuredValueSequence[0]
    return float(measured.NumericValue), measured.MeasurementUnitsCodeSequence[0].CodeValue


def test_both_belong_to_the_study_and_its_patient(
    written: dict[str, Path], source: SourceDataset
) -> None:
    files = {kind: dcmread(path) for kind, path in written.items()}
    assert files["picture"].SOPClassUID == SecondaryCaptureImageStorage
    assert files["report"].SOPClassUID == ComprehensiveSRStorage
    for dataset in files.values():
        assert dataset.StudyInstanceUID == source.StudyInstanceUID
        assert dataset.SeriesInstanceUID != source.SeriesInstanceUID
        assert (dataset.PatientName, dataset.PatientID) == (PATIENT, PATIENT_ID)
        assert dataset.StudyDate == source.StudyDate
        assert dataset.Manufacturer == "boneage"
        assert dataset.ManufacturerModelName == "tiny-1"
    series = {dataset.SeriesInstanceUID for dataset in files.values()}
    assert len(series | {source.SeriesInstanceUID}) == 3


def test_the_picture_is_the_drawn_answer(
    written: dict[str, Path], interpreted: Assessment, dicom_film: Path, source: SourceDataset
) -> None:
    picture = dcmread(written["picture"])
    np.testing.assert_array_equal(picture.pixel_array, draw(interpreted, read(dicom_film)))
    assert picture.BurnedInAnnotation == "NO"
    assert picture.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert picture.ConversionType == "SYN"


def test_the_report_states_the_answer_in_codes(
    written: dict[str, Path], interpreted: Assessment
) -> None:
    report = dcmread(written["report"])
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")
    (bone_age,) = named(report, "Bone age")
    concept = bone_age.ConceptNameCodeSequence[0]
    assert (concept.CodeValue, concept.CodingSchemeDesignator) == ("37362-1", "LN")
    assert number(bone_age) == (122.4, "mo")
    below = {item.ConceptNameCodeSequence[0].CodeMeaning: item for item in items(bone_age)}
    assert number(below["+, range of upper measurement uncertainty"]) == (12.1, "mo")
    assert number(below["-, range of lower measurement uncertainty"]) == (12.4, "mo")
    assert interpreted.clinical is not None
    assert interpreted.clinical.growth is not None
    assert interpreted.clinical.growth.sds is not None
    assert number(below["Z-Score of measurement"]) == (interpreted.clinical.growth.sds, "1")
    low, high = below["Normal Range Lower Limit"], below["Normal Range Upper Limit"]
    assert number(low)[0] < 120 < number(high)[0]
    method = below["Measurement Method"].ConceptCodeSequence[0]
    assert (method.CodeValue, method.CodingSchemeDesignator) == ("GP-FEMALE", "99BONEAGE")
    assert below["Algorithm Name"].TextValue == "boneage"
    parameters = [item.TextValue for item in named(report, "Algorithm Parameters")]
    assert f"sha256 of the weights {'ab' * 32}" in parameters


def test_the_report_holds_interval_classification_and_height(written: dict[str, Path]) -> None:
    report = dcmread(written["report"])
    for meaning, value in (
        ("Bone age, lower end of its prediction interval", (110.0, "mo")),
        ("Bone age, upper end of its prediction interval", (134.5, "mo")),
        ("Level of the prediction interval of the bone age", (90.0, "%")),
        ("Bone age without site calibration", (119.5, "mo")),
        ("Age", (120.0, "mo")),
        ("Bone age minus chronological age", (2.4, "mo")),
    ):
        (item,) = named(report, meaning)
        assert number(item) == value, meaning
    (classification,) = named(report, "Bone age against chronological age")
    assert classification.ConceptCodeSequence[0].CodeValue == "NORMAL"
    (confidence,) = named(report, "Confidence of the classification")
    assert confidence.ConceptCodeSequence[0].CodeValue == "HIGH"
    (height,) = named(report, "Predicted adult height, Bayley and Pinneau")
    assert 155 < number(height)[0] < 175
    comments = [item.TextValue for item in named(report, "Comment")]
    assert "Warning: The film is marked as a right hand." in comments
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99BONEAGE"


def test_regions_lie_on_the_source_image(
    written: dict[str, Path], interpreted: Assessment, source: SourceDataset
) -> None:
    regions = named(dcmread(written["report"]), "Image Region")
    assert len(regions) == len(interpreted.detections) == 2
    for item, detection in zip(regions, interpreted.detections, strict=True):
        assert (item.ValueType, item.GraphicType) == ("SCOORD", "POLYLINE")
        columns, rows = item.GraphicData[::2], item.GraphicData[1::2]
        box = detection.box
        assert (min(columns), max(columns)) == (box.min_col, box.max_col)
        assert (min(rows), max(rows)) == (box.min_row, box.max_row)
        assert item.GraphicData[:2] == item.GraphicData[-2:], "closed"
        (image,) = item.ContentSequence
        reference = image.ReferencedSOPSequence[0]
        assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert reference.ReferencedSOPClassUID == source.SOPClassUID


@pytest.mark.parametrize("kind", ["picture", "report"])
def test_the_validator_finds_no_error(written: dict[str, Path], kind: str) -> None:
    text = run(tool("dciodvfy", "dicom3tools"), str(written[kind]))
    assert {"picture": "SCImage", "report": "ComprehensiveSR"}[kind] in text
    assert "Error" not in text


def test_dcmtk_reads_both(written: dict[str, Path]) -> None:
    dumped = run(tool("dcmdump", "dcmtk"), str(written["picture"]))
    assert "SecondaryCaptureImageStorage" in dumped
    shown = run(tool("dsrdump", "dcmtk"), "+Pl", str(written["report"]))
    assert "error" not in shown.lower()
    assert 'NUM:(,,"Bone age")="122.4" (mo,UCUM,"month")' in shown
    assert "SCOORD" in shown


def test_an_answer_with_little_in_it(answer: Assessment, dicom_film: Path, tmp_path: Path) -> None:
    bare = replace(
        answer,
        interval=None,
        calibrated=None,
        chronological_age_months=None,
        findings=(),
        detections=(),
    )
    files = dicom_files(bare, read(dicom_film), read_source(dicom_film))
    report = dcmread(BytesIO(files["report"]))
    assert number(named(report, "Bone age")[0]) == (122.4, "mo")
    assert not named(report, "Image Region")
    validator = tool("dciodvfy", "dicom3tools")
    path = tmp_path / "report.dcm"
    path.write_bytes(files["report"])
    assert "Error" not in run(validator, str(path))


def test_a_film_that_states_little_of_its_patient(
    interpreted: Assessment, dicom_film: Path, tmp_path: Path
) -> None:
    dataset = dcmread(dicom_film)
    for keyword in ("PatientName", "PatientID", "StudyID", "StudyTime", "ReferringPhysicianName"):
        del dataset[keyword]
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.StudyDescription = "Röntgen"
    dataset["PatientBirthDate"]._value = "soon"
    dataset.save_as(tmp_path / "little.dcm")
    source = read_source(tmp_path / "little.dcm")
    assert source.PatientBirthDate == ""
    for content in dicom_files(interpreted, read(dicom_film), source).values():
        found = dcmread(BytesIO(content))
        assert found.PatientID is None or found.PatientID == ""
        assert found.get("StudyDescription", "Röntgen") == "Röntgen"


ODD = {
    "StudyDate": (b"2020.03.10", "20200310"),
    "PatientBirthDate": (b" 20100504 ", "20100504"),
    "PatientSex": (b" f", "F"),
    "StudyTime": (b"10:11:12", "101112"),
    "PatientName": (b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B ", "Yamada^Tarou=山田^太郎"),
    "PatientID": (b"T1\0", "T1"),
    "StudyInstanceUID": (b"1.2.3.4\0 ", "1.2.3.4"),
}
NOT_UNDERSTOOD = {
    "StudyTime": (b"256199", ""),
    "PatientName": (b"Muster\\Kind ", ""),
    "PatientID": (b"1\\2 ", ""),
    "ReferringPhysicianName": (b"Dr^A\\Dr^B ", ""),
    "AccessionNumber": (b"1\x1b[2J ", ""),
    "PatientSex": (b"M\\F ", ""),
    "StudyDate": (b"10.03.2020", ""),
}


def with_raw(film: Path, elements: dict[str, tuple[bytes, str]]) -> BytesIO:
    """The film with elements that hold just these bytes."""
    stated = dcmread(film)
    dataset = Dataset(stated)
    dataset.file_meta = stated.file_meta
    dataset.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    for keyword, (value, _) in elements.items():
        tag = Tag(keyword)
        vr = dictionary_VR(tag)
        dataset._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file


@pytest.mark.parametrize("elements", [ODD, NOT_UNDERSTOOD], ids=["odd", "not understood"])
def test_what_is_read_of_an_element_is_what_is_written(
    interpreted: Assessment, dicom_film: Path, elements: dict[str, tuple[bytes, str]]
) -> None:
    film = with_raw(dicom_film, elements)
    radiograph, source = read(film), read_source(film)
    for content in dicom_files(interpreted, radiograph, source).values():
        answer = dcmread(BytesIO(content))
        written = {keyword: str(answer.get(keyword) or "") for keyword in elements}
        assert written == {keyword: expected for keyword, (_, expected) in elements.items()}
    identity = identity_of(source)
    assert identity.birth_date == radiograph.metadata.birth_date
    assert identity.study_date == radiograph.metadata.study_date
    assert identity.name == ("Yamada Tarou (山田 太郎)" if elements is ODD else None)


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        (b"10 Y", "010Y"),
        (b"10.5Y ", "126M"),
        (b"0120M ", "120M"),
        (b"010W", "010W"),
        (b"9.87Y ", ""),
        (b"000D", ""),
        (b"10", ""),
    ],
)
def test_an_age_is_written_as_dicom_has_it(dicom_film: Path, stated: bytes, written: str) -> None:
    film = with_raw(dicom_film, {"PatientAge": (stated, "")})
    assert (read_source(film).PatientAge or "") == written


@pytest.mark.parametrize("charset", [b"", b"ISO_IR 100", b"ISO_IR 192", b"UTF-8 ", b"nonsense"])
def test_names_survive_any_stated_character_set(dicom_film: Path, charset: bytes) -> None:
    encoding = "latin-1" if charset == b"ISO_IR 100" else "utf-8"
    name = "Müller^Jörg ".encode(encoding)
    elements = {"SpecificCharacterSet": (charset, ""), "PatientName": (name, "")}
    assert read_source(with_raw(dicom_film, elements)).PatientName == "Müller^Jörg"


def test_only_a_dicom_film_has_a_study(film: Path) -> None:
    with pytest.raises(OutputError, match=r"'hand\.png' is not a DICOM file"):
        read_source(film)


UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def without(film: Path, *keywords: str) -> BytesIO:
    """The film without elements, in its file meta information neither."""
    dataset = dcmread(film)
    for keyword in keywords:
        del dataset[keyword]
        dataset.file_meta.pop(f"MediaStorage{keyword}", None)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=False)
    return BytesIO(file.getvalue())


@pytest.mark.parametrize("keyword", UIDS)
@pytest.mark.parametrize("value", [None, b"study 7 ", b"1.2..3", b"0" * 66])
def test_a_uid_that_is_none_is_made_and_said(
    interpreted: Assessment, dicom_film: Path, keyword: str, value: bytes | None
) -> None:
    film = without(dicom_film, keyword)
    if value is not None and keyword != "SOPInstanceUID":
        film = with_raw(dicom_film, {keyword: (value, "")})
    source = read_source(film)
    assert source.generated == (keyword,)
    assert source[keyword].value.startswith("2.25.")
    assert source[keyword].value == read_source(BytesIO(film.getvalue()))[keyword].value
    for content in dicom_files(interpreted, read(film), source).values():
        answer = dcmread(BytesIO(content))
        assert answer.StudyInstanceUID == source.StudyInstanceUID
        comments = [item.TextValue for item in named(answer, "Comment")]
        text = " ".join([*comments, str(answer.get("ImageComments", ""))])
        assert f"states no valid {keyword}: a new one was generated" in text
    known = identity_of(source).study_uid
    assert known == (None if keyword == "StudyInstanceUID" else source.StudyInstanceUID)


def test_images_that_state_the_same_of_a_study_stay_in_one(dicom_film: Path) -> None:
    badly = {"StudyInstanceUID": (b"study 7 ", "")}
    one = read_source(with_raw(dicom_film, badly))
    other = read_source(with_raw(dicom_film, badly | {"SOPInstanceUID": (b"1.2.3.9\0", "")}))
    apart = read_source(with_raw(dicom_film, badly | {"PatientID": (b"someone else", "")}))
    assert one.StudyInstanceUID == other.StudyInstanceUID != apart.StudyInstanceUID


def test_the_same_weights_are_the_same_observer(
    interpreted: Assessment, source: SourceDataset
) -> None:
    reports = [structured_report(interpreted, source) for _ in range(2)]
    first, second = (named(report, "Device Observer UID")[0].UID for report in reports)
    assert first == second


def test_nothing_is_made_of_a_film_that_states_all(source: SourceDataset) -> None:
    assert (source.generated, source.comment) == ((), None)


def test_a_film_that_states_no_kind_of_image_is_reported(dicom_film: Path) -> None:
    with pytest.raises(OutputError, match="states no SOPClassUID"):
        read_source(without(dicom_film, "SOPClassUID"))


def test_a_study_that_no_file_can_be_written_with_names_nobody(
    interpreted: Assessment, dicom_film: Path, source: SourceDataset
) -> None:
    source.SOPClassUID = "1.2.3.4"
    with pytest.raises(OutputError) as raised:
        dicom_files(interpreted, read(dicom_film), source)
    assert "ZZYZX" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_who_the_child_is(source: SourceDataset) -> None:
    identity = identity_of(source, "child 7")
    assert (identity.name, identity.patient_id) == ("ZZYZX QUENTIN", PATIENT_ID)
    assert identity.birth_date is not None
    assert (identity.birth_date.year, identity.pseudonym) == (2010, "child 7")
    assert identity.study_uid == source.StudyInstanceUID
    assert "ZZYZX" not in repr(identity)
