"""Growth, adult height and standards in the text, the JSON and the CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydicom import Dataset

from boneage.clinical.growth import growth_of
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import MATURE, Assessment, Finding, Interval
from boneage.domain.child import Child
from boneage.domain.clinical_findings import Centre, Classification
from boneage.domain.radiograph import ImageMetadata, Sex
from boneage.domain.reported import reported
from boneage.reports.clinical_wording import (
    CLASSIFICATIONS,
    growth_reference,
    normal_range,
    sds_text,
)
from boneage.reports.dicom.source import read_source
from boneage.reports.dicom.structured_report import structured_report
from boneage.reports.fhir import observation
from boneage.reports.record import record
from boneage.reports.table import row, write_table
from boneage.reports.text import LINE_WIDTH, full_text, one_line


@pytest.fixture
def read(answer: Assessment) -> Assessment:
    """A girl of 10 years whose film says when she was born and when it was taken."""
    return with_clinical_findings(answer, Child(height_cm=140.0))


def flat(text: str) -> str:
    return " ".join(text.split())


def cells_of(answer: Assessment) -> dict[str, str]:
    file = io.BytesIO()
    write_table(file, [row(answer)])
    (cells,) = csv.DictReader(io.StringIO(file.getvalue().decode("utf-8")))
    return cells


def test_a_mature_hand_is_at_least_that_old_in_every_output(read: Assessment) -> None:
    mature = replace(read, findings=(Finding.warning(MATURE, "The growth plates appear fused."),))
    least = "at least 10 years 2 months"
    both = "at least 10 years 2 months (122.4 months), skeletally mature or nearly so"
    assert both in flat(full_text(mature))
    assert both in one_line(mature)
    assert record(mature)["age_text"] == f"{least}, skeletally mature or nearly so"
    assert record(mature)["age_months"] == record(read)["age_months"]
    assert cells_of(mature)["age_text"].startswith(least)
    assert observation(mature, "cd" * 32)["valueQuantity"] == {
        **observation(read, "cd" * 32)["valueQuantity"],
        "comparator": ">=",
    }
    assert "at least" not in full_text(read)


def test_the_text_states_everything(read: Assessment) -> None:
    text = flat(full_text(read))
    for shown in (
        "Chronological age 10 years 0 months (120.0 months), from the birth and study dates in the",
        "Difference +2.4 months SDS",
        "SDS +0.20 (−0.85 to +1.24 over the prediction interval)",
        "Brush Foundation children, Greulich and Pyle 1959; centred on the chronological age; "
        "1 SD = 11.73 months",
        "Normal range 8 years 0 months to 11 years 11 months (96.5 to 143.5 months), ±2 SD",
        "Classification within normal limits (high confidence)",
        "Probability delayed 1 %, within normal limits 91 %, advanced 8 %",
        "Height for age +0.30 SDS, percentile 61.8 (CDC 2000)",
        "Current height 140.0 cm (55.1 in), 87.2 % of adult height",
        "Predicted adult height 160.6 cm (63.2 in)",
        "Prediction ±2 SD 153.7 to 167.6 cm (60.5 to 66.0 in)",
        "Range over the prediction interval ",
        "Height reference Bayley and Pinneau 1952, table for average children",
        "Nearest standards between 10 years 0 months and 11 years 0 months",
        "Assessment criteria The adductor sesamoid",
    ):
        assert shown in text
    assert max(map(len, full_text(read).splitlines())) <= LINE_WIDTH


def test_two_standard_deviations_are_two() -> None:
    """A known slip in the field: one SD under the words "two standard deviations"."""
    growth = growth_of(120, 120, Sex.MALE)
    assert growth.sd_months == 9.79
    assert normal_range(growth).endswith("(100.4 to 139.6 months), ±2 SD")
    assert "1 SD = 9.79 months" in growth_reference(growth)


def test_the_centre_is_named() -> None:
    mean = growth_of(120, 120, Sex.MALE, centre=Centre.BRUSH_MEAN)
    assert sds_text(mean) == "−0.58"
    assert "; centred on its mean (125.7 months); 1 SD" in growth_reference(mean)


def test_every_determination_has_words() -> None:
    assert CLASSIFICATIONS.keys() == set(Classification)


def test_one_line_of_many(read: Assessment) -> None:
    shown = "SDS +0.20, within normal limits; adult height 160.6 cm (63.2 in)"
    assert shown in one_line(read)


def test_what_is_not_defined_is_reported_everywhere(answer: Assessment) -> None:
    old = replace(answer, metadata=ImageMetadata("PNG", 8), age_months=230.0, interval=None)
    read = with_clinical_findings(old, Child(chronological_age_months=210, height_cm=160))
    text = flat(full_text(read))
    assert "SDS not defined: the Brush table has no SD for 17 years 6 months" in text
    assert "Classification not classified: no normal range is defined" in text
    assert (
        "Predicted adult height not defined: a bone age of 19 years 2 months lies outside" in text
    )
    assert "Nearest standards beyond the last, 18 years 0 months" in text
    assert "adult height not defined" in one_line(read)
    cells = cells_of(read)
    assert "the Brush table has no SD" in cells["not_defined"]
    assert (cells["sds"], cells["adult_height_cm"], cells["determination"]) == ("", "", "unknown")
    growth = record(read)["clinical"]["growth"]
    assert growth["sds"] is None
    assert growth["not_defined"]["code"] == "outside_brush"


def test_a_film_whose_dates_are_wrong_is_reported(answer: Assessment) -> None:
    metadata = ImageMetadata("DICOM", 12, birth_date=date(2021, 2, 3), study_date=date(2011, 2, 3))
    text = flat(full_text(with_clinical_findings(replace(answer, metadata=metadata), Child())))
    assert "Chronological age not known: the file states a birth date after its study date" in text
    assert "SDS" not in text


def test_without_age_growth_is_not_reported(answer: Assessment) -> None:
    bare = replace(answer, metadata=ImageMetadata("PNG", 8))
    text = full_text(with_clinical_findings(bare, Child()))
    assert "Chronological" not in text
    assert "SDS" not in text
    assert "Nearest standards" in text
    shown = flat(full_text(with_clinical_findings(bare, Child(height_cm=140))))
    assert "Predicted adult height not defined: the chronological age is not known" in shown


@pytest.mark.parametrize("bone_age", [122.374, 122.25, 119.96, 0.04, 131.95, 107.999, 239.95])
def test_the_outputs_agree_to_the_digit(
    read: Assessment, dicom_film: Path, bone_age: float
) -> None:
    interval = Interval(max(bone_age - 12.35, 0), bone_age + 12.25, 0.9, 54, by_sex=True)
    moved = replace(read, age_months=bone_age, interval=interval, findings=())
    interpreted = with_clinical_findings(moved, Child(height_cm=140.0))
    cells, whole = (
        cells_of(interpreted),
        json.loads(json.dumps(record(interpreted), allow_nan=False)),
    )
    clinical = whole["clinical"]
    growth, height = clinical["growth"], clinical["adult_height"]
    resource = observation(interpreted, "cd" * 32)
    parts = {part["code"]["coding"][0]["code"]: part for part in resource["component"]}
    ends, normal = parts["prediction-interval"]["valueRange"], resource["referenceRange"][0]
    coded = {
        item.ConceptNameCodeSequence[0].CodeMeaning: float(
            item.MeasuredValueSequence[0].NumericValue
        )
        for item in numbers(structured_report(interpreted, read_source(dicom_film)))
    }
    low_end, high_end = (
        f"Bone age, {end} end of its prediction interval" for end in ("lower", "upper")
    )
    probability = parts["probability-normal"]["valueQuantity"]
    for value, column, quantity, meaning in (
        (whole["age_months"], "age_months", resource["valueQuantity"], "Bone age"),
        (whole["interval"]["low_months"], "interval_low_months", ends["low"], low_end),
        (whole["interval"]["high_months"], "interval_high_months", ends["high"], high_end),
        (
            growth["difference_months"],
            "difference_months",
            parts["difference"]["valueQuantity"],
            "Bone age minus chronological age",
        ),
        (growth["sds"], "sds", parts["sds"]["valueQuantity"], "Z-Score of measurement"),
        (
            growth["normal_high_months"],
            "normal_high_months",
            normal["high"],
            "Normal Range Upper Limit",
        ),
        (
            growth["probabilities"]["normal"],
            "probability_normal",
            probability,
            "Probability: within normal limits",
        ),
    ):
        found = (float(cells[column]), quantity["value"], coded[meaning])
        assert found == (value,) * 3, column
        assert float(cells[column]) or "-" not in cells[column]
    if height["predicted_cm"] is not None:
        predicted = parts["adult-height"]["valueQuantity"]["value"]
        by_report = coded["Predicted adult height, Bayley and Pinneau"]
        found = (float(cells["adult_height_cm"]), predicted, by_report)
        assert found == (height["predicted_cm"],) * 3
    text = flat(full_text(interpreted))
    assert f"{whole['age_text']} ({whole['age_months']} months)" in text
    assert (whole["years"], whole["months"]) == divmod(int(whole["age_months"]), 12)
    low, high = whole["interval"]["low_months"], whole["interval"]["high_months"]
    assert f"({low} to {high} months)" in text
    assert f"SDS {growth['sds']:+.2f}".replace("-", "−") in text or growth["sds"] == 0
    sign = "+" if growth["difference_months"] > 0 else ""
    difference = f"Difference {sign}{growth['difference_months']} months"
    assert difference.replace("-", "−") in text
    assert growth["difference_months"] == reported(whole["age_months"] - 120)
    assert cells["standards"] == clinical["standards"]["text"]
    assert cells["determination"] == growth["determination"]
    assert cells["sds_centre"] == "chronological age"


def numbers(dataset: Dataset) -> Iterator[Dataset]:
    """All numbers of a structured report."""
    for item in dataset.get("ContentSequence", []):
        if item.ValueType == "NUM":
            yield item
        yield from numbers(item)


def test_no_date_is_written(read: Assessment) -> None:
    written = f"{full_text(read)}{one_line(read)}{json.dumps(record(read))}{cells_of(read)}{read}"
    for year in ("2011", "2021"):
        assert year not in written


@pytest.mark.parametrize(
    ("interval", "crossed"), [((110, 150), "+2"), ((90, 140), "−2"), ((90, 150), "−2 and +2")]
)
def test_an_interval_that_crosses_a_limit(
    answer: Assessment, interval: tuple[float, float], crossed: str
) -> None:
    wide = with_clinical_findings(replace(answer, interval=Interval(*interval, 0.9)), Child())
    shown = f"normal limits (low confidence: the prediction interval crosses {crossed} SD)"
    assert shown in flat(full_text(wide))
    assert "within normal limits (low confidence)" in one_line(wide)
    assert cells_of(wide)["confidence"] == record(wide)["clinical"]["growth"]["confidence"] == "low"


def test_a_newborn_with_a_childs_bone_age_is_of_unknown_age(answer: Assessment) -> None:
    for child in (
        Child(chronological_age_months=0),
        Child(birth_date=date(2021, 2, 3), study_date=date(2021, 2, 3)),
    ):
        interpreted = with_clinical_findings(answer, child)
        assert interpreted.chronological_age_months is None
        assert [finding.code for finding in interpreted.findings][-1] == "placeholder_age"
        clinical = record(interpreted)["clinical"]
        assert clinical["growth"]["determination"] == "unknown"
        assert clinical["context"]["age_not_defined"]["code"] == "placeholder_age"


def test_years_given_as_months_are_asked_about_once(answer: Assessment) -> None:
    interpreted = with_clinical_findings(answer, Child(chronological_age_months=10))
    interpreted = with_clinical_findings(interpreted, Child(chronological_age_months=10))
    assert [finding.code for finding in interpreted.findings].count("unlikely_age") == 1
    right = with_clinical_findings(interpreted, Child(chronological_age_months=120))
    assert "unlikely_age" not in [finding.code for finding in right.findings]
