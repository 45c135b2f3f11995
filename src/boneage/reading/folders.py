"""The images of a folder, and the files that are left out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boneage.errors import FilmError
from boneage.reading.accepted import kind_of
from boneage.storage.printable import file_label, printable
from boneage.storage.typed import shipped_toml

PICTURE_SUFFIX, DICOM_SUFFIX = ".boneage.png", ".boneage.dcm"
"""Of the pictures and DICOM files that boneage writes itself: results, not radiographs."""
LEFT_OUT = shipped_toml("boneage.reading", "left_out.toml")
"""The suffixes of files that are not tried, and the kinds that are left out."""
HEAD_BYTES = 192
"""Enough to know every accepted kind of file."""
NAMED = 3
"""How many of each kind are named; the others are counted."""


@dataclass
class LeftOut:
    """What was left out of folders: how many of each kind, and the names of a few."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, kind: str, name: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        some = self.names.setdefault(kind, [])
        if len(some) < NAMED:
            some.append(name)

    def __str__(self) -> str:
        """Give one line; empty where nothing was left out."""
        parts = []
        for kind, (one, many) in LEFT_OUT["kinds"].items():
            if count := self.counts.get(kind, 0):
                names = [*map(printable, self.names[kind]), *(["…"] if count > NAMED else [])]
                parts.append(f"{count} {one if count == 1 else many} ({', '.join(names)})")
        return f"left out: {'; '.join(parts)}" if parts else ""


def films_in(
    folder: Path, *, without: Sequence[Path] = (), left_out: LeftOut | None = None
) -> list[Path]:
    """List all files in a folder and its subfolders that may be images, sorted.

    Archives, documents, links to folders, hidden files and folders, a DICOMDIR and results of
    boneage are left out, and recorded in ``left_out``. The folders ``without`` are left out
    without a record.
    """
    return list(walk_films(folder, without=without, left_out=left_out))


def walk_films(
    folder: Path, *, without: Sequence[Path] = (), left_out: LeftOut | None = None
) -> Iterator[Path]:
    """Yield what :func:`films_in` lists, and folders that cannot be opened: as failures."""
    closed = frozenset(path.resolve() for path in without)
    return _walk(folder, Path(), closed, LeftOut() if left_out is None else left_out)


def _walk(top: Path, below: Path, without: frozenset[Path], left_out: LeftOut) -> Iterator[Path]:
    folder = top / below
    try:
        names, folders = _listed(folder, below, left_out)
    except OSError:
        yield folder
        return
    for name in names:
        path = folder / name
        if name not in folders:
            yield path
        elif not without or path.resolve() not in without:
            yield from _walk(top, below / name, without, left_out)


def _listed(folder: Path, below: Path, left_out: LeftOut) -> tuple[list[str], set[str]]:
    names: list[str] = []
    folders: set[str] = set()
    others: list[tuple[str, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name.startswith("."):
                    others.append((entry.name, "hidden folder"))
                else:
                    folders.add(entry.name)
                    names.append(entry.name)
                continue
            kind = "link" if entry.is_dir() else _kind_left_out(entry.name)
            is_film = kind in {"document", "hidden"} and _begins_as_film(entry)
            if kind is None or (kind == "document" and is_film):
                names.append(entry.name)
            elif kind != "hidden" or is_film:  # others are of the system or an editor
                others.append((entry.name, kind))
    for name, kind in sorted(others):
        left_out.add(kind, file_label(below / name))
    names.sort()
    return names, folders


def may_be_film(name: str) -> bool:
    return _kind_left_out(name) is None


def _kind_left_out(name: str) -> str | None:
    lower = name.lower()
    suffix = Path(lower).suffix
    if lower.startswith("."):
        return "hidden"
    if lower == "dicomdir":
        return "dicomdir"
    if lower.endswith((PICTURE_SUFFIX, DICOM_SUFFIX)):
        return "answer"
    if suffix in LEFT_OUT["archives"]:
        return "archive"
    return "document" if suffix in LEFT_OUT["documents"] else None


def _begins_as_film(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as file:  # noqa: PTH123  may be any text
            head = file.read(HEAD_BYTES)
        kind_of(head)
    except (OSError, FilmError):
        return False
    return True
