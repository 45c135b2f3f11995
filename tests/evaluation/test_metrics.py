from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boneage.evaluation.metrics import ErrorMetrics, measure, measure_by

TRUE = [100.0, 110.0, 120.0, 130.0]
READ = [94.0, 117.0, 120.0, 155.0]  # errors -6, +7, 0, +25


def value(metrics: ErrorMetrics, name: str) -> float:
    found = getattr(metrics, name).value
    assert isinstance(found, float)
    return found


def test_worked_by_hand() -> None:
    metrics = measure(TRUE, READ)
    assert metrics.count == 4
    assert value(metrics, "mae_months") == pytest.approx((6 + 7 + 0 + 25) / 4)
    assert value(metrics, "rmse_months") == pytest.approx(math.sqrt((36 + 49 + 625) / 4))
    # SS_tot about the mean of 115: 225 + 25 + 25 + 225
    assert value(metrics, "r2") == pytest.approx(1 - 710 / 500)
    assert value(metrics, "bias_months") == pytest.approx(26 / 4)
    assert value(metrics, "within_6") == 0.5  # exactly six months off is within six
    assert value(metrics, "within_12") == 0.75
    assert value(metrics, "within_24") == 0.75


def test_matches_the_sums_published_for_earlier_work() -> None:
    # R² 0.901 from SS_res 36,578.11 and SS_tot 370,099.12 over 200 films: any
    # films with these sums must give it.
    true = np.repeat([100.0, 100.0 + 2 * math.sqrt(370_099.12 / 200)], 100)
    errors = np.tile([1.0, -1.0], 100) * math.sqrt(36_578.11 / 200)
    metrics = measure(true, true + errors)
    assert value(metrics, "r2") == pytest.approx(0.901, abs=5e-4)
    assert value(metrics, "rmse_months") == pytest.approx(13.5, abs=0.05)


def test_perfect_readings() -> None:
    metrics = measure(TRUE, TRUE)
    assert value(metrics, "mae_months") == 0
    assert value(metrics, "r2") == 1
    assert metrics.within_6.low == metrics.within_6.high == 1


def test_one_film_has_no_interval_and_no_r2() -> None:
    metrics = measure([100.0], [103.0])
    assert value(metrics, "mae_months") == 3
    assert (metrics.mae_months.low, metrics.mae_months.high) == (None, None)
    assert metrics.r2.value is None


def test_constant_truth_has_no_r2_and_is_null_in_json() -> None:
    metrics = measure([120.1] * 5, [118.0, 119.0, 120.0, 121.0, 122.0])
    assert (metrics.r2.value, metrics.r2.low, metrics.r2.high) == (None, None, None)
    assert json.loads(json.dumps(asdict(metrics), allow_nan=False))["r2"]["value"] is None


def test_two_films_survive_resamples_of_one_film_twice() -> None:
    metrics = measure([100.0, 120.0], [101.0, 118.0])
    assert metrics.r2.low is not None
    assert metrics.r2.high is not None


@pytest.mark.parametrize(
    ("true", "read", "quoted"),
    [
        ([], [], "no radiographs"),
        ([1.0, 2.0], [1.0], "2 true ages, but 1 predictions"),
        ([float("nan")], [1.0], "true age is nan"),
        ([1.0], [float("inf")], "prediction is inf"),
    ],
)
def test_what_cannot_be_measured_is_quoted(
    true: list[float], read: list[float], quoted: str
) -> None:
    with pytest.raises(ValueError, match=quoted):
        measure(true, read)


def test_the_interval_covers_as_often_as_it_states() -> None:
    # 95 % of intervals hold the true mean error; over 200 samples of 60 films
    # anything from 88 % on is the percentile bootstrap at work.
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        true = random.uniform(24, 216, 60)
        bias = measure(true, true + random.normal(2.0, 10.0, 60)).bias_months
        assert bias.low is not None
        assert bias.high is not None
        covered += bias.low <= 2.0 <= bias.high
    assert 0.88 <= covered / 200 <= 0.99


def test_large_sets_are_resampled_in_parts_with_the_same_care() -> None:
    random = np.random.default_rng(2)
    true = random.uniform(24, 216, 3000)
    mae = measure(true, true + random.normal(0, 10, 3000)).mae_months
    assert mae.low is not None
    assert mae.high is not None
    # Half width 1.96 sd(|error|)/sqrt(n), sd(|error|) = 10 sqrt(1 - 2/pi)
    expected = 1.96 * 10 * math.sqrt(1 - 2 / math.pi) / math.sqrt(3000)
    assert (mae.high - mae.low) / 2 == pytest.approx(expected, rel=0.1)


ages = st.floats(1, 228, allow_nan=False)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(ages, ages), min_size=2, max_size=30))
def test_figures_keep_their_bounds(films: list[tuple[float, float]]) -> None:
    metrics = measure([a for a, _ in films], [b for _, b in films])
    mae, rmse = value(metrics, "mae_months"), value(metrics, "rmse_months")
    assert abs(value(metrics, "bias_months")) <= mae + 1e-9
    assert mae <= rmse + 1e-9
    assert value(metrics, "within_6") <= value(metrics, "within_12")
    assert value(metrics, "within_12") <= value(metrics, "within_24") <= 1
    assert metrics.mae_months.low is not None
    assert metrics.mae_months.high is not None
    assert metrics.mae_months.low <= metrics.mae_months.high
    assert measure([a for a, _ in films], [b for _, b in films]) == metrics  # seeded


def test_groups_are_measured_apart() -> None:
    found = measure_by(TRUE, READ, ["male", "female", "male", "female"])
    assert list(found) == ["overall", "female", "male"]
    assert found["overall"] == measure(TRUE, READ)
    assert value(found["male"], "mae_months") == 3
    assert value(found["female"], "mae_months") == 16


def test_groups_must_match_the_films() -> None:
    with pytest.raises(ValueError, match="4 radiographs, but 1 groups"):
        measure_by(TRUE, READ, ["male"])
