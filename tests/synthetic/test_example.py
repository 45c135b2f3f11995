"""The bundled example is what the command draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw

EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic_hand_girl_10y.png"
SIZE_LIMIT = 600_000


def test_drawing_the_example_again_gives_the_same_pixels() -> None:
    with Image.open(EXAMPLE) as image:
        stored = np.asarray(image)
        assert "Synthetic" in image.info["Description"]
    pixels = np.rint(draw(120, Sex.FEMALE).radiograph.pixels * 255)
    difference = np.abs(pixels - stored)
    # Another processor may round differently: by one grey level, here and there.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


def test_the_example_is_small() -> None:
    assert EXAMPLE.stat().st_size < SIZE_LIMIT
