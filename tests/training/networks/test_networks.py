"""The networks: attention that attends, a sex that counts, and backbones by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.training.networks import region as region_networks
from boneage.training.networks.backbone import build_backbone
from boneage.training.networks.fusion import build_fusion_network, copy_heads
from boneage.training.networks.layers import ChannelAttention, SpatialAttention, cbam
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import FusionSpec, NetworkSpec, PhaseSpec, load_profile
from tests.training.drawn import grey_hand, small_backbone

Array = npt.NDArray[np.float32]
PHASES = (PhaseSpec(1, 2, 1e-3, "huber"),)
WHOLE = NetworkSpec("small", (16, 16), "linear", (), sex_units=4, hidden=(6,))
HEADS = dict.fromkeys(("whole_hand", "carpal", "metacarpal"), WHOLE)
BARE = {name: NetworkSpec("small", (16, 16), "linear", ()) for name in HEADS}
AGES = FusionSpec(
    (), PhaseSpec(1, 1, 1.0, "huber"), whole_hand=True, joins="ages", pooling="average"
)
FUSION = FusionSpec((16,), PHASES[0])
IMPORT_EVERYTHING = """
import sys, pkgutil, importlib
import boneage.training
assert not {"keras", "tensorflow"} & set(sys.modules), "loaded by boneage.training itself"
import keras
made = []
original = keras.layers.Layer.__init__
def counting(self, *args, **kwargs):
    made.append(type(self).__name__)
    original(self, *args, **kwargs)
keras.layers.Layer.__init__ = counting
for module in pkgutil.walk_packages(boneage.training.__path__, "boneage.training."):
    importlib.import_module(module.name)
assert not made, made
"""


def numbers(layer: Any) -> list[Array]:
    return [np.asarray(values) for values in layer.get_weights()]


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def features_of_a_hand() -> Array:
    """A feature map of a drawn hand, shape (1, 40, 32, 8)."""
    film = grey_hand()[np.newaxis, ..., np.newaxis].astype(np.float32) / 127.5 - 1
    keras.utils.set_random_seed(3)
    return np.asarray(small_backbone()(np.repeat(film, 3, axis=-1)))


def films(*images: npt.NDArray[np.uint8]) -> Array:
    return np.stack(images)[..., np.newaxis].astype(np.float32)


def ask(network: keras.Model, film: Array, sex: int) -> dict[str, Array]:
    codes = np.full(len(film), sex, np.int32)
    answer = network({"film": film, "sex": codes})
    return {name: np.asarray(value) for name, value in answer.items()}


def attention_spec(backbone: str, **options: Any) -> NetworkSpec:
    return NetworkSpec(backbone, (96, 64), "linear", PHASES, **options)


def small_attention_network(monkeypatch: pytest.MonkeyPatch, spec: NetworkSpec) -> keras.Model:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    keras.utils.set_random_seed(4)
    return build_attention_network(spec)


def test_defect_1_spatial_attention_differs_from_place_to_place() -> None:
    features = features_of_a_hand()
    layer = SpatialAttention()
    attended = np.asarray(layer(features))
    seen = features > 1e-3
    weights = (attended[seen] / features[seen]).astype(np.float64)
    assert 0 < weights.min() < weights.max() < 1
    assert np.ptp(weights) > 0.01


def test_spatial_attention_is_a_sigmoid_of_a_7_by_7_convolution_of_mean_and_maximum() -> None:
    features = features_of_a_hand()
    layer = SpatialAttention()
    attended = np.asarray(layer(features))
    kernel, bias = numbers(layer)
    assert kernel.shape == (7, 7, 2, 1)
    maps = np.stack([features.mean(axis=-1), features.max(axis=-1)], axis=-1)
    padded = np.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(1, 2))
    weights = sigmoid(np.einsum("nrcmij,ijmo->nrco", windows, kernel) + bias)
    assert np.allclose(attended, features * weights, rtol=1e-4, atol=1e-6)


def test_channel_attention_shares_one_mlp_between_mean_and_maximum() -> None:
    features = features_of_a_hand()
    layer = ChannelAttention(reduction=2)
    attended = np.asarray(layer(features))
    w0, b0, w1, b1 = numbers(layer)
    assert (w0.shape, w1.shape) == ((8, 4), (4, 8))

    def mlp(pooled: Array) -> Array:
        return np.asarray(np.maximum(pooled @ w0 + b0, 0) @ w1 + b1)

    weights = sigmoid(mlp(features.mean(axis=(1, 2))) + mlp(features.max(axis=(1, 2))))
    assert np.allclose(attended, features * weights[:, None, None, :], rtol=1e-4, atol=1e-6)


def test_cbam_weighs_the_channels_first_then_the_places() -> None:
    features = keras.Input((5, 4, 8))
    network = keras.Model(features, cbam(features, 4))
    assert [layer.name for layer in network.layers[1:]] == [
        "channel_attention",
        "spatial_attention",
    ]
    assert network.output_shape == (None, 5, 4, 8)
    assert network.count_params() == (8 * 2 + 2 + 2 * 8 + 8) + (7 * 7 * 2 + 1)


def test_few_channels_keep_one_unit() -> None:
    layer = ChannelAttention(reduction=16)
    layer.build((None, 4, 4, 3))
    assert layer.w0.units == 1


def test_attention_layers_can_be_saved() -> None:
    for layer in (ChannelAttention(8), SpatialAttention(), region_networks.HeatMap()):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()


def test_defect_1_the_heat_map_of_a_film_is_not_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_attention_network(monkeypatch, attention_spec("small", cbam_reduction=2))
    heat_map = ask(network, films(grey_hand((96, 64))), 0)["heat_map"]
    assert heat_map.shape == (1, 24, 16)
    assert np.ptp(heat_map) > 0.1 * heat_map.max()


def test_heat_map_and_feature_are_the_sum_and_the_mean_of_what_cbam_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = small_attention_network(monkeypatch, attention_spec("small", cbam_reduction=2))
    film = films(grey_hand((96, 64)))
    attended = keras.Model(network.inputs, network.get_layer("spatial_attention").output)
    refined = np.asarray(attended({"film": film, "sex": np.zeros(1, np.int32)}))
    answer = ask(network, film, 0)
    assert np.allclose(answer["heat_map"], refined.sum(axis=-1), rtol=1e-4)
    assert np.allclose(answer["feature"], refined.mean(axis=(1, 2)), rtol=1e-4)


def test_defect_4_the_sex_reaches_the_age_but_never_the_heat_map(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = attention_spec("small", sex_units=32, hidden=(16,), cbam_reduction=2)
    network = small_attention_network(monkeypatch, spec)
    film = films(grey_hand((96, 64)), np.zeros((96, 64), np.uint8))
    girls, boys = ask(network, film, 0), ask(network, film, 1)
    assert (girls["age"] != boys["age"]).all()
    assert np.array_equal(girls["heat_map"], boys["heat_map"])
    assert np.array_equal(girls["feature"], boys["feature"])


def test_a_network_without_sex_units_does_not_see_the_sex(monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_attention_network(monkeypatch, attention_spec("small", cbam_reduction=2))
    film = films(grey_hand((96, 64)))
    assert ask(network, film, 0)["age"] == ask(network, film, 1)["age"]


def test_a_region_network_has_no_heat_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    spec = attention_spec("small", sex_units=4)
    flat = build_region_network(spec, flatten=True)
    pooled = build_region_network(spec, flatten=False)
    assert set(flat.output) == {"feature", "age"}
    assert flat.output["feature"].shape == (None, 24 * 16 * 8)
    assert pooled.output["feature"].shape == (None, 8)
    assert flat.output["age"].shape == pooled.output["age"].shape == (None, 1)


@pytest.mark.parametrize("output", ["relu", "linear", "sigmoid"])
def test_an_untrained_network_guesses_a_middle_age(
    monkeypatch: pytest.MonkeyPatch, output: Any
) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    spec = NetworkSpec("small", (16, 16), output, PHASES)
    network = build_region_network(spec, flatten=False)
    kernel, bias = network.get_layer("scaled_age").get_weights()
    network.get_layer("scaled_age").set_weights([np.zeros_like(kernel), bias])
    age = ask(network, films(grey_hand((16, 16))), 0)["age"]
    assert age == pytest.approx(0.5)


@pytest.mark.parametrize("sex_units", [0, 32])
def test_the_fusion_joins_every_region_and_the_sex(sex_units: int) -> None:
    spec = FusionSpec((6,), PHASES[0], sex_units=sex_units)
    network = build_fusion_network(spec, {"carpal": 5, "metacarpal": 7}, HEADS)
    joined = 5 + 7 + (sex_units or 1)
    expected = 2 * sex_units + joined * 6 + 6 + 6 + 1
    assert network.count_params() == expected
    inputs = {"carpal": np.ones((1, 5)), "metacarpal": np.ones((1, 7)), "sex": np.zeros(1, int)}
    girl = np.asarray(network(inputs)["age"])
    assert girl.shape == (1, 1)
    for name in inputs:
        changed = np.asarray(network({**inputs, name: inputs[name] + 1})["age"])
        assert changed != girl, f"{name} does not count"


def test_an_untrained_fusion_of_ages_answers_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    spec = NetworkSpec("small", (32, 24), "linear", PHASES, sex_units=4, hidden=(6,), dropout=0.2)
    networks = {
        "whole_hand": build_attention_network(spec),
        "carpal": build_region_network(spec, flatten=False),
    }
    widths = {name: n.output["feature"].shape[-1] for name, n in networks.items()}
    fusion = build_fusion_network(AGES, widths, dict.fromkeys(networks, spec))
    copy_heads(fusion, networks)
    film = grey_hand((32, 24))[np.newaxis, ..., np.newaxis].astype(np.float32)
    for code in (0, 1):
        sex = np.full(1, code, np.int32)
        seen = {name: n({"film": film, "sex": sex}) for name, n in networks.items()}
        features = {name: np.asarray(answer["feature"]) for name, answer in seen.items()}
        mean = np.mean([np.asarray(answer["age"]) for answer in seen.values()])
        assert np.allclose(fusion({**features, "sex": sex})["age"], mean, atol=1e-6)
    again = build_fusion_network(AGES, {"carpal": widths["carpal"]}, {"carpal": spec})
    copy_heads(again, {"carpal": fusion})
    kernels = [f.get_layer("carpal_own_hidden_0").get_weights()[0] for f in (fusion, again)]
    assert np.array_equal(*kernels)


def test_a_mean_of_ages_learns_whom_to_trust_and_stays_a_mean() -> None:
    keras.utils.set_random_seed(0)
    spec = replace(AGES, joins="mean_of_ages")
    fusion = build_fusion_network(spec, {"whole_hand": 5, "carpal": 3}, HEADS)
    random = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        "whole_hand": random.random((64, 5)),
        "carpal": random.random((64, 3)),
        "sex": random.integers(0, 2, 64),
    }
    own = keras.Model(fusion.inputs, fusion.get_layer("joined").output).predict_on_batch(inputs)
    mean = own.mean(axis=1, keepdims=True)
    assert np.allclose(fusion.predict_on_batch(inputs)["age"], mean, atol=1e-6)
    fusion.compile(keras.optimizers.Adam(0.1), {"age": "mse"})
    fusion.fit(inputs, own[:, :1], epochs=60, verbose=0)
    shares = np.asarray(fusion.get_layer("weighted_mean").shares)
    assert shares.sum() == pytest.approx(1)
    assert shares[0] > 0.95, "the labels were the whole hand's own answers"
    assert shares.min() >= 0


def test_training_a_fusion_of_ages_leaves_the_networks_own_heads_alone() -> None:
    keras.utils.set_random_seed(0)
    fusion = build_fusion_network(AGES, {"whole_hand": 5, "carpal": 3}, HEADS)
    own = [layer for layer in fusion.layers if "_own_" in layer.name and layer.weights]
    assert {layer.name.split("_own_")[0] for layer in own} == {"whole_hand", "carpal"}
    then = [weights.copy() for layer in own for weights in layer.get_weights()]
    random = np.random.default_rng(0)
    inputs: dict[str, Any] = {
        "whole_hand": random.random((32, 5)),
        "carpal": random.random((32, 3)),
    }
    inputs["sex"] = random.integers(0, 2, 32)
    fusion.compile(keras.optimizers.Adam(1e-2), {"age": "mse"})
    before = fusion.predict_on_batch(inputs)["age"]
    fusion.fit(inputs, np.full((32, 1), 2.0), epochs=3, verbose=0)
    now = [weights for layer in own for weights in layer.get_weights()]
    assert all(np.array_equal(*pair) for pair in zip(now, then, strict=True))
    assert np.all(fusion.predict_on_batch(inputs)["age"] > before)


def test_a_fusion_of_ages_learns_which_network_to_trust() -> None:
    """One age is right and one is noise: the mean of both is far off, the fusion is not."""
    keras.utils.set_random_seed(0)
    fusion = build_fusion_network(AGES, {"whole_hand": 1, "carpal": 1}, BARE)
    for name in ("whole_hand", "carpal"):
        fusion.get_layer(f"{name}_own_scaled_age").set_weights([np.ones((1, 1)), np.zeros(1)])
    random = np.random.default_rng(0)
    inputs: dict[str, Any] = {name: random.random((512, 1)) for name in ("whole_hand", "carpal")}
    inputs["sex"] = random.integers(0, 2, 512)
    ages = inputs["whole_hand"]
    fusion.compile(keras.optimizers.Adam(1e-2), {"age": "mse"})
    off = [np.mean(np.abs(fusion.predict_on_batch(inputs)["age"] - ages))]
    fusion.fit(inputs, ages, epochs=60, verbose=0)
    off.append(np.mean(np.abs(fusion.predict_on_batch(inputs)["age"] - ages)))
    assert off[0] > 0.1
    assert off[1] < 0.01


def test_a_single_feature_may_be_fused() -> None:
    network = build_fusion_network(FUSION, {"whole_hand": 5}, HEADS)
    assert network.count_params() == (5 + 1) * 16 + 16 + 16 + 1


def test_defect_4_a_fusion_that_corrects_learns_the_sexes_apart_beside_its_features() -> None:
    """Two standards a year apart; the bare code, as it was, learns a month of it here."""
    keras.utils.set_random_seed(0)
    profile = load_profile("compact")
    spec = replace(profile.fusion, joins="ages")
    widths = dict.fromkeys(("whole_hand", "carpal", "metacarpal", "phalanx"), 1280)
    network = build_fusion_network(spec, widths, profile.networks)
    random = np.random.default_rng(0)

    def some(count: int) -> tuple[dict[str, Any], Array]:
        inputs: dict[str, Any] = {
            name: random.random((count, width), np.float32) for name, width in widths.items()
        }
        inputs["sex"] = random.integers(0, 2, count, dtype=np.int32)
        return inputs, np.asarray(0.5 + 0.05 * inputs["sex"], np.float32)

    network.compile(keras.optimizers.Adam(1e-3), {"age": "mse"})
    network.fit(*some(1024), batch_size=64, epochs=12, verbose=0)
    inputs, _ = some(64)
    ages = [network.predict_on_batch({**inputs, "sex": np.full(64, s)})["age"] for s in (0, 1)]
    apart_months = 240 * float(np.mean(ages[1] - ages[0]))
    assert apart_months == pytest.approx(12, abs=4)


@pytest.mark.parametrize(
    ("spec", "channels"),
    [
        (attention_spec("MobileNetV2", alpha=0.35, sex_units=4, hidden=(8,)), 1280),
        (attention_spec("EfficientNetV2B0"), 1280),
        (attention_spec("ConvNeXtTiny"), 768),
    ],
    ids=lambda value: getattr(value, "backbone", ""),
)
def test_any_keras_backbone_gives_a_heat_map(spec: NetworkSpec, channels: int) -> None:
    network = build_attention_network(spec)
    assert network.get_layer("backbone").count_params() > 100_000
    assert network.output["heat_map"].shape == (None, 3, 2)
    assert network.output["feature"].shape == (None, channels)
    answer = ask(network, films(grey_hand((96, 64))), 0)
    assert all(np.isfinite(value).all() for value in answer.values())
    assert np.ptp(answer["heat_map"]) > 0


@pytest.mark.parametrize("name", ["MobileNetV9", "mobilenet_v2", "", "DecodePredictions"])
def test_an_unknown_backbone_is_named_with_the_known(name: str) -> None:
    with pytest.raises(ProfileError, match=f"no backbone '{name}'.*'ResNet50'"):
        build_backbone(attention_spec(name))


def test_a_width_that_a_backbone_does_not_have_is_named() -> None:
    with pytest.raises(ProfileError, match=r"alpha is 0\.5, but ResNet50"):
        build_backbone(attention_spec("ResNet50", alpha=0.5))


def test_initial_weights_are_loaded_from_their_folder(tmp_path: Path) -> None:
    spec = attention_spec(
        "MobileNetV2", alpha=0.35, initial_weights="mine.weights.h5", batch_norm_momentum=0.9
    )
    with pytest.raises(ProfileError, match=rf"'mine.weights.h5' are not in '{tmp_path}'"):
        build_backbone(spec, tmp_path)
    first = build_backbone(spec)
    first.save_weights(tmp_path / "mine.weights.h5")
    again = build_backbone(spec, tmp_path)
    assert np.array_equal(again.get_weights()[0], first.get_weights()[0])
    momenta = {
        layer.momentum
        for layer in again.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert momenta == {0.9}


def test_defect_5_no_network_is_built_on_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EVERYTHING], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
