"""The second CBAM, which the heat map comes from, and the price of looking everywhere."""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
import pytest
from keras import ops
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.training.network_training import copy_weights, training_model
from boneage.training.networks.layers import SpatialAttention
from boneage.training.networks.region import build_attention_network
from boneage.training.profile import NetworkSpec, PhaseSpec, load_profile

Maps = npt.NDArray[np.float32]
MIDDLE = "conv_pw_11_relu"
SPEC = NetworkSpec(
    "MobileNet",
    (96, 64),
    "linear",
    (PhaseSpec(1, 2, 1e-3, "huber", focus=0.3),),
    alpha=0.25,
    heat_map_after=MIDDLE,
    sex_units=4,
)


def inputs() -> dict[str, object]:
    films = np.random.default_rng(3).uniform(0, 255, (2, 96, 64, 1)).astype(np.float32)
    return {"film": films, "sex": np.array([0, 1], np.int32)}


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(4)
    return build_attention_network(SPEC, focus=0.3)


def test_the_heat_map_is_finer_than_the_backbones_output(network: keras.Model) -> None:
    answer = network.predict_on_batch(inputs())
    assert answer["heat_map"].shape == (2, 6, 4)
    assert answer["feature"].shape == (2, 256)
    assert answer["age"].shape == answer["local_age"].shape == (2, 1)


def test_the_heat_map_is_what_the_second_cbam_lets_through(network: keras.Model) -> None:
    attended = keras.Model(network.inputs, network.get_layer("local_spatial_attention").output)
    expected = np.asarray(attended(inputs())).sum(axis=-1)
    assert np.allclose(network.predict_on_batch(inputs())["heat_map"], expected, rtol=1e-4)


def test_the_whole_hand_reads_the_same_with_and_without_it(network: keras.Model) -> None:
    plain = build_attention_network(SPEC, local=False)
    copy_weights(network, plain)
    assert "local_age" not in plain.output
    ours, theirs = (n.predict_on_batch(inputs()) for n in (network, plain))
    assert np.allclose(ours["age"], theirs["age"], atol=1e-6)
    assert np.allclose(ours["feature"], theirs["feature"], atol=1e-6)


def test_both_ages_are_trained(network: keras.Model) -> None:
    profile = replace(load_profile("compact"), attention=SPEC)
    model = training_model(network, profile, SPEC.input, seed=1)
    assert model.output_shape == (None, 2)


def share_looked_at(layer: SpatialAttention, features: Maps) -> float:
    """Mean Ms over max Ms, averaged over films."""
    each = (np.asarray(layer(features)) / features)[..., 0].reshape(len(features), -1)
    return float((each.mean(axis=1) / each.max(axis=1)).mean())


def test_diffuse_attention_costs_the_share_that_it_covers() -> None:
    layer = SpatialAttention(focus=0.5)
    features = np.random.default_rng(1).normal(size=(3, 6, 4, 8)).astype(np.float32)
    share = share_looked_at(layer, features)
    assert float(layer.losses[0]) == pytest.approx(0.5 * share, rel=1e-3)
    free = SpatialAttention()
    free(features)
    assert free.losses == []


def test_the_penalty_narrows_the_attention() -> None:
    """Nothing to learn here but the price itself."""
    maps = np.random.default_rng(2).uniform(0.2, 1, (32, 8, 8, 4)).astype(np.float32)

    def share_after(focus: float) -> float:
        keras.utils.set_random_seed(7)
        layer = SpatialAttention(focus)
        features = keras.Input((8, 8, 4))
        model = keras.Model(features, layer(features))
        model.compile(keras.optimizers.Adam(0.02), lambda _true, seen: 0.0 * ops.mean(seen))
        model.fit(maps, maps, batch_size=16, epochs=20, verbose=0)
        return share_looked_at(layer, maps)

    assert share_after(1.0) < 0.8 * share_after(0.0)


def test_a_layer_that_is_not_there_is_named() -> None:
    with pytest.raises(ProfileError, match=r"heat_map_after is 'conv_99', .* \['input_layer"):
        build_attention_network(replace(SPEC, heat_map_after="conv_99"))


def test_a_heat_map_that_nothing_teaches_is_refused() -> None:
    profile = load_profile("compact")
    phases = tuple(replace(phase, focus=0.0) for phase in profile.attention.phases)
    with pytest.raises(ProfileError, match="nothing teaches that heat map"):
        replace(profile, attention=replace(profile.attention, phases=phases))
