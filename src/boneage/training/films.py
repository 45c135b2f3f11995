"""Labelled films on disk: which there are, and what is known of each.

Two layouts are read: the official one of the RSNA challenge
(``boneage-training-dataset.csv`` with ``id,boneage,male``, and a folder of
films named by id), and the richer one that adds ``films.csv`` with the true
shape of each film, squeezed thumbnails and a split.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from boneage.errors import DataError, SexError
from boneage.radiograph import Sex

LABELS = "boneage-training-dataset.csv"
FILM_FOLDERS = ("boneage-training-dataset", "images", "films", ".")
FILM_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", "")
OLDEST_MONTHS = 240.0
"""Labels beyond the oldest standards (19 years) by more than a year are slips."""
VALIDATION_SHARE = 0.1
"""Held back, by a hash of the id, where the data set states no split."""


@dataclass(frozen=True)
class Film:
    """One labelled film."""

    id: str
    path: Path
    age_months: float
    sex: Sex
    split: Literal["train", "validation"]
    shape: tuple[int, int] | None = None
    """True (height, width) of a squeezed film; None: the file's own shape."""

    @property
    def squeezed(self) -> bool:
        """Whether this copy is a thumbnail that has lost its shape."""
        return self.shape is not None


@dataclass(frozen=True)
class Films:
    """The films of a folder, and what could not be used, one sentence each."""

    films: tuple[Film, ...]
    problems: tuple[str, ...] = ()

    def select(
        self, kind: Literal["best", "detailed", "thumbnails"], split: str
    ) -> tuple[Film, ...]:
        """The films of a split for a phase.

        ``thumbnails`` means "many, roughly": a data set that has none gives
        the best copy of every film.
        """
        films = [film for film in self.films if film.split == split]
        squeezed = [film for film in films if film.squeezed]
        detailed = [film for film in films if not film.squeezed]
        if kind == "detailed":
            return tuple(detailed)
        if kind == "thumbnails" and squeezed:
            return tuple(squeezed)
        has_detail = {film.id for film in detailed}
        return tuple(detailed + [film for film in squeezed if film.id not in has_detail])


def load_films(folder: Path, *, strict: bool = False) -> Films:
    """List the labelled films of a folder.

    Parameters
    ----------
    folder : Path
        In the official RSNA layout, or the richer one with ``films.csv``.
    strict : bool
        Stop at the first label or film that cannot be used.

    Raises
    ------
    DataError
        When the folder has no labels or no films at all; with ``strict``, at
        the first problem.
    """
    labels = folder / LABELS
    if not labels.is_file():
        raise DataError(f"no {LABELS} (id,boneage,male) in {str(folder)!r}")
    found: list[Film] = []
    problems: list[str] = []
    rich = _rows_by_id(folder / "films.csv") if (folder / "films.csv").is_file() else None
    seen: set[str] = set()
    for row in _rows(labels, ("id", "boneage", "male")):
        try:
            if row["id"] in seen:
                raise DataError(f"id {row['id']!r} is labelled twice; the first label counts")
            seen.add(row["id"])
            found += _films_of(row, folder, rich)
        except (DataError, SexError) as error:
            if strict:
                raise
            problems.append(f"{row['id']}: {error}")
    if not found:
        raise DataError(
            f"none of the {len(seen)} labelled films of {str(folder)!r} could be found; "
            f"films are looked for in {list(FILM_FOLDERS)}"
        )
    return Films(tuple(found), tuple(problems))


def _films_of(
    row: dict[str, str], folder: Path, rich: dict[str, dict[str, str]] | None
) -> list[Film]:
    name, age, sex = row["id"], _age(row["boneage"]), Sex.parse(row["male"])
    if rich is None:
        return [Film(name, _find(folder, name), age, sex, _split(name))]
    facts = rich.get(name)
    if facts is None:
        raise DataError("films.csv does not know this id")
    split = _stated_split(facts["split"])
    shape = _pixels(facts["original_height"]), _pixels(facts["original_width"])
    films = []
    thumbnail = folder / "thumbnails" / f"{name}.png"
    if thumbnail.is_file():
        films.append(Film(name, thumbnail, age, sex, split, shape))
    if facts["film"]:
        film = folder / facts["film"]
        if not film.is_file():
            raise DataError(f"film {facts['film']!r} is missing")
        films.append(Film(name, film, age, sex, split))
    if not films:
        raise DataError("no film of this id is there")
    return films


def _age(text: str) -> float:
    try:
        age = float(text)
    except ValueError:
        raise DataError(f"bone age {text!r} is not a number of months") from None
    if not 0 < age <= OLDEST_MONTHS:
        raise DataError(f"bone age {text!r} is not between 0 and {OLDEST_MONTHS:g} months")
    return age


def _stated_split(text: str) -> Literal["train", "validation"]:
    # Never a guess: a slip here would train on what is held back.
    if text == "train":
        return "train"
    if text == "validation":
        return "validation"
    raise DataError(f"split {text!r} in films.csv is neither 'train' nor 'validation'")


def _pixels(text: str) -> int:
    try:
        pixels = int(text)
    except ValueError:
        pixels = 0
    if pixels < 1:
        raise DataError(f"original size {text!r} in films.csv is not a number of pixels")
    return pixels


def _find(folder: Path, name: str) -> Path:
    for sub in FILM_FOLDERS:
        for suffix in FILM_SUFFIXES:
            for written in (suffix, suffix.upper()):
                path = folder / sub / f"{name}{written}"
                if path.is_file():
                    return path
    raise DataError("no film of this id is there")


def _split(name: str) -> Literal["train", "validation"]:
    share = int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "validation" if share < VALIDATION_SHARE else "train"


def _rows(path: Path, columns: Sequence[str]) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [c for c in columns if c not in (reader.fieldnames or [])]
        if missing:
            raise DataError(f"{path.name} has no column {missing[0]!r}; it has {reader.fieldnames}")
        for row in reader:
            yield {key: (value or "").strip() for key, value in row.items() if key is not None}


def _rows_by_id(path: Path) -> dict[str, dict[str, str]]:
    columns = ("id", "original_width", "original_height", "film", "split")
    return {row["id"]: row for row in _rows(path, columns)}
