"""Which hand an image shows: its lead marker, read by a small network, and its thumb."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels
from boneage.imaging.lead_marker import letter_boxes, letter_patches, reduced
from boneage.imaging.thumb import thumb_side
from boneage.inference.weights import silent_runtime
from boneage.quality.side import LeadMarker, SideEvidence

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

OTHER, MIRRORED = "other", " mirrored"
CLASSES = (OTHER, "L", f"L{MIRRORED}", "R", f"R{MIRRORED}")
NETWORK = "lead_marker.onnx"
"""Fitted by ``tools/sides/fit_lead_marker.py``."""


def side_of(
    image: Pixels, upright: Pixels, orientation: Orientation, marker: LeadMarker | None
) -> SideEvidence:
    """Collect what an image shows of the side of its hand.

    Parameters
    ----------
    image : Pixels
        Of :func:`boneage.imaging.collimation.whole_image`.
    upright : Pixels
        Its field, as it is analysed.
    orientation : Orientation
        From one to the other.
    marker : LeadMarker or None
        As :func:`lead_marker` reads it in the ``image`` as it came.
    """
    if orientation.quarters or orientation.inverted:
        bright = 1 - image if orientation.inverted else image
        marker = lead_marker(np.ascontiguousarray(np.rot90(bright, -orientation.quarters)))
    return SideEvidence(thumb_side(upright), marker)


def lead_marker(pixels: Pixels) -> LeadMarker | None:
    """Read the most likely marker of an image, bone and lead bright; None where there is none."""
    grey = reduced(pixels)
    boxes = letter_boxes(grey)
    if not len(boxes):
        return None
    patches = letter_patches(grey, boxes)[..., np.newaxis]
    (shares,) = _network().run(None, {"patch": patches})
    best = shares[:, 1:].max(axis=0)
    number = int(np.argmax(best))
    name = CLASSES[1 + number]
    return LeadMarker(name[0], name.endswith(MIRRORED), float(best[number]))


@cache
def _network() -> InferenceSession:
    onnxruntime = silent_runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    options.intra_op_num_threads = 1  # others run beside it
    content = (files("boneage.inference") / NETWORK).read_bytes()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
