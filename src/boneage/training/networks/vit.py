"""A small vision transformer that is a backbone like any other: RGB in, feature map out.

ViT-Tiny (Dosovitskiy et al., ICLR 2021; the size of Touvron et al., ICML 2021)
with what it needs to learn from few films and to take any size of them: a stem
of convolutions instead of one cut into patches (Xiao et al., NeurIPS 2021), and
positions encoded by a depthwise convolution instead of a table (Chu et al., ICLR
2023). There is no class token: CBAM and the pooling stand behind the map.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

PATCH = 16
"""Rows and columns of the film in a cell of the map."""
STEM = (24, 48, 96)
"""Channels of the stem's strided convolutions but the last, which gives ``WIDTH``."""
WIDTH, DEPTH, HEADS = 192, 12, 3
MLP_RATIO = 4
NECK = 768
"""Channels of the feature map; behind a GELU, so that they can be summed to a heat map."""


def vit_tiny(depth: int = DEPTH) -> keras.Model:
    """Build the transformer, from random weights; 5.7 million parameters.

    RGB, –1 to 1, of shape (n, rows, columns, 3) in; a map of shape (n, rows / 16,
    columns / 16, 768) out. The layers ``block_0``, ``block_1``, ..., each a self-attention
    and a perceptron, give maps of the same rows and columns.
    """
    rgb = keras.Input((None, None, 3))
    x = _stem(rgb)
    x = x + keras.layers.DepthwiseConv2D(3, padding="same", name="places")(x)
    for number in range(depth):
        x = _block(x, f"block_{number}")
    x = keras.layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    features = keras.layers.Conv2D(NECK, 1, activation="gelu", name="neck")(x)
    return keras.Model(rgb, features, name="vit_tiny")


def _stem(rgb: Any) -> Any:
    """Four convolutions of stride 2: a cell sees more than its own patch."""
    x = rgb
    for number, channels in enumerate((*STEM, WIDTH)):
        x = keras.layers.Conv2D(
            channels, 3, strides=2, padding="same", use_bias=False, name=f"stem_{number}"
        )(x)
        x = keras.layers.BatchNormalization(name=f"stem_norm_{number}")(x)
        if channels != WIDTH:
            x = keras.layers.Activation("relu", name=f"stem_relu_{number}")(x)
    return x


def _block(x: Any, name: str) -> Any:
    """Attention between all cells, then a perceptron for each; normalised before, added after."""
    cells = keras.layers.Reshape((-1, WIDTH), name=f"{name}_cells")(x)
    seen = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_0")(cells)
    attention = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"{name}_attention")
    cells = cells + attention(seen, seen)
    seen = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm_1")(cells)
    seen = keras.layers.Dense(MLP_RATIO * WIDTH, "gelu", name=f"{name}_mlp_0")(seen)
    cells = cells + keras.layers.Dense(WIDTH, name=f"{name}_mlp_1")(seen)
    return AsMap(name=name)(cells, x)


@keras.saving.register_keras_serializable("boneage")
class AsMap(keras.layers.Layer):  # type: ignore[misc]
    """Put cells back into the rows and columns of the map that they were taken from."""

    def call(self, cells: Any, like: Any) -> Any:
        """Cells (n, rows x columns, channels) in, the shape of ``like`` out."""
        return ops.reshape(cells, ops.shape(like))

    def compute_output_shape(self, cells_shape: object, like_shape: Any) -> Any:
        """The shape of the map."""
        return like_shape
