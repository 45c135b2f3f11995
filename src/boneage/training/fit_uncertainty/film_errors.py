"""The whole Assessor over labelled films, and its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import Film
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.networks import whole_hand_feature
from boneage.inference.session import assess_case
from boneage.quality.classifier import FeatureSpace
from boneage.storage.parallel import Journal, resumed
from boneage.uncertainty.intervals import Numbers, disagreement

LABELLED = frozenset({"id", "sex", "label_months"})
"""Not in a journal: a label may be corrected before the run resumes."""


@dataclass(frozen=True)
class FilmEstimate:
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


def errors_of(films: Sequence[FilmEstimate]) -> Errors:
    """Put films side by side."""
    ood_scores = [film.ood_score for film in films]
    answers = np.array([film.answer_months for film in films], float)
    return Errors(
        male=np.array([film.sex is Sex.MALE for film in films], bool),
        answers=answers,
        errors=np.array([film.label_months for film in films], float) - answers,
        disagreement=np.array([film.disagreement_months for film in films], float),
        ood_score=None if None in ood_scores else np.array(ood_scores, float),
    )


def estimate_films(
    assessor: Assessor,
    films: Sequence[Film],
    *,
    space: FeatureSpace | None = None,
    workers: int = 1,
    journal: Journal | None = None,
) -> Iterator[FilmEstimate | Failure]:
    """Estimate the bone age of films by the sex of their label; in the films' order.

    Parameters
    ----------
    assessor : Assessor
        One without a clinic's calibration.
    films : sequence of Film
    space : FeatureSpace, optional
        Of the training films, for weights that do not state it yet.
    workers : int
        How many are analysed at a time.
    journal : Journal, optional
        Open; what it holds is not analysed again.
    """

    def work(film: Film, noted: Any) -> FilmEstimate | Failure:
        label = film.id, film.sex, film.age_months
        if noted:
            return FilmEstimate(*label, **noted)
        session = assess_case(assessor, film.path, sex=film.sex, child=None, name=film.id)
        answer = session.outcome
        if isinstance(answer, Failure):
            return answer
        ood_score = answer.ood_score
        if space:
            ood_score = space.ood_score(whole_hand_feature(assessor.weights, session.image))
        months = disagreement(answer.age_by_network)
        return FilmEstimate(*label, answer.uncalibrated_months, months, ood_score)

    def note(answer: FilmEstimate | Failure) -> dict[str, Any] | None:
        if isinstance(answer, Failure):
            return None
        return {k: v for k, v in asdict(answer).items() if k not in LABELLED}

    return resumed(work, films, journal, workers, key=lambda film: film.id, to_record=note)
