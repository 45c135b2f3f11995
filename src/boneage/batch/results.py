"""The folder of a batch: part files, and a journal of their contents.

A part is written and synced to the disk; then the journal records it and the keys of its
images in one transaction. A kill between the two leaves a part that the journal does not list;
it is removed at the next start, and its images are assessed again. So each image has exactly
one row, whenever and however often the command was killed.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from boneage.errors import DataError, OutputError
from boneage.reports.table import COLUMNS, KINDS, Row, write_table
from boneage.storage.files import atomically, reason_of

JOURNAL = "journal.sqlite"
PART_FILMS, PART_SECONDS = 500, 30.0
"""A part is closed after so many images or seconds: the most work that a kill loses."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS recipe (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS films (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    number INTEGER PRIMARY KEY, ages INTEGER NOT NULL, refused INTEGER NOT NULL,
    failed INTEGER NOT NULL, bytes INTEGER NOT NULL
);
"""

AGES, FAILURES = "ages", "failures"
RESULT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    AGES: ("film", "source_row", *(name for name in COLUMNS if name != "film")),
    FAILURES: (
        *("film", "source_row", "status", "verdict", "code", "message"),
        *("findings", "boneage"),
    ),
}
"""Of each of the two tables; ``source_row`` is the line of the table of cases."""

ARROW_TYPES = {"text": "string", "number": "float64", "count": "int64"}


@dataclass(frozen=True)
class ItemRow:
    """An item's row in the table of ages (``read``) or of failures."""

    key: bytes
    read: bool
    row: Row


@dataclass(frozen=True)
class Counts:
    """How many images a folder of results holds."""

    read: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def images(self) -> int:
        """All of them."""
        return self.read + self.refused + self.failed


class Results:
    """A folder, which must exist, of the rows of a batch, each exactly once.

    Assessed images go to ``ages/part-*``, the others to ``failures/part-*``; part 0 of each holds
    the columns alone. The recipe is what the rows depend on, as plain values. A `DataError` is
    raised on entering when the folder belongs to another recipe, another command is writing into
    it, or parts are missing; an `OutputError` when it cannot be written: what was written stays.
    """

    def __init__(self, folder: Path, recipe: Mapping[str, Any], suffix: str) -> None:
        self.folder, self.suffix = folder, suffix
        self._recipe = {name: json.dumps(value) for name, value in recipe.items()}
        self._pending: dict[bytes, ItemRow] = {}
        self._since = time.monotonic()
        self._part = 0

    def __enter__(self) -> Self:
        """Open the journal, and remove unfinished parts of a killed run."""
        with self._writing():
            for table in RESULT_COLUMNS:
                (self.folder / table).mkdir(exist_ok=True)
            self._journal = sqlite3.connect(self.folder / JOURNAL, isolation_level=None)
        try:
            with self._writing():
                self._open_journal()
        except BaseException:
            self._journal.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def _open_journal(self) -> None:
        # Locked until the journal is closed or the process ends, in whatever way.
        self._journal.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._journal.execute("PRAGMA synchronous = FULL")
        self._journal.execute("BEGIN EXCLUSIVE")
        for statement in SCHEMA.split(";"):
            self._journal.execute(statement)
        begun = dict(self._journal.execute("SELECT name, value FROM recipe"))
        if not begun:
            self._journal.executemany("INSERT INTO recipe VALUES (?, ?)", self._recipe.items())
        elif begun != self._recipe:
            self._journal.execute("ROLLBACK")
            raise DataError(self._recipe_mismatch(begun))
        self._journal.execute("COMMIT")
        known = {number for (number,) in self._journal.execute("SELECT number FROM parts")}
        self._match_parts(known)
        self._part = max(known, default=-1) + 1
        if not known:
            self._write([])

    def _recipe_mismatch(self, begun: Mapping[str, str]) -> str:
        every = sorted({*begun, *self._recipe})
        names = [name for name in every if begun.get(name) != self._recipe.get(name)]
        changes = "; ".join(
            f"{name}: {begun.get(name)} then, {self._recipe.get(name)} now" for name in names
        )
        return (
            f"{str(self.folder)!r} was begun with other settings ({changes}); resume with the "
            "same, or give another folder"
        )

    def _match_parts(self, known: set[int]) -> None:
        """Remove parts that the journal does not list; raise where a listed one is missing."""
        for table in RESULT_COLUMNS:
            for path in (self.folder / table).iterdir():
                if self._is_unknown(path, known):
                    path.unlink()
        for number in known:
            if not self._path(AGES, number).is_file():
                raise DataError(
                    f"{str(self._path(AGES, number))!r} is missing, but the journal lists its "
                    "images as finished; restore it, or give another folder"
                )

    def _is_unknown(self, path: Path, known: set[int]) -> bool:
        begun = path.name.startswith(".part-") and path.name.endswith(".part")
        number = path.stem.removeprefix("part-")
        ours = path.suffix == self.suffix and number.isdigit()
        return begun or (ours and int(number) not in known)

    def is_done(self, key: bytes) -> bool:
        """Whether an image has a row, on the disk or pending."""
        found = self._journal.execute("SELECT 1 FROM films WHERE key = ?", (key,)).fetchone()
        return found is not None or key in self._pending

    def add(self, row: ItemRow) -> None:
        """Add a row; it is on the disk once its part is full, or after :meth:`flush`.

        A second row of the same image is dropped.
        """
        if self.is_done(row.key):
            return
        if not self._pending:
            self._since = time.monotonic()
        self._pending[row.key] = row
        late = time.monotonic() - self._since >= PART_SECONDS
        if late or len(self._pending) >= PART_FILMS:
            self.flush()

    def flush(self) -> None:
        """Write the pending rows as one part."""
        if not self._pending:
            return
        with self._writing():
            self._write(list(self._pending.values()))
        self._pending.clear()

    def counts(self) -> Counts:
        """Count the images with a row on the disk, of all runs."""
        (row,) = self._journal.execute(
            "SELECT coalesce(sum(ages), 0), coalesce(sum(refused), 0), coalesce(sum(failed), 0) "
            "FROM parts"
        )
        return Counts(*row)

    def _write(self, part: list[ItemRow]) -> None:
        rows: dict[str, list[Row]] = {AGES: [], FAILURES: []}
        for one in part:
            rows[AGES if one.read else FAILURES].append(one.row)
        size = 0
        for table, found in rows.items():
            # Part 0 of each table is always written, so that both can be read.
            if found or table == AGES or not self._part:
                size += write_part(self._path(table, self._part), found, RESULT_COLUMNS[table])
        refused = sum(row["status"] == "refused" for row in rows[FAILURES])
        self._journal.execute("BEGIN")
        self._journal.executemany("INSERT INTO films VALUES (?)", [(one.key,) for one in part])
        self._journal.execute(
            "INSERT INTO parts VALUES (?, ?, ?, ?, ?)",
            (self._part, len(rows[AGES]), refused, len(rows[FAILURES]) - refused, size),
        )
        self._journal.execute("COMMIT")
        self._part += 1

    def _path(self, table: str, number: int) -> Path:
        return self.folder / table / f"part-{number:08d}{self.suffix}"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn errors of the folder into one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise DataError(
                    f"another command is writing into {str(self.folder)!r}; wait for it, or give "
                    "another folder"
                ) from error
            raise OutputError(self._unwritable(error)) from error
        except OSError as error:
            raise OutputError(self._unwritable(error)) from error

    def _unwritable(self, error: Exception) -> str:
        return (
            f"{str(self.folder)!r} cannot be written: {reason_of(error)}; finished "
            "rows are saved; give the same command again to resume"
        )


def write_part(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> int:
    """Write rows into a CSV or Parquet file, as its suffix says, and give its size in bytes.

    It is written atomically and synced to the disk. Parquet needs the extra ``big``.
    """
    write = _write_parquet if path.suffix == ".parquet" else write_table
    with atomically(path, durable=True) as file:
        write(file, rows, columns)
        return file.tell()


def _write_parquet(file: BinaryIO, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write typed columns; a cell that is empty in CSV is null."""
    import pyarrow as pa  # noqa: PLC0415  an extra
    from pyarrow import parquet  # noqa: PLC0415

    def column(name: str) -> pa.Array:
        cells = (row.get(name) for row in rows)
        texts = [None if cell in (None, "") else str(cell) for cell in cells]
        kind = ARROW_TYPES[KINDS.get(name, "count")]  # "count": of source_row
        return pa.array(texts, pa.string()).cast(kind)

    parquet.write_table(pa.table({name: column(name) for name in columns}), file)
