"""Tables of labelled films: a CSV file of paths, sexes and bone ages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from boneage.datasets.film_folder import LABELS, id_of_file
from boneage.datasets.labels import (
    Film,
    LabelledFilms,
    file_exists,
    films_of_rows,
    hash_split,
    parse_age,
    parse_sex,
    parse_split,
    read_labels,
)
from boneage.datasets.problems import Kind, LabelError, ProblemList
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.storage.delimited import Delimited, Row, one_column

SEX_COLUMNS = ("sex", "male")
AGE_COLUMNS = ("boneage", "bone_age_months")


def films_of_table(table: Path, problems: ProblemList) -> LabelledFilms:
    """List the labelled films of a table, and its problems.

    It is CSV (comma, semicolon or tab) with the columns ``path``, relative to
    the table; ``sex``, or ``male``; ``boneage`` or ``bone_age_months``.
    It may have ``id`` (else the film's file name without suffix) and
    ``split``, ``train`` or ``validation`` (else by a hash of the id).

    Raises
    ------
    DataError
        When it lacks a column; when the problems are strict, at the first.
    """
    labels = read_labels(table, (), ragged=True)
    sex_columns = [name for name in SEX_COLUMNS if name in labels.columns]
    if not sex_columns:
        raise _missing_column(table, labels, SEX_COLUMNS)
    age_column = _column(table, labels, AGE_COLUMNS)
    _column(table, labels, ("path",))

    def films_of(name: str, row: Row) -> list[Film]:
        cells = row.cells
        age, sex = parse_age(cells[age_column]), _sex(row, sex_columns)
        split = parse_split(cells["split"], table.name) if "split" in cells else hash_split(name)
        # Normalised, so that two spellings of one path are recognised.
        film = Path(os.path.normpath(table.parent / cells["path"]))
        if not cells["path"] or not file_exists(film):
            raise LabelError(Kind.NO_FILM, f"image {cells['path']!r} is missing")
        return [Film(name, film, age, sex, split)]

    films, ids = films_of_rows(labels.rows, _id_of, films_of, problems)
    where = f"paths are relative to the table's folder, {str(table.parent)!r}"
    return LabelledFilms(tuple(films), frozenset(ids), where)


def _id_of(row: Row) -> str:
    return row.cells["id"] if "id" in row.cells else id_of_file(Path(row.cells["path"]).name)


def _sex(row: Row, columns: Sequence[str]) -> Sex:
    """Parse the sex; where two columns state it they must agree."""
    found = {parse_sex(row.cells[column]) for column in columns if row.cells[column]}
    if len(found) > 1:
        message = f"the columns {' and '.join(map(repr, columns))} contradict each other"
        raise LabelError(Kind.SEX, message)
    return found.pop() if found else parse_sex("")


def _column(table: Path, labels: Delimited, names: tuple[str, ...]) -> str:
    found = one_column(labels.columns, names, table)
    if found is None:
        raise _missing_column(table, labels, names)
    return found


def _missing_column(table: Path, labels: Delimited, names: tuple[str, ...]) -> DataError:
    hint = f"; for {LABELS} give the folder it is in" if table.name == LABELS else ""
    return DataError(
        f"the table {str(table)!r} has no column {' or '.join(map(repr, names))}, only "
        f"{list(labels.columns)}; it needs path, sex (or male) and boneage (or "
        f"bone_age_months), and may have id and split{hint}"
    )
