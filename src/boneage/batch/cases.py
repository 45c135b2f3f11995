"""Which films to read: from paths, from folders, from a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from boneage.domain.ages import checked_age, parse_age, parse_date
from boneage.domain.assessment import Case, Failure
from boneage.domain.child import Child, height_from_inches, parse_height
from boneage.domain.radiograph import Sex
from boneage.errors import AgeError, DataError, HeightError, SexError
from boneage.reading.folders import LeftOut, walk_films
from boneage.storage.delimited import one_column, open_delimited

Value = TypeVar("Value")

PATH_COLUMNS = ("path", "film")
AGE_COLUMNS = ("chronological_age_months", "age_months", "age")
AGE_YEARS = "age_years"
SEX_COLUMNS = ("sex", "male")
"""The second is that of the RSNA's tables; where both are filled they must say the same."""
SAME_HEIGHT_CM = 1.0
"""Centimetres and rounded inches of one height differ by less."""
_NUMBER = re.compile(r"\d+([.,]\d*)?")


def cases_of(paths: Sequence[Path], left_out: LeftOut | None = None) -> list[Case]:
    """One case for each path, a folder giving one for each film in it.

    What else a folder holds is noted in ``left_out``.

    A path that does not exist stays a case: it fails when it is read, and the
    others go on.

    Raises
    ------
    DataError
        When a folder holds no films.
    """
    return list(stream_cases(paths, left_out))


def stream_cases(paths: Sequence[Path], left_out: LeftOut | None = None) -> Iterator[Case]:
    """Give the cases of :func:`cases_of` one by one, without keeping them."""
    for path in paths:
        if not path.is_dir():
            yield Case(path)
            continue
        empty, others = True, LeftOut() if left_out is None else left_out
        for film in walk_films(path, left_out=others):
            empty = False
            yield Case(film)
        if empty:
            raise no_films(path, others)


def no_films(folder: Path, left_out: LeftOut) -> DataError:
    """Say that a folder holds no films, and what it holds instead."""
    more = f"; {left_out}" if str(left_out) else ""
    return DataError(f"no films in the folder {str(folder)!r}{more}")


def read_cases(table: Path) -> list[Case | Failure]:
    """Read a table of cases.

    Parameters
    ----------
    table : Path
        CSV (comma, semicolon or tab) with the columns ``path`` (or ``film``), ``sex``
        and, optionally, ``chronological_age_months``, ``age_months`` or ``age`` (in
        months, or as ``11y4m``) or ``age_years``, ``birth_date``, ``study_date``
        (YYYY-MM-DD), ``height_cm`` or ``height_in``, and ``pseudonym``. Paths are relative to
        the table. An empty cell means: as the film states.

    Returns
    -------
    list of Case or Failure
        In the order of the table; a row that makes no sense is a Failure.

    Raises
    ------
    DataError
        When the file is no such table, or an empty one, or states something in two columns.
    """
    return [case for _, case in stream_table(table)]


def stream_table(table: Path) -> Iterator[tuple[int, Case | Failure]]:
    """Read a table of cases row by row, without keeping them; see :func:`read_cases`.

    Yields
    ------
    line : int
        Of the file, on which the row ends.
    case : Case or Failure
    """
    with open_delimited(table, ragged=True) as (columns, rows):
        path = one_column(columns, PATH_COLUMNS, table)
        age = one_column(columns, (*AGE_COLUMNS, AGE_YEARS), table)
        for column, found in (("path", path), ("sex", "sex" if "sex" in columns else None)):
            if found is None:
                raise DataError(
                    f"the table {str(table)!r} has no column {column!r}, only {list(columns)}; "
                    "it needs path and sex, and may have chronological_age_months, birth_date, "
                    "study_date, height_cm, height_in and pseudonym"
                )
        empty = True
        for row in rows:
            empty = False
            if row.problem:
                yield row.line, Failure(row.cells[str(path)], "table", row.problem)
                continue
            yield row.line, _case(row.cells, str(path), age, table.parent)
    if empty:
        raise DataError(f"the table {str(table)!r} has no rows")


def _case(
    cells: Mapping[str, str], path_column: str, age_column: str | None, folder: Path
) -> Case | Failure:
    film = cells[path_column]
    if not film:
        return Failure("", "table", "a row of the table has no path")
    try:
        sex = _sex(cells)
        age = _age(cells, age_column)
        child = _child(cells, age)
    except SexError as error:
        return Failure(film, "sex", str(error))
    except (AgeError, HeightError) as error:
        return Failure(film, "table", str(error))
    return Case(folder / film, sex, age, child, cells.get("pseudonym") or None)


def _sex(cells: Mapping[str, str]) -> Sex | None:
    said = {name: cells[name] for name in SEX_COLUMNS if cells.get(name)}
    found = {Sex.parse(text) for text in said.values()}
    if len(found) > 1:
        raise SexError(
            "the columns "
            + " and ".join(f"{name!r} ({text!r})" for name, text in said.items())
            + " contradict each other"
        )
    return next(iter(found), None)


def _age(cells: Mapping[str, str], column: str | None) -> float | None:
    text = cells.get(column or "")
    if not text:
        return None
    if column == AGE_YEARS and _NUMBER.fullmatch(text):
        return checked_age(12 * float(text.replace(",", ".")), text)
    return parse_age(text)


def _child(cells: Mapping[str, str], age_months: float | None) -> Child | None:
    """Read what a row says of the child beside the age; None where it says nothing."""
    birth_date = _parsed(lambda text: parse_date(text, "birth date"), cells.get("birth_date"))
    study_date = _parsed(lambda text: parse_date(text, "study date"), cells.get("study_date"))
    height_cm = _height(cells)
    if birth_date is None and study_date is None and height_cm is None:
        return None
    return Child(age_months, birth_date, study_date, height_cm)


def _height(cells: Mapping[str, str]) -> float | None:
    height_cm = _parsed(parse_height, cells.get("height_cm"))
    height_in = _parsed(parse_height, cells.get("height_in"))
    if height_in is None:
        return height_cm
    converted = height_from_inches(height_in)
    if height_cm is not None and abs(height_cm - converted) > SAME_HEIGHT_CM:
        raise HeightError(
            f"height_cm ({cells['height_cm']!r}) and height_in ({cells['height_in']!r}, which "
            f"is {converted:.1f} cm) contradict each other"
        )
    return converted if height_cm is None else height_cm


def _parsed(parse: Callable[[str], Value], text: str | None) -> Value | None:
    return parse(text) if text else None
