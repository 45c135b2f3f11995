"""The outline of a hand's soft tissue, in mm."""

from __future__ import annotations

import cv2
import numpy as np

from boneage.synthetic.anatomy import ADULT, FOREARM_MM
from boneage.synthetic.outlines import Outline
from boneage.synthetic.skeleton import Skeleton

GRID_MM = 0.5
SMOOTHED = 4
"""Points of the grid on either side."""
WEB_MM = 4.0
"""The radius of the skin between two fingers, in a grown hand."""
PAD_MM = 4.2
"""Of flesh beyond the bone of a fingertip, in a grown hand."""
SHOWN_FOREARM_MM = 160.0
"""Of the grown forearm that is shaped; below, it is straight."""


def outline_flesh(skeleton: Skeleton) -> Outline:
    """Outline the skin of the hand and the forearm as one closed curve."""
    scale, width_scale = skeleton.growth.scale, skeleton.growth.width_scale
    plump = np.array([min(width_scale / scale, 1.16) * scale, scale])
    forearm = np.maximum(ADULT.forearm, (-np.inf, -SHOWN_FOREARM_MM))
    parts = [np.asarray(ADULT.palm) * plump, forearm * plump]
    for finger, half_widths in zip(skeleton.fingers, ADULT.finger_half_widths, strict=True):
        parts += _finger(finger.joints, np.asarray(half_widths) * width_scale, PAD_MM * scale)
    x, y = _union(parts, WEB_MM * scale).T
    # The forearm's cut end is moved far off any film.
    is_end = y < -(SHOWN_FOREARM_MM - 5) * scale
    return np.stack([x, np.where(is_end, -FOREARM_MM * scale, y)], axis=1)


def _finger(points: Outline, half_widths: Outline, pad: float) -> list[Outline]:
    direction = (points[-1] - points[-2]) / np.hypot(*(points[-1] - points[-2]))
    tip = points[-1] + direction * (pad - half_widths[-1])
    stations = np.concatenate([points[:-1], tip[None]])
    parts = []
    for start, end, wide, narrow in zip(
        stations[:-1], stations[1:], half_widths[:-1], half_widths[1:], strict=True
    ):
        along = (end - start) / np.hypot(*(end - start))
        across = np.array([along[1], -along[0]])
        begin, stop = across * wide, across * narrow
        parts.append(np.array([start + begin, end + stop, end - stop, start - begin]))
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    disc = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return parts + [
        station + half * disc for station, half in zip(stations, half_widths, strict=True)
    ]


def _union(parts: list[Outline], web: float) -> Outline:
    margin = 6 * web
    corner = np.min([part.min(axis=0) for part in parts], axis=0) - margin
    size = np.max([part.max(axis=0) for part in parts], axis=0) + margin - corner
    cols, rows = np.ceil(size / GRID_MM).astype(int)
    mask = np.zeros((rows, cols), np.uint8)
    for part in parts:
        on_grid = np.rint((part - corner) / GRID_MM * 16).astype(np.int32)
        cv2.fillPoly(mask, [on_grid], 255, shift=4)
    across = 2 * round(web / GRID_MM) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.3 * web / GRID_MM)
    curves, _ = cv2.findContours(
        (mask > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    longest = max(curves, key=len)[:, 0].astype(np.float64)
    # Averaged along itself, so that it has no steps.
    shifts = range(-SMOOTHED, SMOOTHED + 1)
    averaged = np.mean([np.roll(longest, by, axis=0) for by in shifts], axis=0)
    return np.asarray(corner + GRID_MM * averaged)
