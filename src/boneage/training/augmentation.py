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

    Exponents are drawn between 1/(1 + factor) and 1 + factor, evenly on a logarithmic scale.
    """

    def __init__(self, factor: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
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


@keras.saving.register_keras_serializable("boneage")
class RandomPlace(keras.layers.Layer):  # type: ignore[misc]
    """Mirror, turn, zoom and shift each film, in one resampling.

    One after the other, as Keras's own layers do it, each resamples what the one before blurred:
    three times the blur that a read film ever sees. A film is turned by at most
    ``rotation_degrees`` either way, shifted by at most a share of the side along each axis, and
    zoomed by at most a share; with ``flip`` every second one is its mirror image.
    """

    def __init__(
        self,
        rotation_degrees: float = 0.0,
        shift: float = 0.0,
        zoom: float = 0.0,
        *,
        flip: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rotation_degrees = rotation_degrees
        self.shift = shift
        self.zoom = zoom
        self.flip = flip
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, films: Any, training: bool = False) -> Any:
        """Films of shape (n, rows, columns, 1); new pixels are filled by the nearest."""
        if not training:
            return films
        return ops.image.affine_transform(
            films, self._transforms(films), interpolation="bilinear", fill_mode="nearest"
        )

    def _transforms(self, films: Any) -> Any:
        """Shape (n, 8): for each film, where in it a pixel of the answer comes from."""
        count, (rows, columns) = ops.shape(films)[0], films.shape[1:3]
        angle = self._draw(count, math.radians(self.rotation_degrees))
        scale = 1 + self._draw(count, self.zoom)
        mirrored = ops.where(self._draw(count, 1.0) < 0, -1.0, 1.0) if self.flip else 1.0
        along_x, along_y = scale * ops.cos(angle), scale * ops.sin(angle)
        x, y = (columns - 1) / 2, (rows - 1) / 2  # the middle stays where it is
        right = x - mirrored * along_x * x + along_y * y + self._draw(count, self.shift * columns)
        down = y - mirrored * along_y * x - along_x * y + self._draw(count, self.shift * rows)
        to_x = [mirrored * along_x, -along_y, right]
        to_y = [mirrored * along_y, along_x, down]
        return ops.stack([*to_x, *to_y, *[ops.zeros_like(angle)] * 2], axis=1)

    def _draw(self, count: Any, limit: float) -> Any:
        return keras.random.uniform((count,), -limit, limit, seed=self.generator)


def augmenter(spec: Augmentation, seed: int) -> keras.Sequential:
    """Stack the layers that a profile asks for; new pixels are filled by the nearest."""
    layers = keras.layers
    stack: list[keras.layers.Layer] = []
    if spec.horizontal_flip or spec.rotation_degrees or spec.shift or spec.zoom:
        place = spec.rotation_degrees, spec.shift, spec.zoom
        stack.append(RandomPlace(*place, flip=spec.horizontal_flip, seed=seed))
    if spec.brightness:
        stack.append(layers.RandomBrightness(spec.brightness, VALUE_RANGE, seed=seed + 4))
    if spec.contrast:
        stack.append(layers.RandomContrast(spec.contrast, VALUE_RANGE, seed=seed + 5))
    if spec.gamma:
        stack.append(RandomGamma(spec.gamma, seed=seed + 6))
    if spec.erase:
        options = {"scale": (0.05, 0.35), "fill_value": 0.0, "value_range": VALUE_RANGE}
        stack.append(layers.RandomErasing((spec.erase, spec.erase), seed=seed + 7, **options))
    # Keras builds no empty stack.
    return keras.Sequential(stack or [layers.Identity()], name="augmentation")
