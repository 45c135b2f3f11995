"""Part files: some hundred rows each, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from boneage.reports.table import COLUMNS, CORNERS, Row, write_table
from boneage.storage.files import atomically

if TYPE_CHECKING:
    from pyarrow import DataType

AGES, FAILURES = "ages", "failures"
RESULT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    AGES: ("film", "source_row", *(name for name in COLUMNS if name != "film")),
    FAILURES: (
        *("film", "source_row", "status", "verdict", "code", "message"),
        *("findings", "boneage"),
    ),
}
"""Of each of the two tables; ``source_row`` is the line of the table of cases."""

_FLOAT_ENDS = ("_months", "_cm")
_FLOATS = frozenset(
    ("interval_level", "sds", "sds_low", "sds_high", "percent_of_adult_height", "seconds")
)
_INTEGER_ENDS = (*(f"_{corner}" for corner in CORNERS), "_attention_found")
_INTEGERS = frozenset(("source_row", "film_height", "film_width", "calibration_films"))

Write = Callable[[BinaryIO, Sequence[Row], Sequence[str]], None]


def write_part(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> int:
    """Write rows into a file that is there whole, and on the disk, or not at all.

    Parameters
    ----------
    path : Path
        Ends in ``.csv`` or ``.parquet``, which decides the format.
    rows : sequence of Row
    columns : sequence of str

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    OSError
        When it cannot be written.
    ModuleNotFoundError
        For Parquet without the extra ``big``.
    """
    with atomically(path, durable=True) as file:
        WRITERS[path.suffix](file, rows, columns)
        return file.tell()


def _write_csv(file: BinaryIO, rows: Sequence[Row], columns: Sequence[str]) -> None:
    write_table(file, rows, columns)


def _write_parquet(file: BinaryIO, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write typed columns; a cell that is empty in CSV is null."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema([(name, _type(name)) for name in columns])
    arrays = [
        pa.array(_values((row.get(name) for row in rows), _number_of(name)), _type(name))
        for name in columns
    ]
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), file)


def _values(cells: Iterable[object], number: type | None) -> list[object]:
    found: list[object] = []
    for cell in cells:
        if cell is None or cell == "":
            found.append(None)
        else:
            found.append(str(cell) if number is None else number(cell))
    return found


def _number_of(column: str) -> type | None:
    """Say what a column holds: float, int, or None for text."""
    if column in _FLOATS or column.endswith(_FLOAT_ENDS):
        return float
    return int if column in _INTEGERS or column.endswith(_INTEGER_ENDS) else None


def _type(column: str) -> DataType:
    import pyarrow as pa  # noqa: PLC0415

    number = _number_of(column)
    if number is None:
        return pa.string()
    return pa.float64() if number is float else pa.int64()


WRITERS: Mapping[str, Write] = {".csv": _write_csv, ".parquet": _write_parquet}
FORMATS = tuple(suffix.removeprefix(".") for suffix in WRITERS)
