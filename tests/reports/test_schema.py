"""The published JSON Schema of what goes out."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]

from boneage import Assessor
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Assessment, Box, Failure, Finding, OtherHand, Severity
from boneage.domain.child import Child
from boneage.domain.radiograph import Radiograph, Sex
from boneage.reports.record import BatchRecord, batch, json_schema, record
from tools.schema import SCHEMA

PUBLISHED = json.loads(SCHEMA.read_text("utf-8"))
REFUSAL = Finding("not_a_hand", Severity.REFUSAL, "It looks like a chest.", 0.123456, 0.2)
FAILURES = (
    Failure("a.png", "not_a_hand", "'a.png' is refused", (REFUSAL,)),
    Failure("b.png", "truncated", "cut off"),
    Failure("c.png", "x", "y", (replace(REFUSAL, measured=np.float64(0.1)),)),
)


def test_it_is_current() -> None:
    assert json_schema() == PUBLISHED, "run 'python -m tools.schema'"
    Draft202012Validator.check_schema(PUBLISHED)


def test_every_key_is_described() -> None:
    for name, part in PUBLISHED["$defs"].items():
        for key, schema in part.get("properties", {}).items():
            assert schema.get("description", "").endswith("."), f"{name}.{key}"


def test_every_outcome_is_valid(answer: Assessment, interpreted: Assessment) -> None:
    forced = replace(
        interpreted, findings=(REFUSAL,), other_hand=OtherHand(122.5, Box(0, 0, 480, 170))
    )
    bare = replace(answer, interval=None, calibrated=None, chronological_age_months=None)
    placeholder = with_clinical_findings(answer, Child(chronological_age_months=0, height_cm=140))
    valid(
        *(
            record(outcome)
            for outcome in (answer, interpreted, forced, bare, placeholder, *FAILURES)
        )
    )


def test_a_real_assessment_is_valid(assessor: Assessor, radiograph: Radiograph) -> None:
    answer = assessor.assess(radiograph, Sex.FEMALE, force=True)
    valid(record(answer), record(with_clinical_findings(answer, Child(height_cm=138.0))))


def test_what_is_no_record_is_not(answer: Assessment) -> None:
    for wrong in ({"age_months": "122"}, {"status": "maybe"}, {"findings": None}):
        with pytest.raises(ValidationError):
            Draft202012Validator(PUBLISHED).validate(record(answer) | wrong)


def valid(*records: dict[str, object]) -> None:
    """The schema holds, of each alone and of all in a batch, and knows every key."""
    validator = Draft202012Validator(PUBLISHED)
    text = batch(records)
    for document in (*records, json.loads(text)):
        validator.validate(json.loads(json.dumps(document)))
    decoded = msgspec.json.decode(text, type=BatchRecord, strict=True)
    assert json.dumps(msgspec.to_builtins(decoded), indent=2) == text
    assert json.loads(text)["films"] == json.loads(json.dumps(records))
