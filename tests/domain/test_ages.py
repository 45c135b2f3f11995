"""Ages and dates as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from boneage.domain.ages import age_in, months_between, parse_age, parse_date, unlikely_age
from boneage.domain.findings import Severity
from boneage.errors import AgeError


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("11y4m", 136),
        ("11Y 4M", 136),
        ("11 years 4 months", 136),
        ("11y", 132),
        ("136m", 136),
        ("136", 136),
        (" 136.5 ", 136.5),
        ("136,5", 136.5),
        ("10.5Y", 126),
        ("10 Y", 120),
        ("010y", 120),
        ("0120M", 120),
        ("006Y ", 72),
        ("11y4", 136),
        ("11y4m2d", 136 + 2 / 30.4375),
        ("52 weeks", 364 / 30.4375),
        ("100d", 100 / 30.4375),
        ("0", 0),
        ("25y", 300),
    ],
)
def test_ages_as_people_write_them(text: str, months: float) -> None:
    assert parse_age(text) == pytest.approx(months)


def test_a_number_without_a_unit_is_accepted_only_as_months() -> None:
    assert age_in("10", months_alone=False) is None
    assert age_in("10", months_alone=True) == 10


@pytest.mark.parametrize(
    "text", ["", "old", "11.4.2", "-3", "nan", "inf", "y", "4m11y", "1e2", "11:4"]
)
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(AgeError, match=r"is not understood; give years and months"):
        parse_age(text)


@pytest.mark.parametrize("text", ["30y", "301", "25y1m", "4000m"])
def test_what_is_no_childs_age(text: str) -> None:
    with pytest.raises(AgeError, match=f"chronological age '{text}' is not a child's age"):
        parse_age(text)


def test_dates() -> None:
    assert parse_date("2013-04-28", "birth date") == date(2013, 4, 28)
    assert months_between(date(2013, 4, 28), date(2023, 4, 28)) == pytest.approx(120, abs=0.05)
    assert months_between(date(2013, 4, 28), date(2013, 4, 27)) < 0


@pytest.mark.parametrize(
    "text",
    [
        *("20130428", "2013.04.28", "2013/04/28", "2013-4-28", " 20130428\0", "28.04.2013"),
        *("28/4/2013", "04/28/2013", "2013-04-28T10:11:12", "20130428101112"),
    ],
)
def test_dates_in_other_forms(text: str) -> None:
    assert parse_date(text, "birth date") == date(2013, 4, 28)


@pytest.mark.parametrize(
    "text",
    [
        *("2013-13-01", "2013.04-28", "yesterday", "", "28.04.13", "1999", "20130230"),
        *("10.03.2020", "3/10/2020", "202003101", "20200310-20200311"),
    ],
)
def test_a_date_that_is_none_is_not_quoted(text: str) -> None:
    with pytest.raises(AgeError, match="the birth date is not understood; write YYYY") as caught:
        parse_date(text, "birth date")
    assert caught.value.__cause__ is None
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("age", "bone_age", "asked"),
    [
        (11.5, 134, True),  # years, given as months
        (10, 120, True),
        (0, 30, True),
        (11.5, 14, False),
        (12, 30, False),
        (0, 12, False),
        (60, 110, False),  # far ahead, as some children are
        (120, 60, False),
    ],
)
def test_an_age_that_may_be_in_years_is_a_warning(age: float, bone_age: float, asked: bool) -> None:
    found = unlikely_age(age, bone_age)
    assert (found is not None) == asked
    assert found is None or (found.code, found.severity) == ("unlikely_age", Severity.WARNING)
