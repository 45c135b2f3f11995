"""What the networks are made of: CBAM (Woo et al., ECCV 2018), and the head that reads the age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from boneage.inference.weights import MONTHS_SCALE


@keras.saving.register_keras_serializable("boneage")
class ChannelAttention(keras.layers.Layer):  # type: ignore[misc]
    """Weigh the channels: Mc(F) = sigmoid(MLP(AvgPool(F)) + MLP(MaxPool(F))).

    One MLP is shared by both: W0 with ReLU, channels / ``reduction`` wide, then W1.
    """

    def __init__(self, reduction: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reduction = reduction

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the shared MLP for this number of channels."""
        channels = input_shape[-1] or 0
        self.w0 = keras.layers.Dense(max(1, channels // self.reduction), "relu", name="w0")
        self.w1 = keras.layers.Dense(channels, name="w1")
        self.w0.build((None, channels))
        self.w1.build((None, self.w0.units))
        super().build(input_shape)

    def call(self, features: Any) -> Any:
        """Features (n, rows, columns, channels) in, the same shape out."""
        average = self.w1(self.w0(ops.mean(features, axis=(1, 2))))
        maximum = self.w1(self.w0(ops.max(features, axis=(1, 2))))
        weights = ops.sigmoid(average + maximum)
        return features * weights[:, None, None, :]


@keras.saving.register_keras_serializable("boneage")
class SpatialAttention(keras.layers.Layer):  # type: ignore[misc]
    """Weigh the places: Ms(F) = sigmoid(conv7x7([mean over channels; max over channels])).

    With ``focus`` above 0 a spread-out attention has a price in training: the share of the film
    that is attended to, mean Ms / max Ms (1 for a constant map, 1/n for one of n places), times
    ``focus``. Nothing in the age's loss keeps Ms low where there is nothing to see.
    """

    def __init__(self, focus: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.focus = focus

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the 7 x 7 convolution."""
        # A sigmoid, never a softmax over the single channel: that is constant.
        self.convolution = keras.layers.Conv2D(
            1, 7, padding="same", activation="sigmoid", name="conv7x7"
        )
        self.convolution.build((*input_shape[:-1], 2))
        super().build(input_shape)

    def call(self, features: Any) -> Any:
        """Features (n, rows, columns, channels) in, the same shape out."""
        mean = ops.mean(features, axis=-1, keepdims=True)
        most = ops.max(features, axis=-1, keepdims=True)
        weights = self.convolution(ops.concatenate([mean, most], axis=-1))
        if self.focus:
            spread = ops.mean(weights, axis=(1, 2, 3)) / ops.max(weights, axis=(1, 2, 3))
            self.add_loss(self.focus * ops.mean(spread))
        return features * weights


def cbam(features: Any, reduction: int, *, prefix: str = "", focus: float = 0.0) -> Any:
    """Channel attention, then spatial attention: F'' of the paper; neither for a reduction of 0."""
    if not reduction:
        return features
    refined = ChannelAttention(reduction, name=f"{prefix}channel_attention")(features)
    return SpatialAttention(focus, name=f"{prefix}spatial_attention")(refined)


BIN_MONTHS = 3.0
FIRST_BIN, LAST_BIN = -24.0, 264.0
"""Beyond all labels, 1 to 228 months: the mean of what is cut off at an end lies inside."""
MIDDLE_AGE = 0.5
"""First guess of an untrained network, so that a ReLU output starts alive."""


def bin_months() -> npt.NDArray[np.float32]:
    """The middles of a distribution's ages, in months."""
    edges = np.arange(FIRST_BIN, LAST_BIN, BIN_MONTHS, dtype=np.float32)
    return edges + np.float32(BIN_MONTHS / 2)


@keras.saving.register_keras_serializable("boneage")
class MeanAge(keras.layers.Layer):  # type: ignore[misc]
    """The mean of a distribution over :func:`bin_months`, shape (n, bins): (n, 1), months / 240."""

    def call(self, probabilities: Any) -> Any:
        """Probabilities (n, bins) in, (n, 1) out."""
        scaled = ops.convert_to_tensor(bin_months() / np.float32(MONTHS_SCALE))
        return ops.sum(probabilities * scaled, axis=-1, keepdims=True)


def embed_sex(sex: Any, units: int, prefix: str = "") -> Any:
    """Give the sex a vector of its own, wide enough not to be swamped."""
    return keras.layers.Embedding(2, units, name=f"{prefix}sex_embedding")(sex)


def age_head(
    features: Any,
    sex: Any | None,
    *,
    hidden: Sequence[int],
    dropout: float,
    output: str,
    prefix: str = "",
    correction: bool = False,
) -> Any:
    """Dense layers to one number, months / 240, shape (n, 1).

    A ``correction`` begins at 0, an age in the middle of all ages. With the output
    ``distribution`` it is the mean of a distribution that the layer ``scaled_age`` gives.
    ``sex`` is an embedding or the bare code, already shaped (n, units), or
    None where the network does not see it.
    """
    x = keras.layers.Dropout(dropout, name=f"{prefix}dropout")(features) if dropout else features
    if sex is not None:
        x = keras.layers.Concatenate(name=f"{prefix}with_sex")([x, sex])
    for i, units in enumerate(hidden):
        x = keras.layers.Dense(units, activation="relu", name=f"{prefix}hidden_{i}")(x)
    if output == "distribution":
        x = keras.layers.Dense(len(bin_months()), "softmax", name=f"{prefix}scaled_age")(x)
        return MeanAge(name=f"{prefix}age")(x)
    bias = 0.0 if output == "sigmoid" or correction else MIDDLE_AGE
    x = keras.layers.Dense(
        1,
        activation=output,
        kernel_initializer="zeros" if correction else "glorot_uniform",
        bias_initializer=keras.initializers.Constant(bias),
        name=f"{prefix}scaled_age",
    )(x)
    return keras.layers.Flatten(name=f"{prefix}age")(x)
