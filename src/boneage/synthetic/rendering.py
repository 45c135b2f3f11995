"""The look of a radiograph: from mm in the beam to grey."""

from __future__ import annotations

import cv2
import numpy as np

from boneage.domain.radiograph import Pixels
from boneage.synthetic.attenuation import Map, Textures, bone_map, flesh_map
from boneage.synthetic.marker import PLATE, Marker, marker
from boneage.synthetic.outlines import Outline
from boneage.synthetic.projection import Projection
from boneage.synthetic.skeleton import Bone

# Per mm in the beam, in grey of the finished film: chosen by eye against films
# of children's hands, not by physics.
FLESH_PER_MM = 0.0120
SPONGY_PER_MM = 0.018
COMPACT_PER_MM = 0.094
BACKGROUND = 0.022
SHOULDER = 1.25
"""Grey rises ever slower towards this value."""

BLUR_MM = 0.11
"""Of the focal spot, the screen and the reader together."""
SCATTER_MM, SCATTER_SHARE = 14.0, 0.08
NOISE = 0.0035
"""Grey's standard deviation where the beam is free; more where less comes through."""
COLLIMATOR_SHARE = 0.015
"""Of the film's shorter side, that its leaves cover at each edge."""
LEAD_DENSITY, PLATE_DENSITY = 8.0, 0.35
"""Of the marker's lead, and of the plastic around it."""
SKIN_MM = 0.5
"""Less flesh than this is none to the eye."""


def render(
    bones: tuple[Bone, ...],
    flesh: Outline,
    projection: Projection,
    rng: np.random.Generator,
    *,
    collimated: bool,
) -> Pixels:
    """Expose a film; shape (height, width), 0 (black) to 1 (white)."""
    soft = flesh_map(flesh, projection)
    compact, spongy = bone_map(bones, projection, Textures.drawn(rng))
    density = FLESH_PER_MM * soft + SPONGY_PER_MM * spongy + COMPACT_PER_MM * compact
    density = _seen(density, projection)
    lead = marker(soft < SKIN_MM)
    _lay_down(density, lead)
    density = cv2.GaussianBlur(density, (0, 0), max(0.45, 0.5 * BLUR_MM / projection.mm_per_px))
    grey = BACKGROUND + (SHOULDER - BACKGROUND) * (1 - np.exp(-density / SHOULDER))
    grey += _grain(density, rng)
    if collimated:
        _shut(grey)
    pixels: Pixels = np.clip(grey, 0.0, 1.0).astype(np.float32)
    return pixels


def _seen(density: Map, projection: Projection) -> Map:
    """Blur as the focal spot does, and let scattered rays fog what lies around."""
    sharp = cv2.GaussianBlur(density, (0, 0), max(0.3, BLUR_MM / projection.mm_per_px))
    # Blurring at a quarter of the size is the same to the eye and much faster.
    small = cv2.resize(density, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, SCATTER_MM / projection.mm_per_px / 4))
    fog = cv2.resize(small, density.shape[::-1], interpolation=cv2.INTER_LINEAR)
    seen: Map = sharp + SCATTER_SHARE * fog
    return seen


def _lay_down(density: Map, lead: Marker) -> None:
    rows, cols = lead.lead.shape
    view = density[lead.top : lead.top + rows, lead.left : lead.left + cols]
    view += np.where(lead.lead > PLATE, LEAD_DENSITY, PLATE_DENSITY) * lead.lead


def _grain(density: Map, rng: np.random.Generator) -> Map:
    """Draw quantum noise: fewer rays, more grain; none through lead."""
    white = rng.standard_normal(density.shape, dtype=np.float32)
    soft = cv2.GaussianBlur(white, (0, 0), 0.6)
    strength = NOISE * np.exp(0.5 * np.minimum(density, 2.0))
    # The shoulder flattens the grain of what is bright.
    grain: Map = strength * np.exp(-0.5 * density / SHOULDER) * soft / soft.std()
    return grain


def _shut(grey: Map) -> None:
    """Black out what the collimator's leaves covered."""
    edge = max(1, round(COLLIMATOR_SHARE * min(grey.shape)))
    open_field = np.zeros_like(grey)
    open_field[edge:-edge, edge:-edge] = 1.0
    grey *= cv2.GaussianBlur(open_field, (0, 0), max(0.5, edge / 6))
