"""Every film is drawn once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from boneage.datasets.films import Film
from boneage.errors import DataError, FilmError
from boneage.training.images import CachedImages, cache_images
from boneage.training.run import Run
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
    return cache_images(films, draw, recipe, Run(folder, folder, strict=strict), "hands")


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
    with pytest.raises(DataError, match=r"none of the 5 images for hands can be read: 0: '0.png'"):
        prepare(tmp_path, Draw(*range(5)))
    with pytest.raises(DataError, match="no images for hands"):
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
