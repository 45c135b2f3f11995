"""Numbers as every output reports them: one rule of rounding, and one of years and months.

Months and centimetres have one decimal, SDS two, rounded half away from zero; there is no minus
zero. Years and months are the completed ones of the months reported, for a bone age as for a
child's age: 131.9 months are 10 years 11 months.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

MONTHS_DECIMALS = 1
"""A tenth of a month is 3 days, far less than a radiograph can tell."""
CM_DECIMALS = 1
SDS_DECIMALS = 2


def reported(value: float, decimals: int = MONTHS_DECIMALS) -> float:
    """Round a number, half away from zero, as it is written in decimal.

    >>> reported(122.25), reported(-0.04)
    (122.3, 0.0)
    """
    if not math.isfinite(value):
        return value
    step = Decimal(1).scaleb(-decimals)
    return float(Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP)) + 0.0


def completed(age_months: float) -> tuple[int, int]:
    """The completed years and months of an age as reported."""
    years, months = divmod(math.floor(reported(age_months)), 12)
    return years, months


def years_and_months(age_months: float) -> str:
    """An age in completed years and months.

    >>> years_and_months(131.6)
    '10 years 11 months'
    """
    years, months = completed(age_months)
    return f"{years} year{'s' * (years != 1)} {months} month{'s' * (months != 1)}"
