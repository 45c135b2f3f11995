"""The whole Assessor over labelled films, and its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import Film
from boneage.domain.assessment import Case, Failure
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.quality.ood_score import FeatureSpace
from boneage.reading import read
from boneage.storage.parallel import Journal, in_parallel
from boneage.uncertainty.intervals import Numbers, disagreement

LABELLED = frozenset({"id", "sex", "label_months"})
"""Not in a journal: a label may be corrected before the films are read again."""


@dataclass(frozen=True)
class FilmRead:
    """One labelled film, and the numbers of its answer."""

    id: str
    sex: Sex
    label_months: float
    answer_months: float
    """Of the weights alone."""
    disagreement_months: float
    ood_score: float | None


@dataclass(frozen=True, eq=False)
class Errors:
    """The same of n films, as arrays of shape (n,)."""

    male: npt.NDArray[np.bool_]
    answers: Numbers
    """Months, of the weights alone."""
    errors: Numbers
    """Months: label minus answer, calibrated or not."""
    disagreement: Numbers
    ood_score: Numbers | None

    def with_errors(self, errors: Numbers) -> Errors:
        """The same films after their answers were moved."""
        return replace(self, errors=errors)

    def of(self, sex: Sex) -> npt.NDArray[np.bool_]:
        """Which films are of this sex."""
        return self.male if sex is Sex.MALE else ~self.male


def errors_of(films: Sequence[FilmRead]) -> Errors:
    """Put films side by side."""
    unlike = [film.ood_score for film in films]
    answers = np.array([film.answer_months for film in films], float)
    return Errors(
        male=np.array([film.sex is Sex.MALE for film in films], bool),
        answers=answers,
        errors=np.array([film.label_months for film in films], float) - answers,
        disagreement=np.array([film.disagreement_months for film in films], float),
        ood_score=None if None in unlike else np.array(unlike, float),
    )


def read_films(
    assessor: Assessor,
    films: Sequence[Film],
    *,
    space: FeatureSpace | None = None,
    workers: int = 1,
    journal: Journal | None = None,
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
    journal : Journal, optional
        Open; of the films that were read, so that they are not read again.
    """
    known = dict(journal.done) if journal else {}

    def read_one(film: Film) -> FilmRead | Failure:
        label = film.id, film.sex, film.age_months
        if film.id in known:
            return FilmRead(*label, **known[film.id])
        answer = next(assessor.assess_many([Case(film.path, film.sex)]))
        if isinstance(answer, Failure):
            return Failure(film.id, answer.code, answer.message)
        ood_score = answer.ood_score
        if space:
            ood_score = space.ood_score(assessor.whole_hand_feature(read(film.path)))
        apart = disagreement(answer.age_by_network)
        return FilmRead(*label, answer.uncalibrated_months, apart, ood_score)

    for answer in in_parallel(read_one, films, workers):
        if journal and isinstance(answer, FilmRead) and answer.id not in known:
            row = {k: v for k, v in asdict(answer).items() if k not in LABELLED}
            journal.add(answer.id, row)
        yield answer
