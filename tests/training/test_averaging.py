"""Averaged weights: judged and kept with batch-normalisation statistics of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from msgspec.structs import replace

from boneage.training.averaging import AveragedWeights, estimate_statistics, normalisations
from boneage.training.batches import Batches
from boneage.training.distributed.group import ProcessGroup
from boneage.training.fitting import compile_for, fit
from boneage.training.monitoring import read_log
from boneage.training.profile import PhaseSpec

PHASE = PhaseSpec(3, 8, 0.05, "huber", average=0.9)


def networks() -> tuple[keras.Model, keras.Model]:
    """A network with batch normalisation inside a model inside a model."""
    keras.utils.set_random_seed(4)
    inner_in = keras.Input((6, 5, 1))
    x = keras.layers.Conv2D(3, 3)(inner_in)
    x = keras.layers.BatchNormalization(momentum=0.99)(x)
    inner = keras.Model(inner_in, keras.layers.Activation("relu")(x), name="backbone")
    film = keras.Input((6, 5, 1), name="film")
    y = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(inner(film)))
    network = keras.Model({"film": film}, y)
    return network, keras.Model(network.input, network.output)


def batches(**options: Any) -> Batches:
    random = np.random.default_rng(2)
    films = random.integers(0, 255, (40, 6, 5), np.uint8)
    return Batches({"film": films}, films.mean((1, 2)).astype(np.float32), 8, seed=7, **options)


def activations(network: keras.Model) -> Any:
    """What batch normalisation is given of all films."""
    convolution = network.get_layer("backbone").layers[1]
    return np.asarray(convolution(batches().inputs["film"][..., np.newaxis].astype(np.float32)))


def test_statistics_are_those_of_the_training_films_under_the_weights_there_are() -> None:
    network, behind = networks()
    (layer,) = normalisations(behind)
    estimate_statistics(behind, batches())
    seen = activations(network)
    assert np.allclose(layer.moving_mean, seen.mean((0, 1, 2)), rtol=1e-4)
    assert np.allclose(layer.moving_variance, seen.var((0, 1, 2)), rtol=1e-3)
    assert layer.momentum == 0.99


def test_some_films_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    _, behind = networks()
    seen: list[Any] = []
    call = type(behind).__call__

    def noting(self: Any, x: Any, **options: Any) -> Any:
        seen.append(x)
        return call(self, x, **options)

    monkeypatch.setattr(type(behind), "__call__", noting)
    estimate_statistics(behind, batches(), films=17)
    assert len([x for x in seen if isinstance(x, dict)]) == 2, "whole batches of 8"


def test_over_several_devices_the_running_statistics_stay() -> None:
    _, behind = networks()
    before = behind.get_weights()
    estimate_statistics(behind, batches(group=ProcessGroup(devices=2)))
    assert all(np.array_equal(a, b) for a, b in zip(before, behind.get_weights(), strict=True))


def test_the_average_is_evaluated_and_training_continues_from_the_running_weights() -> None:
    _, behind = networks()
    train = batches()
    compile_for(behind, PHASE, 15)
    behind.fit(train, epochs=1, shuffle=False, verbose=0)
    callback = AveragedWeights(train)
    callback.set_model(behind)
    running = behind.get_weights()
    average = [np.array(v) for v in behind.optimizer._model_variables_moving_average]
    callback.on_test_begin()
    for variable, expected in zip(behind.trainable_variables, average, strict=True):
        assert np.allclose(variable, expected)
    (layer,) = normalisations(behind)
    assert np.allclose(layer.moving_mean, activations(behind).mean((0, 1, 2)), rtol=1e-4)
    callback.on_test_end()
    assert all(np.allclose(a, b) for a, b in zip(running, behind.get_weights(), strict=True))
    kept = [np.array(v) for v in behind.optimizer._model_variables_moving_average]
    assert all(np.allclose(a, b) for a, b in zip(average, kept, strict=True))


def test_the_network_that_is_kept_is_the_one_that_was_judged_last(tmp_path: Path) -> None:
    network, behind = networks()
    monitor = Batches(batches().inputs, np.full(40, 120, np.float32), 8)
    fit(network, behind, PHASE, batches(), monitor, tmp_path)
    behind.compile(loss="mse", weighted_metrics=["mae"])
    kept = behind.evaluate(monitor, verbose=0, return_dict=True)["mae"] * 240
    assert read_log(tmp_path)[-1]["val_mae_months"] == pytest.approx(kept, rel=1e-4)
    (layer,) = normalisations(behind)
    assert np.allclose(layer.moving_mean, activations(network).mean((0, 1, 2)), rtol=1e-4)


def test_without_an_average_statistics_are_the_running_ones(tmp_path: Path) -> None:
    network, behind = networks()
    fit(network, behind, replace(PHASE, average=0.0), batches(), None, tmp_path)
    (layer,) = normalisations(behind)
    assert not np.allclose(layer.moving_mean, activations(network).mean((0, 1, 2)), rtol=1e-3)
