"""From a path, bytes or a file object to the bytes of one file, and its name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO, TypeAlias

from boneage.errors import FilmError

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_FILE_BYTES = 2**30
"""More than any accepted image has, uncompressed, in 16-bit colour."""
UNNAMED = "film"


class NamedFile(BytesIO):
    """The bytes of a file, with its name, so that messages can quote it."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def name_of(source: object) -> str:
    """Give a source's name without its folder; ``"film"`` where there is none."""
    given = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    if not isinstance(given, str | os.PathLike):
        return UNNAMED
    return os.path.basename(os.fsdecode(given)) or UNNAMED  # noqa: PTH119  may be any text


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put a file's name before the message of a FilmError."""
    try:
        yield
    except FilmError as error:
        error.args = (f"{name!r} {error}",)
        raise


def load(source: Source) -> tuple[bytes, str]:
    """Read a source as a whole, and its name; FilmError, or TypeError for what is no source."""
    if isinstance(source, bytes | bytearray | memoryview):
        data, name, where = bytes(source), UNNAMED, UNNAMED
    elif isinstance(source, str | os.PathLike):
        data, name, where = _load_path(source)
    elif hasattr(source, "read"):
        data, name = _load_file_object(source)
        where = name
    else:
        raise TypeError(f"{source!r} is not an image; give a path, bytes or a binary file object")
    if len(data) > MAX_FILE_BYTES:
        raise FilmError(
            "too_many_bytes",
            f"{where!r} is larger than an image file may be ({MAX_FILE_BYTES / 2**20:.0f} MiB)",
        )
    if not data:
        raise FilmError("empty", f"{where!r} is empty (0 bytes); give an image")
    return data, name


def _load_path(source: str | os.PathLike[str]) -> tuple[bytes, str, str]:
    path = os.fsdecode(source)
    try:
        data = _read_regular(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FilmError("missing", f"there is no file {path!r}") from error
    except IsADirectoryError as error:
        raise _folder(path) from error
    except PermissionError as error:
        if os.path.isdir(path):  # noqa: PTH112  as Windows raises for folders
            raise _folder(path) from error
        message = f"{path!r} cannot be read: permission denied; make it readable"
        raise FilmError("permission", message) from error
    except OSError as error:
        raise FilmError("unreadable", f"{path!r} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a zero character in the path
        message = f"there is no file {path!r}: that is not a valid file name"
        raise FilmError("missing", message) from error
    return data, name_of(path), path


def _read_regular(path: str) -> bytes:
    with open(path, "rb", opener=_open_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise FilmError("unreadable", f"{path!r} is a device, which may never end; give a file")
        if stat.S_ISFIFO(mode):
            os.set_blocking(file.fileno(), True)
        return file.read(MAX_FILE_BYTES + 1)


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; do not wait for a pipe that nobody writes to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _folder(path: str) -> FilmError:
    return FilmError("folder", f"{path!r} is a folder, not a file; give an image in it")


def _load_file_object(file: BinaryIO) -> tuple[bytes, str]:
    """Read all of a file object, from its beginning if possible, and restore its position."""
    name = name_of(file)
    try:
        position = file.tell() if file.seekable() else None
        if position is not None:
            file.seek(0)
        try:
            content: object = file.read(MAX_FILE_BYTES + 1)
        finally:
            if position is not None:
                file.seek(position)
    except FilmError:
        raise
    except Exception as error:  # closed, write-only, a broken connection: anything may be given
        raise FilmError(
            "unreadable",
            f"{name!r} cannot be read: {type(error).__name__}; give an open binary file",
        ) from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise FilmError(
            "unreadable",
            f"{name!r} gives {type(content).__name__}, not bytes; open it in binary mode ('rb')",
        )
    return bytes(content), name
