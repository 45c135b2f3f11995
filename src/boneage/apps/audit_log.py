"""The audit log of a server: who requested what, and the result, but nothing of the child.

One JSON object a line. Each line contains the SHA-256 of the line before it, so that a
changed, moved or removed line is detected. Whoever can write to the file can also rewrite
all of it, or remove its end: store the last hash elsewhere to detect that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boneage.domain.assessment import Assessment
from boneage.domain.reported import reported
from boneage.errors import BoneageError

FIRST_HASH = "0" * 64
"""In the first line, in place of the hash of an earlier one."""
FILE_MODE = 0o600
TAIL_BYTES = 4096
"""Longer than any line."""
MAX_TEXT = 128
"""Characters of a name, code or id, so that lines stay short."""


class AuditError(BoneageError):
    """An audit log that cannot be opened, read or written."""


@dataclass(frozen=True)
class AuditEvent:
    """One event, without file name or anything of the child."""

    who: str
    """The name of the token, or the calling AE title."""
    action: str
    """Such as ``"assess"``."""
    film: str | None = None
    """The radiograph's fingerprint, a sha256."""
    answer_months: float | None = None
    verdict: str | None = None
    error: str | None = None
    """The code of the error."""
    weights: str | None = None
    """The sha256 of the weights."""
    request: str | None = None
    """The id of the request."""
    times: int = 1
    """Number of such events that the line stands for, so that they do not fill the disk."""

    @classmethod
    def of_assessment(
        cls, who: str, action: str, fingerprint: str, assessment: Assessment
    ) -> AuditEvent:
        """The event of an assessment."""
        return cls(
            who,
            action,
            film=fingerprint,
            answer_months=assessment.age_months,
            verdict=assessment.verdict.value,
            weights=assessment.weights.sha256,
        )


KEYS = frozenset(("time", "before", *(field.name for field in fields(AuditEvent))))
"""Of a line: the event, its time, and the hash of the line before."""


@dataclass(frozen=True)
class AuditCheck:
    """The result of checking a log."""

    intact_lines: int
    """Counted from the first."""
    last_hash: str
    """Of the last intact line; stored elsewhere, it reveals a removed end."""
    invalid_line: int | None = None
    """Number of the first line that is not intact, from 1."""
    reason: str | None = None


class AuditLog:
    """Appends events to one file; safe between threads and between processes.

    A missing file is created, readable by its owner alone; an `AuditError` is
    raised when it cannot be opened for writing. Without a path nothing is written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path, self._file = path, -1
        self._lock = threading.Lock()
        if path is None:
            return
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        with self._named_errors():
            self._file = os.open(path, flags, FILE_MODE)

    def append(self, event: AuditEvent) -> None:
        """Write one event, and flush it to the disk.

        Raises an `AuditError` when it cannot be written: then no result may be given either.
        """
        if self.path is None:
            return
        with self._named_errors(), self._lock, _locked(self._file):
            size = os.fstat(self._file).st_size
            tail = os.pread(self._file, TAIL_BYTES, max(0, size - TAIL_BYTES))
            # After an incomplete line, as of a power cut; it stays, and the check finds it.
            start = b"\n" if tail and not tail.endswith(b"\n") else b""
            last = tail.removesuffix(b"\n").rpartition(b"\n")[2]
            content = start + _line(event, _hash(last) if last else FIRST_HASH) + b"\n"
            if os.write(self._file, content) != len(content):
                raise OSError(28, "only a part of a line was written")
            os.fsync(self._file)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AuditError(
                f"the audit log {str(self.path)!r} cannot be written: {error.strerror}"
            ) from error


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Lock a file against other processes, where the system can."""
    try:
        import fcntl  # noqa: PLC0415  Unix
    except ModuleNotFoundError:
        yield
        return
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def check_audit_log(path: str | os.PathLike[str]) -> AuditCheck:
    """Find the first line that is not intact; an `AuditError` when a log cannot be read."""
    before, lines = FIRST_HASH, 0
    try:
        with Path(path).open("rb") as file:
            for number, raw in enumerate(file, 1):
                if reason := _defect_of(raw, before):
                    return AuditCheck(lines, before, number, reason)
                lines, before = number, _hash(raw.removesuffix(b"\n"))
    except OSError as error:
        raise AuditError(
            f"the audit log {os.fspath(path)!r} cannot be read: {error.strerror}"
        ) from error
    return AuditCheck(lines, before)


def _defect_of(raw: bytes, before: str) -> str | None:
    if not raw.endswith(b"\n"):
        return "it is incomplete"
    try:
        line = json.loads(raw)
    except ValueError:
        return "it is not valid JSON"
    if not isinstance(line, dict) or line.keys() != KEYS:
        return "it is not an event of an audit log"
    if line["before"] != before:
        return "the line before it was changed or removed, or it was moved"
    return None


def _line(event: AuditEvent, before: str) -> bytes:
    plain: dict[str, Any] = {"time": datetime.now(UTC).isoformat(timespec="milliseconds")}
    plain |= {key: _plain(value) for key, value in asdict(event).items()}
    return json.dumps(plain | {"before": before}, allow_nan=False).encode("ascii")


def _plain(value: str | float | None) -> str | float | None:
    """Limit a value to one short line."""
    if isinstance(value, str):
        return re.sub(r"[^\x20-\x7e]", "?", value)[:MAX_TEXT]
    return None if value is None else reported(value)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
