"""Ages and dates as people and devices write them: the one parser, for every interface.

Ages are in months.
"""

from __future__ import annotations

import re
from datetime import date

from boneage.domain.findings import Finding
from boneage.errors import AgeError

DAYS_PER_MONTH = 30.4375
MAX_AGE_MONTHS = 25 * 12
"""A chronological age beyond this is a mistake (days for months)."""
OLDEST_MONTHS = 110 * 12
"""A birth date that makes a person older is a placeholder."""
MONTHS_PER_UNIT = {"Y": 12.0, "M": 1.0, "W": 7 / DAYS_PER_MONTH, "D": 1 / DAYS_PER_MONTH}
"""By the letters of DICOM's age strings (PS3.5, 6.2)."""
UNLIKELY_AGE = "unlikely_age"
FAR_MONTHS, FAR_TIMES = 24.0, 3.5
"""By how much a bone age must exceed an age, and how many times, for a warning. A year has twelve
months: beyond the root of 12, the age fits better as one in years."""

_NUMBER = r"[0-9]{1,4}(?:[.,][0-9]{1,6})?"
WRITTEN_AGE = re.compile(
    rf"(?:(?P<Y>{_NUMBER})\s*(?:years?|yrs?|y))?[\s,]*"
    rf"(?:(?P<M>{_NUMBER})\s*(?:months?|mths?|mos?|m))?[\s,]*"
    rf"(?:(?P<W>{_NUMBER})\s*(?:weeks?|wks?|w))?[\s,]*"
    rf"(?:(?P<D>{_NUMBER})\s*(?:days?|d))?"
)
YEARS_AND_MONTHS = re.compile(rf"(?P<Y>{_NUMBER})\s*(?:years?|yrs?|y)\s*(?P<M>{_NUMBER})")
"""``11y4``: what follows years is months."""
MONTHS_ALONE = re.compile(rf"(?P<M>{_NUMBER})")

_TIME = r"(?:[T\s]?[0-9]{2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-./]?)([0-9]{{2}})\2([0-9]{{2}}){_TIME}")
YEAR_FIRST_LOOSELY = re.compile(r"([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})")
YEAR_LAST = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})")
LAST_MONTH = 12


def months_between(earlier: date, later: date) -> float:
    """Months of average length from one date to another; negative when the second is before."""
    return (later - earlier).days / DAYS_PER_MONTH


def age_in(text: str, *, months_alone: bool) -> float | None:
    """Read an age, in months: ``"11y4m"``, ``"10.5 years"``, ``"136M"``, ``"009W"``.

    None where it is not understood. A number without a unit is one of months if ``months_alone``,
    and otherwise not understood.
    """
    plain = text.strip(" \t\r\n\0").lower()
    found = WRITTEN_AGE.fullmatch(plain) or YEARS_AND_MONTHS.fullmatch(plain)
    if found is None and months_alone:
        found = MONTHS_ALONE.fullmatch(plain)
    if found is None or not any(found.groups()):
        return None
    parts = found.groupdict().items()
    return sum(
        float(number.replace(",", ".")) * MONTHS_PER_UNIT[unit] for unit, number in parts if number
    )


def parse_age(text: str) -> float:
    """Read a child's age as a person writes it, in months: see :func:`age_in`."""
    age_months = age_in(text, months_alone=True)
    if age_months is None:
        raise AgeError(
            f"age {text!r} is not understood; give years and months, such as 11y4m, or months, "
            "such as 136"
        )
    return checked_age(age_months, text)


def unlikely_age(age_months: float, bone_age_months: float) -> Finding | None:
    """Warn of an age that would fit the bone age far better in years."""
    if bone_age_months - age_months < FAR_MONTHS or bone_age_months < FAR_TIMES * age_months:
        return None
    return Finding.warning(
        UNLIKELY_AGE,
        f"The chronological age of {age_months:.3g} months is far below the bone age; "
        "check the age and its unit (months, not years).",
        age_months,
    )


def checked_age(age_months: float, text: str | None = None) -> float:
    """Give the age; AgeError, which quotes ``text``, when it is not a child's."""
    if not 0 <= age_months <= MAX_AGE_MONTHS:
        quoted = f"{age_months:g} months" if text is None else repr(text)
        raise AgeError(
            f"chronological age {quoted} is not a child's age: from 0 to "
            f"{MAX_AGE_MONTHS // 12} years ({MAX_AGE_MONTHS} months) is accepted"
        )
    return age_months


def date_in(text: str) -> date | None:
    """Read a date; None where it is not understood.

    The year first, with hyphens, points, slashes or nothing between, also with a time behind;
    or the year last, where only one of the other two numbers can be the month.
    """
    plain = text.strip(" \t\r\n\0")
    found = YEAR_FIRST.fullmatch(plain) or YEAR_FIRST_LOOSELY.fullmatch(plain)
    if found is not None:
        return _date(int(found[1]), int(found[3]), int(found[4]))
    found = YEAR_LAST.fullmatch(plain)
    if found is None:
        return None
    first, second = int(found[1]), int(found[3])
    if first <= LAST_MONTH and second <= LAST_MONTH and first != second:
        return None  # 10.03.2020: nobody can tell the day from the month
    day, month = max(first, second), min(first, second)
    return _date(int(found[4]), month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_date(text: str, what: str) -> date:
    """Read a date as a person writes it: see :func:`date_in`. The AgeError does not quote it."""
    found = date_in(text)
    if found is None:
        raise AgeError(f"the {what} is not understood; write YYYY-MM-DD, such as 2013-04-28")
    return found
