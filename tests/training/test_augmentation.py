"""Training films are varied; read films never are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.training.augmentation import RandomGamma, RandomPlace, augmenter
from boneage.training.profile import Augmentation, load_profile
from tests.training.drawn import grey_hand

Array = npt.NDArray[np.float32]
EACH: dict[str, Any] = {
    "rotation_degrees": 40.0,
    "shift": 0.2,
    "zoom": 0.2,
    "horizontal_flip": True,
    "brightness": 0.3,
    "contrast": 0.5,
    "gamma": 0.5,
    "erase": 1.0,
}
EVERYTHING = Augmentation(**EACH)


def hands(count: int = 4) -> Array:
    hand = grey_hand((32, 24))[np.newaxis, ..., np.newaxis].astype(np.float32)
    hand[:, :, :6] = 255.0  # left and right differ
    return np.repeat(hand, count, axis=0)


def varied(spec: Augmentation, seed: int = 3, *, training: bool = True) -> Array:
    return np.asarray(augmenter(spec, seed)(hands(), training=training))


@pytest.mark.parametrize("name", EACH)
def test_each_kind_varies_the_films_in_training(name: str) -> None:
    films = varied(Augmentation(**{name: EACH[name]}))
    assert films.shape == hands().shape
    assert not np.allclose(films, hands(), atol=0.5)
    assert films.min() >= 0
    assert films.max() <= 255.001, "but for rounding"


def test_all_together_keep_shape_and_range() -> None:
    films = varied(EVERYTHING)
    assert films.shape == hands().shape
    assert films.min() >= 0
    assert films.max() <= 255.001, "but for rounding"
    assert not np.allclose(films[0], films[1], atol=0.5), "each film is varied on its own"


def test_nothing_is_varied_outside_training() -> None:
    assert np.array_equal(varied(EVERYTHING, training=False), hands())


def test_nothing_is_varied_where_everything_is_0() -> None:
    assert np.array_equal(varied(Augmentation()), hands())


def test_the_same_seed_draws_the_same() -> None:
    assert np.array_equal(varied(EVERYTHING), varied(EVERYTHING))
    assert not np.array_equal(varied(EVERYTHING), varied(EVERYTHING, seed=4))


def test_the_reference_profile_varies_as_the_method_does() -> None:
    (place,) = augmenter(load_profile("reference").augmentation, seed=1).layers
    config = place.get_config()
    assert config["rotation_degrees"] == 40
    assert config["shift"] == config["zoom"] == 0.2
    assert config["flip"] is True


def test_a_film_is_mirrored_half_the_time() -> None:
    films = placed(64, flip=True)
    mirrored = np.array([np.array_equal(film, hands(1)[0, :, ::-1]) for film in films])
    same = np.array([np.array_equal(film, hands(1)[0]) for film in films])
    assert np.all(mirrored | same)
    assert 16 < mirrored.sum() < 48


def test_a_shift_moves_the_film_by_at_most_its_share() -> None:
    """Of a bright dot in the middle of 33 x 33 pixels; new pixels repeat the edge."""
    dots = np.zeros((64, 33, 33, 1), np.float32)
    dots[:, 16, 16] = 255
    films = np.asarray(RandomPlace(shift=0.25, seed=1)(dots, training=True))[..., 0]
    rows = (films.sum(axis=2) @ np.arange(33)) / films.sum(axis=(1, 2)) - 16
    columns = (films.sum(axis=1) @ np.arange(33)) / films.sum(axis=(1, 2)) - 16
    for moved in (rows, columns):
        assert 6 < np.abs(moved).max() <= 0.25 * 33 + 0.01
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.5, "each axis on its own"


def test_a_turn_keeps_the_middle_and_turns_the_rest() -> None:
    dots = np.zeros((64, 33, 33, 1), np.float32)
    dots[:, 15:18, 15:18] = 255
    dots[:, 3:6, 15:18] = 255
    films = np.array(RandomPlace(rotation_degrees=30, seed=1)(dots, training=True))[..., 0]
    assert np.all(films[:, 16, 16] > 250)
    films[:, 12:21, 12:21] = 0
    weight = films.sum(axis=(1, 2))
    rows = (films.sum(axis=2) @ np.arange(33)) / weight - 16
    columns = (films.sum(axis=1) @ np.arange(33)) / weight - 16
    assert np.allclose(np.hypot(rows, columns), 12, atol=0.5), "turned, not stretched"
    degrees = np.degrees(np.arctan2(columns, -rows))
    assert degrees.min() < -20
    assert degrees.max() > 20
    assert np.abs(degrees).max() < 31


def test_a_zoom_keeps_the_shape() -> None:
    squares = np.zeros((64, 33, 33, 1), np.float32)
    squares[:, 12:21, 12:21] = 255
    films = np.asarray(RandomPlace(zoom=0.3, seed=1)(squares, training=True))[..., 0]
    heights = films[:, :, 16].sum(axis=1) / 255
    widths = films[:, 16, :].sum(axis=1) / 255
    assert np.allclose(heights, widths, atol=0.01)
    assert 9 / 1.31 < heights.min() < 8
    assert 10 < heights.max() < 9 / 0.69


def test_a_place_is_resampled_once() -> None:
    """What three layers one after the other blur, one keeps: a line stays bright."""
    lines = np.zeros((32, 65, 65, 1), np.float32)
    lines[:, :, ::4] = 255
    spec: dict[str, Any] = {"rotation_degrees": 10.0, "shift": 0.1, "zoom": 0.1}
    once = np.asarray(augmenter(Augmentation(**spec), 1)(lines, training=True))
    thrice = lines
    for name, value in spec.items():
        thrice = np.asarray(augmenter(Augmentation(**{name: value}), 1)(thrice, training=True))
    assert once.std() > 1.2 * thrice.std()


def test_a_place_can_be_saved() -> None:
    place = RandomPlace(20, 0.1, 0.2, flip=True, seed=2)
    again = RandomPlace.from_config(place.get_config())
    assert again.get_config() | {"name": ""} == place.get_config() | {"name": ""}


def placed(count: int, **options: Any) -> Array:
    return np.asarray(RandomPlace(seed=1, **options)(hands(count), training=True))


def test_gamma_keeps_the_order_of_grey_levels_and_both_ends() -> None:
    ramp = np.linspace(0, 255, 64, dtype=np.float32).reshape(1, 8, 8, 1).repeat(16, axis=0)
    films = np.asarray(RandomGamma(0.5, seed=1)(ramp, training=True)).reshape(16, 64)
    assert (np.diff(films, axis=1) > 0).all()
    assert np.allclose(films[:, 0], 0, atol=0.1)
    assert np.allclose(films[:, -1], 255, atol=0.01)
    exponents = np.log(films[:, 32] / 255) / np.log(ramp[:, 4, 0, 0] / 255)
    assert 1 / 1.5 <= exponents.min() < 0.95
    assert 1.05 < exponents.max() <= 1.5


def test_gamma_can_be_saved() -> None:
    config = RandomGamma(0.3, seed=2).get_config()
    assert (config["factor"], config["seed"]) == (0.3, 2)
    assert RandomGamma.from_config(config).get_config() == config
