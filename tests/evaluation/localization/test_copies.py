from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boneage.datasets.films import Film
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.evaluation.localization.cases import (
    films_to_measure,
    kind_of,
    read_film,
    true_shape,
    unfit_copies,
)
from tests.conftest import drawn_hand, write_png

HERE = Path()


def film(name: str, *, squeezed: bool = False, split: str = "train") -> Film:
    shape = (300, 200) if squeezed else None
    return Film(name, HERE / f"{name}.png", 100.0, Sex.MALE, split, shape)  # type: ignore[arg-type]


FILMS = (
    film("9"),
    film("9", squeezed=True),
    film("10", squeezed=True, split="validation"),
    film("11"),
    film("12", squeezed=True),
    film("12"),
)
MARKED = {"9", "10", "12"}


@pytest.mark.parametrize(
    ("copies", "split", "unfit", "chosen"),
    [
        ("all", "all", (), ["9 detailed", "10 squeezed", "12 detailed"]),
        ("all", "all", ("12",), ["9 detailed", "10 squeezed", "12 squeezed"]),
        ("detailed", "all", ("12",), ["9 detailed"]),
        ("squeezed", "all", (), ["9 squeezed", "10 squeezed", "12 squeezed"]),
        ("all", "validation", (), ["10 squeezed"]),
    ],
)
def test_one_copy_of_every_marked_film(
    copies: str, split: str, unfit: tuple[str, ...], chosen: list[str]
) -> None:
    found = films_to_measure(FILMS, MARKED, unfit, copies, split)  # type: ignore[arg-type]
    assert [f"{one.id} {kind_of(one)}" for one in found] == chosen


def test_a_limit_spreads_over_the_films() -> None:
    films = [film(str(number)) for number in range(100, 200)]
    names = [one.id for one in films]
    found = films_to_measure(films, names, (), "all", "all", 4)
    assert [one.id for one in found] == ["100", "133", "166", "199"]
    assert len(films_to_measure(films, names, (), "all", "all", 1000)) == 100


def test_no_film_is_left() -> None:
    with pytest.raises(DataError, match="'detailed' in the split 'validation'"):
        films_to_measure(FILMS, MARKED, (), "detailed", "validation")


def test_copies_that_marks_do_not_fit(tmp_path: Path) -> None:
    assert unfit_copies(tmp_path) == {}
    lines = [
        "id,original_width,original_height,film,film_width,film_height,film_processing",
        "1,1000,2000,half-scale/1.jpg,500,1001,half-scale",
        "2,1000,2000,half-scale/2.jpg,500,1000,background-removed",
        "3,1000,2000,half-scale/3.jpg,500,900,half-scale",
        "4,1000,2000,,,,",
        "5,1000,2000,half-scale/5.jpg,,,half-scale",
    ]
    (tmp_path / "films.csv").write_text("\n".join(lines))
    found = unfit_copies(tmp_path)
    assert list(found) == ["2", "3"]
    assert "background was removed" in found["2"]
    assert "another shape" in found["3"]


def test_a_squeezed_copy_gets_its_shape_back(tmp_path: Path) -> None:
    pixels = (drawn_hand(150, 150) >> 6).astype(np.uint8)
    path = write_png(tmp_path / "1.png", pixels)
    squeezed = Film("1", path, 100.0, Sex.MALE, "train", (2000, 1500))
    radiograph = read_film(squeezed)
    assert (radiograph.height, radiograph.width) == (200, 150)
    # Twice as tall: the brightest row, at three quarters of the height, still is there.
    assert abs(radiograph.pixels.mean(axis=1).argmax() / 200 - 0.75) < 0.02
    detailed = Film("1", path, 100.0, Sex.MALE, "train")
    assert read_film(detailed).pixels.shape == (150, 150)


def test_the_true_shape_is_stated_or_read(tmp_path: Path) -> None:
    path = write_png(tmp_path / "3.png", (drawn_hand(300, 200) >> 6).astype(np.uint8))
    (tmp_path / "4.png").write_bytes(b"no film")
    films = [
        film("1", squeezed=True),
        film("1"),
        Film("3", path, 100.0, Sex.MALE, "train"),
        Film("4", tmp_path / "4.png", 100.0, Sex.MALE, "train"),
    ]
    shape_of = true_shape(films)
    assert [shape_of(name) for name in "1345"] == [(300, 200), (300, 200), None, None]
