"""A head that answers a distribution over ages: its mean, its loss, its export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from boneage.training.export import TOLERANCE, export_network
from boneage.training.fitting import BINS, loss_of, mae_months
from boneage.training.network_training import start_at_mean_age, training_model
from boneage.training.networks import region as region_networks
from boneage.training.networks.fusion import build_fusion_network, copy_heads
from boneage.training.networks.layers import bin_months
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import FusionSpec, NetworkSpec, PhaseSpec
from tests.training.drawn import grey_hand, small_backbone, tiny_profile

SIZE = (32, 24)
PHASE = PhaseSpec(1, 2, 1e-3, "huber", focus=0.3)
SPEC = NetworkSpec("small_backbone", SIZE, "distribution", (PHASE,), sex_units=4)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(*_: Any) -> keras.Model:
        made = small_backbone()
        made.layers[1].name = "middle"
        return made

    monkeypatch.setattr(region_networks, "build_backbone", named)


def inputs() -> dict[str, Any]:
    film = grey_hand(SIZE).astype(np.float32)
    return {"film": np.stack([film, film / 2])[..., None], "sex": np.array([0, 1], np.int32)}


def spread(months: float, sd: float = 6.0) -> Any:
    weights = np.exp(-0.5 * ((bin_months() - months) / sd) ** 2)
    return (weights / weights.sum()).astype(np.float32)


@pytest.mark.parametrize("months", [1.0, 60.0, 228.0])
def test_the_ages_reach_beyond_both_ends_so_that_no_mean_is_drawn_inwards(months: float) -> None:
    assert float(bin_months() @ spread(months)) == pytest.approx(months, abs=0.05)


def test_the_age_is_the_mean_of_what_the_head_gives() -> None:
    network = build_attention_network(SPEC)
    assert network.output["age"].shape == (None, 1)
    probabilities = keras.Model(network.input, network.get_layer("scaled_age").output)(inputs())
    assert np.allclose(np.sum(probabilities, axis=1), 1, atol=1e-5)
    ages = np.asarray(network(inputs())["age"])[:, 0] * 240
    assert np.allclose(ages, np.asarray(probabilities) @ bin_months(), atol=1e-2)


def test_the_loss_adds_the_cross_entropy_with_the_spread_label() -> None:
    true = np.array([120 / 240, 60 / 240], np.float32)
    right = np.stack([spread(120), spread(60)])
    wrong = right[::-1]
    ages = true[:, None]
    loss = loss_of(PHASE)
    entropy = -np.sum(right * np.log(np.maximum(right, 1e-7)), axis=1)
    assert np.allclose(loss(true, np.hstack([ages, right])), entropy, rtol=1e-3)
    assert np.min(loss(true, np.hstack([ages, wrong]))) > 10
    two = np.hstack([ages, ages + 1 / 20, right])  # the second age a year off
    assert np.allclose(loss(true, two), entropy + 0.5 / 2, rtol=1e-3)
    assert np.allclose(mae_months(true, two), 0, atol=1e-3)


def test_training_learns_both_and_the_heat_maps_age_stays_one_number(tmp_path: Path) -> None:
    network = build_attention_network(replace(SPEC, heat_map_after="middle"), focus=0.3)
    behind = training_model(network, tiny_profile(), SIZE, seed=1)
    assert behind.output_shape == (None, 2 + BINS)
    behind.compile("adam", loss_of(PHASE), jit_compile=False)
    before = network.get_layer("scaled_age").get_weights()[1]
    behind.train_on_batch(inputs(), np.array([0.1, 0.9], np.float32))
    assert not np.array_equal(before, network.get_layer("scaled_age").get_weights()[1])
    written = export_network(network, "attention", tmp_path, inputs(), SIZE, ("heat_map",))
    assert written.keras_difference <= TOLERANCE


def test_a_new_head_answers_about_the_mean_age() -> None:
    network = build_region_network(SPEC, flatten=False)
    start_at_mean_age(network, np.array([90, 120, 150], np.float32), "distribution")
    ages = np.asarray(network(inputs())["age"]) * 240
    assert np.allclose(ages, 120, atol=0.5)


def test_the_fusion_reads_the_same_ages_from_the_features() -> None:
    network = build_region_network(SPEC, flatten=False)
    spec = FusionSpec((), PhaseSpec(1, 2, 1e-3, "huber"), "average", joins="mean_of_ages")
    answered = network(inputs())
    width = answered["feature"].shape[-1]
    fusion = build_fusion_network(spec, {"carpal": width}, {"carpal": SPEC})
    copy_heads(fusion, {"carpal": network})
    age = fusion({"carpal": np.asarray(answered["feature"]), "sex": inputs()["sex"]})["age"]
    assert np.allclose(age, answered["age"], atol=1e-5)
