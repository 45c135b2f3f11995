"""The networks that take an image: the attention network and the region networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
from keras import ops

from boneage.training.networks.backbone import (
    Scaling,
    build_backbone,
    scaling_of,
    with_middle,
)
from boneage.training.networks.layers import age_head, cbam, embed_sex
from boneage.training.profile import NetworkSpec

LOCAL = "local_"
"""Begins the names of all that only the second CBAM's part is made of."""


def build_attention_network(
    spec: NetworkSpec,
    size: tuple[int, int] | None = None,
    weights_folder: Path | None = None,
    *,
    local: bool = True,
    focus: float = 0.0,
) -> keras.Model:
    """Backbone, CBAM, pooling, age.

    Inputs: ``film`` (n, rows, columns, 1), 0 to 255, and ``sex`` (n,), 1 male and 0 female.
    Outputs: ``heat_map`` (n, map rows, map columns), the sum of F'' over its channels;
    ``feature`` (n, channels), F'' averaged over the film; ``age`` (n, 1), months / 240. The heat
    map never depends on the sex.

    Where the profile names a layer, ``heat_map_after``, a second CBAM stands beside the rest of
    the backbone and reads an age of its own, ``local_age`` (n, 1), from what it lets through of
    that layer; then the heat map is its F''; without ``local`` there is none. ``size`` (rows,
    columns) comes instead of the profile's input, ``focus`` is the price of a spread-out
    attention in the CBAM of the heat map.
    """
    film, sex, rgb = _inputs(spec, size)
    backbone = build_backbone(spec, weights_folder)
    outputs: dict[str, Any] = {}
    if local and spec.heat_map_after:
        middle, features = with_middle(backbone, spec.heat_map_after)(rgb)
        let_through = cbam(middle, spec.cbam_reduction, prefix=LOCAL, focus=focus)
        features = cbam(features, spec.cbam_reduction)
        outputs["heat_map"] = HeatMap(name="heat_map")(let_through)
        seen = keras.layers.GlobalAveragePooling2D(name=f"{LOCAL}pooled")(let_through)
        outputs["local_age"] = _age(spec, seen, sex, LOCAL)
    else:
        features = cbam(backbone(rgb), spec.cbam_reduction, focus=focus)
        outputs["heat_map"] = HeatMap(name="heat_map")(features)
    outputs["feature"] = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    outputs["age"] = _age(spec, outputs["feature"], sex)
    return keras.Model({"film": film, "sex": sex}, outputs)


def build_region_network(
    spec: NetworkSpec, *, flatten: bool, weights_folder: Path | None = None
) -> keras.Model:
    """As :func:`build_attention_network`, for one region's crops, without CBAM and heat map.

    With ``flatten`` the feature is the whole last feature map.
    """
    film, sex, rgb = _inputs(spec, None)
    features = build_backbone(spec, weights_folder)(rgb)
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(features)
    feature = keras.layers.Flatten(name="feature")(features) if flatten else pooled
    outputs = {"feature": feature, "age": _age(spec, pooled, sex)}
    return keras.Model({"film": film, "sex": sex}, outputs)


def _inputs(spec: NetworkSpec, size: tuple[int, int] | None) -> tuple[Any, Any, Any]:
    """Film, sex, and the film as the backbone takes it: RGB, scaled."""
    rows, cols = size or spec.input
    film = keras.Input((rows, cols, 1), name="film")
    sex = keras.Input((), dtype="int32", name="sex")
    channels = scaling_of(spec.backbone)
    # ONNX Runtime multiplies an array whose last axis is 1 long number by number: a
    # tenth of the time of the whole network, where a flat one takes next to nothing.
    flat = keras.layers.Reshape((rows, cols), name="flat")(film)
    scaled = {
        scaling: _scaled(flat, scaling, place)
        for place, scaling in enumerate(dict.fromkeys(channels))
    }
    return film, sex, keras.layers.Concatenate(name="rgb")([scaled[c] for c in channels])


def _scaled(flat: Any, scaling: Scaling, place: int) -> Any:
    """One channel of what the backbone takes, shape (n, rows, columns, 1)."""
    factor, offset = scaling
    scaled = keras.layers.Rescaling(factor, offset=offset, name=f"scale_{place}")(flat)
    return keras.layers.Reshape((*flat.shape[1:], 1), name=f"channel_{place}")(scaled)


def _age(spec: NetworkSpec, pooled: Any, sex: Any, prefix: str = "") -> Any:
    return age_head(
        pooled,
        embed_sex(sex, spec.sex_units, prefix) if spec.sex_units else None,
        hidden=spec.hidden,
        dropout=spec.dropout,
        # What only finds the regions answers one number.
        output="linear" if prefix == LOCAL and spec.output == "distribution" else spec.output,
        prefix=prefix,
    )


@keras.saving.register_keras_serializable("boneage")
class HeatMap(keras.layers.Layer):  # type: ignore[misc]
    """Sum a feature map over its channels."""

    def call(self, features: object) -> object:
        """Features (n, rows, columns, channels) in, (n, rows, columns) out."""
        return ops.sum(features, axis=-1)
