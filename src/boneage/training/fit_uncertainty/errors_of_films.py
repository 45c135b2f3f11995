"""The whole Assessor over labelled films, and what its errors look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage import reading
from boneage.datasets.labels import Film
from boneage.domain.assessment import Case, Failure
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.quality.unlikeness import FeatureSpace
from boneage.storage.many import in_parallel
from boneage.uncertainty.intervals import Numbers, disagreement


@dataclass(frozen=True)
class FilmRead:
    """One labelled film, and the numbers of its answer."""

    id: str
    sex: Sex
    label_months: float
    answer_months: float
    """Of the weights alone."""
    disagreement_months: float
    unlikeness: float | None


@dataclass(frozen=True, eq=False)
class Errors:
    """The same of n films, as arrays of shape (n,)."""

    male: npt.NDArray[np.bool_]
    answers: Numbers
    """Months, of the weights alone."""
    errors: Numbers
    """Months: label minus answer, calibrated or not."""
    disagreement: Numbers
    unlikeness: Numbers | None

    def with_errors(self, errors: Numbers) -> Errors:
        """The same films after their answers were moved."""
        return replace(self, errors=errors)


def errors_of(films: Sequence[FilmRead]) -> Errors:
    """Put films side by side."""
    unlike = [film.unlikeness for film in films]
    answers = np.array([film.answer_months for film in films], float)
    return Errors(
        male=np.array([film.sex is Sex.MALE for film in films], bool),
        answers=answers,
        errors=np.array([film.label_months for film in films], float) - answers,
        disagreement=np.array([film.disagreement_months for film in films], float),
        unlikeness=None if None in unlike else np.array(unlike, float),
    )


def read_films(
    assessor: Assessor,
    films: Sequence[Film],
    *,
    space: FeatureSpace | None = None,
    workers: int = 1,
    done: Mapping[str, Any] | None = None,
    note: Callable[[str, dict[str, Any]], None] | None = None,
) -> Iterator[FilmRead | Failure]:
    """Read films by the sex of their label; answers in the films' order.

    Parameters
    ----------
    assessor : Assessor
        One without a clinic's calibration.
    films : sequence of Film
    space : FeatureSpace, optional
        Of the training films, for weights that do not state it yet.
    workers : int
        How many are read at a time.
    done : mapping, optional
        What ``note`` was told of films that were read before: not read again.
    note : callable, optional
        Told of every film read, for a journal.
    """
    known = done or {}

    def read(film: Film) -> FilmRead | Failure:
        if film.id in known:
            return FilmRead(film.id, film.sex, film.age_months, **known[film.id])
        answer = next(assessor.assess_many([Case(film.path, film.sex)]))
        if isinstance(answer, Failure):
            return Failure(film.id, answer.code, answer.message)
        unlikeness = answer.unlikeness
        if space:
            unlikeness = space.unlikeness(assessor.whole_hand_feature(reading.read(film.path)))
        return FilmRead(
            film.id,
            film.sex,
            film.age_months,
            answer.uncalibrated_months,
            disagreement(answer.readings),
            unlikeness,
        )

    for film, answer in zip(films, in_parallel(read, films, workers), strict=True):
        if note and isinstance(answer, FilmRead) and film.id not in known:
            # The label may be corrected before the films are read again.
            note(film.id, {k: v for k, v in asdict(answer).items() if k not in LABELLED})
        yield answer


LABELLED = frozenset({"id", "sex", "label_months"})
