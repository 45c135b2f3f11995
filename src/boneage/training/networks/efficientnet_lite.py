"""EfficientNet-Lite 0 to 4 without their tops.

The EfficientNets (Tan and Le, ICML 2019) without squeeze-and-excitation and with ReLU6
for swish: what is left runs as fast as it counts on a processor without special
instructions. https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True)
class _Stage:
    kernel: int
    stride: int
    """Of the first block; the others have 1."""
    expansion: int
    channels: int
    blocks: int


STAGES = (
    _Stage(3, 1, 1, 16, 1),
    _Stage(3, 2, 6, 24, 2),
    _Stage(5, 2, 6, 40, 2),
    _Stage(3, 2, 6, 80, 3),
    _Stage(5, 1, 6, 112, 3),
    _Stage(5, 2, 6, 192, 4),
    _Stage(3, 1, 6, 320, 1),
)
"""Of Lite0; wider and deeper ones scale channels and blocks."""
SCALES: Mapping[int, tuple[float, float]] = {
    0: (1.0, 1.0),
    1: (1.0, 1.1),
    2: (1.1, 1.2),
    3: (1.2, 1.4),
    4: (1.4, 1.8),
}
"""Width and depth of each. Stem and head have one width, first and last stage one depth."""
STEM, HEAD = 32, 1280
DIVISOR = 8
"""Numbers of channels are multiples of it."""


def efficientnet_lite(number: int) -> keras.Model:
    """Build EfficientNet-Lite 0 to 4, with random weights.

    From (n, rows, columns, 3), –1 to 1, to (n, rows / 32, columns / 32, 1280). The
    activation behind the expansion of block N is called ``bN_expand_relu``; that of
    the first block of the sixth stage (``b11`` in Lite0, ``b15`` in Lite2) is the last
    of a 16th of the resolution.
    """
    width, depth = SCALES[number]
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(STEM, 3, 2, "same", use_bias=False, name="stem_conv")(image)
    x = _relu6(_normalised(x, "stem_bn"), "stem_relu")
    block = 0
    for place, stage in enumerate(STAGES):
        scaled = 0 < place < len(STAGES) - 1
        for repeat in range(math.ceil(stage.blocks * depth) if scaled else stage.blocks):
            stride = 1 if repeat else stage.stride
            x = _block(x, stage, stride, _channels(stage.channels * width), f"b{block}")
            block += 1
    x = keras.layers.Conv2D(HEAD, 1, use_bias=False, name="head_conv")(x)
    x = _relu6(_normalised(x, "head_bn"), "head_relu")
    return keras.Model(image, x, name=f"efficientnet_lite{number}")


def _block(x: Any, stage: _Stage, stride: int, channels: int, name: str) -> Any:
    """Expand, convolve each channel by itself, project; with a way around where shapes allow."""
    before, y = x, x
    if stage.expansion > 1:
        wide = before.shape[-1] * stage.expansion
        y = keras.layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_expand")(y)
        y = _relu6(_normalised(y, f"{name}_bn0"), f"{name}_expand_relu")
    y = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, "same", use_bias=False, name=f"{name}_dw"
    )(y)
    y = _relu6(_normalised(y, f"{name}_bn1"), f"{name}_dw_relu")
    y = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project")(y)
    y = _normalised(y, f"{name}_bn2")
    if stride == 1 and before.shape[-1] == channels:
        y = keras.layers.Add(name=f"{name}_add")([before, y])
    return y


def _normalised(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(epsilon=1e-3, momentum=0.99, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return keras.layers.ReLU(6.0, name=name)(x)


def _channels(wanted: float) -> int:
    """The nearest multiple of 8, or the next where that takes more than a tenth away."""
    rounded = max(DIVISOR, int(wanted + DIVISOR / 2) // DIVISOR * DIVISOR)
    return rounded + DIVISOR if rounded < 0.9 * wanted else rounded
