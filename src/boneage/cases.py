"""Which films to read: from paths, from folders, from a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from boneage.ages import parse_age, parse_date
from boneage.assessment import Case, Failure
from boneage.clinical.child import Child, height_from_inches, parse_height
from boneage.delimited import read_delimited
from boneage.errors import AgeError, DataError, HeightError, SexError
from boneage.radiograph import Sex

Value = TypeVar("Value")

PICTURE_SUFFIX, DICOM_SUFFIX = ".boneage.png", ".boneage.dcm"
"""Of the pictures and DICOM files that boneage writes itself: answers, not films."""
NO_FILMS = frozenset(
    (
        *(".cfg", ".csv", ".db", ".doc", ".docx", ".gz", ".h5", ".htm", ".html", ".ini"),
        *(".ipynb", ".json", ".keras", ".log", ".md", ".npy", ".npz", ".onnx", ".part", ".pdf"),
        *(".py", ".rst", ".sh", ".sqlite", ".svg", ".tar", ".toml", ".tsv", ".txt", ".xls"),
        *(".xlsx", ".xml", ".yaml", ".yml", ".zip"),
    )
)
"""Files that lie beside films and obviously are none. Anything else is tried,
because DICOM files often have no suffix, or an odd one."""


def films_in(folder: Path, *, without: Sequence[Path] = ()) -> list[Path]:
    """All files in a folder and its subfolders that may be films, sorted.

    Hidden files and folders, a DICOMDIR, files that obviously are none and
    pictures drawn by boneage are left out; so are the folders ``without``.
    """
    left_out = {path.resolve() for path in without}
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        here = Path(where)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() not in left_out
        )
        found += (here / name for name in sorted(names) if may_be_film(name))
    return sorted(found)


def may_be_film(name: str) -> bool:
    """Tell from a file's name whether it is worth trying."""
    lower = name.lower()
    return not (
        lower.startswith(".")
        or lower == "dicomdir"
        or lower.endswith((PICTURE_SUFFIX, DICOM_SUFFIX))
        or Path(lower).suffix in NO_FILMS
    )


def cases_of(paths: Sequence[Path]) -> list[Case]:
    """One case for each path, a folder giving one for each film in it.

    A path that does not exist stays a case: it fails when it is read, and the
    others go on.

    Raises
    ------
    DataError
        When a folder holds no films.
    """
    cases: list[Case] = []
    for path in paths:
        if not path.is_dir():
            cases.append(Case(path))
            continue
        films = films_in(path)
        if not films:
            raise DataError(f"no films in the folder {str(path)!r}")
        cases += [Case(film) for film in films]
    return cases


def read_cases(table: Path) -> list[Case | Failure]:
    """Read a table of cases.

    Parameters
    ----------
    table : Path
        CSV (comma, semicolon or tab) with the columns ``path``, ``sex`` and,
        optionally, ``chronological_age_months`` or ``age`` (in months, or as
        ``11y4m``), ``birth_date``, ``study_date`` (YYYY-MM-DD), ``height_cm`` or
        ``height_in``, and ``pseudonym``. Paths are relative to the table. An empty cell means: as
        the film states.

    Returns
    -------
    list of Case or Failure
        In the order of the table; a row that makes no sense is a Failure.

    Raises
    ------
    DataError
        When the file is no such table, or an empty one.
    """
    rows = read_delimited(table)
    for column in ("path", "sex"):
        if column not in rows.columns:
            raise DataError(
                f"the table {str(table)!r} has no column {column!r}, only {list(rows.columns)}; "
                "it needs path and sex, and may have chronological_age_months, birth_date, "
                "study_date, height_cm, height_in and pseudonym"
            )
    if not rows.rows:
        raise DataError(f"the table {str(table)!r} has no rows")
    return [_case(row.cells, table.parent) for row in rows.rows]


def _case(cells: Mapping[str, str], folder: Path) -> Case | Failure:
    film = cells["path"]
    if not film:
        return Failure("", "table", "a row of the table has no path")
    try:
        sex = Sex.parse(cells["sex"]) if cells["sex"] else None
        age = _parsed(parse_age, cells.get("chronological_age_months") or cells.get("age"))
        child = _child(cells, age)
    except SexError as error:
        return Failure(film, "sex", str(error))
    except (AgeError, HeightError) as error:
        return Failure(film, "table", str(error))
    return Case(folder / film, sex, age, child, cells.get("pseudonym") or None)


def _child(cells: Mapping[str, str], age_months: float | None) -> Child | None:
    """Read what a row says of the child beside the age; None where it says nothing."""
    birth_date = _parsed(lambda text: parse_date(text, "birth date"), cells.get("birth_date"))
    study_date = _parsed(lambda text: parse_date(text, "study date"), cells.get("study_date"))
    height_cm = _parsed(parse_height, cells.get("height_cm"))
    if height_cm is None:
        height_in = _parsed(parse_height, cells.get("height_in"))
        height_cm = None if height_in is None else height_from_inches(height_in)
    if birth_date is None and study_date is None and height_cm is None:
        return None
    return Child(age_months, birth_date, study_date, height_cm)


def _parsed(parse: Callable[[str], Value], text: str | None) -> Value | None:
    return parse(text) if text else None
