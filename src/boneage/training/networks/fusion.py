"""The dense head that joins what the networks saw and the child's sex."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from boneage.training.networks.head import age_head, embed_sex
from boneage.training.profile import FusionSpec


def build_fusion_network(spec: FusionSpec, widths: Mapping[str, int]) -> keras.Model:
    """Features of each region and the sex to the age.

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
    age = age_head(x, sex_vector, hidden=spec.hidden, dropout=spec.dropout, output="linear")
    return keras.Model({**features, "sex": sex}, {"age": age})
