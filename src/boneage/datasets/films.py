"""The labelled films of a data set, and their selection for training and evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from boneage.datasets.labels import (
    CALIBRATION,
    Film,
    Problem,
    ProblemList,
    Split,
    in_words,
    share_of,
)
from boneage.datasets.sources import LABELS, films_of_folder, films_of_table
from boneage.errors import DataError

__all__ = ["LABELS", "Film", "FilmKind", "Films", "Fold", "evenly", "load_films"]

FilmKind = Literal["best", "detailed", "squeezed"]
"""Which copy of each id: the best, only the half-scale one, or only the squeezed one."""

LEAST_FOLDS = 2


@dataclass(frozen=True)
class Fold:
    """One of several parts of the training ids, by a hash of the id."""

    number: int
    """From 0."""
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.of or self.of < LEAST_FOLDS:
            raise DataError(
                f"there is no fold {self}; folds are K/N with N at least {LEAST_FOLDS} "
                "and K from 0 to N - 1"
            )

    @classmethod
    def parse(cls, text: str) -> Fold:
        """Parse ``K/N``, else a DataError."""
        number, slash, of = text.partition("/")
        if not (slash and number.isdecimal() and of.isdecimal()):
            raise DataError(f"{text!r} is not a fold; give K/N, such as 0/10")
        return cls(int(number), int(of))

    def has(self, name: str) -> bool:
        """Whether an id is in this fold."""
        return min(int(share_of(name, CALIBRATION) * self.of), self.of - 1) == self.number

    def __str__(self) -> str:
        """As on the command line."""
        return f"{self.number}/{self.of}"


@dataclass(frozen=True)
class Films:
    """The labelled films of a data set, and its problems."""

    films: tuple[Film, ...]
    problems: tuple[Problem, ...] = ()
    monitored: Split = "validation"
    """The split that training is monitored on: ``calibration`` where a fold is held out."""

    def select(self, kind: FilmKind, split: str) -> tuple[Film, ...]:
        """The films of a split for a phase.

        Films held out in ``calibration`` are in no other split. ``squeezed`` means "all, at
        one size": a data set without such copies gives the best copy of every film.
        """
        films = [film for film in self.films if film.split == split]
        squeezed = [film for film in films if film.squeezed]
        detailed = [film for film in films if not film.squeezed]
        if kind == "detailed":
            return tuple(detailed)
        if kind == "squeezed" and squeezed:
            return tuple(squeezed)
        has_detail = {film.id for film in detailed}
        return tuple(detailed + [film for film in squeezed if film.id not in has_detail])

    def hold_out_share(self, share: float) -> Films:
        """The films with a share, 0 to 1, of the training ids moved to the split ``calibration``.

        By a hash of the id, with all copies. Only ids with a film at half scale or better
        are held out, as most images in use have full resolution.
        """
        readable = {film.id for film in self.films if not film.squeezed}
        return self._held_out(lambda id_: id_ in readable and share_of(id_, CALIBRATION) < share)

    def hold_out_fold(self, fold: Fold) -> Films:
        """The films with a fold of the training ids moved to the split ``calibration``.

        Training is monitored on them, and the combining weights and the interval are fitted
        on them; ``validation`` is unchanged. Fold 0 of 10 has all ids of
        ``hold_out_share(0.1)``, and those with only a squeezed copy.
        """
        found = self._held_out(fold.has)
        if not any(film.split == CALIBRATION for film in found.films):
            raise DataError(f"--fold {fold}: it has no training id; give fewer folds")
        return replace(found, monitored=CALIBRATION)

    def _held_out(self, is_chosen: Callable[[str], bool]) -> Films:
        films = (
            replace(film, split=CALIBRATION)
            if film.split == "train" and is_chosen(film.id)
            else film
            for film in self.films
        )
        return replace(self, films=tuple(films))


def evenly(films: Sequence[Film], most: int | None) -> list[Film]:
    """At most ``most`` of the films, evenly spaced; None for all."""
    if most is None or len(films) <= most:
        return list(films)
    places = np.linspace(0, len(films) - 1, most).round().astype(int)
    return [films[place] for place in places]


def load_films(data: Path, *, strict: bool = False) -> Films:
    """List the labelled films of a data set.

    It is a folder in the official RSNA layout, or the extended one with ``films.csv``; or a table
    of films. A DataError when there are no labels, or no film that can be used; when ``strict``, at
    the first problem.
    """
    problems = ProblemList(strict=strict)
    if not (data.is_file() or (data / LABELS).is_file()):
        raise DataError(
            f"no {LABELS} (id,boneage,male) in {str(data)!r}; "
            "give a folder that has one, or a table with path, sex and boneage"
        )
    found = (films_of_table if data.is_file() else films_of_folder)(data, problems)
    if not found.films:
        raise DataError(
            f"none of the {len(found.ids)} labelled images of {str(data)!r} can be used "
            f"({in_words(problems.found)}); {found.where}"
        )
    return Films(found.films, tuple(problems.found))
