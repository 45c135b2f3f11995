"""Answers as FHIR, held against a model of the standard."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from fhir.resources.R4B.observation import Observation

from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Assessment
from boneage.domain.child import Child
from boneage.domain.radiograph import ImageMetadata
from boneage.reports.fhir import Resource, observation
from boneage.reports.identity import Identity

FILM = "cd" * 32
SOMEBODY = Identity(
    name="Quentin Zzyzx",
    patient_id="QZ-4711",
    birth_date=date(2011, 2, 3),
    study_date=date(2021, 2, 3),
    study_uid="1.2.3.4",
)


def checked(resource: Resource) -> Resource:
    """What a FHIR program makes of it: the same, with nothing unknown."""
    read = Observation.model_validate_json(json.dumps(resource, allow_nan=False))
    assert json.loads(read.model_dump_json()) == resource
    return resource


def component(resource: Resource, code: str) -> Resource:
    (found,) = (part for part in resource["component"] if part["code"]["coding"][0]["code"] == code)
    return dict(found)


def test_the_answer_in_codes(interpreted: Assessment) -> None:
    resource = checked(observation(interpreted, FILM))
    assert resource["status"] == "preliminary"
    codes = {(code["system"], code["code"]) for code in resource["code"]["coding"]}
    assert ("http://loinc.org", "37362-1") in codes
    assert resource["valueQuantity"] == {
        "value": 122.4,
        "unit": "months",
        "system": "http://unitsofmeasure.org",
        "code": "mo",
    }
    interval = component(resource, "prediction-interval")["valueRange"]
    assert (interval["low"]["value"], interval["high"]["value"]) == (110.0, 134.5)
    assert component(resource, "interval-level")["valueQuantity"]["value"] == 90
    assert component(resource, "chronological-age")["valueQuantity"]["value"] == 120
    assert "Greulich and Pyle, female standard" in resource["method"]["text"]
    (interpretation,) = resource["interpretation"]
    assert interpretation["coding"][0]["code"] == "N"
    assert interpretation["text"] == "within normal limits (high confidence)"
    assert component(resource, "probability-normal")["valueQuantity"]["value"] > 0.9
    (normal,) = resource["referenceRange"]
    assert normal["low"]["value"] < 120 < normal["high"]["value"]
    assert component(resource, "adult-height")["referenceRange"][0]["low"]["value"] > 150
    notes = [note["text"] for note in resource["note"]]
    assert "Warning: The film is marked as a right hand." in notes


def test_the_device_is_the_program_with_its_weights(interpreted: Assessment) -> None:
    resource = observation(interpreted, FILM)
    (device,) = resource["contained"]
    assert resource["device"]["reference"] == f"#{device['id']}"
    assert device["identifier"][0]["value"] == "ab" * 32
    assert device["modelNumber"] == "tiny-1"
    (film,) = resource["derivedFrom"]
    assert film["identifier"]["value"] == FILM


def test_nobody_is_named_unless_asked(interpreted: Assessment) -> None:
    text = json.dumps(observation(replace(interpreted, film="Zzyzx.dcm"), FILM))
    for expected in ("Zzyzx", "subject", "2011", "2021", "effectiveDateTime"):
        assert expected not in text
    pseudonym = checked(observation(interpreted, FILM, Identity("child 7")))
    assert pseudonym["subject"]["identifier"]["value"] == "child 7"
    assert "2021" not in json.dumps(pseudonym)


def test_who_it_is_when_asked(interpreted: Assessment) -> None:
    resource = checked(observation(interpreted, FILM, SOMEBODY))
    assert resource["subject"]["display"] == "Quentin Zzyzx"
    assert resource["subject"]["identifier"]["value"] == "QZ-4711"
    assert resource["effectiveDateTime"] == "2021-02-03"
    studies = [part for part in resource["derivedFrom"] if part["type"] == "ImagingStudy"]
    assert studies[0]["identifier"]["value"] == "urn:oid:1.2.3.4"
    chosen = observation(interpreted, FILM, replace(SOMEBODY, pseudonym="child 7"))
    assert chosen["subject"]["identifier"]["value"] == "child 7"


def test_what_is_missing_is_left_out(answer: Assessment) -> None:
    bare = replace(
        answer, interval=None, calibrated=None, chronological_age_months=None, findings=()
    )
    resource = checked(observation(bare, FILM))
    for key in ("component", "referenceRange", "interpretation", "subject"):
        assert key not in resource


@pytest.mark.parametrize("side", ["L", "R", None])
def test_which_hand(answer: Assessment, side: str | None) -> None:
    film = replace(answer, metadata=ImageMetadata("PNG", 8, laterality=side))
    text = checked(observation(film, FILM))["bodySite"]["text"]
    assert text == {"L": "left hand", "R": "right hand", None: "hand"}[side]


def test_outside_the_tables_states_why(answer: Assessment) -> None:
    child = Child(chronological_age_months=230.0, height_cm=170.0)
    late = with_clinical_findings(replace(answer, age_months=235.0, interval=None), child)
    resource = checked(observation(late, FILM))
    assert any("has no SD" in note["text"] for note in resource["note"])
    assert "referenceRange" not in resource
