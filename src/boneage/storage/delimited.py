"""Tables as spreadsheets write and read them: a comma, a semicolon or a tab between the cells."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from itertools import chain
from pathlib import Path
from typing import TextIO, TypeAlias

from boneage.errors import DataError
from boneage.storage.printable import printable

DELIMITERS = ",;\t"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?%?")
_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
"""What a spreadsheet may take for a formula, or what looks like an escaped one."""


def shipped_rows(table: Traversable) -> Iterator[dict[str, str]]:
    """Read the rows of a table that ships with boneage, whose lines of comment begin with #."""
    lines = table.read_text("utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class Row:
    """One row: its cells by column, and the line of the file it ends on."""

    line: int
    cells: Mapping[str, str]
    problem: str | None = None
    """Why the cells cannot be trusted: their number differs from the columns'."""


@dataclass(frozen=True)
class Delimited:
    """The rows of a file; columns are in small letters, cells without outer spaces."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_delimited(path: Path, *, ragged: bool = False, content: bytes | None = None) -> Delimited:
    """Read a table as a whole; see :func:`open_delimited`."""
    with open_delimited(path, ragged=ragged, content=content) as (columns, rows):
        return Delimited(columns, tuple(rows))


@contextmanager
def open_delimited(
    path: Path, *, ragged: bool = False, content: bytes | None = None
) -> Iterator[tuple[tuple[str, ...], Iterator[Row]]]:
    """Open a table with a header, in UTF-8, or with the byte order mark of another Unicode form.

    The delimiter is the one that a first line ``sep=;`` names, else whichever of comma,
    semicolon and tab the header holds most often. Rows of empty cells only, and the header
    again, as in concatenated tables, are skipped; so are columns without a name. The ``'`` of
    :func:`escape_cell` is removed. ``ragged``: rows with more or fewer cells than columns come
    with their ``problem``, so that the caller can fail such a row alone. ``content``: the bytes,
    where they are no file; then ``path`` only names them.

    Yields the columns, all different, and the rows, read one by one. DataError when the file is no
    such table; for a wrong row, when that row is read.
    """
    encoding = "utf-8"
    try:
        with _opened(path, content) as raw:
            start = raw.peek(4)[:4]
            encoding = next((name for mark, name in _MARKS if start.startswith(mark)), encoding)
            with io.TextIOWrapper(raw, encoding, newline="") as file:
                columns, rows = _open_rows(file, path)
                yield tuple(filter(None, columns)), _rows(rows, columns, path, ragged=ragged)
    except UnicodeDecodeError as error:
        what = encoding.removesuffix("-sig").upper()
        raise DataError(
            f"the table {str(path)!r} cannot be read: it is not {what} "
            f"(byte {_first_wrong_byte(path, encoding, content)}); save it as CSV in UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"the table {str(path)!r} cannot be read: {error}") from error


def _opened(path: Path, content: bytes | None) -> io.BufferedReader:
    if content is None:
        return path.open("rb")
    return io.BufferedReader(io.BytesIO(content))


_Cells: TypeAlias = tuple[int, int, list[str]]
"""The lines of the file on which a row begins and ends, and its cells."""


def _cells(lines: Iterator[str], delimiter: str, path: Path, before: int) -> Iterator[_Cells]:
    """Read the rows with a cell that is not empty, behind so many lines."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    end = before
    while True:
        begun = end + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            what = (
                f"invalid CSV quoting ({error}): a cell that starts with a quotation mark must "
                'end with one; double the quotation marks inside it ("")'
            )
            raise _wrong(path, begun, what) from error
        end = before + reader.line_num
        if any(cells):
            yield begun, end, cells


def _open_rows(file: TextIO, path: Path) -> tuple[list[str], Iterator[_Cells]]:
    """Find delimiter and columns; the reader continues at the first row."""
    lines = _without_nul(file, path)
    stated, read = "", 0
    for line in lines:
        read += 1
        match = re.fullmatch(r'"?sep=(.)"?', line.strip(" \r\n"), re.IGNORECASE)
        if match:  # as spreadsheets write
            stated = match[1]
        elif line.strip():
            break
    else:
        raise DataError(f"the table {str(path)!r} is empty")
    delimiter = stated or max(DELIMITERS, key=line.count)
    rows = _cells(chain([line], lines), delimiter, path, read - 1)
    _, _, header = next(rows, (0, 0, []))
    if not header:
        raise DataError(f"the table {str(path)!r} has no header row")
    columns = [_normal(name) for name in header]
    for name in columns:
        same = [number for number, other in enumerate(columns) if name and other == name]
        if len(same) > 1:
            written = " and ".join(f"{header[n]!r} (column {n + 1})" for n in same)
            raise DataError(
                f"the table {str(path)!r} has {len(same)} columns of one name: {written}; rename "
                "or remove all but the one that counts"
            )
    return columns, rows


def _without_nul(file: TextIO, path: Path) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if "\0" in line:
            what = "it contains a NUL character, so it is not text; save the table as CSV in UTF-8"
            raise _wrong(path, number, what)
        yield line


def _rows(
    rows: Iterator[_Cells], columns: Sequence[str], path: Path, *, ragged: bool
) -> Iterator[Row]:
    for begun, end, cells in rows:
        while len(cells) > len(columns) and not cells[-1]:
            cells.pop()
        problem = None
        if len(cells) != len(columns):
            problem = (
                f"it has {len(cells)} cells, but there are {len(columns)} columns; an empty cell "
                "needs its delimiter, and one with a delimiter in it quotation marks"
            )
            if not ragged:
                raise _wrong(path, begun, problem)
            problem = f"line {begun} of the table is invalid: {problem}"
            cells.extend([""] * (len(columns) - len(cells)))
        if [_normal(cell) for cell in cells] == columns:
            continue
        named = zip(columns, map(unescape_cell, cells), strict=False)
        yield Row(end, {name: cell for name, cell in named if name}, problem)


def _normal(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).replace("\ufeff", "").split()).casefold()


def _wrong(path: Path, line: int, what: str) -> DataError:
    return DataError(f"the table {str(path)!r} cannot be read: line {line}: {what}")


def one_column(columns: Sequence[str], names: Sequence[str], path: Path) -> str | None:
    """The column with one of several equivalent names, if any; DataError: there are several."""
    found = [name for name in names if name in columns]
    if len(found) > 1:
        raise DataError(
            f"the table {str(path)!r} has the columns {' and '.join(map(repr, found))}, which "
            "mean the same; rename or remove all but the one that counts"
        )
    return found[0] if found else None


def _first_wrong_byte(path: Path, encoding: str, content: bytes | None) -> int:
    """The first byte of a file that is not text; a stream only knows it within its buffer."""
    try:
        (path.read_bytes() if content is None else content).decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    except OSError:  # a pipe
        pass
    return 0


def escape_cell(value: object) -> object:
    """Put a ``'`` before a text that a spreadsheet would run as a formula.

    Numbers, also negative ones, are unchanged. :func:`open_delimited` removes it.
    See https://owasp.org/www-community/attacks/CSV_Injection
    """
    if not isinstance(value, str) or _FORMULA.match(value) is None or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def unescape_cell(cell: str) -> str:
    """Remove the ``'`` that :func:`escape_cell` put before a text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def csv_text(rows: Iterable[Iterable[object]], *, terminal: bool = False, end: str = "\n") -> str:
    """Write rows of cells as CSV without formulas, on a terminal without control characters."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=end)
    for row in rows:
        cells = [escape_cell(cell) for cell in row]
        writer.writerow([printable(str(c)) for c in cells] if terminal else cells)
    return text.getvalue()
