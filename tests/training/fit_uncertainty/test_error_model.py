"""The expected error, fitted on few films: it must cover as often as it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boneage.domain.radiograph import Sex
from boneage.training.fit_uncertainty.error_model import (
    DISAGREEMENT_SLOPES,
    FLOOR_MONTHS,
    KNOTS,
    FilmEstimate,
    errors_of,
    fit_interval,
    months_at_knots,
    score_by,
)
from boneage.uncertainty.intervals import SEXES
from tests.training.fit_uncertainty.simulated import inside, simulated

REPEATS = 60
"""The mean coverage of so many calibrations of 110 films is known to 0.4 %."""


@pytest.mark.parametrize("level", [0.8, 0.9])
@pytest.mark.parametrize("count", [40, 110, 600])  # pooled, and each sex apart
def test_intervals_hold_as_many_films_as_they_say(count: int, level: float) -> None:
    shares = [
        inside(fit_interval(simulated(count, seed)), simulated(1000, 9000 + seed), level)[0]
        for seed in range(REPEATS)
    ]
    error = np.std(shares) / np.sqrt(REPEATS)
    assert np.mean(shares) > level - 2.5 * error
    assert np.mean(shares) < level + 1 / (count / 2) + 2.5 * error, "nor much more"


def test_every_sex_is_covered() -> None:
    models = [fit_interval(simulated(600, seed)) for seed in range(REPEATS)]
    for boys in (0.0, 1.0):
        films = simulated(3000, 9000, boys=boys)
        shares = [inside(model, films, 0.9)[0] for model in models]
        assert 0.885 < np.mean(shares) < 0.945


def test_the_expected_error_is_larger_where_errors_are() -> None:
    shape = fit_interval(simulated(3000, 1)).shape
    girl = [float(shape.usual_months(Sex.FEMALE, age)) for age in (40, 160)]
    assert girl[0] > 1.2 * girl[1]
    assert girl[1] > float(shape.usual_months(Sex.MALE, 160))


def test_scattered_readings_widen_where_they_go_with_errors() -> None:
    films = simulated(3000, 2)
    related = fit_interval(films).shape
    assert related.disagreement.slope > 0
    assert related.widening(1000.0, 1.0) == related.most
    shuffled = np.random.default_rng(3).permutation(films.disagreement)
    unrelated = fit_interval(replace(films, disagreement=shuffled)).shape
    assert unrelated.disagreement.slope <= DISAGREEMENT_SLOPES[1]


def test_films_unlike_those_of_calibration_are_given_more() -> None:
    shape = fit_interval(simulated(110, 4)).shape
    assert shape.ood_score is not None
    far = shape.ood_score.usual
    assert shape.widening(0.0, far) == 1
    assert shape.widening(0.0, 2 * far) == 2
    assert fit_interval(replace(simulated(110, 4), ood_score=None)).shape.ood_score is None


def test_a_film_does_not_lower_the_bar_for_itself() -> None:
    films = simulated(40, 5)
    odd = films.errors.copy()
    odd[7] = 200.0
    plain, wrong = (months_at_knots(np.abs(e), films) for e in (films.errors, odd))
    for sex in SEXES:
        np.testing.assert_allclose(plain[sex][:, 7], wrong[sex][:, 7])
        assert (wrong[sex][:, -1] > plain[sex][:, -1]).all()
        assert plain[sex].shape == (len(KNOTS), 41)


def test_leaving_one_out_at_once_is_leaving_it_out() -> None:
    films = simulated(20, 6)
    found = months_at_knots(np.abs(films.errors), films)
    rest = np.arange(20) != 3
    without = replace(
        films, male=films.male[rest], answers=films.answers[rest], errors=films.errors[rest]
    )
    again = months_at_knots(np.abs(without.errors), without)
    for sex in SEXES:
        np.testing.assert_allclose(found[sex][:, 3], again[sex][:, -1])


def test_perfect_answers_leave_a_month() -> None:
    films = simulated(40, 7)
    fitted = fit_interval(films.with_errors(np.zeros(40)))
    assert set(fitted.shape.months[Sex.MALE]) == {FLOOR_MONTHS}
    assert not any(score for scores in fitted.scores.by_sex.values() for score in scores)


def test_one_sex_alone_can_be_calibrated() -> None:
    model = fit_interval(simulated(40, 8, boys=0.0))
    assert not model.scores.by_sex[Sex.MALE]
    assert model.scores.threshold(Sex.MALE, 0.9).films == 40


def test_scores_of_other_films_use_the_shape_as_it_is() -> None:
    model, films = fit_interval(simulated(110, 9)), simulated(50, 10)
    scores = score_by(model.shape, films)
    thresholds = [model.scores.threshold(Sex.MALE if m else Sex.FEMALE, 0.9) for m in films.male]
    held = scores <= [t.score for t in thresholds]
    assert held.mean() == inside(model, films, 0.9)[0]


def test_squeezed_copies_give_the_shape_and_better_ones_the_size() -> None:
    """Errors on squeezed copies are half as large again as on the better copies of the same."""
    squeezed = simulated(1200, 11)
    few = np.arange(1200) < 120
    better = replace(
        squeezed,
        ids=squeezed.ids[:120],
        male=squeezed.male[few],
        answers=squeezed.answers[few],
        errors=squeezed.errors[few] / 1.5,
        disagreement=squeezed.disagreement[few],
        ood_score=squeezed.ood_score[few] if squeezed.ood_score is not None else None,
    )
    model = fit_interval(better, squeezed)
    assert model.scores.count == 1200
    new = simulated(4000, 12)
    share, width = inside(model, new.with_errors(new.errors / 1.5), 0.9)
    assert share == pytest.approx(0.9, abs=0.02)
    assert width == pytest.approx(inside(fit_interval(squeezed), new, 0.9)[1] / 1.5, rel=0.03)


def test_squeezed_copies_of_other_films_leave_the_size_as_it_is() -> None:
    squeezed, better = simulated(300, 13), simulated(40, 14)
    others = replace(better, ids=tuple(f"other {name}" for name in better.ids))
    assert fit_interval(others, squeezed) == fit_interval(squeezed)


def test_films_are_put_side_by_side() -> None:
    films = errors_of(
        [
            FilmEstimate("1", Sex.MALE, 100.0, 90.0, 3.0, 1.1),
            FilmEstimate("2", Sex.FEMALE, 50.0, 60.0, 4.0, 1.2),
        ]
    )
    assert films.male.tolist() == [True, False]
    assert films.errors.tolist() == [10.0, -10.0]
    assert films.ood_score is not None
    assert errors_of([FilmEstimate("1", Sex.MALE, 1.0, 1.0, 0.0, None)]).ood_score is None
