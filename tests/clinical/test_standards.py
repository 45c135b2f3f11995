"""The standards that a bone age lies between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.clinical.standards import age_name, maturity_phases, nearest_standards, phase_of
from boneage.domain.radiograph import Sex


@pytest.mark.parametrize(
    ("months", "sex", "text"),
    [
        (135, Sex.MALE, "between the 11-year and 11½-year male standards"),
        (132.4, Sex.MALE, "at the 11-year male standard"),
        (5, Sex.FEMALE, "between the 3-month and 6-month female standards"),
        (1, Sex.FEMALE, "between the newborn and 3-month female standards"),
        (0, Sex.MALE, "at the newborn male standard"),
        (60.9, Sex.FEMALE, "between the 5-year and 5-year-9-month female standards"),
        (216.3, Sex.FEMALE, "at the 18-year female standard"),
        (217, Sex.FEMALE, "beyond the 18-year female standard, which is the last"),
        (240, Sex.MALE, "beyond the 19-year male standard, which is the last"),
    ],
)
def test_between_two_standards(months: float, sex: Sex, text: str) -> None:
    assert nearest_standards(months, sex).text == text


def test_ages_of_standards_in_words() -> None:
    names = [age_name(months) for months in (0, 9, 18, 24, 30, 32, 138)]
    assert names == [
        *("newborn", "9-month", "18-month", "2-year", "2½-year"),
        *("2-year-8-month", "11½-year"),
    ]


@pytest.mark.parametrize("sex", Sex)
def test_the_phases_follow_one_another(sex: Sex) -> None:
    seen = [phase_of(month, sex).name for month in range(241)]
    assert list(dict.fromkeys(seen)) == [phase.name for phase in maturity_phases()]


@pytest.mark.parametrize(
    ("months", "sex", "phase"),
    [
        (14.9, Sex.MALE, "first centres"),
        (15, Sex.MALE, "epiphyses appear"),
        (82, Sex.FEMALE, "before puberty"),
        (106, Sex.FEMALE, "puberty"),
        (106, Sex.MALE, "before puberty"),
        (186, Sex.MALE, "late puberty"),
        (204, Sex.MALE, "forearm fuses"),
    ],
)
def test_phases_begin_with_the_atlas_s_events(months: float, sex: Sex, phase: str) -> None:
    assert phase_of(months, sex).name == phase


@given(st.floats(0, 240), st.sampled_from(Sex))
def test_the_standards_enclose_the_bone_age(months: float, sex: Sex) -> None:
    near = nearest_standards(months, sex)
    if near.upper_months is None:
        assert months > near.lower_months
    elif near.upper_months == near.lower_months:
        assert abs(months - near.lower_months) < 0.5
    else:
        assert near.lower_months <= months <= near.upper_months
    assert near.criteria
