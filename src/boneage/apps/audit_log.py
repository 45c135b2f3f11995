"""The audit log of a server: who asked for what, and what was answered, but never of whom.

One JSON object a line. Each line carries the sha256 of the line before it, so that
a line that was changed, moved or removed is found. Whoever can write to the file
can write all of it anew: keep its last hash elsewhere to find that, and that its
end was cut off.
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
from boneage.errors import BoneageError

FIRST = "0" * 64
"""What the first line carries in place of a hash."""
MODE = 0o600
DECIMALS = 2
TAIL_BYTES = 4096
"""More than any line is long."""
MAX_TEXT = 128
"""Of a name, a code or an id: a line stays short."""


class AuditError(BoneageError):
    """An audit log that cannot be written, or was tampered with."""


@dataclass(frozen=True)
class AuditEvent:
    """One thing that happened. No file name, and nothing of the child."""

    who: str
    """The name of the token, or the calling AE title."""
    action: str
    """Such as ``"assess"``."""
    film: str | None = None
    """The radiograph's fingerprint, a sha256."""
    answer_months: float | None = None
    verdict: str | None = None
    error: str | None = None
    """The code of what went wrong."""
    weights: str | None = None
    """The sha256 of the weights."""
    request: str | None = None
    """The id of the request."""
    times: int = 1
    """How many such events the line stands for; they would fill the disk one by one."""

    @classmethod
    def answered(
        cls, who: str, action: str, fingerprint: str, assessment: Assessment
    ) -> AuditEvent:
        """Give the event of an answer."""
        return cls(
            who,
            action,
            film=fingerprint,
            answer_months=assessment.age_months,
            verdict=assessment.verdict.value,
            weights=assessment.weights.sha256,
        )


KEYS = frozenset(("time", "before", *(field.name for field in fields(AuditEvent))))
"""Of a line: of the event, and when it was, and the hash of the line before."""


@dataclass(frozen=True)
class AuditCheck:
    """The result of checking a log."""

    lines: int
    """That are intact, from the first."""
    last: str
    """The hash of the last of these; keep it elsewhere to find a cut-off end."""
    broken: int | None = None
    """The number of the first line that is not, from 1."""
    why: str | None = None


class AuditLog:
    """Appends events to one file; safe between threads and between processes.

    The file is made, readable by its owner alone, where it is missing; an `AuditError` is
    raised when it cannot be opened for writing. Without a path nothing is written.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path, self._file = path, -1
        self._lock = threading.Lock()
        if path is None:
            return
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        with self._errors_named():
            self._file = os.open(path, flags, MODE)

    def append(self, event: AuditEvent) -> None:
        """Write one event, down to the disk.

        Raises an `AuditError` when it cannot be written: then nothing should be answered either.
        """
        if self.path is None:
            return
        with self._errors_named(), self._lock, _locked(self._file):
            size = os.fstat(self._file).st_size
            tail = os.pread(self._file, TAIL_BYTES, max(0, size - TAIL_BYTES))
            # A line that a power cut left half; it stays, and is found.
            start = b"\n" if tail and not tail.endswith(b"\n") else b""
            last = tail.removesuffix(b"\n").rpartition(b"\n")[2]
            content = start + _line(event, _hash(last) if last else FIRST) + b"\n"
            if os.write(self._file, content) != len(content):
                raise OSError(28, "only a part of a line was written")
            os.fsync(self._file)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AuditError(
                f"the audit log {str(self.path)!r} cannot be written: {error.strerror}"
            ) from error


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Keep other processes out of a file, where the system can."""
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
    """Find the first line of an audit log that is not as it was written.

    Raises an `AuditError` when the file cannot be read.
    """
    before, lines = FIRST, 0
    try:
        with Path(path).open("rb") as file:
            for number, raw in enumerate(file, 1):
                why = _why_broken(raw, before)
                if why:
                    return AuditCheck(lines, before, number, why)
                lines, before = number, _hash(raw.removesuffix(b"\n"))
    except OSError as error:
        raise AuditError(
            f"the audit log {os.fspath(path)!r} cannot be read: {error.strerror}"
        ) from error
    return AuditCheck(lines, before)


def _why_broken(raw: bytes, before: str) -> str | None:
    if not raw.endswith(b"\n"):
        return "it ends in the middle"
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
    """Keep a value short, and out of the lines of others."""
    if isinstance(value, str):
        return re.sub(r"[^\x20-\x7e]", "?", value)[:MAX_TEXT]
    return None if value is None else round(value, DECIMALS)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
