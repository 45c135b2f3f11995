"""Metal on a radiograph, by the network that ships."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.radiograph import Pixels, Sex
from boneage.imaging.metal import MOST, PATCH_PX, bright_boxes, object_patches
from boneage.inference.metal import metal_likelihood
from boneage.quality.checks import METAL_LIKELY
from boneage.synthetic import draw
from tools.metal.drawing import KINDS, with_metal
from tools.sides.fit_lead_marker import tissue_of


@pytest.fixture(scope="module")
def hand() -> Pixels:
    return draw(120, Sex.MALE, height=900, width=700, seed=3).radiograph.pixels


def test_drawn_metal_is_found_and_a_hand_is_none(hand: Pixels) -> None:
    assert metal_likelihood(hand) < METAL_LIKELY
    tissue = tissue_of(hand)
    found: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for seed in range(40):
        drawn, where, kind = with_metal(hand, tissue, np.random.default_rng(seed))
        assert drawn.shape == hand.shape
        assert where.any()
        assert (drawn[~where] <= 1).all()
        found[kind].append(metal_likelihood(drawn) > METAL_LIKELY)
    assert all(found.values()), "every kind was drawn"
    everything = [one for some in found.values() for one in some]
    assert np.mean(everything) > 0.6


@pytest.mark.parametrize("shape", [(40, 30), (900, 20), (1, 1), (3000, 2400)])
def test_any_image_has_an_answer(shape: tuple[int, int]) -> None:
    black = np.zeros(shape, np.float32)
    assert metal_likelihood(black) == 0.0
    noise = np.random.default_rng(1).random(shape, np.float32)
    assert 0 <= metal_likelihood(noise) <= 1


def test_objects_are_cut_out_with_what_is_around_them() -> None:
    grey = np.full((768, 600), 60, np.uint8)
    grey[300:306, 100:300] = 250  # a wire
    grey[700:, 500:] = 255  # too wide
    boxes = bright_boxes(grey)
    assert [100, 300, 200, 6] in boxes.tolist()
    assert len(boxes) <= MOST
    patches = object_patches(grey, boxes[:1])
    assert patches.shape == (1, PATCH_PX, PATCH_PX, 2)
    assert patches[0, PATCH_PX // 2, PATCH_PX // 2, 0] > patches[0, 2, 2, 0]
    assert object_patches(grey, boxes[:0]).shape == (0, PATCH_PX, PATCH_PX, 2)
