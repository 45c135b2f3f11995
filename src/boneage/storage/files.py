"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
EVIDENCE_FORMAT = 1
"""Of every JSON file of measurements."""
PART = ".part"
"""What a file ends in that is not whole."""
STANDARD_OUTPUT = Path("-")
"""How people name standard output as the place of a file."""
_OUTPUTS = frozenset(("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))
FULL = {
    errno.ENOSPC: "the disk is full",
    getattr(errno, "EDQUOT", errno.ENOSPC): "the quota of the disk is used up",
}


@contextmanager
def atomically(
    path: Path,
    *,
    durable: bool = False,
    private: bool = False,
    exclusive: bool = False,
    keep: bool = False,
) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when it is complete.

    A pipe, a device and what is standard output are written through, as there is nothing
    to replace; of a link what it leads to is written.

    Parameters
    ----------
    path : Path
        Replaced when it exists; its permissions stay. Its folder must exist.
    durable : bool
        It is on the disk, under its name, when the block is left.
    private : bool
        Nobody else on this computer may read it.
    exclusive : bool
        Raise a FileExistsError rather than replace what another process has put there.
    keep : bool
        What was written before an error takes the name, too: for rows, each whole by itself.
        The file is not buffered.

    Raises
    ------
    OSError
        At once when the file cannot be written, so that a long command can open its
        output before it starts to work. After any error inside the block nothing is left
        behind, and an earlier file is untouched, but for ``keep``.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    buffering = 0 if keep else -1
    through = _opened_through(path)
    if through is not None:
        with os.fdopen(through, "wb", buffering) as file:
            yield file
        return
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    # Not tempfile: its files are readable by nobody else, and stay so when renamed.
    part = target.with_name(f".{_short(target.name)}.{secrets.token_hex(8)}{PART}")
    failed: BaseException | None = None
    try:
        mode = 0o600 if private else 0o666
        with os.fdopen(os.open(part, _NEW, mode), "wb", buffering) as file:
            if not private:
                _take_permissions(file.fileno(), target)
            try:
                yield file
            except BaseException as error:
                if not (keep and file.tell()):
                    raise
                failed = error
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _place(part, target, exclusive=exclusive)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(target.parent)
    if failed is not None:
        raise failed


def _opened_through(path: Path) -> int | None:
    """Open what no other file may take the place of; None for an ordinary file, or none."""
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
    """Tell whether a path names standard output."""
    return path == STANDARD_OUTPUT or str(path) in _OUTPUTS


def is_stream(path: Path) -> bool:
    """Tell whether a path is a pipe, a device or standard output, which is written through."""
    if is_standard_output(path):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _short(name: str) -> str:
    """Shorten a name, with room for what is put around it in the 255 bytes of a file system."""
    return os.fsencode(name)[:100].decode("utf-8", "ignore")


def _take_permissions(file: int, target: Path) -> None:
    """Give a new file the permissions, and where it may be the owner, of the one it replaces."""
    if not hasattr(os, "fchmod"):  # Windows
        return
    try:
        earlier = target.stat()
    except OSError:
        return
    with suppress(OSError):
        os.fchown(file, earlier.st_uid, earlier.st_gid)
    with suppress(OSError):  # after the owner: a change of it takes permissions away
        os.fchmod(file, stat.S_IMODE(earlier.st_mode))


def _place(part: Path, target: Path, *, exclusive: bool) -> None:
    """Give a whole file its name."""
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
    """Bring the names in a folder to the disk, where a folder can be opened."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Keep other processes that lock it out of a folder, where the system can.

    Yields False when another process is in it. The system forgets the lock with the process.
    """
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
    """Say in words why something failed; what the system refused without its number."""
    if not isinstance(error, OSError):
        return str(error)
    said = error.strerror or str(error) or type(error).__name__
    if error.errno in FULL:
        return f"{FULL[error.errno]} ({said})"
    return said


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with atomically(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def as_json(table: Mapping[str, Any]) -> str:
    """Give plain values as JSON for people to read, too."""
    return json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, table: Mapping[str, Any]) -> None:
    """Write plain values as JSON for people to read, too; whole or not at all."""
    write_text(path, as_json(table))
