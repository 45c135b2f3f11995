"""Which films come in an epoch, and how sampling evens out the ages."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.datasets.films import Film
from boneage.domain.radiograph import Sex
from boneage.training.batches import MOST_TIMES, Batches, Sampling, as_input, evening_weights


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


def batches(
    count: int = 10, batch: int = 4, seed: int | None = 7, sampling: Sampling | None = None
) -> Batches:
    images = np.repeat(np.arange(count, dtype=np.uint8), 6).reshape(count, 3, 2)
    ages = np.arange(count, dtype=np.float32) * 24
    inputs: dict[str, npt.NDArray[Any]] = {"film": images, "sex": np.zeros(count, np.int32)}
    return Batches(inputs, ages, batch, seed=seed, sampling=sampling)


def seen(made: Batches) -> list[list[int]]:
    """The films of each batch of an epoch, by number."""
    found = []
    for i in range(len(made)):
        inputs, ages = made[i]
        numbers = [int(n) for n in inputs["film"][:, 0, 0, 0]]
        assert [round(10 * age) for age in ages] == numbers, "a label beside its film"
        found.append(numbers)
    return found


def test_a_batch_is_what_keras_takes() -> None:
    inputs, ages = batches()[0]
    assert inputs["film"].shape == (4, 3, 2, 1)
    assert inputs["film"].dtype == np.float32
    assert inputs["sex"].dtype == np.int32
    assert ages.shape == (4,)
    assert ages.max() <= 216 / 240


def test_the_same_seed_and_epoch_give_the_same_order_after_a_restart() -> None:
    first, restarted = batches(), batches()
    orders = []
    for _ in range(3):
        orders.append(seen(first))
        first.on_epoch_end()
    restarted.epoch = 2
    restarted.shuffle()
    assert seen(restarted) == orders[2]
    assert orders[0] != orders[1] != orders[2]
    assert seen(batches(seed=8)) != orders[0]


def test_every_film_comes_once_an_epoch() -> None:
    made = batches(count=12)
    for _ in range(3):
        assert sorted(chain(*seen(made))) == list(range(12))
        made.on_epoch_end()


def test_some_films_come_always_and_others_by_turns() -> None:
    always = np.arange(30) < 4
    made = batches(count=30, batch=3, sampling=Sampling(always, times=2, others=7))
    epochs = []
    for _ in range(3):
        numbers = list(chain(*seen(made)))
        assert len(made) == 5
        assert len(numbers) == 15
        assert sorted(n for n in numbers if n < 4) == [0, 0, 1, 1, 2, 2, 3, 3]
        others = [n for n in numbers if n >= 4]
        assert len(set(others)) == 7
        epochs.append(others)
        made.on_epoch_end()
    assert set(epochs[0]) != set(epochs[1]) != set(epochs[2])


@pytest.mark.parametrize("others", [0, 9])
def test_all_others_come_where_no_number_or_too_large_a_one_is_named(others: int) -> None:
    sampling = Sampling(np.arange(6) < 2, times=1, others=others)
    assert sorted(sampling.draw(np.random.default_rng(1))) == list(range(6))


def test_training_leaves_out_an_incomplete_last_batch() -> None:
    made = batches(count=10, batch=4)
    assert [len(numbers) for numbers in seen(made)] == [4, 4]


def test_validation_keeps_every_film_in_order() -> None:
    made = batches(count=10, batch=4, seed=None)
    assert seen(made) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    made.on_epoch_end()
    assert seen(made) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_fewer_films_than_a_batch_are_one_batch() -> None:
    assert [len(numbers) for numbers in seen(batches(count=3, batch=32))] == [3]


def test_the_time_spent_making_batches_is_counted() -> None:
    made = batches()
    assert made.seconds == 0
    seen(made)
    assert 0 < made.seconds < 1


def test_only_images_get_a_channel() -> None:
    features = np.ones((2, 5), np.float32)
    assert as_input(features) is features
    assert as_input(np.zeros((2, 3, 4), np.uint8)).shape == (2, 3, 4, 1)
