"""Every film is drawn once, in batches that a restart does not change."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.datasets.films import Film
from boneage.errors import DataError, FilmError
from boneage.training.batches import Batches, Sampling, as_input
from boneage.training.image_cache import CachedImages, cache_images
from tests.training.drawn import number_films

Image = npt.NDArray[np.uint8]


class Draw:
    """Draws each film as its number; the broken ones cannot be read."""

    def __init__(self, *broken: int) -> None:
        self.broken = set(map(str, broken))
        self.drawn: list[str] = []

    def __call__(self, film: Film) -> Image:
        self.drawn.append(film.id)
        if film.id in self.broken:
            raise FilmError("truncated", f"'{film.id}.png' is cut off")
        return np.full((3, 2), int(film.id), np.uint8)


def prepare(
    folder: Path,
    draw: Callable[[Film], Image],
    *,
    count: int = 5,
    recipe: object = "as it is",
    strict: bool = False,
) -> CachedImages:
    films = number_films(count, folder)
    return cache_images(films, draw, recipe, folder / "prepared", label="hands", strict=strict)


def test_images_and_labels_keep_the_order_of_the_films(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, Draw())
    assert prepared.images.shape == (5, 3, 2)
    assert list(prepared.images[:, 0, 0]) == [0, 1, 2, 3, 4]
    assert list(prepared.ages_months) == [12, 24, 36, 48, 60]
    assert list(prepared.sex_codes) == [1, 0, 1, 0, 1]
    assert set(prepared.inputs) == {"film", "sex"}


def test_a_broken_film_is_named_and_skipped(tmp_path: Path) -> None:
    prepared = prepare(tmp_path, Draw(0, 3))
    assert [film.id for film in prepared.films] == ["1", "2", "4"]
    assert list(prepared.images[:, 0, 0]) == [1, 2, 4]
    assert list(prepared.ages_months) == [24, 36, 60]
    assert prepared.skipped == ("0: '0.png' is cut off", "3: '3.png' is cut off")


def test_strict_stops_at_a_broken_film(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match=r"'3.png' is cut off"):
        prepare(tmp_path, Draw(3), strict=True)


def test_strict_stops_also_at_what_an_earlier_run_skipped(tmp_path: Path) -> None:
    prepare(tmp_path, Draw(3))
    with pytest.raises(DataError, match=r"'3.png' is cut off"):
        prepare(tmp_path, Draw(), strict=True)


def test_a_folder_of_broken_films_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of the 5 films for hands can be read: 0: '0.png'"):
        prepare(tmp_path, Draw(*range(5)))
    with pytest.raises(DataError, match="no films for hands"):
        prepare(tmp_path, Draw(), count=0)


def test_the_second_call_draws_nothing(tmp_path: Path) -> None:
    first = prepare(tmp_path, Draw(3))
    again = Draw()
    second = prepare(tmp_path, again)
    assert again.drawn == []
    assert second.films == first.films
    assert second.skipped == first.skipped
    assert np.array_equal(second.images, first.images)


def test_another_recipe_or_other_films_are_drawn(tmp_path: Path) -> None:
    prepare(tmp_path, Draw())
    other_recipe, other_films = Draw(), Draw()
    prepare(tmp_path, other_recipe, recipe={"size": 3})
    prepare(tmp_path, other_films, count=4)
    assert len(other_recipe.drawn) == 5
    assert len(other_films.drawn) == 4


def test_a_film_that_was_replaced_is_drawn_again(tmp_path: Path) -> None:
    film = tmp_path / "3.png"
    film.write_bytes(b"a film")
    prepare(tmp_path, Draw())
    film.write_bytes(b"another film")
    again = Draw()
    prepare(tmp_path, again)
    assert len(again.drawn) == 5


def test_a_kill_half_way_leaves_nothing_half_done(tmp_path: Path) -> None:
    def killed(film: Film) -> Image:
        if film.id == "3":
            raise KeyboardInterrupt
        return Draw()(film)

    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path, killed)
    left = [path.name for path in (tmp_path / "prepared").iterdir()]
    assert all(".unfinished" in name for name in left)
    assert list(prepare(tmp_path, Draw()).images[:, 0, 0]) == [0, 1, 2, 3, 4]


def test_a_kill_between_images_and_index_draws_again(tmp_path: Path) -> None:
    prepare(tmp_path, Draw())
    folder = tmp_path / "prepared"
    index = next(folder.glob("*.json"))
    index.unlink()
    next(folder.glob("*.npy")).with_suffix(".unfinished.npy").write_bytes(b"\x93NUMPY")
    again = Draw()
    prepared = prepare(tmp_path, again)
    assert len(again.drawn) == 5
    assert list(prepared.images[:, 0, 0]) == [0, 1, 2, 3, 4]
    assert not list(folder.glob("*unfinished*"))


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
