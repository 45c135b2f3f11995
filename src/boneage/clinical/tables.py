"""The reference tables that ship with boneage, each a CSV file that names its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from boneage.domain.radiograph import Sex
from boneage.storage.delimited import shipped_rows

BRUSH = "greulich_pyle_brush_bone_age_sd.csv"
TABLE_5_6 = "greulich_pyle_table5_6_bone_age_sd.csv"
PLATES = "greulich_pyle_standard_plate_ages.csv"
EVENTS = "greulich_pyle_maturity_events.csv"
CDC = "cdc_2000_stature_for_age_lms.csv"
CRITERIA = "assessment_criteria.csv"
PERCENT = "bayley_pinneau_percent_mature_height.csv"
PREDICTION_ERROR = "bayley_pinneau_prediction_error_inches.csv"

CHILDREN: Mapping[Sex, str] = {Sex.MALE: "boys", Sex.FEMALE: "girls"}
"""How sentences about a table name its children."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class AgeCurve:
    """Values by age, interpolated linearly between the rows of a table."""

    months: tuple[float, ...]
    """Rising."""
    values: tuple[float, ...]

    @property
    def first_months(self) -> float:
        """The least age that the table holds."""
        return self.months[0]

    @property
    def last_months(self) -> float:
        """The greatest age that the table holds."""
        return self.months[-1]

    def at(self, age_months: float) -> float | None:
        """Interpolate; None outside the table, for it is never extrapolated."""
        if not self.first_months <= age_months <= self.last_months:
            return None
        return float(np.interp(age_months, self.months, self.values))


@cache
def rows(table: str) -> tuple[Row, ...]:
    """Read the rows of a table, as texts by column."""
    return tuple(shipped_rows(files("boneage.clinical") / "tables" / table))


def curve(table: str, age: str, value: str, **where: str) -> AgeCurve:
    """Read one column of a table over another, of the rows that match ``where``.

    Rows whose value is empty are left out.
    """
    points = sorted(
        (float(row[age]), float(row[value]))
        for row in rows(table)
        if row[value] and all(row[column] == cell for column, cell in where.items())
    )
    months, values = zip(*points, strict=True)
    return AgeCurve(months, values)


@cache
def plate_ages(sex: Sex) -> tuple[float, ...]:
    """Give the bone ages of the atlas's standards, in months, rising."""
    return tuple(float(r["skeletal_age_months"]) for r in rows(PLATES) if r["sex"] == sex.value)


@cache
def first_plate(structure: str, event: str, sex: Sex) -> float:
    """Give the age of the first standard that shows an event, in months.

    Raises
    ------
    LookupError
        When the table does not say.
    """
    for row in rows(EVENTS):
        if (row["structure"], row["event"]) == (structure, event):
            if months := row[f"{sex}_first_plate_months"]:
                return float(months)
            break
    raise LookupError(f"no {sex} standard is named for {structure!r}, {event!r}")
