"""Whether what was decoded is the image that was written."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tools.encodings.ways import Grey, Way

LOSSLESS, LOSSY = 1.1 / 255, 0.06
"""How far a pixel may be off, as a part of the range from black to white."""
ODD = 0.01
"""Of the pixels: hot and dead ones may be off by more."""


def assert_same(seen: npt.NDArray[Any], aspect: float, grey: Grey, way: Way) -> None:
    """See that decoded values are a linear function of an image, the brighter the higher."""
    if way.resampled:
        height, width = grey.shape
        assert seen.shape[0] * aspect / seen.shape[1] == pytest.approx(height / width, rel=0.01)
        assert seen.shape != grey.shape
        seen = cv2.resize(seen.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    else:
        assert aspect == pytest.approx(1.0)
    found = _within(seen, grey)
    off = _misfit(found, grey[:, : found.shape[1]])
    assert off < (LOSSY if way.lossy or way.resampled else LOSSLESS)


def _within(seen: npt.NDArray[Any], grey: Grey) -> npt.NDArray[Any]:
    """Find the image within what surrounds it."""
    height, width = grey.shape
    if seen.shape[0] <= height and seen.shape[1] <= width:
        return seen
    match = cv2.matchTemplate(
        seen.astype(np.float32), grey.astype(np.float32), cv2.TM_CCOEFF_NORMED
    )
    top, left = np.unravel_index(match.argmax(), match.shape)
    return seen[top : top + height, left : left + width]


def _misfit(seen: npt.NDArray[Any], grey: Grey) -> float:
    """How far from a straight line the worst pixel is, but for the odd ones."""
    assert seen.shape == grey.shape
    x, y = grey.ravel().astype(np.float64), seen.ravel().astype(np.float64)
    spread = np.median(np.abs(y - np.median(y)))
    typical = np.abs(y - np.median(y)) <= 20 * spread + 1e-9
    slope, offset = np.polyfit(x[typical], y[typical], 1)
    assert slope > 0, "black and white are exchanged, or there is no contrast"
    away = np.sort(np.abs((y - offset) / slope - x) / 255)
    return float(away[-round(ODD * away.size) - 1])
