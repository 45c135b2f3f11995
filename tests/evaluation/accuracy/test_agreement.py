from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boneage.domain.assessment import Interval
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.agreement import (
    coverage_by_band,
    coverage_by_level,
    coverage_by_sex,
    informativeness,
    limits_of_agreement,
    regression_line,
)
from boneage.evaluation.accuracy.estimates import CaseEstimate
from tests.evaluation.conftest import reading


def test_limits_hold_95_of_100_normal_differences() -> None:
    random = np.random.default_rng(3)
    true = random.uniform(24, 216, 2000)
    limits = limits_of_agreement(true, true + random.normal(2, 10, 2000))
    for found, expected in (
        (limits.mean_months, 2.0),
        (limits.lower_months, 2 - 19.6),
        (limits.upper_months, 2 + 19.6),
    ):
        assert found.value is not None
        assert found.value == pytest.approx(expected, abs=1)
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high


def test_one_film_has_a_difference_but_no_limits() -> None:
    limits = limits_of_agreement([100.0], [103.0])
    assert limits.mean_months.value == 3
    assert (limits.lower_months.value, limits.upper_months.value) == (None, None)


def test_regression_line() -> None:
    true = np.array([50.0, 100.0, 150.0])
    line = regression_line(true, 0.8 * true + 20)
    assert line is not None
    assert [line.slope, line.intercept_months] == pytest.approx([0.8, 20])
    assert line.r_squared == pytest.approx(1)  # straight, though the readings are off
    assert regression_line([100.0, 100.0], [90.0, 110.0]) is None


def stating(count: int, level: float, reach: float) -> list[CaseEstimate]:
    """Errors of 0, 1, 2 ... months, and an interval of ``reach`` about each reading."""
    return [
        replace(
            reading(str(n), Sex.MALE, 100, 100 + n, carpal_found=True),
            intervals=(Interval(100 + n - reach, 100 + n + reach, level),),
        )
        for n in range(count)
    ]


def test_coverage_by_level() -> None:
    found = coverage_by_level([*stating(10, 0.9, 7), *stating(4, 0.5, 1)])
    assert list(found) == [0.5, 0.9]
    assert found[0.5].share.value == 2 / 4
    assert (found[0.9].count, found[0.9].share.value) == (10, 0.8)  # exactly 7 off is inside
    assert found[0.9].mean_width_months == 14
    # Wilson's interval of 8 in 10, by his formula (J. Am. Stat. Assoc. 1927;22:209)
    z2 = 1.959964**2
    middle, reach = (8 + z2 / 2) / (10 + z2), 1.959964 * np.sqrt(1.6 + z2 / 4) / (10 + z2)
    assert found[0.9].share.low == pytest.approx(middle - reach, abs=1e-4)
    assert found[0.9].share.high == pytest.approx(middle + reach, abs=1e-4)


def test_wide_intervals_that_go_with_large_errors_say_something() -> None:
    """Errors of 0 to 39 months, each in an interval of just its size, but the four largest."""
    some = [
        replace(one, intervals=(Interval(100 + n - reach, 100 + n + reach, 0.9),))
        for n, one in enumerate(stating(40, 0.9, 1))
        for reach in (n + 0.5 if n < 36 else n - 0.5,)
    ]
    found = informativeness(some[::-1], 0.9)
    assert found.rank_correlation == pytest.approx(1, abs=1e-3)
    assert [one.count for one in found.by_width] == [10] * 4
    assert [one.share.value for one in found.by_width] == [1, 1, 1, 0.6]
    widths = [one.mean_width_months for one in found.by_width]
    assert widths == sorted(widths)
    assert found.constant_width_months == 2 * 36, "holds 36 of 40, and nearly one more"
    assert found.constant_width_months > coverage_by_level(some)[0.9].mean_width_months
    same = informativeness(stating(10, 0.9, 7), 0.9)
    assert same.rank_correlation is None
    assert same.constant_width_months == pytest.approx(14, abs=2)


def test_coverage_by_sex() -> None:
    girls = [replace(one, sex=Sex.FEMALE) for one in stating(4, 0.9, 1)]
    found = coverage_by_sex([*stating(10, 0.9, 7), *girls], 0.9)
    assert {sex: (one.count, one.share.value) for sex, one in found.items()} == {
        "male": (10, 0.8),
        "female": (4, 0.5),
    }
    assert list(coverage_by_sex(girls, 0.9)) == ["female"]


def test_coverage_by_band_and_of_nothing() -> None:
    mixed = [*stating(3, 0.9, 7), *stating(5, 0.5, 1)]
    assert {name: c.count for name, c in coverage_by_band(mixed, 0.9).items()} == {"8-10": 3}
    assert coverage_by_level([reading("1", Sex.MALE, 100, 101, carpal_found=True)]) == {}
