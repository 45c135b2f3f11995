"""The small head that joins what the networks saw and the child's sex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from boneage.training.networks.head import age_head, embed_sex
from boneage.training.profile import FusionSpec, NetworkSpec


def build_fusion_network(
    spec: FusionSpec, widths: Mapping[str, int], networks: Mapping[str, NetworkSpec]
) -> keras.Model:
    """Features of each region and the sex to the age.

    Where the profile joins ``ages``, the head of each network, frozen, reads
    its own age from its feature, and the fusion's own layers answer what to
    add to the mean of these ages. A thousand films are few for thousands of
    features, and enough for a handful of ages.

    Inputs: one feature vector a region, named by the region, of the given
    widths, and ``sex`` (n,), 1 male and 0 female. Output: ``age`` (n, 1),
    months / 240.

    Parameters
    ----------
    spec : FusionSpec
    widths : mapping of str to int
        Of the features, by region, in the order in which they are joined.
    networks : mapping of str to NetworkSpec
        What the heads of the networks are like, by region.
    """
    features = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    sex = keras.Input((), dtype="int32", name="sex")
    if spec.sex_units:
        sex_vector = embed_sex(sex, spec.sex_units)
    else:
        sex_vector = keras.layers.Reshape((1,), name="sex_code")(
            keras.layers.Rescaling(1.0, name="sex_float")(sex)
        )
    by_ages = spec.joins == "ages"
    joined = list(features.values())
    if by_ages:
        joined = [_own_age(name, features[name], sex, networks[name]) for name in features]
    age = age_head(
        keras.layers.Concatenate(name="joined")(joined) if len(joined) > 1 else joined[0],
        sex_vector,
        hidden=spec.hidden,
        dropout=spec.dropout,
        output="linear",
        correction=by_ages,
    )
    if not by_ages:
        return keras.Model({**features, "sex": sex}, {"age": age})
    mean = keras.layers.Average(name="mean_age")(joined) if len(joined) > 1 else joined[0]
    corrected = keras.layers.Add(name="corrected_age")([mean, age])
    fusion = keras.Model({**features, "sex": sex}, {"age": corrected})
    for layer in fusion.layers:
        layer.trainable = not layer.name.startswith(tuple(map(_prefix, features)))
    return fusion


def _prefix(name: str) -> str:
    """Begins the names of the layers of a network's own head in a fusion."""
    return f"{name}_own_"


def _own_age(name: str, feature: Any, sex: Any, network: NetworkSpec) -> Any:
    return age_head(
        feature,
        embed_sex(sex, network.sex_units, _prefix(name)) if network.sex_units else None,
        hidden=network.hidden,
        dropout=0.0,
        output=network.output,
        prefix=_prefix(name),
    )


def take_heads(fusion: keras.Model, sources: Mapping[str, keras.Model]) -> None:
    """Give a fusion of ages the networks' own heads.

    Parameters
    ----------
    fusion : keras.Model
    sources : mapping of str to keras.Model
        By region: its network, or another fusion that has its head.
    """
    for name, source in sources.items():
        there = {layer.name: layer for layer in source.layers}
        for layer in fusion.layers:
            if layer.weights and layer.name.startswith(_prefix(name)):
                known = there.get(layer.name) or there[layer.name.removeprefix(_prefix(name))]
                layer.set_weights(known.get_weights())
