"""Another reader or system, measured on the same films: side by side, and paired.

A film that is hard for one is often hard for the other. The difference of the two is therefore
bootstrapped over films, with both readings of a film together, and tested by Wilcoxon's
signed-rank test on the absolute errors.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boneage.errors import DataError
from boneage.evaluation.accuracy.estimates import CaseEstimate, months_of
from boneage.evaluation.metrics import METHOD, FitMetrics, Vector, estimate, fit
from boneage.evaluation.report import Experiment
from boneage.storage.delimited import one_column, read_delimited
from boneage.storage.files import write_json

COMPARISON = "comparison.json"
TEST = "Wilcoxon signed-rank test of the absolute errors, two-sided (scipy.stats.wilcoxon)"
CASE_COLUMNS = ("case", "id")
MONTHS_COLUMNS = ("predicted_months", "age_months", "months", "boneage")
"""The first of these that a table has is read."""


@dataclass(frozen=True)
class OtherReader:
    """Another reader's ages of films."""

    name: str
    file: str
    """The bare name of the table they come from."""
    months: dict[str, float]
    """By case, in months."""
    problems: tuple[str, ...] = ()
    """Rows that could not be used, one sentence each."""


@dataclass(frozen=True)
class Comparison:
    """Two readers on the films that both have read."""

    other: OtherReader
    readings: tuple[CaseEstimate, ...]
    """Of the films that both have read."""
    other_months: tuple[float, ...]
    """Of the same films."""
    excess_months: tuple[float, ...]
    """Absolute error here less that of the other, by film: below 0, this one is nearer."""
    only_here: tuple[str, ...]
    """Cases that the other has not read."""
    only_there: tuple[str, ...]
    """Cases that only the other has read."""
    here: FitMetrics
    there: FitMetrics
    difference: FitMetrics
    """Here less there, film by film: below 0 for MAE and RMSE, this one is better."""
    wilcoxon_p: float | None
    """Two-sided, of the absolute errors; None where they never differ."""

    @property
    def count(self) -> int:
        """Films read by both."""
        return len(self.readings)


def read_other(table: Path, name: str | None = None, *, strict: bool = False) -> OtherReader:
    """Read another reader's ages from a table with ``CASE_COLUMNS`` and ``MONTHS_COLUMNS``.

    The reader is called by the file's name, unless by another. ``strict`` stops at the first row
    that cannot be used; else it is named and left out, and of a duplicate case the first row
    counts. A DataError when the file is no such table, or has no row that can be used.
    """
    rows = read_delimited(table, ragged=True)
    case_column = _column(rows.columns, CASE_COLUMNS, table)
    months_column = _column(rows.columns, MONTHS_COLUMNS, table)
    months: dict[str, float] = {}
    problems: list[str] = []
    for row in rows.rows:
        try:
            if row.problem:
                raise DataError(row.problem)
            case, age = row.cells[case_column], _months(row.cells[months_column])
            if not case:
                raise DataError("the row names no case")
            if case in months:
                raise DataError(f"case {case!r} occurs twice; the first row is used")
            months[case] = age
        except DataError as error:
            sentence = f"{table.name}, line {row.line}: {error}"
            if strict:
                raise DataError(sentence) from error
            problems.append(sentence)
    if not months:
        raise DataError(f"the table {str(table)!r} has no row with a case and its months")
    return OtherReader(name or table.stem, table.name, months, tuple(problems))


def check_common(other: OtherReader, cases: Sequence[str]) -> None:
    """Raise a DataError when another reader has read none of these cases."""
    if not other.months.keys() & set(cases):
        raise DataError(
            f"{other.file!r} has none of the cases that are assessed here (such as "
            f"{next(iter(cases), '')!r}); its cases are such as {next(iter(other.months))!r}"
        )


def compare(readings: Sequence[CaseEstimate], other: OtherReader) -> Comparison:
    """Compare readings with another reader's, on the cases that both have, else a DataError."""
    cases = [reading.case for reading in readings]
    check_common(other, cases)
    common = tuple(reading for reading in readings if reading.case in other.months)
    true, here = months_of(common)
    there = np.array([other.months[reading.case] for reading in common])
    excess = np.abs(here - true) - np.abs(there - true)

    def both(true: Vector, here: Vector, there: Vector) -> Vector:
        one, other = fit(true, here), fit(true, there)
        return np.concatenate([one, other, one - other])

    figures = estimate(both, true, here, there)
    return Comparison(
        other=other,
        readings=common,
        other_months=tuple(there.tolist()),
        excess_months=tuple(excess.tolist()),
        only_here=tuple(case for case in cases if case not in other.months),
        only_there=tuple(case for case in other.months if case not in cases),
        here=FitMetrics(*figures[:3]),
        there=FitMetrics(*figures[3:6]),
        difference=FitMetrics(*figures[6:]),
        wilcoxon_p=_wilcoxon(excess),
    )


def _wilcoxon(excess: Vector) -> float | None:
    from scipy.stats import wilcoxon  # noqa: PLC0415  slow to load; an extra

    if not excess.any():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few films, for which p is near 1 anyhow
        return float(wilcoxon(excess).pvalue)


def _column(columns: Sequence[str], wanted: Sequence[str], table: Path) -> str:
    found = one_column(columns, wanted, table)
    if found is None:
        raise DataError(
            f"the table {str(table)!r} has none of the columns {list(wanted)}, only {list(columns)}"
        )
    return found


def _months(text: str) -> float:
    try:
        months = float(text)
    except ValueError:
        months = math.nan
    if not math.isfinite(months):
        raise DataError(f"{text!r} is not a number of months")
    return months


def write_comparisons(
    path: Path, comparisons: Sequence[Comparison], experiment: Experiment
) -> list[dict[str, Any]]:
    """Write all comparisons as JSON, and give them as plain values.

    With none, a file of an earlier run is removed.
    """
    plain = [_plain(found) for found in comparisons]
    if not plain:
        path.unlink(missing_ok=True)
        return []
    header = experiment.header(f"paired {METHOD}")
    stated = {name: header[name] for name in ("format", "date", "weights", "data", "interval")}
    write_json(path, {**stated, "test": TEST, "comparisons": plain})
    return plain


def _plain(found: Comparison) -> dict[str, Any]:
    return {
        "name": found.other.name,
        "file": found.other.file,
        "common": found.count,
        "here": asdict(found.here),
        "there": asdict(found.there),
        "difference": asdict(found.difference),
        "wilcoxon_p": found.wilcoxon_p,
        "only_here": list(found.only_here),
        "only_there": list(found.only_there),
        "problems": list(found.other.problems),
    }


def conclusion(found: Comparison, here: str) -> str:
    """Conclude in a sentence who is nearer to the labels, if that can be known."""
    difference = found.difference.mae_months
    if found.wilcoxon_p is None:
        return "Both have the same absolute error on every radiograph."
    p = "p < 0.001" if found.wilcoxon_p < 0.001 else f"p = {found.wilcoxon_p:.3f}"
    test = f"Wilcoxon signed-rank test of the absolute errors: {p}."
    if difference.low is None or difference.high is None:
        return f"One radiograph is too few to compare the two. {test}"
    if difference.low <= 0 <= difference.high:
        return f"The mean absolute errors do not differ significantly on these radiographs. {test}"
    nearer = here if difference.high < 0 else found.other.name
    return f"The mean absolute error of {nearer} is smaller. {test}"
