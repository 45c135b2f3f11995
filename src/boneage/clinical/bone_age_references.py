"""What a bone age is compared with: the spread of the bone age of other children of an age.

The Brush Foundation children by default; the atlas's other sample, whose spread is larger in
adolescence; or a clinic's own children, from a table that ``boneage reference`` makes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from boneage.clinical.tables import BRUSH, CHILDREN, TABLE_5_6, AgeCurve, Row, rows
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import AgeError, DataError, SexError
from boneage.storage.delimited import csv_text, read_delimited

BRUSH_NAME = "Brush Foundation children, Greulich and Pyle 1959"
ATLAS_NAME = "Greulich and Pyle 1959, Tables V and VI"
SHIPPED: Mapping[str, tuple[str, str]] = {
    "brush": (BRUSH_NAME, BRUSH),
    "atlas": (ATLAS_NAME, TABLE_5_6),
}
"""By the word that chooses it: its name and its table."""
FILE_VARIABLE = "BONEAGE_SDS_REFERENCE"
"""Names the reference where none is chosen."""
AGE, MEAN, SD = "chronological_age_months", "mean_skeletal_age_months", "sd_skeletal_age_months"
COLUMNS = ("sex", AGE, MEAN, SD)
BANDWIDTH_MONTHS = 12.0
"""Standard deviation of the Gaussian that weighs children around an age."""
STEP_MONTHS = 6
LEAST_CHILDREN = 20
"""Within a year of an age: fewer say little of the spread."""

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoneAgeReference:
    """The bone ages of children by chronological age, in months."""

    name: str
    sd: Mapping[Sex, AgeCurve]
    mean: Mapping[Sex, AgeCurve] | None
    """None where the table has none."""
    own: bool = False
    """Whether it is a clinic's own."""

    def centre(self, chosen: Centre) -> Centre:
        """What 0 SDS means: as chosen; the mean of a clinic's own children in any case.

        An AgeError where the Brush mean is chosen with another reference.
        """
        if self.own:
            return Centre.OWN_MEAN
        if chosen is Centre.BRUSH_MEAN and self.name != BRUSH_NAME:
            raise AgeError(f"the Brush mean is no centre for the reference {self.name!r}")
        return Centre.CHRONOLOGICAL_AGE if chosen is Centre.OWN_MEAN else chosen

    def centre_months(self, age_months: float, sex: Sex, centre: Centre) -> float:
        """The bone age of 0 SDS, at an age inside the table."""
        if centre is Centre.CHRONOLOGICAL_AGE or self.mean is None:
            return age_months
        mean = self.mean[sex].at(age_months)
        return age_months if mean is None else mean


def bone_age_reference(name: str | None = None) -> BoneAgeReference:
    """The reference that is chosen: ``"brush"``, ``"atlas"``, or the path of a table.

    Without a name it is that of the environment variable ``BONEAGE_SDS_REFERENCE``, else Brush. A
    DataError when it cannot be read.
    """
    chosen = name or os.environ.get(FILE_VARIABLE) or "brush"
    return _shipped(chosen) if chosen in SHIPPED else read_bone_age_reference(Path(chosen))


@cache
def _shipped(word: str) -> BoneAgeReference:
    name, table = SHIPPED[word]
    return _reference(name, rows(table))


@cache
def read_bone_age_reference(path: Path) -> BoneAgeReference:
    """Read a clinic's own reference, called by the file's name without suffix.

    A CSV table with the columns ``sex, chronological_age_months, mean_skeletal_age_months,
    sd_skeletal_age_months``; a DataError for any other.
    """
    table = read_delimited(path)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise DataError(
            f"the reference {str(path)!r} has no column {missing[0]!r}; it needs "
            f"{', '.join(COLUMNS)}. Give 'brush', 'atlas' or a table by 'boneage reference'"
        )
    try:
        return _reference(path.stem, [row.cells for row in table.rows], own=True)
    except (ValueError, SexError) as error:
        raise DataError(f"the reference {str(path)!r} cannot be used: {error}") from error


def _reference(name: str, table: Sequence[Row], *, own: bool = False) -> BoneAgeReference:
    means = bool(table) and MEAN in table[0]
    sd: dict[Sex, AgeCurve] = {}
    mean: dict[Sex, AgeCurve] = {}
    for sex in Sex:
        some = [row for row in table if Sex.parse(row["sex"]) is sex]
        sd[sex] = _curve(some, SD, sex)
        if means:
            mean[sex] = _curve([row for row in some if row[MEAN]], MEAN, sex)
    return BoneAgeReference(name, sd, mean if means else None, own)


def _curve(table: Sequence[Row], column: str, sex: Sex) -> AgeCurve:
    points = [(float(row[AGE]), float(row[column])) for row in table]
    if len(points) < 2 or sorted(set(points)) != points:
        raise ValueError(f"the ages of {CHILDREN[sex]} do not rise from row to row")
    if not np.isfinite(points).all() or min(value for _, value in points) <= 0:
        raise ValueError(f"the values of {CHILDREN[sex]} are not all above 0")
    months, values = zip(*points, strict=True)
    return AgeCurve(months, values)


@dataclass(frozen=True)
class HealthyChild:
    """One assessment of a healthy child, in months."""

    sex: Sex
    chronological_age_months: float
    bone_age_months: float


def reference_table(children: Iterable[HealthyChild]) -> str:
    """Make the table of a clinic's own reference, as CSV, from its healthy children.

    At every half year a straight line is fitted to the children around it, weighed by their
    distance in age; the mean is the line's value there, the SD that of the children around the
    line. Ages with fewer than 20 children within a year are left out. A DataError when a sex has no
    two ages left in a row.
    """
    found = list(children)
    lines: list[list[object]] = []
    for sex in Sex:
        own = [child for child in found if child.sex is sex]
        fitted = list(_longest_run(_fitted(own)))
        if len(fitted) < 2:
            raise DataError(
                f"{len(own)} {CHILDREN[sex]} are too few, or too spread in age: a reference needs "
                f"{LEAST_CHILDREN} within a year of each age"
            )
        lines += [[sex.value, age, f"{mean:.2f}", f"{sd:.2f}"] for age, mean, sd in fitted]
    return csv_text([COLUMNS, *lines])


def _fitted(children: Sequence[HealthyChild]) -> Iterator[tuple[int, float, float] | None]:
    if not children:
        return
    ages = np.array([child.chronological_age_months for child in children])
    bones = np.array([child.bone_age_months for child in children])
    first = int(np.ceil(ages.min() / STEP_MONTHS)) * STEP_MONTHS
    for age in range(first, int(ages.max()) + 1, STEP_MONTHS):
        near = ages[np.abs(ages - age) <= BANDWIDTH_MONTHS]
        if len(near) < LEAST_CHILDREN or np.ptp(near) == 0:
            yield None
            continue
        weights = np.exp(-0.5 * np.square((ages - age) / BANDWIDTH_MONTHS))
        effective = float(weights.sum() ** 2 / np.square(weights).sum())
        slope, mean = np.polyfit(ages - age, bones, 1, w=np.sqrt(weights))
        squares = np.square(bones - mean - slope * (ages - age))
        variance = (weights @ squares) / weights.sum() * effective / (effective - 2)
        yield age, float(mean), float(np.sqrt(variance))


def _longest_run(
    fitted: Iterable[tuple[int, float, float] | None],
) -> list[tuple[int, float, float]]:
    """The longest sequence of ages without a gap: nothing is interpolated over one."""
    runs: list[list[tuple[int, float, float]]] = [[]]
    for one in fitted:
        if one is None:
            runs.append([])
        else:
            runs[-1].append(one)
    return max(runs, key=len)
