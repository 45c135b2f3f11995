"""The prediction interval: normalised split-conformal prediction.

Labelled images that no network was trained on are assessed. The score of each is its error as a
multiple of the error expected for its sex, its bone age and the networks' agreement. The interval
of a new image is its own expected error times the score that a share ``level`` of the images does
not exceed. If the new image is of the same kind, the interval holds its label in at least
``level`` of all cases, however well or badly the expectation fits.

Split-conformal prediction: Vovk, Gammerman & Shafer, *Algorithmic Learning in a
Random World*, 2005, whose Mondrian categories are here the sexes; Lei et al.,
*J Am Stat Assoc* 2018;113:1094–1111. Normalised scores: Papadopoulos et al.,
*ECML* 2002;345–356. How they are fitted: :mod:`boneage.training.fit_uncertainty.error_model`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import AGE_RANGE_MONTHS, Assessment, ErrorDistribution, Interval
from boneage.domain.radiograph import Sex
from boneage.errors import LevelError
from boneage.i18n.words import percent

DEFAULT_LEVEL = 0.9
LEAST_FILMS = 30
"""Fewer images are not enough."""
LEAST_OF_A_SEX = 200
"""For a sex to have a threshold of its own: of 60 scores the 90 % threshold covers 90 ± 4 %."""
SEXES = (Sex.FEMALE, Sex.MALE)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Widening:
    """A widening that begins where a measure passes its usual size."""

    usual: float
    slope: float
    """Of the widening, for every usual size more."""

    def above(self, measure: float | Numbers) -> Any:
        """How much a measure adds to the widening: 0 up to its usual size."""
        return self.slope * np.maximum(0.0, np.asarray(measure, float) / self.usual - 1.0)


@dataclass(frozen=True)
class ErrorModel:
    """The expected error of an image in months, up to a factor."""

    knots_months: tuple[float, ...]
    """Estimated ages, ascending; the error is linear between and constant beyond them."""
    months: Mapping[Sex, tuple[float, ...]]
    """At the knots, for each sex."""
    disagreement: Widening
    """Of the networks, in months; see :func:`disagreement`."""
    ood_score: Widening | None
    """None where the weights cannot measure it."""
    most: float
    """The widening never exceeds this."""

    def widening(self, disagreement: float | Numbers, ood_score: float | Numbers | None) -> Any:
        """The factor, at least 1, of numbers or arrays of shape (n,)."""
        added = self.disagreement.above(disagreement)
        if self.ood_score is not None and ood_score is not None:
            added = added + self.ood_score.above(ood_score)
        return np.minimum(1.0 + added, self.most)

    def usual_months(self, sex: Sex, age_months: float | Numbers) -> Any:
        """Expected error without widening, at an uncalibrated estimate."""
        return np.interp(age_months, self.knots_months, self.months[sex])

    def of(self, answer: Assessment) -> tuple[float, float]:
        """Expected error of an answer in months, widened; and the widening."""
        factor = float(self.widening(disagreement(answer.age_by_network), answer.ood_score))
        usual = float(self.usual_months(answer.sex, answer.uncalibrated_months))
        return usual * factor, factor


@dataclass(frozen=True)
class Threshold:
    """The score that a share of the calibration images does not exceed."""

    score: float
    films: int
    by_sex: bool


@dataclass(frozen=True)
class NonconformityScores:
    """The scores of the calibration images, ascending, for each sex."""

    by_sex: Mapping[Sex, tuple[float, ...]]

    @property
    def count(self) -> int:
        """How many images there are."""
        return sum(map(len, self.by_sex.values()))

    def of(self, sex: Sex, needed: int = 0) -> tuple[tuple[float, ...], bool]:
        """Those of a sex, where each sex has enough; else those of both, and False."""
        if all(len(self.by_sex[one]) >= max(LEAST_OF_A_SEX, needed) for one in SEXES):
            return self.by_sex[sex], True
        return tuple(sorted(score for one in SEXES for score in self.by_sex[one])), False

    def threshold(self, sex: Sex, level: float) -> Threshold:
        """The ⌈(n + 1) · level⌉-th of n scores.

        Of the images of this sex where each sex has ``LEAST_OF_A_SEX`` and enough of them for the
        level, else of all. LevelError when the level is not one, or needs more images.
        """
        if not 0 < level < 1:
            raise LevelError(f"level {level:g} is not between 0 and 1, such as {DEFAULT_LEVEL}")
        needed = films_needed(level)
        scores, apart = self.of(sex, needed)
        count = len(scores)
        if count < needed:
            raise LevelError(
                f"an interval of level {percent(level)} needs at least {needed} calibration "
                f"images, and there are {count}; they support levels up to "
                f"{percent(math.floor(1000 * count / (count + 1)) / 1000)}"
            )
        return Threshold(scores[_rank(count, level) - 1], count, apart)


@dataclass(frozen=True)
class IntervalModel:
    """The expected error and the scores that give an interval."""

    shape: ErrorModel
    scores: NonconformityScores

    def around(self, answer: Assessment, level: float) -> Interval:
        """The interval of an answer, within 0–240 months."""
        threshold = self.scores.threshold(answer.sex, level)
        expected, widening = self.shape.of(answer)
        reach = threshold.score * expected
        low, high = np.clip(
            [answer.age_months - reach, answer.age_months + reach], *AGE_RANGE_MONTHS
        )
        return Interval(
            float(low), float(high), level, threshold.films, threshold.by_sex, round(widening, 3)
        )

    def errors(self, answer: Assessment) -> ErrorDistribution:
        """The errors to be expected of an answer."""
        expected, _ = self.shape.of(answer)
        return ErrorDistribution(self.scores.of(answer.sex)[0], expected)

    def check(self, level: float) -> None:
        """Raise LevelError when an interval of this level cannot be given."""
        for sex in SEXES:
            self.scores.threshold(sex, level)


def disagreement(age_by_network: Mapping[str, float]) -> float:
    """Standard deviation of the networks' estimates in months; 0 of a single one."""
    return float(np.std(list(age_by_network.values()))) if age_by_network else 0.0


def films_needed(level: float) -> int:
    """The least number of calibration images that supports a level."""
    count = max(1, math.ceil(round(level / (1 - level), 9)))
    while _rank(count, level) > count:
        count += 1
    return count


def _rank(count: int, level: float) -> int:
    # Rounded: 10 · 0.7 is 7, not a little more.
    return math.ceil(round((count + 1) * level, 9))


DECIMALS = 4
"""Of months and scores: far finer than they are known."""

Table = dict[str, Any]


def shape_table(shape: ErrorModel) -> Table:
    """The expected error as plain values."""
    widenings = {"disagreement": shape.disagreement, "unlikeness": shape.ood_score}
    return {
        "knots_months": _rounded(shape.knots_months),
        "months": {str(sex): _rounded(shape.months[sex]) for sex in SEXES},
        "widening": {
            **{
                name: {"usual": round(one.usual, DECIMALS), "slope": round(one.slope, DECIMALS)}
                for name, one in widenings.items()
                if one
            },
            "most": shape.most,
        },
    }


def scores_table(scores: NonconformityScores) -> Table:
    """The scores as plain values."""
    return {str(sex): _rounded(scores.by_sex[sex]) for sex in SEXES}


def shape_of(table: Mapping[str, Any]) -> ErrorModel:
    """The expected error from plain values; ValueError, KeyError or TypeError for wrong ones."""
    widening = table["widening"]
    ood_score = widening.get("unlikeness")
    shape = ErrorModel(
        knots_months=_numbers(table["knots_months"]),
        months={sex: _numbers(table["months"][str(sex)]) for sex in SEXES},
        disagreement=_widening(widening["disagreement"]),
        ood_score=_widening(ood_score) if ood_score is not None else None,
        most=_number(widening["most"]),
    )
    knots = shape.knots_months
    if not knots or sorted(set(knots)) != list(knots):
        raise ValueError("the knots of the interval do not ascend")
    for months in shape.months.values():
        if len(months) != len(knots) or min(months) <= 0:
            raise ValueError("the interval does not state an error above 0 for each knot")
    if shape.most < 1:
        raise ValueError(f"the widening of the interval is at most {shape.most:g}, less than 1")
    return shape


def scores_of(table: Mapping[str, Any]) -> NonconformityScores:
    """The scores from plain values; errors as of ``shape_of``, also where there are too few."""
    scores = NonconformityScores({sex: _numbers(table[str(sex)]) for sex in SEXES})
    for values in scores.by_sex.values():
        if any(value < 0 for value in values) or sorted(values) != list(values):
            raise ValueError("the scores of the interval do not ascend from 0")
    if scores.count < LEAST_FILMS:
        raise ValueError(f"the interval has {scores.count} scores; it needs {LEAST_FILMS}")
    return scores


def _widening(table: Mapping[str, Any]) -> Widening:
    one = Widening(_number(table["usual"]), _number(table["slope"]))
    if one.usual <= 0 or one.slope < 0:
        raise ValueError(
            f"the widening {dict(table)} is invalid: 'usual' is above 0, 'slope' not below 0"
        )
    return one


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(_number, values))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"the interval holds {value!r}, which is not a number")
    return float(value)


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), DECIMALS) for value in values]
