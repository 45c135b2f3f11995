"""Files that are on the disk when the call returns, whole, whatever happens then."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PART = ".part"
"""What a file ends in that is not whole."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file beside its place, bring it to the disk, and give it its name.

    Raises
    ------
    OSError
        Then nothing is left behind, and an earlier file is untouched.
    """
    part = path.with_name(f"{path.name[:100]}.{secrets.token_hex(8)}{PART}")
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
