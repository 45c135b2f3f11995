"""Which hand an image shows: its lead marker, read by a small network, and its thumb."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels
from boneage.imaging.lead_marker import letter_boxes, letter_patches, reduced
from boneage.imaging.thumb import thumb_side
from boneage.inference.weights import small_network
from boneage.quality.side import LeadMarker, SideEvidence

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
    return marker_in(reduced(pixels))


def marker_in(grey: npt.NDArray[np.uint8]) -> LeadMarker | None:
    """The same of an image at the size at which markers are looked for."""
    boxes = letter_boxes(grey)
    if not len(boxes):
        return None
    patches = letter_patches(grey, boxes)[..., np.newaxis]
    (shares,) = small_network(NETWORK).run(None, {"patch": patches})
    best = shares[:, 1:].max(axis=0)
    number = int(np.argmax(best))
    name = CLASSES[1 + number]
    return LeadMarker(name[0], name.endswith(MIRRORED), float(best[number]))
