from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace as changed

from boneage.datasets.films import load_films
from boneage.domain.radiograph import Pixels
from boneage.errors import ProfileError
from boneage.training.images import (
    normalised_film,
    perturbed,
    prepare_whole,
    random_of,
    with_perturbed_copies,
)
from boneage.training.profile import PerturbationSettings
from boneage.training.run import Run
from tests.training.drawn import number_films, tiny_profile

WORST = PerturbationSettings(copies=2, exposure=0.3, blur=0.01, shrink=0.7, noise=0.1, jpeg=90)


def hand(size: int = 64) -> Pixels:
    rows, cols = np.mgrid[:size, : size - 10]
    pixels: Pixels = (0.5 + 0.4 * np.sin(rows / 5) * np.cos(cols / 7)).astype(np.float32)
    return pixels


@pytest.mark.parametrize("name", ["exposure", "blur", "shrink", "noise", "jpeg"])
def test_each_change_is_made_to_half_of_the_copies_and_keeps_the_range(name: str) -> None:
    film, spec = hand(), PerturbationSettings(copies=1, **{name: getattr(WORST, name)})
    perturbed_copies = [perturbed(film, spec, np.random.default_rng(seed)) for seed in range(60)]
    changed = [not np.array_equal(film, other) for other in perturbed_copies]
    assert 15 <= sum(changed) <= 45
    for other in perturbed_copies:
        assert other.shape == film.shape
        assert other.dtype == np.float32
        assert 0 <= other.min() <= other.max() <= 1
    assert max(float(np.abs(film - other).mean()) for other in perturbed_copies) > 0.002


def test_nothing_asked_for_changes_nothing() -> None:
    film = hand()
    none = PerturbationSettings(copies=1)
    assert np.array_equal(perturbed(film, none, np.random.default_rng(1)), film)


def test_the_film_itself_is_left_alone() -> None:
    film = hand()
    before = film.copy()
    perturbed(film, WORST, np.random.default_rng(3))
    assert np.array_equal(film, before)


def test_a_copy_is_perturbed_the_same_every_time_and_each_copy_differently(tmp_path: Path) -> None:
    first, second = (replace(number_films(1, tmp_path)[0], perturbed=n) for n in (1, 2))
    draws = [random_of(film, 2017).random() for film in (first, first, second)]
    assert draws[0] == draws[1] != draws[2]
    assert random_of(first, 2018).random() != draws[0]


def test_only_films_of_useful_resolution_are_perturbed(rich: Path) -> None:
    films = load_films(rich).select("best", "train")
    perturbed_copies = with_perturbed_copies(films, WORST)
    assert [film for film in perturbed_copies if not film.perturbed] == list(films)
    copies = [film for film in perturbed_copies if film.perturbed]
    assert {film.id for film in copies} == {film.id for film in films if not film.squeezed}
    assert len(copies) == 2 * sum(not film.squeezed for film in films) > 0
    assert with_perturbed_copies(films, PerturbationSettings()) == films


def test_perturbed_copies_are_prepared_beside_their_film(rich: Path, tmp_path: Path) -> None:
    profile = changed(tiny_profile(), degradation=changed(WORST, copies=3))
    films = load_films(rich).select("detailed", "train")
    run = Run(tmp_path / "run", rich)
    prepared = prepare_whole(
        with_perturbed_copies(films, profile.degradation), profile, (32, 24), run, "films"
    )
    first = [i for i, film in enumerate(prepared.films) if film.id == prepared.films[0].id]
    assert len(first) == 4
    assert len({prepared.images[i].tobytes() for i in first}) > 1
    clean = prepare_whole(films, profile, (32, 24), run, "films")
    assert np.array_equal(clean.images[0], prepared.images[first[0]])
    assert np.array_equal(
        normalised_film(prepared.films[first[1]], profile),
        normalised_film(prepared.films[first[1]], profile),
    )


@pytest.mark.parametrize("wrong", [{"shrink": 1.0}, {"jpeg": 100.0}])
def test_something_of_a_film_must_be_left(wrong: dict[str, float]) -> None:
    with pytest.raises(ProfileError, match="must leave something"):
        PerturbationSettings(copies=1, **wrong)
