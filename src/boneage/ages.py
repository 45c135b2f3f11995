"""Ages as people write them, and as dates give them, in months."""

from __future__ import annotations

import re
from datetime import date

from boneage.errors import AgeError

DAYS_PER_MONTH = 30.4375
MAX_AGE_MONTHS = 25 * 12
"""A chronological age beyond this is a slip (days or years for months)."""
WRITTEN = re.compile(
    r"(?:(?P<years>\d{1,3})\s*(?:y|yr|years?))?\s*(?:(?P<months>\d{1,4}(?:\.\d+)?)\s*(?:m|mo|months?)?)?"
)


def months_between(earlier: date, later: date) -> float:
    """Months of average length from one date to another; negative when it lies before."""
    return (later - earlier).days / DAYS_PER_MONTH


def parse_age(text: str) -> float:
    """Read a chronological age: ``"11y4m"``, ``"11y"``, ``"136m"``, or months, ``"136.5"``.

    Raises
    ------
    AgeError
        For anything else, and for an age above 25 years.
    """
    match = WRITTEN.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise AgeError(
            f"age {text!r} is not one; give years and months, such as 11y4m, or months, such as 136"
        )
    return checked_age(12 * int(match["years"] or 0) + float(match["months"] or 0), text)


def checked_age(age_months: float, text: str | None = None) -> float:
    """Let an age pass that a child can have.

    Raises
    ------
    AgeError
        Below 0 or above 25 years; the message quotes ``text`` where it is given.
    """
    if not 0 <= age_months <= MAX_AGE_MONTHS:
        quoted = f"{age_months:g} months" if text is None else repr(text)
        raise AgeError(
            f"chronological age {quoted} is not one of a child: from 0 to "
            f"{MAX_AGE_MONTHS // 12} years ({MAX_AGE_MONTHS} months) is accepted"
        )
    return age_months


def parse_date(text: str, what: str) -> date:
    """Read a date as YYYY-MM-DD, or YYYYMMDD as DICOM writes it.

    Raises
    ------
    AgeError
        For anything else; the date itself is not quoted, for it may be a child's.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise AgeError(f"the {what} is no date; write YYYY-MM-DD, such as 2013-04-28") from None
