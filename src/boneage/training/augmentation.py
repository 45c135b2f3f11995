"""Random changes of the training films, as Keras layers inside the model.

They act in training only, on the same device as the network. ``fitting`` sets
their random state by the epoch, so that a restart draws the same.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from boneage.training.profile import Augmentation

VALUE_RANGE = (0.0, 255.0)


@keras.saving.register_keras_serializable("boneage")
class RandomGamma(keras.layers.Layer):  # type: ignore[misc]
    """Raise each film, scaled to 0–1, to a random power, as exposure does.

    Parameters
    ----------
    factor : float
        Exponents are drawn between 1/(1 + factor) and 1 + factor, evenly on a
        logarithmic scale.
    """

    def __init__(self, factor: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, films: Any, training: bool = False) -> Any:
        """Films of shape (n, rows, columns, 1), 0 to 255."""
        if not training:
            return films
        limit = math.log1p(self.factor)
        shape = (ops.shape(films)[0], 1, 1, 1)
        exponent = ops.exp(
            keras.random.uniform(shape, -limit, limit, dtype=films.dtype, seed=self.generator)
        )
        highest = VALUE_RANGE[1]
        return ops.power(ops.clip(films / highest, 1e-6, 1.0), exponent) * highest

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "factor": self.factor, "seed": self.seed}


def augmenter(spec: Augmentation, seed: int) -> keras.Sequential:
    """Stack the layers that a profile asks for; new pixels are filled by the nearest."""
    layers = keras.layers
    stack: list[keras.layers.Layer] = []
    if spec.horizontal_flip:
        stack.append(layers.RandomFlip("horizontal", seed=seed))
    if spec.rotation_degrees:
        stack.append(
            layers.RandomRotation(spec.rotation_degrees / 360, fill_mode="nearest", seed=seed + 1)
        )
    if spec.shift:
        stack.append(
            layers.RandomTranslation(spec.shift, spec.shift, fill_mode="nearest", seed=seed + 2)
        )
    if spec.zoom:
        stack.append(layers.RandomZoom(spec.zoom, fill_mode="nearest", seed=seed + 3))
    if spec.brightness:
        stack.append(layers.RandomBrightness(spec.brightness, VALUE_RANGE, seed=seed + 4))
    if spec.contrast:
        stack.append(layers.RandomContrast(spec.contrast, VALUE_RANGE, seed=seed + 5))
    if spec.gamma:
        stack.append(RandomGamma(spec.gamma, seed=seed + 6))
    if spec.erase:
        stack.append(
            layers.RandomErasing(
                (spec.erase, spec.erase),
                scale=(0.05, 0.35),
                fill_value=0.0,
                value_range=VALUE_RANGE,
                seed=seed + 7,
            )
        )
    if not stack:
        stack.append(layers.Identity())  # Keras builds no empty stack
    return keras.Sequential(stack, name="augmentation")
