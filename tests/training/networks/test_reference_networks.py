"""The networks of the reference profile, to the last parameter."""

from __future__ import annotations

import keras
import pytest

from boneage.domain.assessment import CARPAL, METACARPAL
from boneage.training.networks.fusion import build_fusion_network
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import load_profile

PROFILE = load_profile("reference")
CHANNELS = 2048
"""Of the last feature map, InceptionV3's and ResNet50's alike."""
FLATTENED = 7 * 7 * CHANNELS


def dense(inputs: int, units: int) -> int:
    """Weights and biases."""
    return inputs * units + units


def layer_shape(network: keras.Model, name: str) -> tuple[int | None, ...]:
    return tuple(network.get_layer(name).output.shape)


@pytest.fixture(scope="module")
def attention() -> keras.Model:
    return build_attention_network(PROFILE.attention)


@pytest.fixture(scope="module")
def region() -> keras.Model:
    return build_region_network(PROFILE.region, flatten=PROFILE.fusion.pooling == "flatten")


def test_the_attention_map_has_8_by_8_cells(attention: keras.Model) -> None:
    assert attention.input["film"].shape == (None, 299, 299, 1)
    assert layer_shape(attention, "rgb") == (None, 299, 299, 3)
    assert layer_shape(attention, "spatial_attention") == (None, 8, 8, CHANNELS)
    shapes = {name: output.shape for name, output in attention.output.items()}
    assert shapes == {"heat_map": (None, 8, 8), "feature": (None, CHANNELS), "age": (None, 1)}
    assert attention.get_layer("scaled_age").activation is keras.activations.sigmoid


def test_the_attention_network_has_this_many_parameters(attention: keras.Model) -> None:
    backbone = attention.get_layer("backbone").count_params()
    channel_attention = dense(CHANNELS, CHANNELS // 16) + dense(CHANNELS // 16, CHANNELS)
    spatial_attention = 7 * 7 * 2 + 1
    head = dense(CHANNELS, 1)
    assert backbone == 21_802_784  # as Keras publishes InceptionV3 without its top
    assert channel_attention == 526_464
    total = backbone + channel_attention + spatial_attention + head
    assert attention.count_params() == total == 22_331_396


def test_a_region_network_hands_on_its_whole_last_feature_map(region: keras.Model) -> None:
    assert region.input["film"].shape == (None, 224, 224, 1)
    assert tuple(region.get_layer("pooled").input.shape) == (None, 7, 7, CHANNELS)
    shapes = {name: output.shape for name, output in region.output.items()}
    assert shapes == {"feature": (None, FLATTENED), "age": (None, 1)}
    assert region.get_layer("scaled_age").activation is keras.activations.relu


def test_a_region_network_has_this_many_parameters(region: keras.Model) -> None:
    backbone = region.get_layer("backbone").count_params()
    assert backbone == 23_587_712  # as Keras publishes ResNet50 without its top
    assert region.count_params() == backbone + dense(CHANNELS, 1) == 23_589_761


def test_the_fusion_joins_two_feature_maps_and_the_bare_sex() -> None:
    widths = {CARPAL: FLATTENED, METACARPAL: FLATTENED}
    fusion = build_fusion_network(PROFILE.fusion, widths, PROFILE.networks)
    shapes = {name: tensor.shape for name, tensor in fusion.input.items()}
    assert shapes == {
        CARPAL: (None, FLATTENED),
        METACARPAL: (None, FLATTENED),
        "sex": (None,),
    }
    assert layer_shape(fusion, "with_sex") == (None, 2 * FLATTENED + 1)
    hidden = [fusion.get_layer(f"hidden_{i}") for i in range(3)]
    assert [layer.units for layer in hidden] == [128, 64, 32]
    assert all(layer.activation is keras.activations.relu for layer in hidden)
    assert fusion.get_layer("scaled_age").activation is keras.activations.linear
    assert fusion.output["age"].shape == (None, 1)
    total = dense(2 * FLATTENED + 1, 128) + dense(128, 64) + dense(64, 32) + dense(32, 1)
    assert fusion.count_params() == total == 25_700_737
