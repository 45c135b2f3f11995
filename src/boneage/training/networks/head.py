"""From pooled features, with the sex beside them, to the scaled age."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

MIDDLE_AGE = 0.5
"""First guess of an untrained network, so that a ReLU output starts alive."""


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
    """Dense layers to one number, months / 240, shape (n,).

    A ``correction`` begins at 0, an age in the middle of all ages.
    ``sex`` is an embedding or the bare code, already shaped (n, units), or
    None where the network does not see it.
    """
    x = keras.layers.Dropout(dropout, name=f"{prefix}dropout")(features) if dropout else features
    if sex is not None:
        x = keras.layers.Concatenate(name=f"{prefix}with_sex")([x, sex])
    for i, units in enumerate(hidden):
        x = keras.layers.Dense(units, activation="relu", name=f"{prefix}hidden_{i}")(x)
    bias = 0.0 if output == "sigmoid" or correction else MIDDLE_AGE
    x = keras.layers.Dense(
        1,
        activation=output,
        kernel_initializer="zeros" if correction else "glorot_uniform",
        bias_initializer=keras.initializers.Constant(bias),
        name=f"{prefix}scaled_age",
    )(x)
    return keras.layers.Flatten(name=f"{prefix}age")(x)
