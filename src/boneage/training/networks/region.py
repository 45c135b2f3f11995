"""The networks that look at an image: the attention network and the region networks."""

from __future__ import annotations

from pathlib import Path

import keras
from keras import ops

from boneage.training.networks.backbone import build_backbone, split_backbone
from boneage.training.networks.cbam import cbam
from boneage.training.networks.head import age_head, embed_sex
from boneage.training.profile import NetworkSpec


def build_attention_network(
    spec: NetworkSpec, size: tuple[int, int] | None = None, weights_folder: Path | None = None
) -> keras.Model:
    """Backbone, CBAM on its output or in the middle of it, pooling, age.

    Inputs: ``film`` (n, rows, columns, 1), 0 to 255, and ``sex`` (n,), 1 male
    and 0 female. Outputs: ``heat_map`` (n, map rows, map columns), the sum of
    F'' over its channels; ``feature`` (n, channels), F'' averaged over the
    film; ``age`` (n, 1), months / 240. The heat map never depends on the sex.
    """
    return _build(spec, size, weights_folder, attention=True, flatten=False)


def build_region_network(
    spec: NetworkSpec, *, flatten: bool, weights_folder: Path | None = None
) -> keras.Model:
    """Backbone, pooling, age, for one region's crops.

    Inputs and outputs as the attention network's, but no heat map; with
    ``flatten`` the feature is the whole last feature map.
    """
    return _build(spec, None, weights_folder, attention=False, flatten=flatten)


def _build(
    spec: NetworkSpec,
    size: tuple[int, int] | None,
    weights_folder: Path | None,
    *,
    attention: bool,
    flatten: bool,
) -> keras.Model:
    film = keras.Input((*(size or spec.input), 1), name="film")
    sex = keras.Input((), dtype="int32", name="sex")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(film)
    rgb = keras.layers.Concatenate(name="rgb")([scaled, scaled, scaled])
    backbone = build_backbone(spec, weights_folder)
    outputs = {}
    if attention:
        below, above = split_backbone(backbone, spec.cbam_after)
        features = cbam(below(rgb), spec.cbam_reduction)
        outputs["heat_map"] = HeatMap(name="heat_map")(features)
        features = above(features) if above is not None else features
    else:
        features = backbone(rgb)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    outputs["feature"] = keras.layers.Flatten(name="feature")(features) if flatten else pooled
    outputs["age"] = age_head(
        pooled,
        embed_sex(sex, spec.sex_units) if spec.sex_units else None,
        hidden=spec.hidden,
        dropout=spec.dropout,
        output=spec.output,
    )
    return keras.Model({"film": film, "sex": sex}, outputs)


@keras.saving.register_keras_serializable("boneage")
class HeatMap(keras.layers.Layer):  # type: ignore[misc]
    """Sum a feature map over its channels."""

    def call(self, features: object) -> object:
        """Features (n, rows, columns, channels) in, (n, rows, columns) out."""
        return ops.sum(features, axis=-1)
