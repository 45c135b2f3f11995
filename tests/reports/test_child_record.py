"""Children as tables and FHIR Bundles, there and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import HistoryError
from boneage.reports.child_record import child_bundle, children_table, read_children

CHILD = ChildRecord(
    "K 17",
    Sex.FEMALE,
    (
        ClinicVisit(
            Sex.FEMALE,
            bone_age_months=122.4,
            weights="tiny-1",
            weights_sha256="ab" * 32,
            chronological_age_months=120.0,
            interval_low_months=110.0,
            interval_high_months=134.5,
            interval_level=0.9,
            height_cm=138.0,
            sds=0.2,
            sds_centre="chronological age",
            determination="normal",
            reader_months=118.0,
            image_sha256="cd" * 32,
        ),
        ClinicVisit(
            Sex.FEMALE,
            chronological_age_months=132.0,
            pubertal_stage="B2",
            treatment="=growth hormone; 0,8 mg",
        ),
        ClinicVisit(Sex.FEMALE, chronological_age_months=132.0, height_cm=142.0),
        ClinicVisit(Sex.FEMALE, height_cm=145.2),
    ),
    father_cm=180.0,
    mother_cm=166.5,
)


def test_a_table_comes_back(tmp_path: Path) -> None:
    other = ChildRecord("B", Sex.MALE)
    path = tmp_path / "children.csv"
    path.write_text(children_table([CHILD, other]), "utf-8")
    assert read_children(path) == [CHILD, other]


def test_a_bundle_comes_back_and_is_fhir(tmp_path: Path) -> None:
    bundle = child_bundle(CHILD)
    read = Bundle.model_validate_json(json.dumps(bundle, allow_nan=False))
    assert json.loads(read.model_dump_json()) == bundle
    path = tmp_path / "child.fhir.json"
    path.write_text(json.dumps(bundle))
    assert read_children(path) == [CHILD]
    assert read_children(path)[0].visits[0].bone_age_months == 122.4


def test_two_heights_at_one_age_are_two_visits(tmp_path: Path) -> None:
    heights = [
        ClinicVisit(Sex.MALE, chronological_age_months=132.0, height_cm=cm) for cm in (142, 150)
    ]
    bundle = child_bundle(ChildRecord("K", Sex.MALE, tuple(heights)))
    for number, entry in enumerate(bundle["entry"]):
        entry["resource"]["id"] = f"of-another-program-{number}"
    path = tmp_path / "child.fhir.json"
    path.write_text(json.dumps(bundle))
    assert list(read_children(path)[0].visits) == heights


def test_estimates_are_preliminary_and_readings_final() -> None:
    status = {
        entry["resource"]["id"]: entry["resource"].get("status")
        for entry in child_bundle(CHILD)["entry"]
    }
    assert status == {
        "child": None,
        "visit-1-bone-age-months": "preliminary",
        "visit-1-reader-months": "final",
        "visit-1-height-cm": "final",
        "visit-2-visit": "final",
        "visit-3-height-cm": "final",
        "visit-4-height-cm": "final",
    }


def test_dates_of_another_program_become_ages(tmp_path: Path) -> None:
    height = {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "effectiveDateTime": "2024-05-02T08:00:00Z",
        "valueQuantity": {"value": 138.0},
    }
    weight = {"resourceType": "Observation", "code": {"coding": [{"code": "29463-7"}]}}
    patient = {
        "resourceType": "Patient",
        "identifier": [{"value": "B7"}],
        "gender": "male",
        "birthDate": "2014-05-02",
    }
    path = tmp_path / "other.json"
    bundle = {"entry": [{"resource": one} for one in (patient, height, weight)]}
    path.write_text(json.dumps(bundle))
    (child,) = read_children(path)
    (visit,) = child.visits
    assert visit.chronological_age_months == pytest.approx(120, abs=0.1)
    assert visit.height_cm == 138.0
    assert "2014" not in children_table([child])


def test_few_columns_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("Pseudonym;Sex;Age;Height_cm\nA;m;10y;140,5\nA;boy;11y6m;148\n")
    (child,) = read_children(path)
    assert child == ChildRecord(
        "A",
        Sex.MALE,
        (
            ClinicVisit(Sex.MALE, chronological_age_months=120.0, height_cm=140.5),
            ClinicVisit(Sex.MALE, chronological_age_months=138.0, height_cm=148.0),
        ),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sex\nm\n", "has no column 'pseudonym'"),
        ("pseudonym,sex,height_cm\nA,m,tall\n", "line 2: height_cm 'tall' is not a number"),
        ("pseudonym,sex,height_cm\nA,m,1.4\n", "line 2: .*looks like metres"),
        ("pseudonym,sex\nA,m\nA,f\n", "line 3: 'A' is male in an earlier line"),
        ("pseudonym,sex\nA,x\n", "line 2: 'x' is not a sex"),
        ("pseudonym,sex\nDOE^JANE,f\n", "line 2: 'DOE\\^JANE' is not a pseudonym"),
        ("pseudonym,sex\n" + "A,x\n" * 14, "and 4 more"),
    ],
)
def test_wrong_rows_are_all_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(HistoryError, match=says):
        read_children(path)


@pytest.mark.parametrize("text", ["{", "[]", '{"entry": []}', '{"entry": [{"resource": 1}]}'])
def test_what_is_no_bundle_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text)
    with pytest.raises(HistoryError, match="is not a FHIR Bundle of one child"):
        read_children(path)


def test_a_child_that_nothing_is_known_of(tmp_path: Path) -> None:
    empty = replace(CHILD, visits=(), father_cm=None, mother_cm=None)
    path = tmp_path / "child.fhir.json"
    path.write_text(json.dumps(child_bundle(empty)))
    assert read_children(path) == [empty]
