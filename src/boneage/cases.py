"""Which films to read: from paths, from folders, from a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from boneage.ages import parse_age, parse_date
from boneage.assessment import Case, Failure
from boneage.clinical.child import Child, height_from_inches, parse_height
from boneage.delimited import open_delimited
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
    return list(walk_films(folder, without=without))


def walk_films(folder: Path, *, without: Sequence[Path] = ()) -> Iterator[Path]:
    """Name the films of a folder one by one, as :func:`films_in` does, in the same order.

    No more is kept in memory than the names in the folders on the way. A subfolder that
    cannot be opened is named as if it were a film, so that it fails and is not lost.
    """
    return _walk(folder, frozenset(path.resolve() for path in without))


def _walk(folder: Path, left_out: frozenset[Path]) -> Iterator[Path]:
    names, folders = _listed(folder)
    for name in names:
        path = folder / name
        if name not in folders:
            yield path
        elif not left_out or path.resolve() not in left_out:
            try:
                yield from _walk(path, left_out)
            except PermissionError:
                yield path


def _listed(folder: Path) -> tuple[list[str], set[str]]:
    """List what may be films, and the subfolders among them; links to folders are left out."""
    names: list[str] = []
    folders: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    folders.add(entry.name)
                    names.append(entry.name)
            elif may_be_film(entry.name) and not entry.is_dir():
                names.append(entry.name)
    names.sort()
    return names, folders


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
    return list(stream_cases(paths))


def stream_cases(paths: Sequence[Path]) -> Iterator[Case]:
    """Give the cases of :func:`cases_of` one by one, without keeping them."""
    for path in paths:
        if not path.is_dir():
            yield Case(path)
            continue
        empty = True
        for film in walk_films(path):
            empty = False
            yield Case(film)
        if empty:
            raise DataError(f"no films in the folder {str(path)!r}")


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
    return [case for _, case in stream_table(table)]


def stream_table(table: Path) -> Iterator[tuple[int, Case | Failure]]:
    """Read a table of cases row by row, without keeping them; see :func:`read_cases`.

    Yields
    ------
    line : int
        Of the file, on which the row ends.
    case : Case or Failure
    """
    with open_delimited(table) as (columns, rows):
        for column in ("path", "sex"):
            if column not in columns:
                raise DataError(
                    f"the table {str(table)!r} has no column {column!r}, only {list(columns)}; "
                    "it needs path and sex, and may have chronological_age_months, birth_date, "
                    "study_date, height_cm, height_in and pseudonym"
                )
        empty = True
        for row in rows:
            empty = False
            yield row.line, _case(row.cells, table.parent)
    if empty:
        raise DataError(f"the table {str(table)!r} has no rows")


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
