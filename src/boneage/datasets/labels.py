"""Labels of films: how their cells are parsed, and the problems that make one unusable."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal, TypeAlias

from boneage.domain.radiograph import Radiograph, Sex
from boneage.errors import DataError, SexError
from boneage.reading import Limits, read
from boneage.storage.delimited import Delimited, Row, read_delimited


class Kind(StrEnum):
    """The kinds of problems, in the order in which they are reported."""

    NO_FILM = "label_without_film", "label without image", "labels without image"
    NO_LABEL = "film_without_label", "image without label", "images without label"
    DUPLICATE = "duplicate_id", "duplicate id", "duplicate ids"
    DUPLICATE_FILM = "duplicate_film", "image listed twice", "images listed twice"
    AGE_RANGE = (
        "age_out_of_range",
        "bone age outside 0–240 months",
        "bone ages outside 0–240 months",
    )
    AGE_TEXT = "age_not_a_number", "bone age that is not a number", "bone ages that are no numbers"
    SEX = "sex_not_one", "sex other than male or female", "sexes other than male or female"
    NO_ID = "label_without_id", "label without id", "labels without id"
    UNLISTED = (
        "id_not_listed",
        "id that films.csv does not list",
        "ids that films.csv does not list",
    )
    SPLIT = "split_not_one", "unknown split", "unknown splits"
    SIZE = "size_not_one", "invalid original size", "invalid original sizes"
    CELLS = (
        "cells_not_as_columns",
        "row with too many or too few cells",
        "rows with too many or too few cells",
    )

    label: str
    """The singular, such as "label without image"."""
    plural: str
    """Such as "labels without image"."""

    def __new__(cls, value: str, label: str, plural: str) -> Kind:
        """Make a kind of its value, singular and plural."""
        kind = str.__new__(cls, value)
        kind._value_, kind.label, kind.plural = value, label, plural
        return kind

    def words(self, count: int) -> str:
        """A count in words, such as "3 labels without image"."""
        return f"{count:,} {self.label if count == 1 else self.plural}"


@dataclass(frozen=True)
class Problem:
    """One label or image that cannot be used."""

    kind: Kind
    film: str
    """Its id; where it has none, the line of the table."""
    message: str

    def __str__(self) -> str:
        return f"{self.film}: {self.message}"


class LabelError(DataError):
    """A label that cannot be used, and the kind of its problem."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ProblemList:
    """Problems as they are found; a strict list stops at the first."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.found: list[Problem] = []

    def add(self, kind: Kind, film: str, message: str) -> None:
        """Add a problem; a strict list raises it as a DataError."""
        problem = Problem(kind, film, message)
        if self.strict:
            raise DataError(str(problem))
        self.found.append(problem)


def count_by_kind(problems: Iterable[Problem]) -> dict[Kind, int]:
    """Count problems, in the order of :class:`Kind`; kinds that don't occur are left out."""
    counts = Counter(problem.kind for problem in problems)
    return {kind: counts[kind] for kind in Kind if counts[kind]}


def in_words(problems: Iterable[Problem]) -> str:
    """Problems counted by kind, such as "1 duplicate id, 3 unknown splits"."""
    return ", ".join(kind.words(count) for kind, count in count_by_kind(problems).items())


OLDEST_MONTHS = 240.0
"""Labels more than a year beyond the oldest standards (19 years) are mistakes."""
VALIDATION_SHARE = 0.1
"""Held out, by a hash of the id, where the data set states no split."""
SQUEEZED_LIMITS = Limits(min_side_px=64)
"""Squeezed copies too small for an assessment are still good for training."""
CALIBRATION: Final = "calibration"
Split: TypeAlias = Literal["train", "validation", "calibration"]


@dataclass(frozen=True)
class Film:
    """One labelled film."""

    id: str
    path: Path
    age_months: float
    sex: Sex
    split: Split
    shape: tuple[int, int] | None = None
    """True (height, width) of a squeezed film; None: the file's own shape."""
    perturbed: int = 0
    """Which perturbed copy this is, see :mod:`boneage.training.images`; 0: none."""

    @property
    def squeezed(self) -> bool:
        """Whether this copy has lost its aspect ratio."""
        return self.shape is not None

    def radiograph(self) -> Radiograph:
        """Read the copy; a squeezed one has pixels that are not square."""
        if self.shape is None:
            return read(self.path)
        found = read(self.path, limits=SQUEEZED_LIMITS)
        rows, cols = self.shape[0] / found.height, self.shape[1] / found.width
        return replace(found, pixel_aspect=rows / cols)


@dataclass(frozen=True)
class LabelledFilms:
    """The labelled films of a folder or a table."""

    films: tuple[Film, ...]
    ids: frozenset[str]
    """All that have a label, usable or not."""
    where: str
    """Where films are expected, for messages."""


def read_labels(table: Path, columns: Sequence[str], *, ragged: bool = False) -> Delimited:
    """Read a table that must have these columns and at least one row, else a DataError.

    ``ragged`` also gives rows with more or fewer cells, which :func:`films_of_rows` reports.
    """
    labels = read_delimited(table, ragged=ragged)
    missing = [column for column in columns if column not in labels.columns]
    if missing:
        raise DataError(f"{table.name} has no column {missing[0]!r}; it has {list(labels.columns)}")
    if not labels.rows:
        raise DataError(f"{table.name} has no rows")
    return labels


def films_of_rows(
    rows: Iterable[Row],
    id_of: Callable[[Row], str],
    films_of: Callable[[str, Row], Sequence[Film]],
    problems: ProblemList,
) -> tuple[list[Film], set[str]]:
    """Turn rows into films, and list all ids that have a label.

    Where an id or a film is listed twice the first row counts.
    """
    films: list[Film] = []
    ids: set[str] = set()
    paths: set[Path] = set()
    for row in rows:
        name = id_of(row)
        try:
            if not name:
                raise LabelError(Kind.NO_ID, "the row names no image")
            if name in ids:
                message = f"id {name!r} is labelled twice; the first label counts"
                raise LabelError(Kind.DUPLICATE, message)
            ids.add(name)
            if row.problem:
                raise LabelError(Kind.CELLS, row.problem)
            found = films_of(name, row)
            for film in found:
                if film.path in paths:
                    message = f"image {film.path.name!r} is listed twice; the first row counts"
                    raise LabelError(Kind.DUPLICATE_FILM, message)
        except LabelError as error:
            problems.add(error.kind, name or f"line {row.line}", str(error))
        else:
            films += found
            paths.update(film.path for film in found)
    return films, ids


def file_exists(path: Path) -> bool:
    """Whether a path from a table is an accessible file."""
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder without permission
        return False


def parse_age(text: str) -> float:
    """Parse a bone age in months, 0 (newborn) to 240."""
    try:
        age = float(text)
    except ValueError:
        age = float("nan")
    if age != age:  # noqa: PLR0124  NaN, written out or not
        raise LabelError(Kind.AGE_TEXT, f"bone age {text!r} is not a number of months")
    if not 0 <= age <= OLDEST_MONTHS:
        message = f"bone age {text!r} is not between 0 and {OLDEST_MONTHS:g} months"
        raise LabelError(Kind.AGE_RANGE, message)
    return age


def parse_sex(text: str) -> Sex:
    """Parse a sex, or 1 and True for male, 0 and False for female."""
    try:
        return Sex.parse(text)
    except SexError as error:
        raise LabelError(Kind.SEX, str(error)) from error


def parse_split(text: str, table: str) -> Split:
    """Parse a split that a table states."""
    # Never guessed: a mistake here would train on held-out films.
    if text not in ("train", "validation"):
        message = f"split {text!r} in {table} is neither 'train' nor 'validation'"
        raise LabelError(Kind.SPLIT, message)
    return "train" if text == "train" else "validation"


def parse_pixels(text: str, table: str) -> int:
    """Parse a height or a width."""
    with suppress(ValueError):
        if (pixels := int(text)) >= 1:
            return pixels
    message = f"original size {text!r} in {table} is not a number of pixels"
    raise LabelError(Kind.SIZE, message)


def share_of(name: str, purpose: str = "") -> float:
    """A number from 0 to 1 by a hash of the id and the purpose."""
    return int(hashlib.sha256(f"{purpose}{name}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def hash_split(name: str) -> Split:
    """The split of a film whose data set states none, by a hash of its id."""
    return "validation" if share_of(name) < VALIDATION_SHARE else "train"
