"""From pooled features, with the sex beside them, to the scaled age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from boneage.inference.weights import MONTHS_SCALE

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
