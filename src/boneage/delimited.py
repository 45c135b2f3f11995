"""Tables as spreadsheets write them: a comma, a semicolon or a tab between the cells."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boneage.errors import DataError

DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row: its cells by column, and the line of the file it ends on."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Delimited:
    """The rows of a file; columns are in small letters, cells without outer spaces."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_delimited(path: Path) -> Delimited:
    """Read a table as a whole; see :func:`open_delimited`.

    Raises
    ------
    DataError
        When the file cannot be opened, is empty, is not UTF-8, or no table.
    """
    with open_delimited(path) as (columns, rows):
        return Delimited(columns, tuple(rows))


@contextmanager
def open_delimited(path: Path) -> Iterator[tuple[tuple[str, ...], Iterator[Row]]]:
    """Open a table with a header, in UTF-8, with or without a byte order mark.

    The delimiter is whichever of comma, semicolon and tab the header holds
    most often. Rows of empty cells only are left out; cells beyond the header
    are ignored.

    Yields
    ------
    columns : tuple of str
    rows : iterator of Row
        Read from the file one by one, so that a table may be of any length.

    Raises
    ------
    DataError
        When the file cannot be opened, is empty, is not UTF-8, or no table; the latter two
        perhaps not before the row where it shows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next((line for line in file if line.strip()), None)
            if header is None:
                raise DataError(f"the table {str(path)!r} is empty")
            file.seek(0)
            reader = csv.DictReader(file, delimiter=max(DELIMITERS, key=header.count))
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
            yield tuple(reader.fieldnames), _rows(reader)
    except UnicodeDecodeError as error:
        raise DataError(
            f"the table {str(path)!r} cannot be read: it is not UTF-8 "
            f"(byte {_first_wrong_byte(path)}); save it as CSV in UTF-8"
        ) from error
    except (OSError, csv.Error) as error:
        raise DataError(f"the table {str(path)!r} cannot be read: {error}") from error


def _rows(reader: csv.DictReader[str]) -> Iterator[Row]:
    for row in reader:
        cells = {key: (value or "").strip() for key, value in row.items() if key is not None}
        if any(cells.values()):
            yield Row(reader.line_num, cells)


def _first_wrong_byte(path: Path) -> int:
    """Find where a file stops being text; a stream only knows it within its buffer."""
    try:
        path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return error.start
    return 0
