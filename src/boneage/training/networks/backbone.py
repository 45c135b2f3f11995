"""Any convolutional backbone of ``keras.applications``, by name."""

from __future__ import annotations

import inspect
from pathlib import Path

import keras

from boneage.errors import ProfileError
from boneage.training.profile import NOT_A_FILE, NetworkSpec


def build_backbone(spec: NetworkSpec, weights_folder: Path | None = None) -> keras.Model:
    """Build the backbone of a network: RGB in –1 to 1, feature map out.

    Parameters
    ----------
    spec : NetworkSpec
    weights_folder : Path, optional
        Where a weights file named by ``spec.initial_weights`` lies; the file
        is only loaded when the folder is given.

    Raises
    ------
    ProfileError
        When Keras knows no such backbone, or not of that width, or the weights
        file is missing.
    """
    make = getattr(keras.applications, spec.backbone, None)
    if not callable(make) or not spec.backbone[:1].isupper():
        known = [n for n in dir(keras.applications) if n[:1].isupper()]
        raise ProfileError(f"no backbone {spec.backbone!r} in keras.applications; known: {known}")
    accepted = inspect.signature(make).parameters
    options: dict[str, object] = {"include_top": False, "input_shape": (None, None, 3)}
    options["weights"] = "imagenet" if spec.initial_weights == "imagenet" else None
    if spec.alpha is not None:
        if "alpha" not in accepted:
            raise ProfileError(f"alpha is {spec.alpha:g}, but {spec.backbone} has one width only")
        options["alpha"] = spec.alpha
    if "include_preprocessing" in accepted:
        options["include_preprocessing"] = False
    made = make(**options)
    # Named afterwards: EfficientNetV2 looks its blocks up by the name it is given.
    backbone = keras.Model(made.input, made.output, name="backbone")
    if spec.batch_norm_momentum is not None:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = spec.batch_norm_momentum
    if spec.initial_weights not in NOT_A_FILE and weights_folder:
        path = weights_folder / spec.initial_weights
        if not path.is_file():
            raise ProfileError(
                f"initial weights {spec.initial_weights!r} are not in {str(weights_folder)!r}; "
                'name their folder with --initial-weights, or set initial_weights = "none"'
            )
        backbone.load_weights(path)
    return backbone


def with_middle(backbone: keras.Model, after: str) -> keras.Model:
    """Let a backbone also answer the output of one of its layers, before its own.

    Raises
    ------
    ProfileError
        When there is no such layer.
    """
    names = [layer.name for layer in backbone.layers]
    if after not in names:
        raise ProfileError(f"heat_map_after is {after!r}, but the backbone's layers are {names}")
    middle = backbone.get_layer(after).output
    return keras.Model(backbone.input, [middle, backbone.output], name="backbone")
