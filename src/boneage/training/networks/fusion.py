"""The dense head that joins what the networks saw and the child's sex."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from boneage.assessment import WHOLE_HAND
from boneage.training.networks.head import age_head, embed_sex
from boneage.training.profile import FusionSpec, NetworkSpec

OWN = "whole_hand_"
"""Begins the names of the layers of the whole hand's own head in a fusion."""


def build_fusion_network(
    spec: FusionSpec, widths: Mapping[str, int], attention: NetworkSpec
) -> keras.Model:
    """Features of each region and the sex to the age.

    Where the profile says ``corrects`` and the whole hand is among the
    features, the head of the attention network, frozen, reads its own age from
    its feature, and the dense layers answer what to add to it.

    Inputs: one feature vector a region, named by the region, of the given
    widths, and ``sex`` (n,), 1 male and 0 female. Output: ``age`` (n, 1),
    months / 240.
    """
    features = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    sex = keras.Input((), dtype="int32", name="sex")
    joined = list(features.values())
    x = keras.layers.Concatenate(name="joined")(joined) if len(joined) > 1 else joined[0]
    if spec.sex_units:
        sex_vector = embed_sex(sex, spec.sex_units)
    else:
        sex_vector = keras.layers.Reshape((1,), name="sex_code")(
            keras.layers.Rescaling(1.0, name="sex_float")(sex)
        )
    corrects = spec.corrects and WHOLE_HAND in features
    age = age_head(
        x,
        sex_vector,
        hidden=spec.hidden,
        dropout=spec.dropout,
        output="linear",
        correction=corrects,
    )
    if not corrects:
        return keras.Model({**features, "sex": sex}, {"age": age})
    own = age_head(
        features[WHOLE_HAND],
        embed_sex(sex, attention.sex_units, OWN) if attention.sex_units else None,
        hidden=attention.hidden,
        dropout=0.0,
        output=attention.output,
        prefix=OWN,
    )
    corrected = keras.layers.Add(name="corrected_age")([own, age])
    network = keras.Model({**features, "sex": sex}, {"age": corrected})
    for layer in network.layers:
        if layer.name.startswith(OWN):
            layer.trainable = False
    return network


def take_head(fusion: keras.Model, source: keras.Model) -> None:
    """Give a fusion the whole hand's own head, from the attention network or another fusion."""
    there = {layer.name: layer for layer in source.layers}
    for layer in fusion.layers:
        if layer.weights and layer.name.startswith(OWN):
            known = there.get(layer.name) or there[layer.name.removeprefix(OWN)]
            layer.set_weights(known.get_weights())
