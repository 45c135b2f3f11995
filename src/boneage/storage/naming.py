"""Names of output files, which never overwrite those of another image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from boneage.storage.files import atomically

STEM_BYTES = 200
"""Most file systems allow 255 bytes; suffix and number need some."""


def write_named(folder: Path, film: str, suffix: str, mark: str, content: bytes) -> Path:
    """Write an output under its image's name, atomically, and return its path.

    The same image written again replaces its file. Another image of the same name, from this run,
    an earlier one or another process, gets a number after its name. ``mark`` is ASCII text that
    every output of this image contains, and no output of another image.
    """
    for path in _names(folder, film, suffix):
        if os.path.lexists(path):
            if not _is_marked(path, mark):
                continue
        else:
            try:
                with atomically(path, exclusive=True) as file:
                    file.write(content)
            except FileExistsError:  # another process was faster
                if not _is_marked(path, mark):
                    continue
            else:
                return path
        with atomically(path) as file:
            file.write(content)
        return path
    raise AssertionError("numbers do not end")


def _names(folder: Path, film: str, suffix: str) -> Iterator[Path]:
    stem = os.fsdecode(os.fsencode(Path(film).stem)[:STEM_BYTES]) or "film"
    yield folder / f"{stem}{suffix}"
    for number in count(2):
        yield folder / f"{stem}-{number}{suffix}"


def _is_marked(path: Path, mark: str) -> bool:
    try:
        return path.is_file() and mark.encode("ascii") in path.read_bytes()
    except OSError:
        return False
