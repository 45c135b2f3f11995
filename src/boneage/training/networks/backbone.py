"""Any backbone of ``keras.applications`` by name, EfficientNet-Lite, and a vision transformer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import keras
import numpy as np

from boneage.errors import ProfileError
from boneage.training.networks.efficientnet_lite import SCALES, efficientnet_lite
from boneage.training.networks.vit import vit_tiny
from boneage.training.profile import NOT_A_FILE, NetworkSpec

OWN: Mapping[str, Callable[[], keras.Model]] = {
    "ViTTiny": vit_tiny,
    **{f"EfficientNetLite{n}": partial(efficientnet_lite, n) for n in SCALES},
}
"""Backbones that Keras does not have; they take RGB in –1 to 1 and start from nothing or a file."""

Scaling = tuple[float, float]
"""What a grey of 0 to 255 is multiplied by, and what is added then."""
TO_ONE: Scaling = (1 / 127.5, -1.0)
"""From –1 to 1."""
AS_IT_IS: Scaling = (1.0, 0.0)


def scaling_of(backbone: str) -> tuple[Scaling, ...]:
    """How a film's grey becomes each of the three channels that a backbone takes.

    Every family of ``keras.applications`` has its own way: to –1 to 1, by the mean and the
    deviation of ImageNet, by the mean alone, or in a layer of its own. What Keras would do to a
    grey photograph is done to films, whatever the weights start from: a region network may start
    from the attention network's. A backbone that Keras does not have gets –1 to 1.
    """
    make = getattr(keras.applications, backbone, None)
    if not callable(make):
        return (TO_ONE,) * 3
    if "include_preprocessing" in inspect.signature(make).parameters:
        return (AS_IT_IS,) * 3
    modules = [m for m in vars(keras.applications).values() if inspect.ismodule(m)]
    family = next(m for m in modules if getattr(m, backbone, None) is make)
    black, white = (
        family.preprocess_input(np.full((1, 1, 1, 3), grey)).ravel().tolist()
        for grey in (0.0, 255.0)
    )
    return tuple(((high - low) / 255, low) for low, high in zip(black, white, strict=True))


def build_backbone(spec: NetworkSpec, weights_folder: Path | None = None) -> keras.Model:
    """Build the backbone of a network: RGB scaled by :func:`scaling_of` in, feature map out.

    A weights file named by ``spec.initial_weights`` is only loaded when its folder is given.
    A ProfileError when there is no such backbone, or not of that width, or not with weights of
    ImageNet, or the weights file is missing.
    """
    made = _own(spec) if spec.backbone in OWN else _of_keras(spec)
    if spec.initial_weights not in NOT_A_FILE and weights_folder:
        _load(made, weights_folder / spec.initial_weights)
    made = with_depthwise(made)
    # Named afterwards: EfficientNetV2 looks its blocks up by the name it is given.
    backbone = keras.Model(made.input, made.output, name="backbone")
    if spec.batch_norm_momentum is not None:
        for layer in backbone.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = spec.batch_norm_momentum
    return backbone


def _of_keras(spec: NetworkSpec) -> keras.Model:
    make = getattr(keras.applications, spec.backbone, None)
    if not callable(make) or not spec.backbone[:1].isupper():
        known = [*(n for n in dir(keras.applications) if n[:1].isupper()), *OWN]
        raise ProfileError(f"no backbone {spec.backbone!r} in keras.applications; known: {known}")
    options: dict[str, object] = {"include_top": False, "input_shape": (None, None, 3)}
    options["weights"] = "imagenet" if spec.initial_weights == "imagenet" else None
    if spec.alpha is not None:
        if "alpha" not in inspect.signature(make).parameters:
            raise _one_width(spec)
        options["alpha"] = spec.alpha
    return make(**options)


def _own(spec: NetworkSpec) -> keras.Model:
    if spec.alpha is not None:
        raise _one_width(spec)
    if spec.initial_weights == "imagenet":
        raise ProfileError(
            f'initial_weights is "imagenet", and there are none for {spec.backbone}; '
            'set it to "none", or name a file of your own'
        )
    return OWN[spec.backbone]()


def _one_width(spec: NetworkSpec) -> ProfileError:
    return ProfileError(f"alpha is {spec.alpha:g}, but {spec.backbone} has one width only")


def _load(backbone: keras.Model, path: Path) -> None:
    if not path.is_file():
        raise ProfileError(
            f"initial weights {path.name!r} are not in {str(path.parent)!r}; "
            'name their folder with --initial-weights, or set initial_weights = "none"'
        )
    backbone.load_weights(path)


def with_depthwise(backbone: keras.Model) -> keras.Model:
    """The same network with depthwise layers for convolutions of a group a channel, as ConvNeXt's.

    They are the same sums, but TensorFlow has no grouped convolution on a processor and compiles
    each by XLA. A network without any comes back as it is.
    """
    if not any(_is_depthwise(layer) for layer in backbone.layers):
        return backbone
    changed = keras.models.clone_model(backbone, clone_function=_depthwise)
    for layer in backbone.layers:
        weights = layer.get_weights()
        if _is_depthwise(layer):  # its kernel has the last two axes the other way about
            weights[0] = weights[0].transpose(0, 1, 3, 2)
        if weights:
            changed.get_layer(layer.name).set_weights(weights)
    return changed


def _is_depthwise(layer: keras.layers.Layer) -> bool:
    if not isinstance(layer, keras.layers.Conv2D) or layer.groups == 1:
        return False
    return bool(layer.groups == layer.filters and layer.kernel.shape[-2] == 1)


def _depthwise(layer: keras.layers.Layer) -> keras.layers.Layer:
    if not _is_depthwise(layer):
        return layer.__class__.from_config(layer.get_config())
    return keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        layer.strides,
        layer.padding,
        use_bias=layer.use_bias,
        depthwise_initializer=layer.kernel_initializer,
        name=layer.name,
    )


def with_middle(backbone: keras.Model, after: str) -> keras.Model:
    """Let a backbone also answer the output of one of its layers, before its own."""
    names = [layer.name for layer in backbone.layers]
    if after not in names:
        raise ProfileError(f"heat_map_after is {after!r}, but the backbone's layers are {names}")
    middle = backbone.get_layer(after).output
    return keras.Model(backbone.input, [middle, backbone.output], name="backbone")
