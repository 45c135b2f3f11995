"""A line that helps where it can, and does no harm."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from boneage.training.fit_uncertainty.clinic import fit_line
from boneage.uncertainty.calibration import IDENTITY, MOST_MONTHS, SLOPES, CalibrationLine

Numbers = npt.NDArray[np.float64]


def films(count: int, seed: int, a: float = 0.0, b: float = 1.0) -> tuple[Numbers, Numbers]:
    """Answers, and labels on a line through them, with errors of 8 months."""
    random = np.random.default_rng(seed)
    answers = random.normal(125, 40, count).clip(10, 220)
    return answers, a + b * answers + random.normal(0, 8, count)


def test_a_shift_is_found() -> None:
    found = fit_line(*films(150, 1, a=9.0))
    assert found.helps
    assert 5 < found.line.move(120.0) - 120 < 11
    assert found.after_months < found.before_months - 1


def test_a_slope_is_found() -> None:
    found = fit_line(*films(400, 2, a=-15.0, b=1.12))
    assert found.helps
    assert 1.05 < found.line.slope < 1.14


def test_answers_that_are_right_are_left_alone() -> None:
    kept = [fit_line(*films(60, seed)) for seed in range(40)]
    assert sum(not found.helps for found in kept) >= 32
    left = [found for found in kept if not found.helps]
    assert {found.line for found in left} == {IDENTITY}
    np.testing.assert_allclose(np.abs(left[0].left_out).mean(), left[0].before_months)


def test_thirty_films_do_no_harm() -> None:
    """Whatever is kept of right answers moves none of them far."""
    moves = [
        abs(found.line.move(age) - age)
        for found in (fit_line(*films(30, seed)) for seed in range(40))
        for age in (40.0, 120.0, 200.0)
    ]
    assert max(moves) < 6
    assert np.mean(moves) < 0.5


def test_a_few_wrong_labels_do_not_turn_the_line() -> None:
    answers, labels = films(100, 3, a=8.0)
    labels[:8] = 5.0
    assert 4 < fit_line(answers, labels).line.move(120.0) - 120 < 10


@pytest.mark.parametrize(("a", "b"), [(150.0, 0.1), (-200.0, 3.0), (90.0, 1.0), (-90.0, 1.0)])
def test_whatever_the_labels_answers_move_little(a: float, b: float) -> None:
    line = fit_line(*films(200, 4, a=a, b=b)).line
    assert SLOPES[0] <= line.slope <= SLOPES[1]
    assert all(abs(line.move(age) - age) <= MOST_MONTHS + 1e-9 for age in (0.0, 60, 120, 180, 240))


def test_answers_that_do_not_vary_have_a_shift_alone() -> None:
    random = np.random.default_rng(5)
    found = fit_line(np.full(40, 100.0), 110 + random.normal(0, 3, 40))
    assert found.line.slope == 1
    assert found.helps


def test_a_line_stays_within_the_ages_there_are() -> None:
    assert CalibrationLine(-15.0, 1.0).move(5.0) == 0
    assert CalibrationLine(15.0, 1.0).move(236.0) == 240


def test_left_out_errors_are_honest() -> None:
    answers, labels = films(60, 6, a=10.0)
    found = fit_line(answers, labels)
    rest = np.arange(60) != 5
    without = fit_line(answers[rest], labels[rest]).line
    assert found.left_out[5] == pytest.approx(labels[5] - without.move(float(answers[5])))
