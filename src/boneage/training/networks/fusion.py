"""The fusion: a small head that combines the networks' features, or ages, with the child's sex."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from boneage.training.networks.layers import age_head, embed_sex
from boneage.training.profile import FusionSpec, NetworkSpec


def build_fusion_network(
    spec: FusionSpec, widths: Mapping[str, int], networks: Mapping[str, NetworkSpec]
) -> keras.Model:
    """Features of each region and the sex to the age.

    Where the profile combines ``ages``, the head of each network, frozen, reads its own age from
    its feature, and the fusion's own layers answer what to add to the mean of these ages; where it
    combines ``mean_of_ages``, their weighted mean is the answer. A thousand films are few for
    thousands of features, and enough for a handful of ages; a hundred for a handful of weights.

    Inputs: one feature vector a region, named by the region, of the given widths and in their
    order, and ``sex`` (n,), 1 male and 0 female. Output: ``age`` (n, 1), months / 240.
    ``networks`` describes, by region, their heads.
    """
    features = {name: keras.Input((width,), name=name) for name, width in widths.items()}
    sex = keras.Input((), dtype="int32", name="sex")
    by_ages = spec.joins != "features"
    parts = list(features.values())
    if by_ages:
        parts = [_own_age(name, features[name], sex, networks[name]) for name in features]
    together = keras.layers.Concatenate(name="joined")(parts) if len(parts) > 1 else parts[0]
    if spec.joins == "mean_of_ages":
        return _with_own_ages(
            features, sex, WeightedMean(spec.shrinkage, name="weighted_mean")(together)
        )
    age = age_head(
        together,
        _sex_vector(sex, spec.sex_units),
        hidden=spec.hidden,
        dropout=spec.dropout,
        output="linear",
        correction=by_ages,
    )
    if not by_ages:
        return keras.Model({**features, "sex": sex}, {"age": age})
    mean = keras.layers.Average(name="mean_age")(parts) if len(parts) > 1 else parts[0]
    return _with_own_ages(features, sex, keras.layers.Add(name="corrected_age")([mean, age]))


def _sex_vector(sex: Any, units: int) -> Any:
    """An embedding of this width, or the bare code."""
    if units:
        return embed_sex(sex, units)
    code = keras.layers.Rescaling(1.0, name="sex_float")(sex)
    return keras.layers.Reshape((1,), name="sex_code")(code)


def _with_own_ages(features: Mapping[str, Any], sex: Any, age: Any) -> keras.Model:
    """A fusion whose networks' own heads are frozen."""
    fusion = keras.Model({**features, "sex": sex}, {"age": age})
    for layer in fusion.layers:
        layer.trainable = not layer.name.startswith(tuple(map(_prefix, features)))
    return fusion


@keras.saving.register_keras_serializable("boneage")
class WeightedMean(keras.layers.Layer):  # type: ignore[misc]
    """The mean of some ages, shape (n, ages), by weights that are learned; shape (n, 1).

    The weights are the softmax of what is learned: none below 0, together 1, alike at first.
    ``shrinkage`` is what a learned number costs by its square.
    """

    def __init__(self, shrinkage: float, **options: Any) -> None:
        super().__init__(**options)
        self.shrinkage = shrinkage

    def build(self, shape: tuple[int | None, int]) -> None:
        """Make the learned numbers."""
        self.scores = self.add_weight(
            shape=(shape[-1],),
            initializer="zeros",
            regularizer=keras.regularizers.L2(self.shrinkage),
            name="scores",
        )

    @property
    def shares(self) -> Any:
        """How much each age counts, shape (ages,)."""
        return ops.softmax(self.scores)

    def call(self, ages: Any) -> Any:
        """Ages (n, ages) in, (n, 1) out."""
        return ops.sum(ages * self.shares, axis=-1, keepdims=True)


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


def copy_heads(fusion: keras.Model, sources: Mapping[str, keras.Model]) -> None:
    """Give a fusion of ages the networks' own heads.

    By region, a source is its network, or another fusion that has its head.
    """
    for name, source in sources.items():
        there = {layer.name: layer for layer in source.layers}
        for layer in fusion.layers:
            if layer.weights and layer.name.startswith(_prefix(name)):
                known = there.get(layer.name) or there[layer.name.removeprefix(_prefix(name))]
                layer.set_weights(known.get_weights())
