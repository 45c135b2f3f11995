"""Ages and dates as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from boneage.ages import months_between, parse_age, parse_date
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
        ("0", 0),
        ("25y", 300),
    ],
)
def test_ages_as_people_write_them(text: str, months: float) -> None:
    assert parse_age(text) == months


@pytest.mark.parametrize("text", ["", "old", "11.4.2", "-3", "nan", "inf", "y", "11y4m2d", "1e2"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(AgeError, match=r"is not one; give years and months, such as 11y4m"):
        parse_age(text)


@pytest.mark.parametrize("text", ["30y", "301", "25y1m", "4000m"])
def test_what_is_no_childs_age(text: str) -> None:
    with pytest.raises(AgeError, match=f"chronological age '{text}' is not one of a child"):
        parse_age(text)


def test_dates() -> None:
    assert parse_date("2013-04-28", "birth date") == date(2013, 4, 28)
    assert parse_date("20130428", "birth date") == date(2013, 4, 28)
    assert months_between(date(2013, 4, 28), date(2023, 4, 28)) == pytest.approx(120, abs=0.05)
    assert months_between(date(2013, 4, 28), date(2013, 4, 27)) < 0


@pytest.mark.parametrize("text", ["28.04.2013", "2013-13-01", "yesterday", ""])
def test_a_date_that_is_none_is_not_quoted(text: str) -> None:
    with pytest.raises(AgeError, match="the birth date is no date; write YYYY-MM-DD") as caught:
        parse_date(text, "birth date")
    assert caught.value.__cause__ is None
    assert not text or text not in str(caught.value)
