"""Borders are found, whatever their grey, width and side; air is not taken for one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from boneage.domain.geometry import Box
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import ImageMetadata, Pixels, Radiograph, Sex
from boneage.imaging.collimation import analysed, exposed_field, range_normalised, turned_back
from boneage.imaging.perturbations import collimated, with_border
from boneage.synthetic.film import draw

Grey = npt.NDArray[np.uint8]
RANDOM = np.random.default_rng(3)
HAND: Grey = np.clip(
    # Air that scatters, as on radiographs: a border drawn by a program does not.
    draw(120.0, Sex.FEMALE).radiograph.pixels[::2, ::2] * 215 + RANDOM.normal(20, 2, (750, 575)),
    1,
    254,
).astype(np.uint8)
HEIGHT, WIDTH = HAND.shape


def film_of(grey: npt.NDArray[np.generic], **stated: object) -> Radiograph:
    pixels = np.asarray(grey, np.float32) / np.float32(255)
    return Radiograph(pixels, ImageMetadata("drawn", 8), **stated)  # type: ignore[arg-type]


def field_of(grey: npt.NDArray[np.generic]) -> Box:
    found = exposed_field(film_of(grey))
    assert found.tilt is None
    return found.field


def padded(top: int, left: int, bottom: int, right: int, level: int) -> tuple[Grey, Box]:
    """The hand with bars around it, and where it lies."""
    grey = cv2.copyMakeBorder(
        HAND, top, bottom, left, right, cv2.BORDER_CONSTANT, value=float(level)
    )
    return grey, Box(top, left, top + HEIGHT, left + WIDTH)


def jpeg(grey: Grey, quality: int) -> Grey:
    return np.asarray(
        cv2.imdecode(
            cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE
        ),
        np.uint8,
    )


def is_about(box: Box, other: Box, pixels: int) -> bool:
    sides = ("min_row", "min_col", "max_row", "max_col")
    return all(abs(getattr(box, side) - getattr(other, side)) <= pixels for side in sides)


def test_an_image_without_border_is_all_field() -> None:
    assert exposed_field(film_of(HAND)) == Orientation(Box(0, 0, HEIGHT, WIDTH))


BARS = {
    "a square canvas": (0, 87, 0, 88),
    "a wide canvas": (0, 380, 0, 379),
    "one side": (0, 200, 0, 0),
    "above": (360, 0, 0, 0),
    "below": (0, 0, 150, 0),
    "all sides": (120, 90, 60, 140),
    "a thin line around it": (12, 12, 12, 12),
}


@pytest.mark.parametrize("level", [0, 5, 128, 255])
@pytest.mark.parametrize("name", BARS)
def test_bars_are_cut_off_to_the_pixel(name: str, level: int) -> None:
    grey, hand = padded(*BARS[name], level)
    assert is_about(field_of(grey), hand, 1)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_bars_are_cut_off_after_jpeg(level: int) -> None:
    grey, hand = padded(*BARS["all sides"], level)
    assert is_about(field_of(jpeg(grey, 60)), hand, 5)


def test_a_border_in_a_border_is_cut_off() -> None:
    inner, _ = padded(40, 40, 40, 40, 255)
    outer = cv2.copyMakeBorder(inner, 50, 50, 50, 50, cv2.BORDER_CONSTANT, value=0.0)
    assert is_about(field_of(np.asarray(outer)), Box(90, 90, 90 + HEIGHT, 90 + WIDTH), 1)


def written(grey: Grey, top: int, text: str, ink: int) -> Grey:
    image = Image.fromarray(grey)
    ImageDraw.Draw(image).text((20, top), text, font=ImageFont.load_default(26), fill=ink)
    return np.asarray(image)


def screenshot() -> tuple[Grey, Box]:
    grey, hand = padded(110, 260, 60, 190, 60)
    grey[:40] = 200
    return written(written(grey, 4, "Viewer  File  Edit", 0), 60, "Series 1", 255), hand


def print_of_it() -> tuple[Grey, Box]:
    grey, hand = padded(90, 80, 140, 80, 250)
    cv2.rectangle(grey, (77, 87), (82 + WIDTH, 92 + HEIGHT), 0.0, 2)
    return written(grey, 120 + HEIGHT, "Figure 3. Left hand of a girl", 20), hand


@pytest.mark.parametrize("made", [screenshot, print_of_it])
def test_what_surrounds_an_image_on_a_page_is_cut_off(made: Callable[[], tuple[Grey, Box]]) -> None:
    grey, hand = made()
    assert is_about(field_of(grey), hand, 7)


@pytest.mark.parametrize("level", [0, 130, 255])
@pytest.mark.parametrize("degrees", [-40.0, 10.0, 25.0, 44.0])
def test_a_tilted_cassette_is_turned_back(degrees: float, level: int) -> None:
    height, width = 1000, 1000
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, 1.0)
    matrix[:, 2] += (width - WIDTH) / 2, (height - HEIGHT) / 2
    grey = cv2.warpAffine(HAND, matrix, (width, height), borderValue=float(level))
    film = film_of(grey)
    found = exposed_field(film)
    assert found.tilt is not None
    assert found.tilt.degrees == pytest.approx(degrees, abs=0.6)
    assert found.size == pytest.approx((HEIGHT, WIDTH), abs=9)
    seen = cv2.resize(analysed(film, found), (WIDTH, HEIGHT))
    plain = range_normalised(film_of(HAND).pixels)
    assert np.corrcoef(seen[20:-20, 20:-20].ravel(), plain[20:-20, 20:-20].ravel())[0, 1] > 0.97


@pytest.mark.parametrize("degrees", [-35.0, 28.0])
def test_a_tilted_hand_is_turned_back_by_the_given_angle(degrees: float) -> None:
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), -degrees, 0.7)
    air = float(np.median(HAND[:30]))
    film = film_of(cv2.warpAffine(HAND, matrix, (WIDTH, HEIGHT), borderValue=air))
    found = turned_back(Orientation(Box(0, 0, HEIGHT, WIDTH)), degrees, film.pixels)
    plain = cv2.resize(analysed(film_of(HAND), Orientation(Box(0, 0, HEIGHT, WIDTH))), (96, 128))
    seen = cv2.resize(analysed(film, found), (96, 128))
    shift = cv2.matchTemplate(plain, seen[20:-20, 16:-16], cv2.TM_CCOEFF_NORMED)
    assert shift.max() > 0.75


def test_the_edge_of_a_collimator_is_cut_off_though_it_is_tilted() -> None:
    film = film_of(collimated(HAND, 0.12))
    found = exposed_field(film)
    assert found.share_of(film.height, film.width) == pytest.approx(
        HAND.size / film.pixels.size, abs=0.1
    )


def test_black_air_is_no_border() -> None:
    rows, cols = np.mgrid[0:400, 0:300]
    film = np.where(np.abs(cols - 150) < 15 + rows / 8, 150, 0)
    film[:60] = 0  # nothing above the fingertip
    assert field_of(film).min_row == 0


def test_air_far_beyond_the_usual_is_cut_off_down_to_the_usual() -> None:
    black = np.where(HAND < 40, 0, HAND)  # of one grey with what is around it
    grey = cv2.copyMakeBorder(black, 300, 0, 500, 400, cv2.BORDER_CONSTANT, value=0.0)
    field = field_of(grey)
    rows, cols = np.nonzero(black > 60)
    top, left, right = 300 + rows.min(), 500 + cols.min(), 500 + cols.max()
    assert top - 0.2 * HEIGHT < field.min_row <= top
    assert left - 0.2 * WIDTH < field.min_col <= left
    assert right < field.max_col < right + 0.2 * WIDTH


def test_a_shutter_that_the_file_states_is_followed() -> None:
    grey, hand = padded(90, 70, 110, 50, 25)
    noisy = np.clip(grey + RANDOM.normal(0, 9, grey.shape), 0, 255)
    noisy[hand.min_row : hand.max_row, hand.min_col : hand.max_col] = HAND
    assert exposed_field(film_of(noisy, exposed=hand)).field == hand


def test_pixels_are_made_square_and_none_is_lost() -> None:
    flat = cv2.resize(HAND, (WIDTH, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    film = film_of(flat, pixel_aspect=2.0)
    found = exposed_field(film)
    assert found.size == (HEIGHT, WIDTH)
    assert np.abs(analysed(film, found) - range_normalised(film_of(HAND).pixels)).mean() < 0.02
    assert found.box_on_film(Box(100, 50, 300, 90)) == Box(50, 50, 150, 90)


@pytest.mark.parametrize(("scale", "shift"), [(1 / 16, 0.0), (0.3, 0.5), (4.0, -1.0)])
def test_any_linear_scale_is_normalised_alike(scale: float, shift: float) -> None:
    plain = film_of(HAND).pixels
    moved: Pixels = plain * np.float32(scale) + np.float32(shift)
    np.testing.assert_allclose(range_normalised(moved), range_normalised(plain), atol=2e-6)


def test_a_few_hot_and_dead_pixels_set_no_range() -> None:
    plain: Pixels = film_of(HAND).pixels / np.float32(4)
    hot = plain.copy()
    hot[5:8, 5:8], hot[300, 200] = 1.0, -3.0
    rest = np.ones(hot.shape, bool)
    rest[5:8, 5:8], rest[300, 200] = False, False
    np.testing.assert_allclose(
        range_normalised(hot)[rest], range_normalised(plain)[rest], atol=0.01
    )


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_the_borders_of_the_robustness_test_are_cut_off(level: float) -> None:
    grey = with_border(HAND, 0.15, level)
    field = field_of(grey)
    assert field.min_row / len(grey) == pytest.approx(0.15 / 1.3, abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (3, 2), (700, 20)])
def test_odd_films_have_a_field(shape: tuple[int, int]) -> None:
    for grey in (np.zeros(shape), np.random.default_rng(0).random(shape) * 255):
        field = field_of(grey)
        assert field.max_row <= shape[0]
        assert field.max_col <= shape[1]
