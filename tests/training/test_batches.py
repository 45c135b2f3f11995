"""Which films come in an epoch, and how sampling evens out the ages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boneage.datasets.films import Film
from boneage.domain.radiograph import Sex
from boneage.training.batches import MOST_TIMES, Sampling, evening_weights


def films() -> list[Film]:
    """Girls of 10 years, and few of 2 and of 17; boys of 12 alone."""
    ages = [(120.0, Sex.FEMALE)] * 900 + [(24.0, Sex.FEMALE)] * 90 + [(204.0, Sex.FEMALE)] * 70
    ages += [(144.0, Sex.MALE)] * 500
    return [Film(str(n), Path(f"{n}.png"), age, sex, "train") for n, (age, sex) in enumerate(ages)]


def means(weights: np.ndarray) -> dict[float, float]:
    ages = np.array([film.age_months for film in films()])
    return {age: float(weights[ages == age].mean()) for age in np.unique(ages)}


def test_rare_ages_come_more_often_but_not_too_often() -> None:
    weights = evening_weights(films(), 0.5)
    by_age = means(weights)
    assert weights.mean() == pytest.approx(1)
    assert by_age[204] > by_age[24] > by_age[120]
    assert by_age[24] / by_age[120] == pytest.approx((900 / 90) ** 0.5, rel=0.02)
    assert evening_weights(films(), 1.0).max() == pytest.approx(MOST_TIMES, rel=0.01)


def test_the_sexes_are_evened_out_each_by_itself() -> None:
    alone = evening_weights([film for film in films() if film.sex is Sex.FEMALE], 0.5)
    together = evening_weights(films(), 0.5)
    assert together[0] / together[900] == pytest.approx(alone[0] / alone[900], rel=0.02)


def test_not_evened_all_come_alike() -> None:
    assert np.allclose(evening_weights(films(), 0.0), 1)


def test_a_film_comes_as_often_as_it_weighs() -> None:
    weights = evening_weights(films(), 0.5)
    sampling = Sampling(np.zeros(len(weights), np.bool_), weights=weights)
    random = np.random.default_rng(1)
    drawn = [sampling.draw(random) for _ in range(200)]
    assert {len(places) for places in drawn} == {len(weights)}
    counts = np.array([np.bincount(places, minlength=len(weights)) for places in drawn])
    assert np.abs(counts - weights).max() < 1, "no oftener nor rarer than must be"
    assert np.allclose(counts.mean(axis=0), weights, atol=0.2)
    assert not np.array_equal(drawn[0], drawn[1])


def test_weights_go_with_films_that_are_drawn_and_with_those_that_always_come() -> None:
    weights = np.array([2.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    sampling = Sampling(np.arange(6) < 2, times=2, others=2, weights=weights)
    drawn = np.concatenate([sampling.draw(np.random.default_rng(n)) for n in range(100)])
    counts = np.bincount(drawn, minlength=6)
    assert len(drawn) == 600
    assert counts[0] / counts[1] == pytest.approx(2, rel=0.1)
    assert counts[1] > counts[2]
