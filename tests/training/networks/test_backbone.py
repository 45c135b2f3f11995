"""Backbones of other families: what they are given, and that they can be trained and exported."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.training.export import TOLERANCE, export_network
from boneage.training.network_training import copy_weights, training_model
from boneage.training.networks.backbone import OWN, build_backbone, scaling_of, with_depthwise
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.networks.vit import vit_tiny
from boneage.training.profile import NetworkSpec, PhaseSpec, load_profile
from tests.training.drawn import grey_hand, small_backbone

Array = npt.NDArray[np.float32]
SIZE = (96, 64)
TO_ONE = (1 / 127.5, -1.0)
PHASE = PhaseSpec(1, 2, 1e-3, "huber", focus=0.3)
CONVNEXT = load_profile("convnext").attention
SMALL_CONVNEXT = replace(CONVNEXT, input=SIZE, initial_weights="none", phases=(PHASE,))
VIT = NetworkSpec("ViTTiny", SIZE, "linear", (PHASE,), sex_units=4, heat_map_after="block_8")


def inputs(size: tuple[int, int] = SIZE) -> dict[str, Any]:
    """Two hands, the second darker, of a girl and a boy."""
    film = grey_hand(size).astype(np.float32)
    return {"film": np.stack([film, film / 2])[..., np.newaxis], "sex": np.array([0, 1], np.int32)}


@pytest.mark.parametrize("name", ["MobileNetV2", "InceptionV3", "ResNet50V2", "ViTTiny", "own"])
def test_most_backbones_take_minus_one_to_one(name: str) -> None:
    assert scaling_of(name) == (TO_ONE, TO_ONE, TO_ONE)


@pytest.mark.parametrize(
    "name",
    ["ConvNeXtTiny", "ConvNeXtSmall", "EfficientNetB0", "EfficientNetV2B0", "MobileNetV3Small"],
)
def test_backbones_that_scale_by_themselves_take_the_film_as_it_is(name: str) -> None:
    assert scaling_of(name) == ((1.0, 0.0),) * 3


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("ResNet50", keras.applications.resnet50),
        ("VGG16", keras.applications.vgg16),
        ("DenseNet121", keras.applications.densenet),
        ("MobileNetV2", keras.applications.mobilenet_v2),
    ],
)
def test_a_film_is_scaled_as_keras_scales_a_grey_photograph(name: str, family: Any) -> None:
    grey = np.linspace(0, 255, 7, dtype=np.float32).reshape(1, 7, 1, 1)
    expected = family.preprocess_input(np.repeat(grey, 3, axis=-1))
    scaled = np.concatenate([grey * scale + offset for scale, offset in scaling_of(name)], axis=-1)
    assert np.allclose(scaled, expected, atol=1e-4)


def test_the_three_channels_reach_the_backbone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boneage.training.networks.region.build_backbone", small_backbone)
    for name, black in (("MobileNetV2", [-1, -1, -1]), ("ResNet50", [-103.939, -116.779, -123.68])):
        network = build_region_network(replace(VIT, backbone=name, input=(8, 8)), flatten=False)
        rgb = keras.Model(network.inputs, network.get_layer("rgb").output)
        seen = rgb({"film": np.zeros((1, 8, 8, 1), np.float32), "sex": np.zeros(1, np.int32)})
        assert np.asarray(seen)[0, 0, 0] == pytest.approx(black)


def grouped(channels: int = 6) -> keras.Model:
    """A block as ConvNeXt makes them."""
    film = keras.Input((12, 9, channels))
    x = keras.layers.Conv2D(channels, 7, padding="same", groups=channels, name="depthwise")(film)
    x = keras.layers.LayerNormalization(name="norm")(x)
    return keras.Model(film, film + keras.layers.Dense(channels, name="pointwise")(x))


def test_depthwise_layers_give_the_same_sums() -> None:
    keras.utils.set_random_seed(2)
    network = grouped()
    changed = with_depthwise(network)
    assert isinstance(changed.get_layer("depthwise"), keras.layers.DepthwiseConv2D)
    assert changed.count_params() == network.count_params()
    seen = np.random.default_rng(0).normal(size=(2, 12, 9, 6)).astype(np.float32)
    assert np.allclose(changed(seen), network(seen), atol=1e-5)


def test_other_networks_come_back_as_they_are() -> None:
    network = small_backbone()
    assert with_depthwise(network) is network
    film = keras.Input((8, 8, 6))
    two_groups = keras.Model(film, keras.layers.Conv2D(6, 3, groups=2)(film))
    assert with_depthwise(two_groups) is two_groups
    wide = keras.Model(film, keras.layers.Conv2D(3, 3, groups=3)(film))
    assert with_depthwise(wide) is wide, "two channels a group"


def test_what_the_transformer_does_not_have_is_named() -> None:
    with pytest.raises(ProfileError, match="there are none for ViTTiny"):
        build_backbone(replace(VIT, initial_weights="imagenet"))
    with pytest.raises(ProfileError, match=r"alpha is 0\.5, but ViTTiny has one width only"):
        build_backbone(replace(VIT, alpha=0.5))
    with pytest.raises(ProfileError, match="'ViTTiny'"):
        build_backbone(replace(VIT, backbone="ViTHuge"))


def test_the_transformer_is_small_and_takes_films_of_any_size() -> None:
    network = vit_tiny()
    assert 5_000_000 < network.count_params() < 6_500_000
    for rows, columns in ((96, 64), (64, 48)):
        film = np.zeros((1, rows, columns, 3), np.float32)
        assert network(film).shape == (1, rows // 16, columns // 16, 768)


def test_the_transformer_knows_one_place_from_another() -> None:
    """The same cell in the middle and at the edge of an even film."""
    keras.utils.set_random_seed(3)
    answer = np.asarray(vit_tiny()(np.full((1, 96, 64, 3), 0.5, np.float32)))[0]
    assert np.abs(answer[3, 2] - answer[0, 0]).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("spec", [VIT, SMALL_CONVNEXT], ids=["ViTTiny", "ConvNeXtTiny"])
def test_other_families_attend_and_learn(spec: NetworkSpec) -> None:
    keras.utils.set_random_seed(4)
    network = build_attention_network(spec)
    answer = network.predict_on_batch(inputs())
    assert answer["heat_map"].shape == (2, 6, 4)
    for heat_map in answer["heat_map"]:
        assert np.ptp(heat_map) > 0.01 * np.abs(heat_map).max(), "constant"
    model = training_model(network, load_profile("compact"), SIZE, 1)
    model.compile("adamw", "mse", jit_compile=False, run_eagerly=True)  # one step, not traced
    before = network.get_layer("backbone").get_weights()[0].copy()
    model.train_on_batch(inputs(), np.full((2, 2), 0.4))
    assert not np.array_equal(network.get_layer("backbone").get_weights()[0], before)


@pytest.mark.slow
def test_a_transformer_of_two_blocks_is_exported_as_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve of the same take a minute and a half."""
    monkeypatch.setitem(OWN, "ViTTiny", partial(vit_tiny, 2))
    network = build_attention_network(replace(VIT, heat_map_after="block_1"))
    entry = export_network(network, "attention", tmp_path, inputs(), SIZE)
    assert entry.keras_difference <= TOLERANCE


@pytest.mark.xfail(
    raises=ValueError,
    strict=True,
    reason="Keras's export makes inputs of the mean and the variance of ConvNeXt's first layer",
)
def test_what_convnext_begins_with_is_exported(tmp_path: Path) -> None:
    film = keras.Input((8, 8, 1), name="film")
    seen = keras.layers.Normalization(mean=[0.5], variance=[2.0])(film)
    network = keras.Model({"film": film}, {"age": keras.layers.GlobalAveragePooling2D()(seen)})
    export_network(network, "first", tmp_path, {"film": inputs((8, 8))["film"]}, (8, 8))


def test_the_transformer_keeps_its_weights_at_another_size() -> None:
    small = build_attention_network(replace(VIT, heat_map_after=""), (32, 32), local=False)
    large = build_attention_network(VIT)
    copy_weights(small, large)
    ours, theirs = (n.get_layer("backbone").get_weights() for n in (small, large))
    assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_the_profile_names_a_layer_behind_an_activation() -> None:
    """Summed over channels that were normalised together, a heat map says nothing."""
    assert CONVNEXT.heat_map_after.endswith("_gelu")
    assert CONVNEXT.backbone == load_profile("convnext").region.backbone
