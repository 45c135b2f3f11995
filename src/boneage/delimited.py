"""Tables as spreadsheets write them: a comma, a semicolon or a tab between the cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
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
    """Read a table with a header, in UTF-8, with or without a byte order mark.

    The delimiter is whichever of comma, semicolon and tab the header holds
    most often. Rows of empty cells only are left out; cells beyond the header
    are ignored.

    Raises
    ------
    DataError
        When the file cannot be opened, is empty, is not UTF-8, or no table.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return _parse(text, path)
    except UnicodeDecodeError as error:
        raise DataError(
            f"the table {str(path)!r} cannot be read: it is not UTF-8 (byte {error.start}); "
            "save it as CSV in UTF-8"
        ) from error
    except (OSError, csv.Error) as error:
        raise DataError(f"the table {str(path)!r} cannot be read: {error}") from error


def _parse(text: str, path: Path) -> Delimited:
    if not text.strip():
        raise DataError(f"the table {str(path)!r} is empty")
    delimiter = max(DELIMITERS, key=text.splitlines()[0].count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or []]
    rows = []
    for row in reader:
        cells = {key: (value or "").strip() for key, value in row.items() if key is not None}
        if any(cells.values()):
            rows.append(Row(reader.line_num, cells))
    return Delimited(tuple(reader.fieldnames), tuple(rows))
