"""How large an error an image lets expect, fitted on labelled images that no network saw.

The images serve twice: to fit the expected error, and to score it. Every image is scored by an
expectation fitted without it, as in the jackknife+ (Barber et al., *Ann Stat* 2021;49:486–507),
and the expectation that is used is fitted on all. What one image moves is a smooth curve and a
slope, so the scores of the others are, but for a hair, those of a new one.
``tests/training/fit_uncertainty`` simulates what that is worth: it covers as split-conformal does.

Most labelled images are squeezed copies, while images in use have more pixels. So the squeezed
ones give the curve and the scores, and images of which there is a better copy give the factor
between the two: the mean score of the better copies over that of the squeezed ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import Film
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.networks import whole_hand_feature
from boneage.inference.session import assess_case, attempt
from boneage.quality.classifier import FeatureSpace
from boneage.storage.parallel import Journal, resumed
from boneage.uncertainty.intervals import (
    LEAST_FILMS,
    SEXES,
    ErrorModel,
    IntervalModel,
    NonconformityScores,
    Numbers,
    Widening,
    disagreement,
)

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

    ids: tuple[str, ...]
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
        ids=tuple(film.id for film in films),
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

    The assessor is without a clinic's calibration; ``space``, of the training films, is for weights
    that do not state it yet. What the journal holds is not analysed again.
    """

    def work(film: Film, noted: Any) -> FilmEstimate | Failure:
        label = film.id, film.sex, film.age_months
        if noted:
            return FilmEstimate(*label, **noted)
        source = attempt(film.id, film.radiograph) if film.squeezed else film.path
        session = assess_case(assessor, source, sex=film.sex, child=None, name=film.id)
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


KNOTS = tuple(float(months) for months in range(12, 240, 24))
BANDWIDTH_MONTHS = 24.0
"""Standard deviation of the Gaussian that weighs films around a knot."""
PRIOR_FILMS = 10.0
"""Weight of the coarser mean that each finer one is drawn to: a knot of one sex
to the knot of both, and that one to the mean of all films."""
FLOOR_SHARE = 0.5
"""No knot expects less than this share of the mean error,"""
FLOOR_MONTHS = 1.0
"""nor less than this: labels are no finer."""
DISAGREEMENT_SLOPES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
"""One is chosen by likelihood; 0 where the networks' disagreement says nothing of the error."""
LEAST_DISAGREEMENT_MONTHS = 0.1
OOD_SLOPE = 1.0
"""Set, not fitted: calibration films are like the training films, so that they
cannot tell. A film with twice the score of nine in ten of them gets twice the width."""
OOD_QUANTILE = 0.9
MOST_WIDENING = 2.0
"""An atypical image gets a warning as well; a wider interval would say nothing."""


def fit_interval(films: Errors, squeezed: Errors | None = None) -> IntervalModel:
    """Fit the expected error on two films or more; score each by an expectation without it.

    Of ``squeezed`` copies, where there are more of them than of ``films``, both are fitted, and the
    scores are brought to the size of those of ``films``; the films of both decide by how much.
    """
    if squeezed is None or len(squeezed.ids) <= len(films.ids):
        shape, scores = _fit_shape(films)
        return IntervalModel(shape, scores_by_sex(scores, films))
    shape, scores = _fit_shape(squeezed)
    factor = _mean_of(score_by(shape, films), films, squeezed) / _mean_of(scores, squeezed, films)
    return IntervalModel(shape, scores_by_sex(scores * factor, squeezed))


def _fit_shape(films: Errors) -> tuple[ErrorModel, Numbers]:
    """The expected error, and the score of each film by one fitted without it, shape (n,)."""
    absolute = np.abs(films.errors)
    candidates = [_shape(films, slope) for slope in DISAGREEMENT_SLOPES]
    expected = np.empty((len(candidates), len(absolute)))
    everywhere: list[Mapping[Sex, Numbers]] = []
    for row, shape in enumerate(candidates):
        factor = shape.widening(films.disagreement, films.ood_score)
        at_knots = months_at_knots(absolute / factor, films)
        expected[row] = _left_out(at_knots, films) * factor
        everywhere.append(at_knots)
    # Minus the logarithm of the likelihood of Laplace errors, film by film.
    losses = np.log(expected) + absolute / expected
    without = np.argmin(losses.sum(axis=1, keepdims=True) - losses, axis=0)
    scores = absolute / expected[without, np.arange(len(absolute))]
    best = int(np.argmin(losses.sum(axis=1)))
    months = {sex: tuple(map(float, everywhere[best][sex][:, -1])) for sex in SEXES}
    return replace(candidates[best], months=months), scores


def _mean_of(scores: Numbers, films: Errors, others: Errors) -> float:
    """The mean score of those films that the others have too; 1 where the two share too few."""
    shared = np.isin(films.ids, others.ids)
    return float(scores[shared].mean()) if shared.sum() >= LEAST_FILMS else 1.0


def score_by(shape: ErrorModel, films: Errors) -> Numbers:
    """Scores, shape (n,), of films that the shape was not fitted on."""
    usual = np.where(
        films.male,
        shape.usual_months(Sex.MALE, films.answers),
        shape.usual_months(Sex.FEMALE, films.answers),
    )
    factor = shape.widening(films.disagreement, films.ood_score)
    scores: Numbers = np.abs(films.errors) / (usual * factor)
    return scores


def scores_by_sex(scores: Numbers, films: Errors) -> NonconformityScores:
    """Sort scores, for each sex."""
    of_sex = {sex: np.sort(scores[films.of(sex)]) for sex in SEXES}
    return NonconformityScores({sex: tuple(map(float, values)) for sex, values in of_sex.items()})


def _shape(films: Errors, slope: float) -> ErrorModel:
    """A shape with its widening, its months still to be fitted."""
    usual = max(float(np.median(films.disagreement)), LEAST_DISAGREEMENT_MONTHS)
    ood = None
    if films.ood_score is not None:
        usual_score = float(np.quantile(films.ood_score, OOD_QUANTILE))
        ood = Widening(max(usual_score, 1e-3), OOD_SLOPE)
    flat = {sex: (1.0,) * len(KNOTS) for sex in SEXES}
    return ErrorModel(KNOTS, flat, Widening(usual, slope), ood, MOST_WIDENING)


def months_at_knots(absolute: Numbers, films: Errors) -> Mapping[Sex, Numbers]:
    """Smoothed absolute error at each knot, shape (knots, n + 1), of errors over their widening.

    Column i is fitted without film i, the last one on all films.
    """
    count = len(absolute)
    near = np.exp(-0.5 * np.square((np.array(KNOTS)[:, None] - films.answers) / BANDWIDTH_MONTHS))
    total = absolute.sum()
    overall = np.append((total - absolute) / max(count - 1, 1), total / count)
    both = _mean_without_each(near, absolute, overall)
    floor = np.maximum(FLOOR_SHARE * overall, FLOOR_MONTHS)
    return {
        sex: np.maximum(_mean_without_each(near * (films.of(sex)), absolute, both), floor)
        for sex in SEXES
    }


def _mean_without_each(weights: Numbers, values: Numbers, prior: Numbers) -> Numbers:
    """Weighted means, drawn to a prior, without each value in turn and last with all."""
    none = np.zeros((len(weights), 1))
    left_out = np.hstack([weights, none])
    left_out_values = np.hstack([weights * values, none])
    sums = (weights @ values)[:, None] - left_out_values + PRIOR_FILMS * prior
    means: Numbers = sums / (weights.sum(axis=1)[:, None] - left_out + PRIOR_FILMS)
    return means


def _left_out(months: Mapping[Sex, Numbers], films: Errors) -> Numbers:
    """For each film what the others of its sex and age let expect."""
    return np.array(
        [
            np.interp(answer, KNOTS, months[Sex.MALE if male else Sex.FEMALE][:, i])
            for i, (answer, male) in enumerate(zip(films.answers, films.male, strict=True))
        ]
    )
