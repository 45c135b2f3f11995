"""Standing height beside a reference by age: SDS, height for bone age, velocity, target height.

SDS by the LMS method (Cole TJ, Green PJ. *Stat Med* 1992;11:1305-1319). Target height by Tanner JM,
Goldstein H, Whitehouse RH. *Arch Dis Child* 1970;45:755-762. Nothing is extrapolated.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from boneage.clinical.tables import CDC, CHILDREN, AgeCurve, rows
from boneage.domain.child import check_height
from boneage.domain.clinical_findings import (
    HeightComparison,
    HeightFindings,
    HeightVelocity,
    NotDefined,
    TargetHeight,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reported import CM_DECIMALS, SDS_DECIMALS, reported, years_and_months
from boneage.errors import DataError, SexError
from boneage.storage.delimited import read_delimited

CDC_NAME = "CDC 2000"
FILE_VARIABLE = "BONEAGE_HEIGHT_REFERENCE"
"""Names the reference where none is chosen."""
COLUMNS = ("sex", "age_months", "L", "M_cm", "S")
"""Of a table of a height reference."""
NEAR_ZERO = 1e-6
"""A smaller L is taken for 0, where the method is the logarithm."""
LEAST_YEARS = 0.5
"""Between two heights; over less time, errors of measuring outweigh growth."""
BOYS_OVER_GIRLS_CM = 13.0
"""Mean difference in adult height of men and women."""
TARGET_RANGE_CM = 8.5
"""Two SD of the adult height of children of these parents, to either side."""


@dataclass(frozen=True)
class HeightReference:
    """Standing heights of a population by age, as L, M and S."""

    name: str
    curves: Mapping[Sex, tuple[AgeCurve, AgeCurve, AgeCurve]]
    """L, M (cm) and S over the age in months."""

    def compare(self, height_cm: float, age_months: float, sex: Sex) -> HeightComparison:
        """The SDS and the percentile of a height at an age."""
        found = self._at(age_months, sex)
        if found is None:
            median = self.curves[sex][1]
            return HeightComparison(
                not_defined=NotDefined(
                    "outside_height_reference",
                    f"the height reference {self.name} has no value for "
                    f"{years_and_months(age_months)} ({CHILDREN[sex]}: "
                    f"{years_and_months(median.first_months)} to "
                    f"{years_and_months(median.last_months)})",
                )
            )
        power, median_cm, spread = found
        ratio = height_cm / median_cm
        sds = math.log(ratio) if abs(power) < NEAR_ZERO else (ratio**power - 1) / power
        sds = reported(sds / spread, SDS_DECIMALS)
        percentile = 50 * (1 + math.erf(sds / math.sqrt(2)))
        return HeightComparison(sds, reported(percentile, CM_DECIMALS))

    def height_cm(self, sds: float, age_months: float, sex: Sex) -> float | None:
        """The height of an SDS at an age; None outside the table."""
        found = self._at(age_months, sex)
        if found is None:
            return None
        power, median_cm, spread = found
        if abs(power) < NEAR_ZERO:
            return median_cm * math.exp(spread * sds)
        return float(median_cm * (1 + power * spread * sds) ** (1 / power))

    def _at(self, age_months: float, sex: Sex) -> tuple[float, float, float] | None:
        power, median, spread = (curve.at(age_months) for curve in self.curves[sex])
        if power is None or median is None or spread is None:
            return None
        return power, median, spread


def height_reference(name: str | None = None) -> HeightReference:
    """The reference that is chosen: ``"cdc"``, or the path of a table.

    Without a name it is that of the environment variable ``BONEAGE_HEIGHT_REFERENCE``, else the
    CDC's. A DataError when it cannot be read.
    """
    chosen = name or os.environ.get(FILE_VARIABLE) or "cdc"
    return cdc_2000() if chosen == "cdc" else read_height_reference(Path(chosen))


@cache
def cdc_2000() -> HeightReference:
    """The growth charts of the CDC of 2000, 2 to 20 years."""
    return _reference(CDC_NAME, rows(CDC))


@cache
def read_height_reference(path: Path) -> HeightReference:
    """Read another reference, called by the file's name without suffix.

    A CSV table with the columns ``sex, age_months, L, M_cm, S``, each sex by rising age. A
    DataError for any other.
    """
    table = read_delimited(path)
    wanted = [name.lower() for name in COLUMNS]
    missing = [name for name in COLUMNS if name.lower() not in table.columns]
    if missing:
        raise DataError(
            f"the height reference {str(path)!r} has no column {missing[0]!r}; "
            f"it needs {', '.join(COLUMNS)}"
        )
    try:
        cells = [
            dict(zip(COLUMNS, (row.cells[name] for name in wanted), strict=True))
            for row in table.rows
        ]
        return _reference(path.stem, cells)
    except (ValueError, SexError) as error:
        raise DataError(f"the height reference {str(path)!r} cannot be used: {error}") from error


def _reference(name: str, table: Iterable[Mapping[str, str]]) -> HeightReference:
    by_sex: dict[Sex, list[tuple[float, ...]]] = {sex: [] for sex in Sex}
    for row in table:
        numbers = tuple(float(row[column].replace(",", ".")) for column in COLUMNS[1:])
        if not all(map(math.isfinite, numbers)) or min(numbers[2:]) <= 0:
            raise ValueError(f"the row {list(row.values())} is not an age with L, M and S above 0")
        by_sex[Sex.parse(row["sex"])].append(numbers)
    curves: dict[Sex, Any] = {}
    for sex, found in by_sex.items():
        ages = [numbers[0] for numbers in found]
        if len(ages) < 2 or sorted(set(ages)) != ages:
            raise ValueError(f"the ages of {CHILDREN[sex]} do not rise from row to row")
        columns = list(zip(*found, strict=True))
        curves[sex] = tuple(AgeCurve(columns[0], values) for values in columns[1:])
    return HeightReference(name, curves)


def height_findings(
    height_cm: float,
    age_months: float | None,
    bone_age_months: float | None,
    sex: Sex,
    reference: HeightReference | None = None,
) -> HeightFindings:
    """Compare a height with the reference, at the chronological age and at the bone age."""
    reference = reference or cdc_2000()
    for_age, for_bone_age = (
        None if months is None else reference.compare(height_cm, months, sex)
        for months in (age_months, bone_age_months)
    )
    return HeightFindings(height_cm, reference.name, for_age, for_bone_age)


def height_velocity(first: tuple[float, float], second: tuple[float, float]) -> HeightVelocity:
    """The growth between two visits, each an age in months and a height in cm."""
    years = (second[0] - first[0]) / 12
    if years < LEAST_YEARS:
        return HeightVelocity(
            years=years,
            not_defined=NotDefined(
                "short_interval", "too short an interval: less than half a year between the heights"
            ),
        )
    return HeightVelocity(years, reported((second[1] - first[1]) / years, CM_DECIMALS))


def target_height(father_cm: float, mother_cm: float, sex: Sex) -> TargetHeight:
    """The adult height to be expected from the parents'; HeightError where one is impossible."""
    parents = check_height(father_cm) + check_height(mother_cm)
    own = BOYS_OVER_GIRLS_CM if sex is Sex.MALE else -BOYS_OVER_GIRLS_CM
    middle = (parents + own) / 2
    return TargetHeight(middle, middle - TARGET_RANGE_CM, middle + TARGET_RANGE_CM)
