"""Clinical findings as plain values."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from boneage.clinical.growth import growth_of
from boneage.clinical.height import adult_height
from boneage.clinical.standards import nearest_standards
from boneage.clinical.stature import height_findings
from boneage.domain.clinical_findings import ClinicalContext, ClinicalFindings
from boneage.domain.radiograph import Sex
from boneage.reports.record import clinical_record


def test_findings_are_json_without_dates() -> None:
    context = ClinicalContext(120.0, birth_date=date(2011, 2, 3), height_cm=140.0)
    findings = ClinicalFindings(
        context,
        nearest_standards(110, Sex.MALE),
        growth_of(110, 120, Sex.MALE),
        height_findings(140, 120, 110, Sex.MALE),
        adult_height(140, 110, 120, Sex.MALE),
    )
    plain = msgspec.to_builtins(clinical_record(findings))
    assert plain.keys() == {"context", "growth", "height", "adult_height", "standards"}
    assert plain["growth"]["sds"] == pytest.approx(-1.02, abs=0.01)
    assert plain["height"]["for_age"]["sds"] == pytest.approx(0.2, abs=0.05)
    assert plain["height"]["for_bone_age"]["sds"] > plain["height"]["for_age"]["sds"]
    assert plain["adult_height"]["category"] == "average"
    assert "2011" not in json.dumps(plain)


def test_what_is_not_known_is_null() -> None:
    findings = ClinicalFindings(ClinicalContext(), nearest_standards(110, Sex.MALE))
    assert clinical_record(findings).growth is None
    outside = clinical_record(replace(findings, growth=growth_of(150, 250, Sex.MALE)))
    assert msgspec.to_builtins(outside)["growth"]["not_defined"] == {
        "code": "outside_brush",
        "message": "the Brush table has no SD for 20 years 10 months (boys: 3 months to "
        "17 years 0 months)",
    }
