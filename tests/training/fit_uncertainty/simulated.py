"""Simulated films: labels, answers and age_by_network, whose errors grow as real ones do."""

from __future__ import annotations

import numpy as np

from boneage.domain.assessment import Assessment, WeightsName
from boneage.domain.radiograph import ImageMetadata, Sex
from boneage.training.fit_uncertainty.error_model import Errors
from boneage.uncertainty.intervals import IntervalModel


def simulated(count: int, seed: int, *, boys: float = 0.55) -> Errors:
    """Films whose errors have heavy tails, are larger in girls and the young, and in some films.

    In one film in five all networks are in trouble: their ages scatter and the answer errs.
    """
    random = np.random.default_rng(seed)
    male = random.random(count) < boys
    answers = random.normal(130, 40, count).clip(10, 225)
    trouble = np.where(random.random(count) < 0.2, 1.6, 1.0)
    spread = (6 + 4 * (answers < 70) + 1.5 * ~male) * trouble
    return Errors(
        ids=tuple(map(str, range(count))),
        male=male,
        answers=answers,
        errors=spread * random.standard_t(5, count),
        disagreement=random.gamma(4, 2, count) * trouble**2,
        ood_score=random.gamma(30, 1 / 30, count),
    )


def inside(model: IntervalModel, films: Errors, level: float) -> tuple[float, float]:
    """Share of films whose label the interval holds, before clipping, and its mean width."""
    thresholds = np.array(
        [model.scores.threshold(Sex.MALE if m else Sex.FEMALE, level).score for m in films.male]
    )
    usual = np.where(
        films.male,
        model.shape.usual_months(Sex.MALE, films.answers),
        model.shape.usual_months(Sex.FEMALE, films.answers),
    )
    factor = model.shape.widening(films.disagreement, films.ood_score)
    reach = thresholds * usual * factor
    return float((np.abs(films.errors) <= reach).mean()), float(2 * reach.mean())


def answer_of(
    age: float,
    sex: Sex = Sex.FEMALE,
    age_by_network: dict[str, float] | None = None,
    ood_score: float | None = None,
) -> Assessment:
    """An answer with what an interval needs, and nothing else."""
    return Assessment(
        film="hand.png",
        sex=sex,
        age_months=age,
        detections=(),
        age_by_network=age_by_network or {"whole_hand": age, "carpal": age},
        weights=WeightsName("tiny-1", "tiny", "ab" * 32),
        metadata=ImageMetadata("PNG", 8),
        film_height=480,
        film_width=360,
        seconds=0.1,
        ood_score=ood_score,
    )
