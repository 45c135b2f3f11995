"""The database of a spool, in SQLite: its rows, and the states of its radiographs.

A state changes in one transaction, in write-ahead mode with full synchronisation, so that it
is on the disk when the call returns.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from boneage.apps.dicom_node.settings import NodeError

Run: TypeAlias = Callable[..., sqlite3.Cursor]
"""Runs one statement of a transaction."""
VERSION = 2
BUSY_SECONDS = 30.0
MIGRATIONS = {
    0: Path(__file__).with_name("spool.sql").read_text("utf-8"),
    1: """
ALTER TABLE film ADD COLUMN content TEXT;
ALTER TABLE film ADD COLUMN requeued INTEGER NOT NULL DEFAULT 0
""",
}
"""The statements that migrate a database from an earlier version; 0 is an empty one."""


class State(StrEnum):
    """The state of a radiograph."""

    RECEIVED = "received"
    MADE = "made"
    """Its results are in the spool, to be sent."""
    SENT = "sent"
    DEAD = "dead"
    """It has no result, or the destination refused it; a person has to check."""
    SKIPPED = "skipped"
    """Another object of its SOP Instance UID is used: a later one that came before this one was
    assessed (``replaced``), or the same image, assessed already (``duplicate``)."""


@dataclass(frozen=True)
class QueuedImage:
    """A radiograph to be assessed."""

    key: str
    caller: str
    starts: int
    """How often its assessment was started, this time included."""


@dataclass(frozen=True)
class QueuedResult:
    """A result to be sent."""

    uid: str
    film: str
    kind: str
    fingerprint: str
    refusals: int


@dataclass(frozen=True)
class AssessedImage:
    """A radiograph that has a result, or had one that was refused."""

    key: str
    content: str | None
    """Digest of the image content; None of a radiograph that an earlier version assessed."""


@dataclass(frozen=True)
class SpoolEntry:
    """A radiograph in the spool, for people."""

    key: str
    state: State
    caller: str
    code: str | None
    reason: str | None
    starts: int
    refusals: int
    received: float
    """Seconds since 1970, as ``changed`` is."""
    changed: float


class SpoolDatabase:
    """The database in a file; safe between threads and processes.

    Raises a `sqlite3.Error` when the file cannot be used, and a `NodeError` when it is of a
    version that this program does not know.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction() as run:
            version = run("PRAGMA user_version").fetchone()[0]
            if version in MIGRATIONS:
                for statement in MIGRATIONS[version].split(";"):
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise NodeError(
                    f"the spool {str(path.parent)!r} is of version {version}, but this boneage "
                    f"reads version {VERSION}"
                )

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Run]:
        """Run statements of which either all take effect or none."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._run
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def run(self, statement: str, *values: Any) -> None:
        """Run one statement as a transaction."""
        with self.transaction():
            self._run(statement, *values)

    def one(self, statement: str, *values: Any) -> Any:
        """Give the first row of a query, or None."""
        with self._lock:
            return self._run(statement, *values).fetchone()

    def all(self, statement: str, *values: Any) -> list[Any]:
        """Give every row of a query."""
        with self._lock:
            return self._run(statement, *values).fetchall()
