"""What is known of a child, from people and from the image."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from boneage.clinical.standards import nearest_standards
from boneage.domain.child import Child, check_height, clinical_context, height_from_inches
from boneage.domain.clinical_findings import AgeSource, ClinicalFindings
from boneage.domain.findings import Finding, Severity
from boneage.domain.radiograph import ImageMetadata, Sex
from boneage.errors import AgeError, HeightError
from boneage.reports.record import clinical_record

BIRTH, STUDY = date(2011, 2, 3), date(2021, 2, 3)
BARE = ImageMetadata("PNG", 8)
DATED = ImageMetadata(
    "DICOM", 12, birth_date=BIRTH, study_date=STUDY, chronological_age_months=120.02
)


@pytest.mark.parametrize(
    ("child", "metadata", "months", "source"),
    [
        (Child(), DATED, 120, AgeSource.FILM_DATES),
        (Child(), replace(BARE, chronological_age_months=72), 72, AgeSource.FILM_AGE),
        (Child(chronological_age_months=136), DATED, 136, AgeSource.GIVEN),
        (Child(birth_date=date(2012, 2, 3)), DATED, 108, AgeSource.GIVEN_DATES),
        (Child(study_date=date(2022, 2, 3)), DATED, 132, AgeSource.GIVEN_DATES),
        (Child(birth_date=BIRTH, study_date=STUDY), BARE, 120, AgeSource.GIVEN_DATES),
        (
            Child(chronological_age_months=136, birth_date=BIRTH),
            BARE,
            136,
            AgeSource.GIVEN,
        ),
    ],
)
def test_what_is_given_is_stronger_than_the_film(
    child: Child, metadata: ImageMetadata, months: float, source: AgeSource
) -> None:
    context = clinical_context(child, metadata)
    assert context.chronological_age_months == pytest.approx(months, abs=0.1)
    assert context.age_source is source
    assert context.age_not_defined is None


def test_what_a_row_leaves_open_the_command_states() -> None:
    options = Child(chronological_age_months=100, study_date=STUDY, height_cm=150)
    assert Child().completed(options) == options
    assert Child(height_cm=140).completed(options) == replace(options, height_cm=140)
    dated = Child(birth_date=BIRTH).completed(options)
    assert dated == Child(birth_date=BIRTH, study_date=STUDY, height_cm=150)
    aged = Child(chronological_age_months=90).completed(Child(birth_date=BIRTH))
    assert aged == Child(chronological_age_months=90)


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (BARE, "no_age"),
        (replace(BARE, birth_date=STUDY, study_date=BIRTH), "birth_after_study"),
        (replace(BARE, birth_date=BIRTH), "no_study_date"),
        (replace(BARE, chronological_age_months=360.0), "adult"),
    ],
)
def test_a_film_that_gives_no_age_is_no_error(metadata: ImageMetadata, code: str) -> None:
    context = clinical_context(Child(), metadata)
    assert context.chronological_age_months is None
    assert context.age_not_defined is not None
    assert context.age_not_defined.code == code
    assert "20" not in context.age_not_defined.message, "no date"


@pytest.mark.parametrize(
    "metadata",
    [
        replace(BARE, birth_date=STUDY, study_date=STUDY),
        replace(BARE, birth_date=date(1, 1, 1), study_date=STUDY),
        replace(BARE, findings=(Finding("placeholder_age", Severity.WARNING, "000D"),)),
    ],
)
def test_a_placeholder_gives_no_age(metadata: ImageMetadata) -> None:
    context = clinical_context(Child(), metadata)
    assert context.chronological_age_months is None
    assert context.age_not_defined is not None
    assert context.age_not_defined.code == "placeholder_age"
    growth = clinical_record(ClinicalFindings(context, nearest_standards(110, Sex.MALE))).growth
    assert growth is not None
    assert (growth.determination, growth.sds) == ("unknown", None)
    assert growth.not_defined is not None
    assert growth.not_defined.code == "placeholder_age"


def test_a_study_without_a_date() -> None:
    with pytest.raises(AgeError, match=r"states no study date.*give the study date too"):
        clinical_context(Child(birth_date=BIRTH), BARE)
    with pytest.raises(AgeError, match=r"states no birth date.*give the birth date too"):
        clinical_context(Child(study_date=STUDY), BARE)


def test_dates_that_cannot_be() -> None:
    with pytest.raises(AgeError, match="birth date lies after the study date") as caught:
        Child(birth_date=STUDY, study_date=BIRTH)
    assert "20" not in str(caught.value), "no date"
    with pytest.raises(AgeError, match="make the child 30 years old"):
        Child(birth_date=date(1991, 2, 3), study_date=STUDY)
    with pytest.raises(AgeError, match="birth date lies after"):
        clinical_context(Child(birth_date=date(2022, 1, 1)), DATED)


@pytest.mark.parametrize("months", [-1.0, 360.0, float("nan")])
def test_an_age_that_is_no_child_s(months: float) -> None:
    with pytest.raises(AgeError, match=r"0 to 25 years \(300 months\) is accepted"):
        Child(chronological_age_months=months)


def test_dates_are_not_in_the_representation() -> None:
    child = Child(birth_date=BIRTH, study_date=STUDY, height_cm=140)
    for value in (child, clinical_context(child, DATED)):
        assert "2011" not in repr(value)
        assert "2021" not in repr(value)


@pytest.mark.parametrize(
    ("height_cm", "text"),
    [
        (1.42, "height 1.42 cm looks like metres; give centimetres: 142"),
        (12.0, "from 30 to 230 cm is accepted"),
        (1420.0, "height 1420 cm is not a child's"),
        (-142.0, "is not a child's"),
        (float("nan"), "is not a child's"),
    ],
)
def test_a_height_that_is_no_child_s(height_cm: float, text: str) -> None:
    with pytest.raises(HeightError, match=text):
        check_height(height_cm)
    with pytest.raises(HeightError, match=text):
        Child(height_cm=height_cm)


def test_inches() -> None:
    assert height_from_inches(60) == pytest.approx(152.4)
    with pytest.raises(HeightError, match="is it in centimetres"):
        height_from_inches(142)
    with pytest.raises(HeightError, match="is it in feet"):
        height_from_inches(4.9)
    with pytest.raises(HeightError, match="from 12 to 90 inches is accepted"):
        height_from_inches(0)
