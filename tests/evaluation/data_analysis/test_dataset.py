"""The analysis of a labelled data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boneage.datasets.films import Film, Films, load_films
from boneage.datasets.labels import in_words
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.evaluation.data_analysis.analysis import analyse, statistics_of


def films_of(*ages: tuple[float, Sex]) -> Films:
    films = (Film(str(n), Path("x"), age, sex, "train") for n, (age, sex) in enumerate(ages))
    return Films(tuple(films))


def test_statistics_by_hand() -> None:
    found = statistics_of([12.0, 24.0, 36.0, 48.0, 60.0])
    assert (found.count, found.mean, found.median) == (5, 36, 36)
    assert found.standard_deviation == pytest.approx(18.974, abs=1e-3)
    assert (found.least, found.most) == (12, 60)


def test_counts_by_sex_and_bins_hold_every_film() -> None:
    dataset = analyse(
        films_of((5, Sex.MALE), (11.9, Sex.FEMALE), (12, Sex.MALE), (47.5, Sex.FEMALE))
    )
    assert {sex: found.count for sex, found in dataset.by_sex.items()} == {
        Sex.MALE: 2,
        Sex.FEMALE: 2,
    }
    assert [(b.low, b.high, b.count) for b in dataset.ages] == [
        (0, 12, 2),
        (12, 24, 1),
        (24, 36, 0),
        (36, 48, 1),
    ]
    assert sum(b.count for b in dataset.z_scores) == 4
    assert dataset.splits == {"train": 4}


def test_a_film_of_two_copies_counts_once() -> None:
    film = Film("7", Path("x"), 100, Sex.MALE, "train")
    assert analyse(Films((film, film))).overall.count == 1


def test_ages_far_out_are_named() -> None:
    ages = np.random.default_rng(0).normal(120, 5, 200)
    dataset = analyse(films_of(*((float(age), Sex.MALE) for age in ages), (200, Sex.FEMALE)))
    assert [outlier.film for outlier in dataset.outliers] == ["200"]
    assert dataset.outliers[0].z == pytest.approx(dataset.z_range[1])
    assert set(dataset.by_sex) == {Sex.MALE, Sex.FEMALE}


def test_films_of_one_age() -> None:
    dataset = analyse(films_of((60, Sex.MALE), (60, Sex.MALE)))
    assert max(map(abs, dataset.z_range)) == 0
    assert not dataset.outliers
    assert analyse(films_of((60, Sex.MALE))).overall.standard_deviation == 0


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        load_films(tmp_path)
    (tmp_path / "1.png").touch()
    rows = "1,120,True\n1,130,True\n2,60,False\n3,,False\n"
    (tmp_path / "boneage-training-dataset.csv").write_text(f"id,boneage,male\n{rows}")
    problems = analyse(load_films(tmp_path)).problems
    assert [problem.film for problem in problems] == ["1", "2", "3"]
    assert in_words(problems) == (
        "1 label without image, 1 duplicate id, 1 bone age that is not a number"
    )


@pytest.mark.films
def test_the_public_data_set(real_films: Path) -> None:
    dataset = analyse(load_films(real_films))
    found = dataset.overall
    assert (found.count, found.median, found.least, found.most) == (12_611, 132, 1, 228)
    assert found.mean == pytest.approx(127.3, abs=0.05)
    assert found.standard_deviation == pytest.approx(41.2, abs=0.05)
    assert dataset.by_sex[Sex.MALE].count == 6_833
    assert -3.1 < dataset.z_range[0] < dataset.z_range[1] < 2.5
