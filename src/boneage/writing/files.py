"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
PART = ".part"
"""What a file ends in that is not whole."""


@contextmanager
def atomically(path: Path, *, durable: bool = False, private: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when it is complete.

    Parameters
    ----------
    path : Path
        Replaced when it exists. Its folder must exist.
    durable : bool
        It is on the disk, under its name, when the block is left.
    private : bool
        Nobody else on this computer may read it.

    Raises
    ------
    OSError
        At once when the folder cannot be written to, so that a long command
        can open its output before it starts to work. After any error inside
        the block nothing is left behind, and an earlier file is untouched.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    # Not tempfile: its files are readable by nobody else, and stay so when renamed.
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}{PART}")
    try:
        mode = 0o600 if private else 0o666
        with os.fdopen(os.open(part, _NEW, mode), "wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where a folder can be opened."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with atomically(path) as file:
        file.write(text.encode("utf-8"))


def as_json(table: Mapping[str, Any]) -> str:
    """Give plain values as JSON for people to read, too."""
    return json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, table: Mapping[str, Any]) -> None:
    """Write plain values as JSON for people to read, too; whole or not at all."""
    write_text(path, as_json(table))
