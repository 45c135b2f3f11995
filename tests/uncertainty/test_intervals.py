"""The interval around an answer, and its plain values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from boneage.domain.radiograph import Sex
from boneage.errors import LevelError
from boneage.i18n.words import percent
from boneage.uncertainty.intervals import (
    ErrorModel,
    IntervalModel,
    NonconformityScores,
    Widening,
    disagreement,
    films_needed,
    scores_of,
    scores_table,
    shape_of,
    shape_table,
)
from tests.training.fit_uncertainty.simulated import answer_of

SHAPE = ErrorModel(
    knots_months=(24.0, 120.0, 216.0),
    months={Sex.FEMALE: (10.0, 6.0, 4.0), Sex.MALE: (12.0, 8.0, 6.0)},
    disagreement=Widening(5.0, 0.5),
    ood_score=Widening(1.2, 1.0),
    most=3.0,
)


def scores(girls: int, boys: int) -> NonconformityScores:
    """Girls' scores 0.01, 0.02, ...; boys' ten times as large."""
    return NonconformityScores(
        {
            Sex.FEMALE: tuple(0.01 * (i + 1) for i in range(girls)),
            Sex.MALE: tuple(0.1 * (i + 1) for i in range(boys)),
        }
    )


@pytest.mark.parametrize(
    ("films", "level", "rank"),
    [(299, 0.9, 270), (299, 0.8, 240), (239, 0.7, 168), (399, 0.99, 396)],
)
def test_the_threshold_is_the_rank_of_split_conformal(films: int, level: float, rank: int) -> None:
    found = scores(films, films).threshold(Sex.FEMALE, level)
    assert found.score == pytest.approx(0.01 * rank)
    assert (found.films, found.by_sex) == (films, True)


def test_each_sex_has_its_own_scores_where_there_are_enough() -> None:
    apart, pooled = scores(200, 200), scores(199, 300)
    assert apart.threshold(Sex.MALE, 0.9).score == pytest.approx(10 * 0.01 * 181)
    assert not pooled.threshold(Sex.FEMALE, 0.9).by_sex
    assert pooled.threshold(Sex.FEMALE, 0.9) == pooled.threshold(Sex.MALE, 0.9)
    assert pooled.threshold(Sex.MALE, 0.9).films == 499


def test_a_level_too_high_for_one_sex_takes_the_films_of_both() -> None:
    found = scores(200, 300).threshold(Sex.MALE, 0.998)
    assert (found.films, found.by_sex) == (500, False)


def test_a_level_that_needs_more_images_is_an_error() -> None:
    with pytest.raises(LevelError, match=r"level 99 % needs at least 99 calibration images, .* 60"):
        scores(30, 30).threshold(Sex.FEMALE, 0.99)
    with pytest.raises(LevelError, match=r"support levels up to 98\.3 %"):
        scores(30, 30).threshold(Sex.FEMALE, 0.9999)
    assert scores(30, 30).threshold(Sex.FEMALE, 0.983).films == 60


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 90.0, float("nan")])
def test_what_is_no_level_is_refused(level: float) -> None:
    with pytest.raises(LevelError, match="is not between 0 and 1"):
        scores(40, 40).threshold(Sex.FEMALE, level)


@pytest.mark.parametrize(("level", "count"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_how_many_films_a_level_needs(level: float, count: int) -> None:
    assert films_needed(level) == count


def test_the_interval_is_the_score_times_the_expected_error() -> None:
    model = IntervalModel(SHAPE, scores(299, 299))
    found = model.around(answer_of(72.0), 0.9)  # between 10 and 6: 8 months
    assert (found.low_months, found.high_months) == pytest.approx((72 - 2.7 * 8, 72 + 2.7 * 8))
    assert (found.level, found.films, found.by_sex, found.widening) == (0.9, 299, True, 1.0)


def test_it_stays_within_the_ages_there_are() -> None:
    model = IntervalModel(SHAPE, scores(299, 299))
    assert model.around(answer_of(3.0), 0.99).low_months == 0
    assert model.around(answer_of(239.0, Sex.MALE), 0.9).high_months == 240


def test_it_is_wider_at_higher_levels() -> None:
    model = IntervalModel(SHAPE, scores(299, 299))
    ends = [model.around(answer_of(120.0), level).high_months for level in (0.5, 0.8, 0.9, 0.95)]
    assert ends == sorted(set(ends))


def test_it_widens_for_disagreement_and_atypical_images() -> None:
    usual = {"whole_hand": 115.0, "carpal": 125.0}  # standard deviation 5
    torn = {"whole_hand": 110.0, "carpal": 130.0}
    assert SHAPE.of(answer_of(120.0, age_by_network=usual, ood_score=1.2)) == (6.0, 1.0)
    assert SHAPE.of(answer_of(120.0, age_by_network=torn, ood_score=1.2)) == (9.0, 1.5)
    assert SHAPE.of(answer_of(120.0, age_by_network=usual, ood_score=2.4)) == (12.0, 2.0)
    assert SHAPE.of(answer_of(120.0, age_by_network=torn, ood_score=2.4))[1] == 2.5
    assert SHAPE.of(answer_of(120.0, age_by_network=torn, ood_score=99.0))[1] == 3.0, "at most"
    assert SHAPE.of(answer_of(120.0, age_by_network=torn))[1] == 1.5, "not known how unlike"


def test_one_network_has_no_disagreement() -> None:
    assert disagreement({"whole_hand": 100.0}) == 0.0
    assert disagreement({}) == 0.0
    assert disagreement({"a": 90.0, "b": 110.0}) == 10.0


def test_levels_are_given_in_per_cent() -> None:
    assert [percent(level) for level in (0.9, 0.975, 0.57)] == ["90 %", "97.5 %", "57 %"]


def test_plain_values_come_back() -> None:
    table = json.loads(json.dumps([shape_table(SHAPE), scores_table(scores(40, 30))]))
    assert shape_of(table[0]) == SHAPE
    np.testing.assert_allclose(
        scores_of(table[1]).by_sex[Sex.MALE], scores(40, 30).by_sex[Sex.MALE]
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t["knots_months"].reverse(),
        lambda t: t["knots_months"].pop(),
        lambda t: t["knots_months"].clear(),
        lambda t: t["months"]["female"].__setitem__(0, -1.0),
        lambda t: t["months"]["male"].__setitem__(0, float("nan")),
        lambda t: t["months"]["male"].__setitem__(0, "8"),
        lambda t: t["months"].pop("male"),
        lambda t: t["widening"].update(most=0.5),
        lambda t: t["widening"].pop("disagreement"),
        lambda t: t["widening"]["unlikeness"].update(usual=0),
        lambda t: t["widening"]["disagreement"].update(slope=-1),
    ],
)
def test_a_shape_that_is_none_is_refused(damage: Callable[[dict[str, Any]], Any]) -> None:
    table = shape_table(SHAPE)
    damage(table)
    with pytest.raises((ValueError, KeyError, TypeError)):
        shape_of(table)


@pytest.mark.parametrize(
    "damage",
    [
        lambda t: t["female"].reverse(),
        lambda t: t["female"].insert(0, -1.0),
        lambda t: t["female"].append(float("inf")),
        lambda t: t["female"].append(True),
        lambda t: t["female"].clear(),
        lambda t: t.pop("male"),
    ],
)
def test_scores_that_are_none_are_refused(damage: Callable[[dict[str, Any]], Any]) -> None:
    table = scores_table(scores(25, 25))
    damage(table)
    with pytest.raises((ValueError, KeyError)):
        scores_of(table)
