"""Boxes: what is cut out, shared and moved."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.geometry import Box

BOX = Box(2, 3, 6, 9)


def test_a_box_cuts_itself_out() -> None:
    pixels = np.arange(100).reshape(10, 10)
    assert pixels[BOX.slices].shape == (BOX.height, BOX.width)
    assert pixels[BOX.slices][0, 0] == 23


def test_what_two_boxes_share() -> None:
    assert BOX.intersection(Box(0, 0, 4, 5)) == Box(2, 3, 4, 5)
    assert Box(0, 0, 4, 5).intersection(BOX) == Box(2, 3, 4, 5)
    assert BOX.intersection(BOX) == BOX


@pytest.mark.parametrize("other", [Box(6, 3, 8, 9), Box(2, 9, 6, 12), Box(0, 0, 2, 3)])
def test_boxes_that_only_touch_share_nothing(other: Box) -> None:
    assert BOX.intersection(other) is None


def test_a_box_moves_and_comes_back() -> None:
    assert BOX.moved(1, -3) == Box(3, 0, 7, 6)
    assert BOX.moved(1, -3).moved(-1, 3) == BOX


def test_the_box_around_a_mask() -> None:
    mask = np.zeros((10, 10), np.bool_)
    assert Box.around(mask) is None
    mask[BOX.slices] = True
    assert Box.around(mask) == BOX
    mask[9, 0] = True
    assert Box.around(mask) == Box(2, 0, 10, 9)
