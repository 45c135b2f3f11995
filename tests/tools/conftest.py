"""The image that the tests write."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from tools.encodings.ways import Grey


@pytest.fixture(scope="session")
def grey() -> Grey:
    """A drawn hand of odd sides, shape (231, 175)."""
    film = draw(120.0, Sex.FEMALE, height=231, width=175)
    return np.rint(255 * film.radiograph.pixels).astype(np.uint8)
