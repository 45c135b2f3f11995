from __future__ import annotations

import cv2
import numpy as np
import pytest

from boneage.imaging.components import Areas, Mask, connected_components


def of_the_whole_mask(mask: Mask) -> Areas:
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_BBDT
    )
    found: Areas = stats[1:]
    return found


def test_areas_touch_by_their_corners() -> None:
    mask = np.zeros((9, 12), np.uint8)
    mask[2, 3] = mask[3, 4] = 1
    mask[6:8, 7:10] = 1
    assert connected_components(mask).tolist() == [[3, 2, 2, 2, 2], [7, 6, 3, 2, 6]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (37, 52)])
@pytest.mark.parametrize("share", [0.0, 0.004, 0.05, 0.5, 1.0])
def test_they_are_those_of_the_whole_mask_in_the_same_order(
    shape: tuple[int, int], share: float
) -> None:
    for seed in range(20):
        mask = (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)
        assert connected_components(mask).tolist() == of_the_whole_mask(mask).tolist()


def test_many_areas_are_distinguished() -> None:
    mask = np.zeros((511, 515), np.uint8)
    mask[::2, ::2] = 1
    assert len(connected_components(mask)) == 256 * 258, "more than 16 bits count"
