from __future__ import annotations

from dataclasses import replace

import pytest

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.agreement import measure_standards, measure_standards_by_band
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation


def by_both(reading: CaseEstimate, female: float, male: float) -> CaseEstimate:
    return replace(reading, by_standard={Sex.FEMALE: female, Sex.MALE: male})


@pytest.fixture
def readings(validation: Validation) -> list[CaseEstimate]:
    """Labelled 120, 150, 60 and 180 months; apart by 20, 10, -6 and 0."""
    apart = (20.0, 10.0, -6.0, 0.0)
    return [
        by_both(r, 100, 100 + months) for r, months in zip(validation.readings, apart, strict=True)
    ]


def test_the_difference_is_the_male_standard_less_the_female(readings: list[CaseEstimate]) -> None:
    found = measure_standards(readings)
    assert found is not None
    assert found.count == 4
    assert found.difference_months.value == pytest.approx(6)
    assert found.female_younger.value == pytest.approx(0.5)  # alike is not younger
    low, high = found.difference_months.low, found.difference_months.high
    assert low is not None
    assert high is not None
    assert -6 <= low < 6 < high <= 20


def test_the_bands_are_those_of_the_label(readings: list[CaseEstimate]) -> None:
    found = measure_standards_by_band(readings)
    apart = {name: standards.difference_months.value for name, standards in found.items()}
    assert apart == {"4-6": -6, "10-12": 20, "12-14": 10, "14-16": 0}


def test_films_that_were_read_by_one_standard_alone_do_not_count(
    readings: list[CaseEstimate],
) -> None:
    first, *others = readings
    one = replace(first, by_standard={Sex.MALE: 300.0})
    found = measure_standards([one, *others])
    assert found is not None
    assert found.count == 3
    assert measure_standards([one]) is None
    assert measure_standards([]) is None
    assert "10-12" not in measure_standards_by_band([one, *others])
