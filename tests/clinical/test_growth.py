"""A bone age beside the chronological age."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.clinical.bone_age_references import BRUSH_NAME
from boneage.clinical.growth import growth_of
from boneage.domain.assessment import ErrorDistribution, Interval
from boneage.domain.clinical_findings import Centre, Classification, Confidence
from boneage.domain.radiograph import Sex

ages = st.floats(0, 300)
bone_ages = st.floats(0, 240)
sexes = st.sampled_from(Sex)


def test_a_boy_of_ten_by_hand() -> None:
    growth = growth_of(108.0, 120.0, Sex.MALE)
    assert growth.difference_months == -12
    assert growth.sd_months == 9.79
    assert growth.sds == -1.23
    assert growth.normal_low_months == pytest.approx(120 - 2 * 9.79)
    assert growth.normal_high_months == pytest.approx(120 + 2 * 9.79)
    assert growth.classification is Classification.NORMAL
    assert (growth.centre, growth.table) == (Centre.CHRONOLOGICAL_AGE, BRUSH_NAME)
    assert growth.not_defined is None


def test_the_brush_mean_on_request() -> None:
    growth = growth_of(108.0, 120.0, Sex.MALE, centre=Centre.BRUSH_MEAN)
    assert growth.centre_months == 125.68
    assert growth.sds == -1.81
    assert growth.difference_months == -12, "of the ages, whatever the centre"
    assert growth.centre is Centre.BRUSH_MEAN


@pytest.mark.parametrize(
    ("bone_age", "expected"),
    [
        (100.4, Classification.NORMAL),  # SDS -2.00
        (100.3, Classification.DELAYED),
        (120.0, Classification.NORMAL),
        (139.6, Classification.NORMAL),  # +2.00: neither number that is shown contradicts it
        (139.7, Classification.ADVANCED),
    ],
)
def test_the_sds_as_reported_decides(bone_age: float, expected: Classification) -> None:
    growth = growth_of(bone_age, 120, Sex.MALE)
    assert growth.classification is expected
    assert growth.confidence is None, "without an interval nothing is known of it"
    assert growth.probabilities is None


@pytest.mark.parametrize(
    ("low", "high", "expected", "confidence"),
    [
        (110, 130, Classification.NORMAL, Confidence.HIGH),
        (95, 115, Classification.NORMAL, Confidence.LOW),
        (130, 150, Classification.ADVANCED, Confidence.LOW),
        (90, 150, Classification.NORMAL, Confidence.LOW),
        (80, 100, Classification.DELAYED, Confidence.HIGH),
        (80, 101, Classification.DELAYED, Confidence.LOW),
        (140, 160, Classification.ADVANCED, Confidence.HIGH),
    ],
)
def test_an_interval_that_crosses_a_limit_lowers_the_confidence(
    low: float, high: float, expected: Classification, confidence: Confidence
) -> None:
    growth = growth_of((low + high) / 2, 120, Sex.MALE, interval=Interval(low, high, 0.9))
    assert (growth.classification, growth.confidence) == (expected, confidence)
    assert growth.sds_low == pytest.approx((low - 120) / 9.79, abs=0.005)
    assert growth.sds_high == pytest.approx((high - 120) / 9.79, abs=0.005)


def test_probabilities_by_hand() -> None:
    errors = ErrorDistribution(tuple(i / 10 for i in range(1, 100)), 10.0)  # 1 to 99 months
    growth = growth_of(139.58, 120, Sex.MALE, errors=errors)  # at the upper limit
    assert growth.probabilities is not None
    assert growth.probabilities.advanced == pytest.approx(0.5)
    # 39.16 months above the lower limit, which 60 of 99 errors pass; one more for the unseen
    assert growth.probabilities.delayed == pytest.approx((60 + 1) / 100 / 2)


@given(
    bone_ages, st.floats(3, 192), sexes, st.lists(st.floats(0, 5), min_size=1), st.floats(0.1, 40)
)
def test_probabilities_are_shares_of_one(
    bone_age: float, age: float, sex: Sex, scores: list[float], scale: float
) -> None:
    errors = ErrorDistribution(tuple(sorted(scores)), scale)
    found = growth_of(bone_age, age, sex, errors=errors).probabilities
    assert found is not None
    shares = (found.delayed, found.normal, found.advanced)
    assert min(shares) > -1e-9
    assert sum(shares) == pytest.approx(1)
    middle = growth_of(bone_age, age, sex)
    if middle.classification is Classification.ADVANCED:
        assert found.advanced >= 0.5 - 1e-9 or middle.sds == pytest.approx(2, abs=0.02)


def test_without_an_interval_the_bone_age_alone_decides() -> None:
    assert growth_of(100, 120, Sex.MALE).classification is Classification.DELAYED
    assert growth_of(140, 120, Sex.MALE).classification is Classification.ADVANCED
    assert growth_of(140, 120, Sex.MALE).sds_low is None


@pytest.mark.parametrize(
    ("sex", "age", "text"),
    [
        (Sex.MALE, 204.5, "(boys: 3 months to 17 years 0 months"),
        (Sex.FEMALE, 193, "(girls: 3 months to 16 years 0 months"),
        (Sex.MALE, 2.9, "the Brush table has no SD for 0 years 2 months"),
    ],
)
@pytest.mark.parametrize("centre", Centre)
def test_outside_the_table_nothing_but_the_difference_is_defined(
    sex: Sex, age: float, text: str, centre: Centre
) -> None:
    growth = growth_of(150, age, sex, interval=Interval(140, 160, 0.9), centre=centre)
    assert growth.difference_months == 150 - age
    assert growth.classification is Classification.UNKNOWN
    assert growth.not_defined is not None
    assert text in growth.not_defined.message
    for value in (growth.sds, growth.sds_low, growth.sd_months, growth.normal_low_months):
        assert value is None


@given(bone_ages, ages, sexes)
def test_normal_means_within_two_sd(bone_age: float, age: float, sex: Sex) -> None:
    growth = growth_of(bone_age, age, sex)
    if growth.sds is None:
        assert growth.classification is Classification.UNKNOWN
    else:
        assert (growth.classification is Classification.NORMAL) == (abs(growth.sds) <= 2)
