"""Numbers as every output reports them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.domain.reported import completed, reported, years_and_months


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (122.25, 1, "122.3"),  # what Python's round makes 122.2
        (122.349, 1, "122.3"),
        (-0.04, 1, "0.0"),
        (-0.05, 1, "-0.1"),
        (-12.25, 1, "-12.3"),
        (2.675, 2, "2.68"),  # in binary a little less
        (1e-12, 2, "0.0"),
    ],
)
def test_half_is_rounded_away_from_zero(value: float, decimals: int, shown: str) -> None:
    assert str(reported(value, decimals)) == shown


@pytest.mark.parametrize(
    ("months", "years_months", "text"),
    [
        (131.6, (10, 11), "10 years 11 months"),
        (131.94, (10, 11), "10 years 11 months"),
        (131.95, (11, 0), "11 years 0 months"),  # reported as 132.0 months
        (132.0, (11, 0), "11 years 0 months"),
        (13.0, (1, 1), "1 year 1 month"),
        (0.0, (0, 0), "0 years 0 months"),
    ],
)
def test_years_and_months_are_completed_ones(
    months: float, years_months: tuple[int, int], text: str
) -> None:
    assert completed(months) == years_months
    assert years_and_months(months) == text


@given(st.floats(-300, 300), st.integers(0, 4))
def test_a_reported_number_is_near_and_stays(value: float, decimals: int) -> None:
    once = reported(value, decimals)
    assert once == reported(once, decimals)
    assert abs(once - value) <= 0.5 * 10**-decimals + 1e-9
    assert not (once == 0 and math.copysign(1, once) < 0), "no minus zero"


def test_what_is_no_number_stays() -> None:
    assert math.isinf(reported(math.inf))
    assert math.isnan(reported(math.nan))
