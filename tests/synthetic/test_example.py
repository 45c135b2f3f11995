"""The bundled examples are what the command draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boneage.synthetic.examples import EXAMPLES, Example

FOLDER = Path(__file__).parents[2] / "examples"
SIZE_LIMIT = 600_000


def path_of(example: Example) -> Path:
    return FOLDER / f"{example.file_name}.png"


@pytest.mark.parametrize("example", EXAMPLES.values())
def test_drawing_an_example_again_gives_the_same_pixels(example: Example) -> None:
    with Image.open(path_of(example)) as image:
        stored = np.asarray(image)
        assert "Synthetic" in image.info["Description"]
    pixels = np.rint(example.draw().radiograph.pixels * 255)
    difference = np.abs(pixels - stored)
    # Another processor may round differently: by one grey level, here and there.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


@pytest.mark.parametrize("example", EXAMPLES.values())
def test_an_example_is_small_and_its_readme_says_how_it_was_drawn(example: Example) -> None:
    assert path_of(example).stat().st_size < SIZE_LIMIT
    command = (
        f"boneage synthetic --sex {example.sex} --age-months {example.age_months} "
        f"--seed {example.seed} --out examples/{example.file_name}.png"
    )
    assert command in (FOLDER / "README.md").read_text("utf-8")
