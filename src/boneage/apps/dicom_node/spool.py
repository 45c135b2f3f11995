"""The spool of a node on disk: the radiographs received, their results, and their states.

Files hold the objects; one database holds their states. A file is written before the state
that refers to it. So whenever a process ends, each radiograph is in exactly one state, and its
files exist. A database rather than renames between folders: a radiograph's two results, its
retries and their times change together.

File names are hashes; no content of an object becomes a path.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from boneage.apps.dicom_node.settings import MEBIBYTE, NodeError, SpoolSettings
from boneage.apps.dicom_node.spool_database import (
    AssessedImage,
    QueuedImage,
    QueuedResult,
    Run,
    SpoolDatabase,
    SpoolEntry,
    State,
)
from boneage.storage.files import PART, as_json, atomically, sync_folder

DAY, HOUR = 86_400.0, 3600.0
REPLACED = "replaced by a later object of the same SOP Instance UID before its assessment"


FILES_OF: Mapping[str, frozenset[State]] = {
    "films": frozenset(State),
    "answers": frozenset((State.MADE, State.SENT, State.DEAD)),
    "dead": frozenset((State.DEAD,)),
}
"""The folders of a spool, and the states in which a radiograph has files there."""


class Arrival(StrEnum):
    """How a received object relates to earlier ones."""

    NEW = "new"
    AGAIN = "again"
    """The same object as before: a sender's retry."""
    CORRECTION = "correction"
    """Another object of the same SOP Instance UID, before the first was assessed; replaces it."""
    OTHER = "other"
    """The same, after the first was assessed: the two are to be compared."""
    OWN = "own"
    """A result of this node, sent back."""


class SpoolFull(Exception):  # noqa: N818  a state, answered with a status
    """Too little disk space is free to accept more."""


class Spool:
    """The radiographs and results of a node; safe between threads and processes.

    A missing folder is created, readable by its owner alone; a `NodeError` is raised when it
    cannot be used.
    """

    def __init__(self, settings: SpoolSettings) -> None:
        self.settings, self.folder = settings, settings.folder
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in FILES_OF:
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self._database = SpoolDatabase(self.folder / "spool.sqlite")
            sync_folder(self.folder)
        except (OSError, sqlite3.Error) as error:
            raise NodeError(f"the spool {str(self.folder)!r} cannot be used: {error}") from error

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def film_path(self, key: str) -> Path:
        """The file of a radiograph."""
        return self.folder / "films" / f"{key}.dcm"

    def result_path(self, key: str, kind: str) -> Path:
        """The file of a result."""
        return self.folder / "answers" / f"{key}.{kind}.dcm"

    def dead_letter_path(self, key: str) -> Path:
        """The file that states why a radiograph has no result."""
        return self.folder / "dead" / f"{key}.json"

    # Receiving

    def receive(self, file: bytes, content: bytes, instance_uid: str, caller: str) -> Arrival:
        """Take a DICOM file from a calling AE title; when this returns, it is on the disk.

        The content, syntax and data set, distinguishes objects of the same UID. Raises
        `SpoolFull` when too little disk space would be left, `OSError` when it cannot be written.
        """
        instance = hashlib.sha256(instance_uid.encode()).hexdigest()
        key = hashlib.sha256(instance.encode() + hashlib.sha256(content).digest()).hexdigest()
        was_replaced = "SELECT state = 'skipped' AND code IS 'replaced' FROM film WHERE key = ?"
        if self._database.one("SELECT 1 FROM answer WHERE uid = ?", instance_uid):
            return Arrival.OWN
        if self._database.one(was_replaced, key) == (0,):  # known, and not replaced
            return Arrival.AGAIN
        free = shutil.disk_usage(self.folder).free
        if free - len(file) < self.settings.min_free_mib * MEBIBYTE:
            raise SpoolFull
        _write(self.film_path(key), file)
        now = time.time()
        with self._database.transaction() as run:
            known = run(was_replaced, key).fetchone()
            if known == (0,):
                return Arrival.AGAIN
            if known is not None:
                # Its replacement is assessed first: this may be a sender's late retry.
                run(
                    "UPDATE film SET state = 'received', starts = 0, code = NULL, reason = NULL, "
                    "files = 1, received = ?, changed = ? WHERE key = ?",
                    *(now, now, key),
                )
                return Arrival.OTHER
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
            return Arrival.OTHER
        return Arrival.CORRECTION if replaced else Arrival.NEW

    # Assessing

    def next_film(self) -> QueuedImage | None:
        """Give the radiograph to be assessed next, and count its start.

        Those started before come last: one that ends the process must not block the others.
        Of one SOP Instance UID, the first that waits comes first.
        """
        with self._database.transaction() as run:
            row = run(
                "SELECT key, caller, starts + 1 FROM film WHERE state = 'received' AND NOT EXISTS "
                "(SELECT 1 FROM film AS other WHERE other.instance = film.instance "
                "AND other.state = 'received' AND other.received < film.received) "
                "ORDER BY starts, received LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            run("UPDATE film SET starts = starts + 1 WHERE key = ?", row[0])
        return QueuedImage(*row)

    def put_back(self, key: str) -> None:
        """Undo the start of a radiograph: it waits again."""
        self._database.run("UPDATE film SET starts = max(0, starts - 1) WHERE key = ?", key)

    def is_waiting(self, key: str) -> bool:
        """Whether a radiograph is still to be assessed: it may have been replaced meanwhile."""
        query = "SELECT 1 FROM film WHERE key = ? AND state = 'received'"
        return self._database.one(query, key) is not None

    def assessed(self, key: str) -> list[AssessedImage]:
        """Give the other radiographs of the same SOP Instance UID that have results.

        Empty for one that was a conflict with them and was requeued: somebody decided.
        """
        rows = self._database.all(
            "SELECT other.key, other.content FROM film JOIN film AS other "
            "ON other.instance = film.instance AND other.key != film.key WHERE film.key = ? "
            "AND NOT film.requeued AND EXISTS (SELECT 1 FROM answer WHERE film = other.key)",
            key,
        )
        return [AssessedImage(*row) for row in rows]

    def store_results(
        self,
        key: str,
        fingerprint: str,
        results: Mapping[str, tuple[str, bytes]],
        content: str | None = None,
        missing: str | None = None,
    ) -> bool:
        """Store the results of a radiograph, before any is sent.

        For each kind of result its SOP Instance UID and file; for the radiograph the digest of
        its ``content``, and why one of the two results is ``missing``. False when the radiograph
        was replaced during its assessment: then nothing is stored.
        """
        for kind, (_, file) in results.items():
            _write(self.result_path(key, kind), file)
        with self._database.transaction() as run:
            stored = run(
                "UPDATE film SET state = 'made', fingerprint = ?, content = ?, code = ?, "
                "reason = ?, changed = ? WHERE key = ? AND state = 'received'",
                *(fingerprint, content, "output" if missing else None, missing, time.time(), key),
            ).rowcount
            for kind, (uid, _) in results.items() if stored else ():
                run("INSERT INTO answer (uid, film, kind) VALUES (?, ?, ?)", uid, key, kind)
        if not stored:
            for kind in results:
                self.result_path(key, kind).unlink(missing_ok=True)
        return bool(stored)

    def skip(self, key: str, code: str, reason: str) -> None:
        """Do not assess a radiograph: another object of its SOP Instance UID is used."""
        self._database.run(
            "UPDATE film SET state = 'skipped', code = ?, reason = ?, changed = ? "
            "WHERE key = ? AND state = 'received'",
            *(code, reason, time.time(), key),
        )

    def dead_letter(self, key: str, code: str, reason: str) -> bool:
        """Give up on a radiograph, and write why; False when it was replaced meanwhile."""
        with self._database.transaction() as run:
            given_up = run(
                "UPDATE film SET state = 'dead', code = ?, reason = ?, changed = ? "
                "WHERE key = ? AND state != 'skipped'",
                *(code, reason, time.time(), key),
            ).rowcount
            if given_up:
                self._write_dead_letter(run, key)
        return bool(given_up)

    def _write_dead_letter(self, run: Run, key: str) -> None:
        caller, code, reason, received, changed = run(
            "SELECT caller, code, reason, received, changed FROM film WHERE key = ?", key
        ).fetchone()
        results = run("SELECT kind, sent, refusals FROM answer WHERE film = ?", key).fetchall()
        dead_letter = {
            "film": key,
            "file": f"films/{key}.dcm",
            "code": code,
            "reason": reason,
            "caller": caller,
            "received": _iso(received),
            "given_up": _iso(changed),
            "answers": {
                kind: {"sent": None if sent is None else _iso(sent), "refusals": refusals}
                for kind, sent, refusals in results
            },
        }
        _write(self.dead_letter_path(key), as_json(dead_letter).encode())

    # Sending

    def due_results(self, now: float, most: int, longest_seconds: float) -> list[QueuedResult]:
        """The results to be sent now, in the order in which their radiographs came.

        A due time further ahead than any pause comes from a wrong clock, and is ignored.
        """
        rows = self._database.all(
            "SELECT uid, film, kind, coalesce(fingerprint, ''), refusals "
            "FROM answer JOIN film ON film = key WHERE state = 'made' AND sent IS NULL "
            "AND (due <= ? OR due > ?) ORDER BY received, film, kind LIMIT ?",
            *(now, now + longest_seconds, most),
        )
        return [QueuedResult(*row) for row in rows]

    def note_sent(self, result: QueuedResult) -> None:
        """Note that the destination stored a result; with the last one, the radiograph is done."""
        now = time.time()
        with self._database.transaction() as run:
            run("UPDATE answer SET sent = ? WHERE uid = ?", now, result.uid)
            run(
                "UPDATE film SET state = 'sent', changed = ? WHERE key = ? AND state = 'made' "
                "AND NOT EXISTS (SELECT 1 FROM answer WHERE film = key AND sent IS NULL)",
                *(now, result.film),
            )

    def note_refused(self, result: QueuedResult, due: float) -> None:
        """Note that the destination refused a result, and when to send it again."""
        more = "UPDATE answer SET refusals = refusals + 1, due = ? WHERE uid = ?"
        self._database.run(more, due, result.uid)

    def destination(self) -> tuple[int, float]:
        """Consecutive failures to reach the destination, and the time of the next try."""
        failures, due = self._database.one("SELECT failures, due FROM destination")
        return failures, due

    def note_destination(self, failures: int, due: float) -> None:
        """Set the consecutive failures, and the time of the next try."""
        self._database.run("UPDATE destination SET failures = ?, due = ?", failures, due)

    # Listing and requeueing

    def entries(self, states: Sequence[State] = tuple(State)) -> list[SpoolEntry]:
        """The radiographs in some states, the oldest first."""
        rows = self._database.all(
            "SELECT key, state, caller, code, reason, starts, (SELECT coalesce(max(refusals), 0) "
            "FROM answer WHERE film = key), received, changed FROM film ORDER BY received"
        )
        found = [SpoolEntry(row[0], State(row[1]), *row[2:]) for row in rows]
        return [entry for entry in found if entry.state in states]

    def counts(self) -> dict[State, int]:
        """The number of radiographs in each state."""
        found = dict(self._database.all("SELECT state, count(*) FROM film GROUP BY state"))
        return {state: found.get(state, 0) for state in State}

    def requeue(self, key: str) -> None:
        """Assess a dead radiograph again, or send its results again, as if for the first time.

        Raises a `NodeError` when its file is no longer there.
        """
        if not self.film_path(key).is_file():
            raise NodeError(f"the radiograph {key[:12]} is no longer in the spool; send it again")
        with self._database.transaction() as run:
            run(
                "UPDATE film SET state = CASE WHEN EXISTS (SELECT 1 FROM answer WHERE "
                "film = key) THEN 'made' ELSE 'received' END, starts = 0, "
                "requeued = code IS 'conflict', code = NULL, "
                "reason = NULL, changed = ? WHERE key = ? AND state = 'dead'",
                *(time.time(), key),
            )
            run("UPDATE answer SET refusals = 0, due = 0 WHERE film = ?", key)
        self.dead_letter_path(key).unlink(missing_ok=True)

    # Recovery and retention

    def recover(self) -> None:
        """Make the files agree with the states, once, before anything is received."""
        states = dict(self._database.all("SELECT key, state FROM film"))
        for name, in_states in FILES_OF.items():
            for path in (self.folder / name).iterdir():
                # Without a state: its sender never received a success.
                state = states.get(path.name.partition(".")[0])
                if path.name.endswith(PART) or state not in in_states:
                    path.unlink()
        with self._database.transaction() as run:
            for key, state in states.items():
                if state == State.DEAD and not self.dead_letter_path(key).exists():
                    self._write_dead_letter(run, key)

    def sweep(self, now: float) -> None:
        """Remove radiographs and results after their retention."""
        settings = self.settings
        for (key,) in self._database.all(
            "SELECT key FROM film WHERE state IN ('sent', 'skipped') AND files AND changed < ?",
            now - settings.keep_hours * HOUR,
        ):
            self._remove_files(key)
            self._database.run("UPDATE film SET files = 0 WHERE key = ?", key)
        for (key,) in self._database.all(
            "SELECT key FROM film WHERE (state = 'dead' AND changed < ?) "
            "OR (state IN ('sent', 'skipped') AND changed < ?)",
            *(now - settings.keep_dead_days * DAY, now - settings.remember_days * DAY),
        ):
            self._database.run("DELETE FROM film WHERE key = ?", key)
            self._remove_files(key)

    def _remove_files(self, key: str) -> None:
        results = (self.folder / "answers").glob(f"{key}.*")
        for path in (self.film_path(key), self.dead_letter_path(key), *results):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _write(path: Path, content: bytes) -> None:
    """Write a file, flushed to the disk, that only its owner may read."""
    with atomically(path, durable=True, private=True) as file:
        file.write(content)
