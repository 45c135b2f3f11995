"""Convolutional Block Attention Module (Woo et al., ECCV 2018)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("boneage")
class ChannelAttention(keras.layers.Layer):  # type: ignore[misc]
    """Weigh the channels: Mc(F) = sigmoid(MLP(AvgPool(F)) + MLP(MaxPool(F))).

    One MLP is shared by both poolings: W0 with ReLU, channels / ``reduction``
    wide, then W1.
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

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "reduction": self.reduction}


@keras.saving.register_keras_serializable("boneage")
class SpatialAttention(keras.layers.Layer):  # type: ignore[misc]
    """Weigh the places: Ms(F) = sigmoid(conv7x7([mean over channels; max over channels])).

    With ``focus`` above 0, a spread-out attention has a price in training:
    the share of the film that is attended to, mean Ms / max Ms, which is 1 for a
    constant map and 1/n for a single one of n places, times ``focus``.
    Nothing in the age's loss keeps Ms low where there is nothing to see.
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
        maps = ops.concatenate(
            [
                ops.mean(features, axis=-1, keepdims=True),
                ops.max(features, axis=-1, keepdims=True),
            ],
            axis=-1,
        )
        weights = self.convolution(maps)
        if self.focus:
            spread = ops.mean(weights, axis=(1, 2, 3)) / ops.max(weights, axis=(1, 2, 3))
            self.add_loss(self.focus * ops.mean(spread))
        return features * weights

    def get_config(self) -> dict[str, Any]:
        """For saving."""
        return {**super().get_config(), "focus": self.focus}


def cbam(features: Any, reduction: int, *, prefix: str = "", focus: float = 0.0) -> Any:
    """Channel attention, then spatial attention: F'' of the paper.

    With a ``reduction`` of 0 there is none: the features come back as they are.
    """
    if not reduction:
        return features
    refined = ChannelAttention(reduction, name=f"{prefix}channel_attention")(features)
    return SpatialAttention(focus, name=f"{prefix}spatial_attention")(refined)
