"""Whether an image shows metal, such as a ring, a plate or a wire, by a small network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Pixels
from boneage.imaging.lead_marker import reduced
from boneage.imaging.metal import bright_boxes, object_patches, on_hand
from boneage.inference.weights import small_network

NETWORK = "metal.onnx"
"""Fitted by ``tools/metal/fit.py``."""


def metal_likelihood(pixels: Pixels) -> float:
    """How likely it is that a bright object on the hand is metal, 0 to 1; bone and metal bright."""
    return metal_in(reduced(pixels))


def metal_in(grey: npt.NDArray[np.uint8]) -> float:
    """The same of an image at the size at which marks are looked for."""
    boxes = on_hand(grey, bright_boxes(grey))
    if not len(boxes):
        return 0.0
    (likely,) = small_network(NETWORK).run(None, {"patch": object_patches(grey, boxes)})
    return float(likely.max())
