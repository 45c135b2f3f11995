"""The metadata of a DICOM file."""

from __future__ import annotations

from datetime import date
from typing import Any

import pydicom
import pytest

from boneage import Sex, read
from boneage.domain.radiograph import ImageMetadata
from boneage.reading import Limits
from tests.reading.drawn import dataset, dicom
from tests.reading.test_dicom_pixels import shipped


def metadata(**elements: Any) -> ImageMetadata:
    return read(dicom(**elements)).metadata


def codes(metadata: ImageMetadata) -> list[str]:
    return [finding.code for finding in metadata.findings]


def test_all_at_once() -> None:
    assert metadata(
        PatientSex="F",
        PatientBirthDate="20100115",
        StudyDate="20200115",
        PatientAge="009Y",
        ImageLaterality="L",
        BodyPartExamined="HAND",
        PixelSpacing=["0.2", "0.25"],
        BurnedInAnnotation="NO",
    ) == ImageMetadata(
        format="DICOM (uncompressed)",
        bits=12,
        sex=Sex.FEMALE,
        birth_date=date(2010, 1, 15),
        study_date=date(2020, 1, 15),
        chronological_age_months=3_652 / 30.4375,
        laterality="L",
        pixel_spacing_mm=(0.2, 0.25),
        body_part="HAND",
        modality="CR",
        burned_in_annotation=False,
    )


def test_nothing_at_all() -> None:
    ds = dataset()
    assert metadata() == ImageMetadata(format="DICOM (uncompressed)", bits=12, modality=ds.Modality)


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@pytest.mark.parametrize(
    ("stated", "sex"),
    [("M", Sex.MALE), ("F", Sex.FEMALE), ("f ", Sex.FEMALE), ("O", None), ("", None), ("X", None)],
)
def test_sex(stated: str, sex: Sex | None) -> None:
    assert metadata(PatientSex=stated).sex is sex


@pytest.mark.parametrize(
    ("stated", "months"),
    [
        ("006Y", 72.0),
        ("072M", 72.0),
        ("010W", 70 / 30.4375),
        ("100D", 100 / 30.4375),
        ("000Y", None),
        ("010y", 120.0),
        ("0120M", 120.0),
        ("10.5Y", 126.0),
        ("10 Y", 120.0),
        ("10Y 6M", 126.0),
        ("12Y", 144.0),
        ("", None),
        ("6", None),
        ("Y006", None),
        ("-06Y", None),
        ("006X", None),
        ("999Y", None),
        ("six", None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR AS")
def test_stated_age(stated: str, months: float | None) -> None:
    assert metadata(PatientAge=stated).chronological_age_months == (
        months if months is None else pytest.approx(months)
    )


@pytest.mark.parametrize(
    ("birth", "study"),
    [
        ("20200115", "20100115"),  # before birth
        ("18000101", "20200101"),  # of nobody alive
        ("20101315", "20200115"),  # no such month
        ("2010", "20200115"),
        ("", "20200115"),
        ("20100115", ""),
        ("born in May", "20200115"),
        ("00000000", "20200115"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_dates_that_make_no_sense_give_way_to_the_stated_age(birth: str, study: str) -> None:
    dates = {"PatientBirthDate": birth, "StudyDate": study}
    assert metadata(**dates).chronological_age_months is None
    assert metadata(**dates, PatientAge="010Y").chronological_age_months == 120


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_dates_in_the_old_form() -> None:
    assert metadata(PatientBirthDate="2010.01.15").birth_date == date(2010, 1, 15)


def test_born_on_the_study_date_is_a_placeholder() -> None:
    today = metadata(PatientBirthDate="20200115", StudyDate="20200115")
    assert today.chronological_age_months is None
    assert codes(today) == ["placeholder_age"]
    aged = metadata(PatientBirthDate="20200115", StudyDate="20200115", PatientAge="010Y")
    assert aged.chronological_age_months == 120
    assert codes(aged) == ["placeholder_age"]


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    ("elements", "months", "found"),
    [
        ({"PatientAge": "000D"}, None, ["placeholder_age"]),
        ({"PatientAge": "999Y"}, None, ["placeholder_age"]),
        ({"PatientAge": "10"}, None, ["age_not_understood"]),
        ({"PatientAge": "Smith"}, None, ["age_not_understood"]),
        ({"PatientAge": ["009Y", "010Y"]}, None, ["several_values"]),
        ({"PatientBirthDate": "19000101"}, None, ["placeholder_age"]),
        ({"PatientBirthDate": "00010101"}, None, ["placeholder_age"]),
        ({"PatientBirthDate": "20210101"}, None, ["birth_after_study"]),
        ({"PatientBirthDate": "10.03.2010"}, None, ["date_not_understood"]),
        ({"PatientBirthDate": "2010"}, None, ["date_not_understood"]),
        ({"PatientBirthDate": "00000000"}, None, []),
        ({"PatientBirthDate": ["20100310", "20110310"]}, None, ["several_values"]),
        ({"PatientBirthDate": "20100310", "PatientAge": "010Y"}, 120.02, []),
        ({"PatientBirthDate": "20100310", "PatientAge": "009Y"}, 120.02, []),
        ({"PatientBirthDate": "20100310", "PatientAge": "120M"}, 120.02, []),
        ({"PatientBirthDate": "20100310", "PatientAge": "005Y"}, 120.02, ["ages_differ"]),
        ({"PatientBirthDate": "20100310", "PatientAge": "110M"}, 120.02, ["ages_differ"]),
        ({"StudyTime": "256199"}, None, ["time_not_understood"]),
        ({"PatientSex": ["M", "F"]}, None, ["several_values"]),
        ({"PatientSex": "O"}, None, ["other_sex"]),
        ({"PatientSex": "W"}, None, ["sex_not_understood"]),
        ({"PatientName": "A\\B", "PatientID": "1\\2"}, None, ["several_values"] * 2),
    ],
)
def test_what_is_odd_is_named_and_not_quoted(
    elements: dict[str, Any], months: float | None, found: list[str]
) -> None:
    stated = metadata(**{"StudyDate": "20200310", **elements})
    assert codes(stated) == found
    assert stated.chronological_age_months == (months and pytest.approx(months, abs=0.01))
    output = " ".join(finding.message for finding in stated.findings)
    for text in (elements.get("PatientBirthDate"), elements.get("PatientName"), "Smith"):
        assert not isinstance(text, str) or text not in output


@pytest.mark.parametrize("keyword", ["AcquisitionDate", "ContentDate", "SeriesDate"])
def test_another_date_where_the_study_states_none(keyword: str) -> None:
    dates = {"PatientBirthDate": "20100310", keyword: "20200310"}
    elsewhere = metadata(**dates)
    assert elsewhere.study_date == date(2020, 3, 10)
    assert codes(elsewhere) == ["study_date_elsewhere"]
    assert codes(metadata(**dates, StudyDate="20190310")) == []


def test_the_places_of_the_date_in_their_order() -> None:
    dates = {"SeriesDate": "20200101", "ContentDate": "20200202", "AcquisitionDate": "20200303"}
    assert metadata(**dates).study_date == date(2020, 3, 3)


@pytest.mark.parametrize(
    ("elements", "side"),
    [
        ({"ImageLaterality": "R"}, "R"),
        ({"Laterality": "L"}, "L"),
        ({"ImageLaterality": "L", "Laterality": "R"}, "L"),
        ({"ImageLaterality": "B", "Laterality": "R"}, "B"),
        ({"ImageLaterality": "U"}, None),
        ({"Laterality": ""}, None),
    ],
)
def test_laterality(elements: dict[str, str], side: str | None) -> None:
    assert metadata(**elements).laterality == side


def test_spacing() -> None:
    detector = {"ImagerPixelSpacing": ["0.1", "0.1"]}
    assert metadata(**detector).pixel_spacing_mm == (0.1, 0.1)
    assert metadata(**detector, PixelSpacing=["0.2", "0.3"]).pixel_spacing_mm == (0.2, 0.3)
    assert metadata(**detector, PixelSpacing=["0", "0.3"]).pixel_spacing_mm == (0.1, 0.1)
    assert metadata(PixelSpacing=["0.2"]).pixel_spacing_mm is None


def test_burned_in_annotation() -> None:
    assert metadata(BurnedInAnnotation="YES").burned_in_annotation is True
    assert metadata(BurnedInAnnotation="").burned_in_annotation is None


@pytest.mark.filterwarnings("ignore:The value length")
@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
def test_a_code_that_is_free_text_is_not_read() -> None:
    assert metadata(BodyPartExamined="Left Hand").body_part == "Left Hand"
    assert metadata(BodyPartExamined="HAND OF ZZYZX QUENTIN").body_part is None
    assert metadata(Modality="ZZYZX^Q").modality is None


def test_a_real_file() -> None:
    real = read(shipped("MR_small.dcm"), limits=Limits(min_side_px=64)).metadata
    ds = pydicom.dcmread(shipped("MR_small.dcm"))
    assert real.modality == ds.Modality == "MR"
    assert real.sex is Sex.FEMALE
    assert real.study_date == date(2004, 8, 26)
    assert real.pixel_spacing_mm == tuple(ds.PixelSpacing)
