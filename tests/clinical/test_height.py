"""The adult height that Bayley and Pinneau predict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.clinical.height import adult_height, category_of, percent_of_adult_height
from boneage.domain.assessment import Interval
from boneage.domain.child import CM_PER_INCH
from boneage.domain.clinical_findings import Category
from boneage.domain.radiograph import Sex

BOY, GIRL = Sex.MALE, Sex.FEMALE


@pytest.mark.parametrize(
    ("sex", "age", "bone_age", "height_in", "adult_in", "category"),
    [
        (BOY, 156, 159, 60.0, 67.4, Category.AVERAGE),
        (BOY, 156, 159, 51.5, 57.9, Category.AVERAGE),
        (BOY, 168, 186, 67.5, 69.5, Category.ACCELERATED),
        (GIRL, 144, 123, 55.0, 62.2, Category.DELAYED),
    ],
)
def test_the_papers_worked_examples(
    sex: Sex, age: float, bone_age: float, height_in: float, adult_in: float, category: Category
) -> None:
    height = adult_height(height_in * CM_PER_INCH, bone_age, age, sex)
    assert height.category is category
    assert height.predicted_cm is not None
    assert round(height.predicted_cm / CM_PER_INCH, 1) == adult_in


def test_the_error_is_two_sd_of_the_larger_sample() -> None:
    height = adult_height(150, 159, 156, BOY)
    assert height.predicted_cm is not None
    assert height.error_sd_cm == pytest.approx(1.79 * CM_PER_INCH)  # 1.21 in the other sample
    assert height.low_cm == pytest.approx(height.predicted_cm - 2 * 1.79 * CM_PER_INCH)
    assert height.high_cm == pytest.approx(height.predicted_cm + 2 * 1.79 * CM_PER_INCH)
    girl = adult_height(160, 204, 204, GIRL)
    assert girl.error_sd_cm == pytest.approx(0.20 * CM_PER_INCH)  # 0.02 in the other sample


def test_beyond_the_error_table_the_height_stands_without_it() -> None:
    height = adult_height(115, 84, 84, BOY)
    assert height.predicted_cm == pytest.approx(115 / 0.695)
    assert height.low_cm is None
    assert height.error_not_defined is not None
    assert "from 8 years 0 months to 18 years 0 months" in height.error_not_defined.message


@pytest.mark.parametrize(
    ("difference", "category"),
    [
        (11.99, Category.AVERAGE),
        (-11.99, Category.AVERAGE),
        (12, Category.ACCELERATED),
        (-12, Category.DELAYED),
    ],
)
def test_a_year_makes_another_category(difference: float, category: Category) -> None:
    assert category_of(150 + difference, 150) is category


@pytest.mark.parametrize(
    ("sex", "category", "first", "last"),
    [
        (BOY, Category.AVERAGE, 84, 222),
        (BOY, Category.ACCELERATED, 84, 204),
        (BOY, Category.DELAYED, 72, 156),
        (GIRL, Category.AVERAGE, 72, 216),
        (GIRL, Category.ACCELERATED, 84, 210),
        (GIRL, Category.DELAYED, 72, 204),
    ],
)
def test_where_the_tables_end(sex: Sex, category: Category, first: float, last: float) -> None:
    table = percent_of_adult_height(sex, category)
    assert (table.first_months, table.last_months) == (first, last)


def test_outside_the_table_nothing_is_predicted() -> None:
    height = adult_height(150, 160, 180, BOY, Interval(150, 170, 0.9))
    assert height.not_defined is not None
    assert height.not_defined.message == (
        "a bone age of 13 years 4 months lies outside the table of delayed boys, "
        "which goes from 6 years 0 months to 13 years 0 months"
    )
    assert (height.predicted_cm, height.low_cm, height.interval_low_cm) == (None, None, None)


def test_without_chronological_age_there_is_no_table() -> None:
    height = adult_height(150, 160, None, BOY)
    assert height.category is None
    assert height.not_defined is not None
    assert "chronological age is not known" in height.not_defined.message


def test_the_interval_is_carried_through() -> None:
    height = adult_height(150, 126, 126, GIRL, Interval(120, 132, 0.9))
    table = percent_of_adult_height(GIRL, Category.AVERAGE)
    assert height.interval_low_cm == pytest.approx(150 / (table.values[-1] / 100), rel=0.2)
    assert height.interval_low_cm == pytest.approx(100 * 150 / (table.at(132) or 0))
    assert height.interval_high_cm == pytest.approx(100 * 150 / (table.at(120) or 0))


def test_each_bone_age_of_the_interval_has_its_own_category() -> None:
    wide = adult_height(150, 126, 126, GIRL, Interval(108, 144, 0.9))
    accelerated = percent_of_adult_height(GIRL, Category.ACCELERATED).at(138)
    assert wide.interval_high_cm is not None
    assert accelerated is not None
    assert wide.interval_high_cm >= 150 / (accelerated / 100)


def test_an_interval_that_leaves_the_table_is_reported() -> None:
    height = adult_height(150, 215, 210, GIRL, Interval(205, 225, 0.9))
    assert height.predicted_cm is not None
    assert height.interval_low_cm is None
    assert height.interval_not_defined is not None
    assert "reaches beyond the table" in height.interval_not_defined.message


@given(
    st.floats(30, 230),
    st.floats(0, 240),
    st.floats(0, 300),
    st.sampled_from(Sex),
    st.floats(0, 30),
)
def test_the_prediction_lies_between_its_limits(
    height_cm: float, bone_age: float, age: float, sex: Sex, width: float
) -> None:
    interval = Interval(max(0, bone_age - width), bone_age + width, 0.9)
    height = adult_height(height_cm, bone_age, age, sex, interval)
    assert (height.predicted_cm is None) == (height.not_defined is not None)
    if height.predicted_cm is None:
        return
    assert height.predicted_cm >= height_cm
    if height.low_cm is not None and height.high_cm is not None:
        assert height.low_cm < height.predicted_cm < height.high_cm
    if height.interval_low_cm is not None and height.interval_high_cm is not None:
        assert height.interval_low_cm - 0.3 <= height.predicted_cm <= height.interval_high_cm + 0.3
