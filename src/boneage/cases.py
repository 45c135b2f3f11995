"""Which films to read: from paths, from folders, from a table."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from boneage.assessment import Case, Failure
from boneage.delimited import read_delimited
from boneage.errors import DataError, SexError
from boneage.radiograph import Sex

PICTURE_SUFFIX = ".boneage.png"
"""Of the pictures that boneage draws itself: answers, not films."""
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
MAX_AGE_MONTHS = 25 * 12
"""A chronological age beyond this is a slip (days or years for months)."""


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
        or lower.endswith(PICTURE_SUFFIX)
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
        optionally, ``chronological_age_months`` or ``age``, in months. Paths
        are relative to the table. An empty sex means: as the film states.

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
                "it needs path and sex, and may have chronological_age_months"
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
        age = _age(cells.get("chronological_age_months") or cells.get("age") or "")
    except SexError as error:
        return Failure(film, "sex", str(error))
    except DataError as error:
        return Failure(film, "table", str(error))
    return Case(folder / film, sex, age)


def _age(text: str) -> float | None:
    if not text:
        return None
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not 0 <= age <= MAX_AGE_MONTHS:
        raise DataError(
            f"chronological age {text!r} is not a number of months from 0 to {MAX_AGE_MONTHS}"
        )
    return age
