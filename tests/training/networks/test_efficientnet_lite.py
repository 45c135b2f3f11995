"""EfficientNet-Lite: its shapes, published weights, and its export."""

from __future__ import annotations

import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.training.export import TOLERANCE, export_network
from boneage.training.network_training import training_model
from boneage.training.networks.backbone import build_backbone, scaling_of
from boneage.training.networks.efficientnet_lite import efficientnet_lite
from boneage.training.networks.region import build_attention_network
from boneage.training.profile import NetworkSpec, PhaseSpec
from tests.training.drawn import grey_hand, tiny_profile

SHARED = Path(__file__).parents[4] / "shared" / "weights"
WEIGHTS = "efficientnet_lite2_notop.weights.h5"
MIDDLE = {0: "b11_expand_relu", 2: "b15_expand_relu"}
"""The last of a 16th of the resolution."""
SIZE = (96, 64)
PHASE = PhaseSpec(1, 2, 1e-3, "huber", focus=0.3)
SPEC = NetworkSpec(
    "EfficientNetLite0", SIZE, "linear", (PHASE,), sex_units=4, heat_map_after=MIDDLE[0]
)
PARAMETERS = {0: 3_371_008, 2: 4_811_072}
"""Published are 4.7 and 6.1 million, with the tops of 1,281,000."""


@pytest.mark.parametrize("number", [0, 2])
def test_numbers_are_as_published(number: int) -> None:
    network = efficientnet_lite(number)
    trained = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trained == PARAMETERS[number]
    assert network.compute_output_shape((None, 96, 64, 3)) == (None, 3, 2, 1280)
    middle = keras.Model(network.input, network.get_layer(MIDDLE[number]).output)
    assert middle.compute_output_shape((None, 96, 64, 3))[1:3] == (6, 4)


@pytest.mark.parametrize("number", range(5))
def test_each_can_be_named_in_a_profile(number: int) -> None:
    name = f"EfficientNetLite{number}"
    build_backbone(replace(SPEC, backbone=name))
    assert scaling_of(name) == ((1 / 127.5, -1.0),) * 3


def test_there_are_no_weights_of_imagenet_to_fetch_and_one_width() -> None:
    with pytest.raises(ProfileError, match="name a file"):
        build_backbone(replace(SPEC, initial_weights="imagenet"))
    with pytest.raises(ProfileError, match="one width only"):
        build_backbone(replace(SPEC, alpha=0.5))


@pytest.mark.skipif(not (SHARED / WEIGHTS).is_file(), reason="no initial weights are at hand")
def test_the_weights_at_hand_load_and_answer_as_their_own_layout_does() -> None:
    spec = replace(SPEC, backbone="EfficientNetLite2", initial_weights=WEIGHTS)
    ours = build_backbone(spec, SHARED)
    theirs = runpy.run_path(str(SHARED / "efficientnet_lite_layout.py"))["build"](2)
    theirs.load_weights(SHARED / WEIGHTS)
    hand = np.repeat(grey_hand(SIZE)[np.newaxis, ..., np.newaxis] / 127.5 - 1, 3, axis=-1)
    expected = theirs.predict(hand.astype(np.float32), verbose=0)
    assert np.abs(expected).max() > 1
    assert np.allclose(ours.predict(hand.astype(np.float32), verbose=0), expected, atol=1e-5)


def test_it_answers_the_same_before_and_after_export(tmp_path: Path) -> None:
    network = build_attention_network(SPEC, focus=0.3)
    film = grey_hand(SIZE).astype(np.float32)
    inputs = {"film": np.stack([film, film / 2])[..., None], "sex": np.array([0, 1], np.int32)}
    assert network.output["heat_map"].shape == (None, 6, 4)
    written = export_network(network, "attention", tmp_path, inputs, SIZE, ("heat_map",))
    assert written.keras_difference <= TOLERANCE


def test_a_step_of_training_moves_it() -> None:
    network = build_attention_network(SPEC, focus=0.3)
    behind = training_model(network, tiny_profile(), SIZE, seed=1)
    behind.compile("adam", "mse", jit_compile=False)
    film = np.stack([grey_hand(SIZE).astype(np.float32)] * 2)[..., None]
    before = network.get_layer("backbone").get_weights()[0]
    behind.train_on_batch({"film": film, "sex": np.array([0, 1], np.int32)}, np.array([0.1, 0.9]))
    assert not np.array_equal(before, network.get_layer("backbone").get_weights()[0])
