"""A set of readings small enough to work out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from boneage.datasets.labels import Kind, Problem
from boneage.domain.assessment import Failure, WeightsName
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation
from boneage.evaluation.report import Experiment


def reading(case: str, sex: Sex, true: float, read: float, *, carpal_found: bool) -> CaseEstimate:
    return CaseEstimate(
        case=case,
        sex=sex,
        true_months=true,
        predicted_months=read,
        networks={"whole_hand": read + 2, "carpal": read - 4},
        attention_found={"carpal": carpal_found, "metacarpal": True},
        seconds=0.25,
        by_standard={Sex.FEMALE: read - 4, Sex.MALE: read + 4},
    )


@pytest.fixture
def validation() -> Validation:
    readings = (
        reading("1377", Sex.FEMALE, 120, 126, carpal_found=True),
        reading("1378", Sex.MALE, 150, 147, carpal_found=True),
        reading("1379", Sex.MALE, 60, 75, carpal_found=False),
        reading("1380", Sex.FEMALE, 180, 180, carpal_found=True),
    )
    failure = Failure("1381", "truncated", "the file is cut off")
    problem = Problem(Kind.DUPLICATE, "1382", "id '1382' is labelled twice")
    return Validation(readings, (failure,), (problem,))


@pytest.fixture
def experiment() -> Experiment:
    weights = WeightsName("compact-1", "compact", "ab" * 32)
    return Experiment(weights, "rsna", "validation", None, date(2026, 1, 2))
