"""Averaged weights, validated and saved with batch-normalisation statistics of their own.

Keras swaps the average in before a network is validated, and leaves the moving means and
variances of batch normalisation as the running weights have them. These belong to other
activations: at a phase's beginning, where the running weights move far, an average that
reads well was 24 months off in validation. So the statistics are estimated anew for it, from
training films as training shows them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from boneage.training.batches import Batches

FILMS = 2048
"""That the statistics are estimated from; a tenth of an epoch's cost at the most."""


class AveragedWeights(keras.callbacks.Callback):  # type: ignore[misc]
    """Validate the average of the weights, and leave the network with it at the end.

    While an epoch trains, and in its checkpoint, are the running weights.
    """

    def __init__(self, train: Batches) -> None:
        super().__init__()
        self.train = train
        self.swapped = False
        self.statistics: list[Any] = []

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Put the average in."""
        self.statistics = [layer.get_weights() for layer in normalisations(self.model)]
        self._swap()
        estimate_statistics(self.model, self.train)

    def on_test_end(self, logs: dict[str, float] | None = None) -> None:
        """Put the running weights back."""
        self._swap()
        for layer, weights in zip(normalisations(self.model), self.statistics, strict=True):
            layer.set_weights(weights)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Leave the average in."""
        finish_average(self.model, self.train)

    def _swap(self) -> None:
        """Exchange the weights with their averages."""
        optimizer = self.model.optimizer
        averages = optimizer._model_variables_moving_average
        for variable, average in zip(self.model.trainable_variables, averages, strict=True):
            running = keras.ops.convert_to_numpy(variable)
            variable.assign(average)
            average.assign(running)


def finish_average(model: keras.Model, train: Batches) -> None:
    """Give a network the average of its weights, and statistics that belong to it."""
    model.optimizer.finalize_variable_values(model.trainable_variables)
    estimate_statistics(model, train)


def normalisations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """All layers of batch normalisation, at any depth."""
    kind = keras.layers.BatchNormalization
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


def estimate_statistics(model: keras.Model, train: Batches, films: int = FILMS) -> None:
    """Set the moving means and variances to those of training films under these weights.

    The model stands behind its augmentation, whose films are another distribution than the
    films as they are. Over several devices nothing is estimated.
    """
    layers = normalisations(model)
    if not layers or train.group.devices > 1:  # a step outside fit would be one of every process
        return
    momenta = [layer.momentum for layer in layers]
    found: list[list[Any]] = [[] for _ in layers]
    try:
        for layer in layers:
            layer.momentum = 0.0  # what a batch has replaces what was
        for inputs in train.sample(films):
            model(inputs, training=True)
            for layer, statistics in zip(layers, found, strict=True):
                statistics.append(layer.get_weights()[-2:])  # moving mean and variance
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for layer, statistics in zip(layers, found, strict=True):
        means, variances = zip(*statistics, strict=True)
        layer.moving_mean.assign(np.mean(means, axis=0))
        layer.moving_variance.assign(np.mean(variances, axis=0) + np.var(means, axis=0))
