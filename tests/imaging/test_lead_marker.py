"""Bright letters of an image, as patches."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.radiograph import Sex
from boneage.imaging.lead_marker import (
    LONGEST_PX,
    MOST,
    PATCH_PX,
    letter_boxes,
    letter_patches,
    reduced,
)
from boneage.imaging.perturbations import marked
from boneage.synthetic import draw

HAND = draw(120, Sex.FEMALE, height=600, width=480).radiograph.pixels


@pytest.mark.parametrize("shape", [(300, 200), (1600, 900), (500, 1000)])
def test_every_image_is_searched_at_one_size(shape: tuple[int, int]) -> None:
    grey = reduced(np.linspace(0, 0.3, shape[0] * shape[1], dtype=np.float32).reshape(shape))
    assert max(grey.shape) == LONGEST_PX
    assert (grey.min(), grey.max()) == (0, 255)


def test_a_drawn_letter_is_among_the_boxes() -> None:
    grey = reduced((marked((HAND * 255).astype(np.uint8), 0.05) / 255).astype(np.float32))
    boxes = letter_boxes(grey)
    assert 0 < len(boxes) <= MOST
    left, top, width, height = boxes[0]
    assert max(left, top) < 0.1 * LONGEST_PX, "the brightest, in the upper left corner"
    assert 0.02 * LONGEST_PX < height < 0.06 * LONGEST_PX
    assert width < height
    patch = letter_patches(grey, boxes[:1])[0]
    assert patch.shape == (PATCH_PX, PATCH_PX)
    assert (patch.min(), patch.max()) == (0, 1)
    stroke = patch > 0.5
    assert stroke[:, :16].sum() > 2 * stroke[:, 16:].sum(), "an L is heavy on its left"


def test_a_blank_image_has_no_letters() -> None:
    grey = reduced(np.full((400, 300), 0.5, np.float32))
    boxes = letter_boxes(grey)
    assert boxes.shape == (0, 4)
    assert letter_patches(grey, boxes).shape == (0, PATCH_PX, PATCH_PX)
