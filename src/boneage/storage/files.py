"""Files written atomically, whole or not at all, and never over those of another image."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
EVIDENCE_FORMAT = 1
"""The format number in every JSON file of measurements."""
PART = ".part"
STANDARD_OUTPUT = Path("-")
"""The usual name of standard output in place of a file."""
_OUTPUTS = frozenset(("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))
DISK_FULL = {
    errno.ENOSPC: "the disk is full",
    getattr(errno, "EDQUOT", errno.ENOSPC): "the quota of the disk is used up",
}
STEM_BYTES = 200
"""Most file systems allow 255 bytes; suffix and number need some."""


@contextmanager
def atomically(
    path: Path,
    *,
    durable: bool = False,
    private: bool = False,
    exclusive: bool = False,
    keep_partial: bool = False,
) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name only when it is complete.

    A pipe, a device and standard output are written in place, as there is nothing to replace;
    of a link the target is written. A file that exists is replaced, with the same permissions.

    Parameters
    ----------
    durable : bool
        Synced to the disk, under its name, when the block is left.
    private : bool
        Readable by nobody else on this computer.
    exclusive : bool
        Raise a FileExistsError rather than replace a file of another process.
    keep_partial : bool
        What was written before an error gets the name, too: for rows, each complete by itself.
        The file is not buffered.

    Raises
    ------
    OSError
        At once, so that a long command can open its output before it starts to work. After an
        error inside the block nothing is left behind, except with ``keep_partial``.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    buffering = 0 if keep_partial else -1
    in_place = _open_in_place(path)
    if in_place is not None:
        with os.fdopen(in_place, "wb", buffering) as file:
            yield file
        return
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    # Not tempfile: its files are readable by nobody else, and stay so when renamed.
    part = target.with_name(f".{shortened(target.name, 100)}.{secrets.token_hex(8)}{PART}")
    failed: BaseException | None = None
    try:
        mode = 0o600 if private else 0o666
        with os.fdopen(os.open(part, _NEW, mode), "wb", buffering) as file:
            if not private:
                _take_permissions(file.fileno(), target)
            try:
                yield file
            except BaseException as error:
                if not (keep_partial and file.tell()):
                    raise
                failed = error
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _move_into_place(part, target, exclusive=exclusive)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(target.parent)
    if failed is not None:
        raise failed


def _open_in_place(path: Path) -> int | None:
    """Open what cannot be replaced, such as a pipe; None for an ordinary or a missing file."""
    if is_standard_output(path):
        if sys.__stdout__ is None:
            raise OSError(errno.EBADF, "standard output is closed")
        return os.dup(1)
    try:
        there = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(there.st_mode):
        return os.open(path, os.O_WRONLY | _BINARY)
    for stream in (1, 2):  # 'boneage … --csv all.txt > all.txt': the shell has opened it
        with suppress(OSError):
            if os.path.samestat(there, os.fstat(stream)):
                return os.dup(stream)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return None


def is_standard_output(path: Path) -> bool:
    return path == STANDARD_OUTPUT or str(path) in _OUTPUTS


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe, a device or standard output, which is written in place."""
    if is_standard_output(path):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def shortened(name: str, most_bytes: int) -> str:
    """Shorten a name, so that prefix and suffix fit into the 255 bytes of a file system."""
    return os.fsencode(name)[:most_bytes].decode("utf-8", "ignore")


def _take_permissions(file: int, target: Path) -> None:
    """Give a new file the permissions, and if allowed the owner, of the one it replaces."""
    if not hasattr(os, "fchmod"):  # Windows
        return
    try:
        earlier = target.stat()
    except OSError:
        return
    with suppress(OSError):
        os.fchown(file, earlier.st_uid, earlier.st_gid)
    with suppress(OSError):  # after the owner: changing it drops permissions
        os.fchmod(file, stat.S_IMODE(earlier.st_mode))


def _move_into_place(part: Path, target: Path, *, exclusive: bool) -> None:
    if not exclusive:
        part.replace(target)
        return
    if os.name == "nt":
        part.rename(target)  # there it never replaces
        return
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: take the name first, then fill it
        os.close(os.open(target, _NEW, 0o666))
        part.replace(target)
    else:
        part.unlink()


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk, where a folder can be opened."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Lock a folder until the process ends, where the system can; False: another one has it."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        yield True
        return
    try:
        yield lock(opened)
    finally:
        os.close(opened)


def lock(opened: int) -> bool:
    """Lock an open file or folder until it is closed; False when another process has."""
    try:
        import fcntl  # noqa: PLC0415  Unix
    except ModuleNotFoundError:
        return True
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def reason_of(error: Exception) -> str:
    """Why something failed, in words; of an OSError without its number."""
    if not isinstance(error, OSError):
        return str(error)
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in DISK_FULL:
        return f"{DISK_FULL[error.errno]} ({reason})"
    return reason


def write_text(path: Path, text: str) -> None:
    with atomically(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def digest_of(value: object) -> str:
    """The sha256 of plain values: a checksum of a recipe, or of what was stored."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def as_json(table: Mapping[str, Any]) -> str:
    """Plain values as indented JSON."""
    return json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, table: Mapping[str, Any]) -> None:
    write_text(path, as_json(table))


def write_named(folder: Path, film: str, suffix: str, mark: str, content: bytes) -> Path:
    """Write an output under its image's name, atomically, and return its path.

    The same image written again replaces its file. Another image of the same name, from this run,
    an earlier one or another process, gets a number after its name. ``mark`` is ASCII text that
    every output of this image contains, and no output of another image.
    """
    stem = os.fsdecode(os.fsencode(Path(film).stem)[:STEM_BYTES]) or "film"
    for number in count(1):
        path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
        if not os.path.lexists(path):
            # Another process may be faster.
            with suppress(FileExistsError), atomically(path, exclusive=True) as file:
                file.write(content)
                return path
        if _is_marked(path, mark):
            with atomically(path) as file:
                file.write(content)
            return path
    raise AssertionError("numbers do not end")


def _is_marked(path: Path, mark: str) -> bool:
    try:
        return path.is_file() and mark.encode("ascii") in path.read_bytes()
    except OSError:
        return False
