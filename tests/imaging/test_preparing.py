"""From a film to what a network sees."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from boneage.domain.assessment import Box
from boneage.domain.geometry import Edges
from boneage.imaging.preparing import (
    Preparation,
    normalise_contrast,
    occurring_percentiles,
    placement,
    put_on_canvas,
    reduced,
    resampled,
    resize,
    stretch,
)

SMOOTH = Preparation(smooth=True)

# Grey levels as 8-bit and 16-bit files give them.
films = st.one_of(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)).map(
        lambda a: (a / 255).astype(np.float32)
    ),
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)).map(
        lambda a: (a / 65535).astype(np.float32)
    ),
)
sides = st.integers(1, 4000)
fits = st.sampled_from(["squeeze", "pad"])


@given(films)
def test_stretching_twice_is_stretching_once(film: npt.NDArray[np.float32]) -> None:
    once = stretch(film)
    assert once.min() >= 0
    assert once.max() <= 1
    np.testing.assert_allclose(stretch(once), once, atol=1e-5)


@given(films, st.sampled_from([(1.0, 99.0), (0.0, 100.0), (0.5, 50.0), (33.3, 66.7)]))
def test_percentiles_are_the_inverse_of_the_distribution(
    film: npt.NDArray[np.float32], percents: tuple[float, float]
) -> None:
    expected = np.percentile(film, percents, method="inverted_cdf")
    assert occurring_percentiles(film, percents) == tuple(expected)


def test_the_stretch_undoes_exposure() -> None:
    film = np.random.default_rng(1).random((200, 150), dtype=np.float32)
    np.testing.assert_allclose(stretch(film * 0.3 + 0.1), stretch(film), atol=1e-5)


def test_a_film_of_one_grey_becomes_black() -> None:
    assert not stretch(np.full((9, 9), 0.7, np.float32)).any()


def test_a_lonely_bright_pixel_still_stretches() -> None:
    film = np.zeros((100, 100), np.float32)
    film[5, 5] = 0.5
    assert stretch(film)[5, 5] == 1.0


@given(films, st.sampled_from([0.0, 2.0]), st.sampled_from([1, 8, 64]), fits, st.booleans())
def test_any_film_reaches_the_canvas(
    film: npt.NDArray[np.float32], clip: float, tiles: int, fit: str, antialias: bool
) -> None:
    grey = normalise_contrast(film, Preparation(clahe_clip_limit=clip, clahe_tiles=tiles))
    assert grey.shape == film.shape
    size = (20, 16)
    place = placement(film.shape[0], film.shape[1], size, fit)
    canvas = put_on_canvas(grey, size, place, Preparation(antialias=antialias))
    assert canvas.shape == size
    assert canvas.dtype == np.uint8


@given(sides, sides, fits)
def test_an_image_is_inside_its_canvas(height: int, width: int, fit: str) -> None:
    place = placement(height, width, (128, 96), fit)
    assert place.height >= 1
    assert place.width >= 1
    assert 0 <= place.top <= 128 - place.height
    assert 0 <= place.left <= 96 - place.width


@given(sides, sides, fits, st.data())
def test_boxes_go_to_the_canvas_and_back(
    height: int, width: int, fit: str, data: st.DataObject
) -> None:
    min_row = data.draw(st.integers(0, height - 1))
    min_col = data.draw(st.integers(0, width - 1))
    box = Box(
        min_row,
        min_col,
        data.draw(st.integers(min_row + 1, height)),
        data.draw(st.integers(min_col + 1, width)),
    )
    place = placement(height, width, (128, 96), fit)
    there = place.to_canvas(box, height, width)
    assert there.min_row >= place.top
    assert there.max_row <= place.top + place.height
    assert there.min_col >= place.left
    assert there.max_col <= place.left + place.width
    placed = Box(
        there.min_row - place.top,
        there.min_col - place.left,
        there.max_row - place.top,
        there.max_col - place.left,
    )
    back = place.to_film(placed, height, width)
    rows, cols = height / place.height, width / place.width  # one canvas pixel, in the film
    for corner in ("min_row", "max_row"):
        assert abs(getattr(back, corner) - getattr(box, corner)) <= rows + 1
    for corner in ("min_col", "max_col"):
        assert abs(getattr(back, corner) - getattr(box, corner)) <= cols + 1
    assert back.max_row <= height
    assert back.max_col <= width


@pytest.mark.parametrize("factor", [1, 4, 12])
def test_antialiasing_makes_images_of_any_resolution_alike(factor: int) -> None:
    small = np.random.default_rng(2).integers(0, 255, (32, 24), dtype=np.uint8)
    large = np.kron(small, np.ones((factor, factor), np.uint8))
    seen = resize(large, 32, 24, antialias=True)
    np.testing.assert_allclose(seen.astype(float), small.astype(float), atol=1)


def test_a_large_film_is_brought_down_and_others_are_left_alone() -> None:
    film = np.tile(np.linspace(0, 1, 2_400, dtype=np.float32), (3_000, 1))
    smaller = reduced(film)
    assert smaller.shape == (1_500, 1_200)
    assert smaller[0, 600] == pytest.approx(film[0, 1_200:1_202].mean(), abs=1e-6)
    assert reduced(smaller) is smaller
    assert min(reduced(np.zeros((3, 90_000), np.float32)).shape) == 1


@pytest.mark.parametrize("side", [33, 50, 64, 65, 128, 200, 401])
def test_smooth_resampling_keeps_place_and_brightness(side: int) -> None:
    """A slope stays the slope: what is at the middle stays there, whatever the reduction."""
    slope = np.tile(np.linspace(40, 215, side), (side, 1)).round().astype(np.uint8)
    seen = resampled(slope, Edges(0, 0, side, side), (32, 32), SMOOTH).astype(float)
    expected = np.interp((np.arange(32) + 0.5) * side / 32 - 0.5, np.arange(side), slope[0])
    np.testing.assert_allclose(seen[10][3:-3], expected[3:-3], atol=1.5)


def test_smooth_resampling_changes_little_where_a_film_is_a_pixel_larger() -> None:
    noise = np.random.default_rng(1).normal(128, 80, (700, 700))
    film = np.clip(cv2.GaussianBlur(noise, (0, 0), 3) * 3 - 256, 0, 255).astype(np.uint8)
    for side in (62, 63, 64, 65, 127, 128, 129, 255, 256):  # about the sizes and twice and so on
        one, next_one = (
            resampled(film, Edges(0, 0, n, n), (64, 64), SMOOTH).astype(int)
            for n in (side, side + 1)
        )
        assert np.abs(one - next_one).mean() < 7


def test_smooth_resampling_lets_no_stripes_through() -> None:
    film = np.zeros((640, 640), np.uint8)
    film[:, ::2] = 255
    seen = resampled(film, Edges(0, 0, 640, 640), (128, 128), SMOOTH)
    inner = seen[2:-2, 2:-2]
    assert int(inner.max()) - int(inner.min()) < 12
