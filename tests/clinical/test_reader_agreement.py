"""How far reader and program agree: worked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boneage.clinical.reader_agreement import LATEST, reader_agreement
from boneage.domain.radiograph import Sex
from boneage.domain.reader import Decision, ReaderReading
from boneage.domain.visits import ClinicVisit
from boneage.errors import AgeError, VisitError

READ = ClinicVisit(
    Sex.MALE,
    bone_age_months=122.0,
    own_reading_months=120.0,
    reading_seconds=20.0,
    reader_months=120.0,
    decision="edited",
)


def test_three_readings_by_hand() -> None:
    other = replace(READ, bone_age_months=126.0, reading_seconds=40.0, decision="accepted")
    lower = replace(READ, bone_age_months=117.0, reading_seconds=30.0, decision="rejected")
    found = reader_agreement([READ, other, lower, replace(READ, own_reading_months=None)])
    assert found is not None
    assert [pair.difference for pair in found.pairs] == [2, 6, -3]
    assert found.mae == pytest.approx(11 / 3)
    assert found.bias == pytest.approx(5 / 3)
    sd = (((1 / 3) ** 2 + (13 / 3) ** 2 + (14 / 3) ** 2) / 2) ** 0.5
    assert found.sd == pytest.approx(sd)
    assert found.limits == pytest.approx((5 / 3 - 1.96 * sd, 5 / 3 + 1.96 * sd))
    assert found.median_seconds == 25
    assert found.decisions == {"accepted": 1, "edited": 2, "rejected": 1}
    assert found.drift is None


def test_a_drift_is_found() -> None:
    early = [replace(READ, bone_age_months=120.0 + number % 3) for number in range(30)]
    late = [replace(READ, bone_age_months=125.0 + number % 3) for number in range(LATEST)]
    found = reader_agreement([*early, *late])
    assert found is not None
    assert found.drift == pytest.approx(5, abs=0.1)
    assert found.drift_error is not None
    assert found.drift_error < 0.5


def test_too_few_readings_say_nothing() -> None:
    assert reader_agreement([READ, READ]) is None


def test_what_a_reader_cannot_state() -> None:
    with pytest.raises(AgeError, match="outside"):
        ReaderReading(Decision.EDITED, 300.0, 120.0)
    with pytest.raises(VisitError, match="accepted, edited, rejected"):
        replace(READ, decision="perhaps")
    assert replace(READ, decision="rejected", reader_months=None).reported_bone_age_months is None
