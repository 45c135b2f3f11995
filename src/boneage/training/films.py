"""Labelled films on disk: which there are, and what is known of each.

They are a folder in a layout of :mod:`boneage.training.film_folder`, or a
table as :mod:`boneage.training.film_table` describes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from boneage.errors import DataError
from boneage.training.film_folder import LABELS, films_of_folder
from boneage.training.film_table import films_of_table
from boneage.training.labels import CALIBRATION, Film, share_of
from boneage.training.problems import Problem, ProblemList, in_words

__all__ = ["LABELS", "Film", "Films", "load_films"]


@dataclass(frozen=True)
class Films:
    """The labelled films of a data set, and what could not be used."""

    films: tuple[Film, ...]
    problems: tuple[Problem, ...] = ()

    def select(
        self, kind: Literal["best", "detailed", "thumbnails"], split: str
    ) -> tuple[Film, ...]:
        """The films of a split for a phase.

        What ``hold_back`` moved to ``calibration`` is in no other split.
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

    def hold_back(self, share: float) -> Films:
        """The films with a share of the training ids moved to the split ``calibration``.

        By a hash of the id alone, so that it is always the same ids, with all their
        copies. Only ids with a film of useful resolution are held back: the squeezed
        thumbnails cannot be read, and would be lost to training for nothing.

        Parameters
        ----------
        share : float
            0 to 1, of the ids that can be held back; 0: none.
        """
        readable = {film.id for film in self.films if not film.squeezed}
        films = tuple(
            replace(film, split="calibration")
            if film.split == "train"
            and film.id in readable
            and share_of(film.id, CALIBRATION) < share
            else film
            for film in self.films
        )
        return replace(self, films=films)


def load_films(data: Path, *, strict: bool = False) -> Films:
    """List the labelled films of a data set.

    Parameters
    ----------
    data : Path
        A folder in the official RSNA layout, or the richer one with
        ``films.csv``; or a table of films.
    strict : bool
        Stop at the first label or film that cannot be used.

    Raises
    ------
    DataError
        When there are no labels, or no film that can be used; with
        ``strict``, at the first problem.
    """
    problems = ProblemList(strict=strict)
    if data.is_file():
        films, labels = films_of_table(data, problems)
        where = f"paths are taken from the table's folder, {str(data.parent)!r}"
    elif (data / LABELS).is_file():
        found = films_of_folder(data, problems)
        films, labels = found.films, found.labels
        where = f"films are looked for in {list(found.looked_in)}"
    else:
        raise DataError(
            f"no {LABELS} (id,boneage,male) in {str(data)!r}; "
            "give a folder that has one, or a table with path, sex and boneage"
        )
    if not films:
        raise DataError(
            f"none of the {labels} labelled films of {str(data)!r} can be used "
            f"({in_words(problems.found)}); {where}"
        )
    return Films(tuple(films), tuple(problems.found))
