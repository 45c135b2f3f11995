"""Training films are varied; read films never are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.training.augmentation import RandomGamma, augmenter
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
    assert films.max() <= 255


def test_all_together_keep_shape_and_range() -> None:
    films = varied(EVERYTHING)
    assert films.shape == hands().shape
    assert films.min() >= 0
    assert films.max() <= 255
    assert not np.allclose(films[0], films[1], atol=0.5), "each film is varied on its own"


def test_nothing_is_varied_outside_training() -> None:
    assert np.array_equal(varied(EVERYTHING, training=False), hands())


def test_nothing_is_varied_where_everything_is_0() -> None:
    assert np.array_equal(varied(Augmentation()), hands())


def test_the_same_seed_draws_the_same() -> None:
    assert np.array_equal(varied(EVERYTHING), varied(EVERYTHING))
    assert not np.array_equal(varied(EVERYTHING), varied(EVERYTHING, seed=4))


def test_the_reference_profile_varies_as_the_method_does() -> None:
    layers = {layer.name.rstrip("_0123456789"): layer for layer in _reference_layers()}
    assert set(layers) == {"random_flip", "random_rotation", "random_translation", "random_zoom"}
    assert layers["random_rotation"].get_config()["factor"] == pytest.approx((-40 / 360, 40 / 360))
    assert layers["random_zoom"].get_config()["height_factor"] == 0.2
    moved = layers["random_translation"].get_config()
    assert moved["height_factor"] == moved["width_factor"] == 0.2
    for name in ("random_rotation", "random_translation", "random_zoom"):
        assert layers[name].get_config()["fill_mode"] == "nearest"


def _reference_layers() -> list[Any]:
    return list(augmenter(load_profile("reference").augmentation, seed=1).layers)


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
    again = RandomGamma.from_config(RandomGamma(0.3, seed=2).get_config())
    assert (again.factor, again.seed) == (0.3, 2)
