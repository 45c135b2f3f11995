"""Frames are found, and air is not taken for one."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.assessment import Box
from boneage.evaluation.stress.pixels import collimated, framed
from boneage.framing import exposed_field
from boneage.radiograph import Pixels, Sex
from boneage.synthetic.film import draw

HAND = (draw(120.0, Sex.FEMALE).radiograph.pixels[::2, ::2] * 255).astype(np.uint8)


def as_film(grey: np.ndarray) -> Pixels:
    return np.asarray(grey.astype(np.float32) / 255)


def shares(box: Box, film: Pixels) -> tuple[float, float, float, float]:
    height, width = film.shape
    return (
        box.min_row / height,
        box.min_col / width,
        1 - box.max_row / height,
        1 - box.max_col / width,
    )


def test_a_film_without_frame_is_all_field() -> None:
    film = as_film(HAND)
    assert exposed_field(film) == Box(0, 0, *film.shape)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_frame_is_cut_off(level: float) -> None:
    film = as_film(framed(HAND, 0.15, level))
    field = exposed_field(film)
    assert shares(field, film) == pytest.approx([0.15 / 1.3] * 4, abs=0.01)


def test_bars_at_two_sides_are_cut_off() -> None:
    film = as_film(np.pad(HAND, ((0, 0), (150, 150)), constant_values=255))
    top, left, bottom, right = shares(exposed_field(film), film)
    assert (top, bottom) == (0, 0)
    assert (left, right) == pytest.approx([150 / film.shape[1]] * 2, abs=0.01)


def test_a_frame_in_a_frame_is_cut_off() -> None:
    film = as_film(framed(framed(HAND, 0.1, 1.0), 0.1, 0.0))
    assert min(shares(exposed_field(film), film)) > 0.13


def test_the_edge_of_a_collimator_is_cut_off_though_it_is_tilted() -> None:
    film = as_film(collimated(HAND, 0.12))
    assert min(shares(exposed_field(film), film)) > 0.04


def test_black_air_is_no_frame() -> None:
    rows, cols = np.mgrid[0:400, 0:300]
    film = np.where(np.abs(cols - 150) < 15 + rows / 8, 0.6, 0.0).astype(np.float32)
    film[:80] = 0.0  # nothing above the fingertip
    assert exposed_field(film).min_row == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (3, 2), (700, 20)])
def test_odd_films_have_a_field(shape: tuple[int, int]) -> None:
    for film in (np.zeros(shape, np.float32), np.random.default_rng(0).random(shape, np.float32)):
        field = exposed_field(film)
        assert field.max_row <= shape[0]
        assert field.max_col <= shape[1]
