"""The images to assess, from paths, folders or a table, each with a key."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import msgspec

from boneage.domain.ages import checked_age, parse_age
from boneage.domain.assessment import Case, Failure
from boneage.domain.child import Child, child_of, parse_fields
from boneage.domain.radiograph import Sex
from boneage.errors import AgeError, DataError, HeightError, SexError
from boneage.reading.folders import LeftOut, walk_films
from boneage.storage.delimited import one_column, open_delimited
from boneage.storage.printable import file_label

PATH_COLUMNS = ("path", "film")
AGE_COLUMNS = ("chronological_age_months", "age_months", "age")
AGE_YEARS = "age_years"
SEX_COLUMNS = ("sex", "male")
"""The second is of the RSNA's tables; where both are filled they must agree."""
KEY_BYTES = 16
_NUMBER = re.compile(r"\d+([.,]\d*)?")


@dataclass(frozen=True)
class Item:
    """A case on its way to a row."""

    key: bytes
    """Unique in the batch, and the same in every run."""
    film: str
    """The image's name in the row."""
    case: Case | Failure
    source_row: int | None = None
    """Line in the table of cases; None for images given by path or folder."""

    def to_json(self) -> str:
        """Serialise it for another machine, as plain values."""
        case = self.case
        if isinstance(case, Case):
            # Escaped as the file system has it: JSON keeps a lone surrogate.
            case = replace(case, film=os.path.abspath(os.fsdecode(case.film)))  # noqa: PTH100
        stated = {"failure" if isinstance(case, Failure) else "case": asdict(case)}
        own = {"key": self.key.hex(), "film": self.film, "source_row": self.source_row}
        return json.dumps({**own, **stated}, default=str)  # dates as ISO 8601

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse what :meth:`to_json` wrote."""
        table = json.loads(text)
        case: Case | Failure
        if "failure" in table:
            case = msgspec.convert(table["failure"], Failure)
        else:
            stated = table["case"]
            sex = msgspec.convert(stated.pop("sex"), Sex | None)
            child = msgspec.convert(stated.pop("child"), Child | None)
            case = Case(**stated, sex=sex, child=child)
        return cls(bytes.fromhex(table["key"]), table["film"], case, table["source_row"])


def cases_of(paths: Sequence[Path], left_out: LeftOut | None = None) -> Iterator[Case]:
    """Yield a case for each path, or for each image in a folder.

    Other files of a folder are added to ``left_out``. A path that does not exist is a case, too:
    it fails when it is read, and the others continue. Raises a `DataError` when a folder holds no
    images.
    """
    for path in paths:
        if not path.is_dir():
            yield Case(path)
            continue
        empty, others = True, LeftOut() if left_out is None else left_out
        for film in walk_films(path, left_out=others):
            empty = False
            yield Case(film)
        if empty:
            raise no_images_error(path, others)


def no_images_error(folder: Path, left_out: LeftOut) -> DataError:
    """An error for a folder without images, with what it holds instead."""
    more = f"; {left_out}" if str(left_out) else ""
    return DataError(f"no images in the folder {str(folder)!r}{more}")


def items_of(paths: Sequence[Path], left_out: LeftOut | None = None) -> Iterator[Item]:
    """Yield the images of paths and folders, as :func:`cases_of`; the key is the absolute path."""
    for case in cases_of(paths, left_out):
        whole = os.path.abspath(case.film)  # noqa: PTH100  no link is followed
        yield Item(_key("film", os.fsencode(whole)), file_label(case.film), case)


def items_of_table(table: Path) -> Iterator[Item]:
    """Yield the rows of a table of cases; the key is the line."""
    for line, case in read_cases(table):
        yield Item(_key("row", str(line).encode()), file_label(case.film), case, line)


def _key(kind: str, content: bytes) -> bytes:
    return hashlib.blake2b(
        content, digest_size=KEY_BYTES, person=kind.encode(), usedforsecurity=False
    ).digest()


def read_cases(table: Path, content: bytes | None = None) -> Iterator[tuple[int, Case | Failure]]:
    """Yield the rows of a table of cases: the line that each ends on, and its case.

    The table is CSV (comma, semicolon or tab) with the columns ``path`` (or ``film``), ``sex``
    and, optionally, ``chronological_age_months``, ``age_months`` or ``age`` (in months, or as
    ``11y4m``) or ``age_years``, ``birth_date``, ``study_date`` (YYYY-MM-DD), ``height_cm`` or
    ``height_in``, and ``pseudonym``. Paths are relative to the table. An empty cell means: as the
    image states. A row that makes no sense is a Failure. ``content``: the table's bytes, where it
    is no file; then ``table`` only names it. Raises a `DataError` when the file is not such a
    table, is empty, or states one thing in two columns.
    """
    with open_delimited(table, ragged=True, content=content) as (columns, rows):
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
        child = child_of({**parse_fields({**cells, "age": ""}), "age": age})
    except SexError as error:
        return Failure(film, "sex", str(error))
    except (AgeError, HeightError) as error:
        return Failure(film, "table", str(error))
    known = None if child == Child(age) else child
    return Case(folder / film, sex, age, known, cells.get("pseudonym") or None)


def _sex(cells: Mapping[str, str]) -> Sex | None:
    stated = {name: cells[name] for name in SEX_COLUMNS if cells.get(name)}
    found = {Sex.parse(text) for text in stated.values()}
    if len(found) > 1:
        raise SexError(
            "the columns "
            + " and ".join(f"{name!r} ({text!r})" for name, text in stated.items())
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
