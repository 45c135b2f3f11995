"""The labelled films that an evaluation reads, and how it survives the worst of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from boneage.datasets.films import Film, Films, load_films
from boneage.errors import DataError

Split: TypeAlias = Literal["validation", "train", "all"]
SPLITS: tuple[Split, ...] = ("validation", "train", "all")
Copies: TypeAlias = Literal["detailed", "squeezed", "best"]
COPIES: tuple[Copies, ...] = ("detailed", "squeezed", "best")
"""Films at half scale or better; the squeezed copies, one of every id; of each id the better."""


def films_of_split(folder: Path, split: Split, limit: int | None = None) -> tuple[Film, ...]:
    """Labelled films at half scale or better; a DataError when the split has none."""
    return choose(load_films(folder), folder, split, limit)


def choose(
    found: Films,
    folder: Path,
    split: Split,
    limit: int | None = None,
    copies: Copies = "detailed",
) -> tuple[Film, ...]:
    """Choose, of films that were found, one copy of each id of a split; a DataError without any."""
    names = ("train", "validation") if split == "all" else (split,)
    chosen = tuple(film for name in names for film in found.select(copies, name))
    if not chosen:
        raise DataError(
            f"{str(folder)!r} has no {copies} {split!r} radiograph; splits are {list(SPLITS)}, "
            f"copies {list(COPIES)}"
        )
    return chosen[:limit]


def fingerprint(films: Iterable[Film]) -> str:
    """A checksum of the films as they lie on disk, and of the sexes they are read by.

    Another one when a film is added, changed or removed.
    """
    digest = hashlib.sha256()
    for film in films:
        stat = film.path.stat()
        digest.update(f"{film.id} {film.sex} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
