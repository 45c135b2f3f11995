"""What a node holds on disk: the films that came, their answers, and what became of each.

Files hold the objects; one SQLite database holds their states. A state changes in one
transaction, in write-ahead mode with full synchronisation, so that it is on the disk when
the call returns; a file is on the disk before the state that speaks of it. So whatever
moment a process ends at, each film is in exactly one state, and its files are there. A
database rather than renames between folders: a film's two answers, its tries and when the
next is due change together.

Names of files are hashes; nothing that an object says becomes a path.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

from boneage.apps.dicom_node.settings import MEBIBYTE, Keeping, NodeError
from boneage.storage.files import PART, as_json, atomically, sync_folder

Run: TypeAlias = Callable[..., sqlite3.Cursor]
"""Runs one statement of a transaction."""
VERSION = 2
BUSY_SECONDS = 30.0
DAY, HOUR = 86_400.0, 3600.0
SCHEMA = """
CREATE TABLE film (
    key TEXT PRIMARY KEY,
    instance TEXT NOT NULL,
    caller TEXT NOT NULL,
    state TEXT NOT NULL,
    starts INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    reason TEXT,
    fingerprint TEXT,
    received REAL NOT NULL,
    changed REAL NOT NULL,
    files INTEGER NOT NULL DEFAULT 1,
    content TEXT,
    requeued INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX film_instance ON film (instance);
CREATE INDEX film_state ON film (state, starts, received);
CREATE TABLE answer (
    uid TEXT PRIMARY KEY,
    film TEXT NOT NULL REFERENCES film (key) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    sent REAL,
    refusals INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    UNIQUE (film, kind)
) STRICT;
CREATE TABLE destination (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    failures INTEGER NOT NULL,
    due REAL NOT NULL
) STRICT;
INSERT INTO destination VALUES (1, 0, 0);
"""
FROM_VERSION_1 = """
ALTER TABLE film ADD COLUMN content TEXT;
ALTER TABLE film ADD COLUMN requeued INTEGER NOT NULL DEFAULT 0
"""
REPLACED = (
    "another object of the same SOP Instance UID came before this one was read; that one counts"
)


class State(StrEnum):
    """What became of a film."""

    RECEIVED = "received"
    MADE = "made"
    """Its answers lie in the spool, and are to be sent."""
    SENT = "sent"
    DEAD = "dead"
    """It got no answer, or the destination took none; somebody has to look."""
    SKIPPED = "skipped"
    """Another object of its SOP Instance UID counts: it came later and before this one was
    read (``replaced``), or was answered and is the same image (``duplicate``)."""


class Receipt(StrEnum):
    """What an object is that came."""

    NEW = "new"
    AGAIN = "again"
    """The same object as before: a sender's retry."""
    CORRECTION = "correction"
    """Another object of the same SOP Instance UID, before the first was read: it counts."""
    OTHER = "other"
    """The same, after the first was answered: the two are to be compared."""
    OWN = "own"
    """An answer of this node, come back."""


class SpoolFull(Exception):  # noqa: N818  a state, answered with a status
    """So little is left of the disk that nothing more is taken."""


@dataclass(frozen=True)
class Waiting:
    """A film that is to be read."""

    key: str
    caller: str
    starts: int
    """How often it was begun, this time included."""


@dataclass(frozen=True)
class Made:
    """An answer that is to be sent."""

    uid: str
    film: str
    kind: str
    fingerprint: str
    refusals: int


@dataclass(frozen=True)
class Answered:
    """A film that has an answer, or had one that was refused."""

    key: str
    content: str | None
    """What decided the answer, hashed; None of one that an earlier version answered."""


@dataclass(frozen=True)
class Entry:
    """What is known of a film."""

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


class Spool:
    """The films and answers of a node; safe between threads and processes.

    Parameters
    ----------
    keeping : Keeping
        Its folder is made where it is missing, readable by its owner alone.

    Raises
    ------
    NodeError
        When it cannot be used.
    """

    def __init__(self, keeping: Keeping) -> None:
        self.keeping, self.folder = keeping, keeping.folder
        self._lock = threading.RLock()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("films", "answers", "dead"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.folder)
            self._database = sqlite3.connect(
                self.folder / "spool.sqlite",
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise NodeError(f"the spool {str(self.folder)!r} cannot be used: {error}") from error

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def film_path(self, key: str) -> Path:
        """Where a film lies."""
        return self.folder / "films" / f"{key}.dcm"

    def answer_path(self, key: str, kind: str) -> Path:
        """Where an answer lies."""
        return self.folder / "answers" / f"{key}.{kind}.dcm"

    def dead_path(self, key: str) -> Path:
        """Where it says why a film got no answer."""
        return self.folder / "dead" / f"{key}.json"

    # What comes in

    def receive(self, file: bytes, content: bytes, instance_uid: str, caller: str) -> Receipt:
        """Take an object; when this returns it is on the disk.

        Parameters
        ----------
        file : bytes
            The object as a DICOM file.
        content : bytes
            What tells one object from another of the same UID: syntax and data set.
        instance_uid : str
        caller : str
            The calling AE title.

        Raises
        ------
        SpoolFull
            When too little would be left of the disk.
        OSError
            When it cannot be written.
        """
        instance = hashlib.sha256(instance_uid.encode()).hexdigest()
        key = hashlib.sha256(instance.encode() + hashlib.sha256(content).digest()).hexdigest()
        if self._one("SELECT 1 FROM answer WHERE uid = ?", instance_uid):
            return Receipt.OWN
        known = self._one("SELECT state, code FROM film WHERE key = ?", key)
        if known is not None and not _was_replaced(*known):
            return Receipt.AGAIN
        self._check_room(len(file))
        _keep(self.film_path(key), file)
        now = time.time()
        with self._transaction() as run:
            known = run("SELECT state, code FROM film WHERE key = ?", key).fetchone()
            if known is not None and not _was_replaced(*known):
                return Receipt.AGAIN
            if known is not None:
                # What replaced it stays and is read first: this may be a sender's late retry.
                run(
                    "UPDATE film SET state = 'received', starts = 0, code = NULL, reason = NULL, "
                    "files = 1, received = ?, changed = ? WHERE key = ?",
                    *(now, now, key),
                )
                return Receipt.OTHER
            replaced = run(
                "UPDATE film SET state = 'skipped', code = 'replaced', reason = ?, changed = ? "
                "WHERE instance = ? AND state = 'received'",
                *(REPLACED, now, instance),
            ).rowcount
            other = run(
                "SELECT 1 FROM film JOIN answer ON film = key WHERE instance = ?", instance
            ).fetchone()
            run(
                "INSERT INTO film (key, instance, caller, state, received, changed) "
                "VALUES (?, ?, ?, 'received', ?, ?)",
                *(key, instance, caller, now, now),
            )
        if other:
            return Receipt.OTHER
        return Receipt.CORRECTION if replaced else Receipt.NEW

    def _check_room(self, size: int) -> None:
        free = shutil.disk_usage(self.folder).free
        if free - size < self.keeping.min_free_mib * MEBIBYTE:
            raise SpoolFull

    # From films to answers

    def next_film(self) -> Waiting | None:
        """Give the film that is to be read next, and note that it was begun.

        Those that were begun before come last: a film that ends the process must not keep
        the others waiting. Of one SOP Instance UID the first that waits comes first.
        """
        with self._transaction() as run:
            row = run(
                "SELECT key, caller, starts FROM film WHERE state = 'received' AND NOT EXISTS "
                "(SELECT 1 FROM film AS other WHERE other.instance = film.instance "
                "AND other.state = 'received' AND other.received < film.received) "
                "ORDER BY starts, received LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            run("UPDATE film SET starts = starts + 1 WHERE key = ?", row[0])
        return Waiting(row[0], row[1], row[2] + 1)

    def put_back(self, key: str) -> None:
        """Let a film wait as if it had not been begun."""
        with self._transaction() as run:
            run("UPDATE film SET starts = max(0, starts - 1) WHERE key = ?", key)

    def waits(self, key: str) -> bool:
        """Whether a film is still to be read: it may have been replaced meanwhile."""
        return self._one("SELECT 1 FROM film WHERE key = ? AND state = 'received'", key) is not None

    def answered(self, key: str) -> list[Answered]:
        """Give the films of the same SOP Instance UID that have answers.

        None of a film that was called a conflict with them and requeued: somebody decided.
        """
        rows = self._all(
            "SELECT other.key, other.content FROM film JOIN film AS other "
            "ON other.instance = film.instance AND other.key != film.key WHERE film.key = ? "
            "AND NOT film.requeued AND EXISTS (SELECT 1 FROM answer WHERE film = other.key)",
            key,
        )
        return [Answered(*row) for row in rows]

    def keep_answers(
        self,
        key: str,
        fingerprint: str,
        answers: Mapping[str, tuple[str, bytes]],
        content: str | None = None,
        missing: str | None = None,
    ) -> bool:
        """Keep the answers of a film, before any is sent.

        Parameters
        ----------
        key, fingerprint : str
            Of the film.
        answers : mapping
            SOP Instance UID and file, by kind.
        content : str, optional
            What decided the answer, hashed.
        missing : str, optional
            Why one of the two is not among them.

        Returns
        -------
        bool
            False when the film was replaced while it was read: nothing is kept.
        """
        for kind, (_, file) in answers.items():
            _keep(self.answer_path(key, kind), file)
        with self._transaction() as run:
            kept = run(
                "UPDATE film SET state = 'made', fingerprint = ?, content = ?, code = ?, "
                "reason = ?, changed = ? WHERE key = ? AND state = 'received'",
                *(fingerprint, content, "output" if missing else None, missing, time.time(), key),
            ).rowcount
            for kind, (uid, _) in answers.items() if kept else ():
                run("INSERT INTO answer (uid, film, kind) VALUES (?, ?, ?)", uid, key, kind)
        if not kept:
            for kind in answers:
                self.answer_path(key, kind).unlink(missing_ok=True)
        return bool(kept)

    def skip(self, key: str, code: str, reason: str) -> None:
        """Leave a film unread, for another object of its SOP Instance UID counts."""
        with self._transaction() as run:
            run(
                "UPDATE film SET state = 'skipped', code = ?, reason = ?, changed = ? "
                "WHERE key = ? AND state = 'received'",
                *(code, reason, time.time(), key),
            )

    def bury(self, key: str, code: str, reason: str) -> bool:
        """Give a film up, and say why; False when it was replaced meanwhile."""
        with self._transaction() as run:
            if run("SELECT 1 FROM film WHERE key = ? AND state = 'skipped'", key).fetchone():
                return False
            self._bury(run, key, code, reason)
        return True

    def _bury(self, run: Run, key: str, code: str, reason: str) -> None:
        run(
            "UPDATE film SET state = 'dead', code = ?, reason = ?, changed = ? WHERE key = ?",
            *(code, reason, time.time(), key),
        )
        self._write_letter(run, key)

    def _write_letter(self, run: Run, key: str) -> None:
        caller, code, reason, received, changed = run(
            "SELECT caller, code, reason, received, changed FROM film WHERE key = ?", key
        ).fetchone()
        answers = run("SELECT kind, sent, refusals FROM answer WHERE film = ?", key).fetchall()
        letter = {
            "film": key,
            "file": f"films/{key}.dcm",
            "code": code,
            "reason": reason,
            "caller": caller,
            "received": _iso(received),
            "given_up": _iso(changed),
            "answers": {
                kind: {"sent": None if sent is None else _iso(sent), "refusals": refusals}
                for kind, sent, refusals in answers
            },
        }
        _keep(self.dead_path(key), as_json(letter).encode())

    # From answers to the destination

    def due_answers(self, now: float, most: int, longest_seconds: float) -> list[Made]:
        """The answers that are to be sent now, in the order in which their films came.

        A time that lies further ahead than any pause is one of a clock that was wrong.
        """
        rows = self._all(
            "SELECT uid, film, kind, coalesce(fingerprint, ''), refusals "
            "FROM answer JOIN film ON film = key WHERE state = 'made' AND sent IS NULL "
            "AND (due <= ? OR due > ?) ORDER BY received, film, kind LIMIT ?",
            *(now, now + longest_seconds, most),
        )
        return [Made(*row) for row in rows]

    def note_sent(self, answer: Made) -> None:
        """Note that the destination has an answer; with its last, the film is done."""
        now = time.time()
        with self._transaction() as run:
            run("UPDATE answer SET sent = ? WHERE uid = ?", now, answer.uid)
            run(
                "UPDATE film SET state = 'sent', changed = ? WHERE key = ? AND state = 'made' "
                "AND NOT EXISTS (SELECT 1 FROM answer WHERE film = key AND sent IS NULL)",
                *(now, answer.film),
            )

    def note_refused(self, answer: Made, due: float) -> None:
        """Note that the destination refused an answer, and when it is asked again."""
        with self._transaction() as run:
            run(
                "UPDATE answer SET refusals = refusals + 1, due = ? WHERE uid = ?",
                *(due, answer.uid),
            )

    def destination(self) -> tuple[int, float]:
        """How often the destination could not be reached, in a row, and when to try next."""
        failures, due = self._one("SELECT failures, due FROM destination")
        return failures, due

    def note_destination(self, failures: int, due: float) -> None:
        """Note whether the destination was reached."""
        with self._transaction() as run:
            run("UPDATE destination SET failures = ?, due = ?", failures, due)

    # What people see and do

    def entries(self, states: Sequence[State] = tuple(State)) -> list[Entry]:
        """What is known of the films in some states, the oldest first."""
        rows = self._all(
            "SELECT key, state, caller, code, reason, starts, (SELECT coalesce(max(refusals), 0) "
            "FROM answer WHERE film = key), received, changed FROM film ORDER BY received"
        )
        found = [Entry(row[0], State(row[1]), *row[2:]) for row in rows]
        return [entry for entry in found if entry.state in states]

    def counts(self) -> dict[State, int]:
        """How many films there are in each state."""
        found = dict(self._all("SELECT state, count(*) FROM film GROUP BY state"))
        return {state: found.get(state, 0) for state in State}

    def requeue(self, key: str) -> None:
        """Let a dead film be read, or its answers be sent, as if for the first time.

        Raises
        ------
        NodeError
            When its file is no longer there.
        """
        if not self.film_path(key).is_file():
            raise NodeError(f"the film {key[:12]} is no longer in the spool; send it again")
        with self._transaction() as run:
            run(
                "UPDATE film SET state = CASE WHEN EXISTS (SELECT 1 FROM answer WHERE "
                "film = key) THEN 'made' ELSE 'received' END, starts = 0, "
                "requeued = coalesce(code, '') = 'conflict', code = NULL, "
                "reason = NULL, changed = ? WHERE key = ? AND state = 'dead'",
                *(time.time(), key),
            )
            run("UPDATE answer SET refusals = 0, due = 0 WHERE film = ?", key)
        self.dead_path(key).unlink(missing_ok=True)

    # Keeping house

    def recover(self) -> None:
        """Bring the files in line with the states, once, before anything comes in."""
        states = dict(self._all("SELECT key, state FROM film"))
        for path in (self.folder / "films").iterdir():
            # Without a state: its sender was never told that it is here.
            if path.name.endswith(PART) or path.stem not in states:
                path.unlink()
        for path in (self.folder / "answers").iterdir():
            if path.name.endswith(PART) or states.get(path.name.partition(".")[0]) in {
                None,
                State.RECEIVED,
                State.SKIPPED,
            }:
                path.unlink()
        for path in (self.folder / "dead").iterdir():
            if path.name.endswith(PART) or states.get(path.stem) != State.DEAD:
                path.unlink()
        with self._transaction() as run:
            for key, state in states.items():
                if state == State.DEAD and not self.dead_path(key).exists():
                    self._write_letter(run, key)

    def sweep(self, now: float) -> None:
        """Remove what was kept long enough."""
        keeping = self.keeping
        for (key,) in self._all(
            "SELECT key FROM film WHERE state IN ('sent', 'skipped') AND files AND changed < ?",
            now - keeping.keep_hours * HOUR,
        ):
            self._remove_files(key)
            with self._transaction() as run:
                run("UPDATE film SET files = 0 WHERE key = ?", key)
        for (key,) in self._all(
            "SELECT key FROM film WHERE (state = 'dead' AND changed < ?) "
            "OR (state IN ('sent', 'skipped') AND changed < ?)",
            *(now - keeping.keep_dead_days * DAY, now - keeping.remember_days * DAY),
        ):
            with self._transaction() as run:
                run("DELETE FROM film WHERE key = ?", key)
            self._remove_files(key)

    def _remove_files(self, key: str) -> None:
        for path in (
            self.film_path(key),
            self.dead_path(key),
            *(self.folder / "answers").glob(f"{key}.*"),
        ):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    # The database

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA foreign_keys = ON")
        with self._transaction() as run:
            version = run("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA.split(";"):
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")
            elif version == 1:
                for statement in FROM_VERSION_1.split(";"):
                    run(statement)
                run(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise NodeError(
                    f"the spool {str(self.folder)!r} is of version {version}, but this boneage "
                    f"reads version {VERSION}"
                )
        sync_folder(self.folder)

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
        """Run statements that all hold or none does."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._run
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._database.execute(statement, values)

    def _one(self, statement: str, *values: Any) -> Any:
        with self._lock:
            return self._run(statement, *values).fetchone()

    def _all(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._run(statement, *values).fetchall()


def _was_replaced(state: str, code: str | None) -> bool:
    return state == State.SKIPPED and code == "replaced"


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _keep(path: Path, content: bytes) -> None:
    """Write a file that is on the disk when this returns, and that nobody else may read."""
    with atomically(path, durable=True, private=True) as file:
        file.write(content)
