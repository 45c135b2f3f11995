"""Where an image of two hands is cut."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.geometry import Box
from boneage.domain.radiograph import Pixels, Sex
from boneage.imaging.hand_likeness import likeness_of
from boneage.imaging.thumb import edge_directions, mirrored, thumb_side
from boneage.imaging.two_hands import Cut, at_field_edges, cuts_between
from boneage.quality.both_hands import EMPTY_CUT
from boneage.synthetic.film import draw


@pytest.fixture(scope="module")
def hand() -> Pixels:
    """A left hand, shape (600, 460)."""
    return draw(120, Sex.FEMALE, height=600, width=460, seed=3).radiograph.pixels


@pytest.fixture(scope="module")
def young_hand() -> Pixels:
    """A smaller one."""
    return draw(40, Sex.FEMALE, height=600, width=460, seed=4).radiograph.pixels


def flipped(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def test_two_hands_are_cut_between_them(hand: Pixels) -> None:
    pair = np.concatenate([flipped(hand), hand], axis=1)
    likeliest = cuts_between(pair)[0]
    assert likeliest.emptiness > EMPTY_CUT
    assert abs(likeliest.first.max_col - hand.shape[1]) < 60
    assert likeliest.second.min_col == likeliest.first.max_col
    assert likeliest.second.max_col == pair.shape[1]


def test_hands_above_each_other_are_cut_between_rows(hand: Pixels) -> None:
    pair = np.concatenate([flipped(hand), hand], axis=0)
    places = [cut.first.max_row for cut in cuts_between(pair, rows=True)]
    assert min(abs(place - hand.shape[0]) for place in places) < 60


@pytest.mark.parametrize("gain", [1.0, 0.02])
def test_exposure_does_not_move_the_cut(hand: Pixels, gain: float) -> None:
    pair = np.concatenate([flipped(hand), hand], axis=1)
    same = cuts_between((pair * np.float32(gain) + np.float32(0.1)).astype(np.float32))
    assert [cut.first for cut in same] == [cut.first for cut in cuts_between(pair)]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_image_of_one_grey_can_be_cut(value: float) -> None:
    (first, *_) = cuts_between(np.full((40, 60), value, np.float32))
    assert 0 < first.first.max_col < 60


def test_a_tiny_image_can_be_cut() -> None:
    assert cuts_between(np.eye(3, dtype=np.float32))


def test_a_cut_moves_to_the_edges_of_both_fields(hand: Pixels) -> None:
    gap = np.full((hand.shape[0], 40), 0.5, np.float32)
    pair = np.concatenate([flipped(hand), gap, hand], axis=1)
    near = cuts_between(np.concatenate([flipped(hand), gap, hand], axis=1))[0]
    moved = at_field_edges(pair, near)
    assert abs(moved.first.max_col - 460) <= 2
    assert abs(moved.second.min_col - 500) <= 2
    upright = at_field_edges(np.ascontiguousarray(pair.T), _turned(near))
    assert abs(upright.first.max_row - 460) <= 2
    assert abs(upright.second.min_row - 500) <= 2


def test_a_cut_through_one_field_stays(hand: Pixels) -> None:
    smooth = np.repeat(np.linspace(0, 0.2, 920, dtype=np.float32)[np.newaxis], 600, axis=0)
    cut = cuts_between(smooth)[0]
    assert at_field_edges(smooth, cut) == cut


def test_the_thumb_of_a_left_hand_is_on_the_right(hand: Pixels, young_hand: Pixels) -> None:
    for pixels in (hand, young_hand):
        assert thumb_side(pixels) > 0.2
        assert thumb_side(flipped(pixels)) == pytest.approx(-thumb_side(pixels), abs=0.1)


def test_edges_know_their_mirror_image(hand: Pixels) -> None:
    mirror = mirrored(edge_directions(hand))
    np.testing.assert_allclose(edge_directions(flipped(hand)), mirror, atol=0.03)


def test_an_empty_image_has_no_thumb_side() -> None:
    assert thumb_side(np.zeros((50, 50), np.float32)) == pytest.approx(0, abs=1e-3)


def test_own_hands_are_alike_when_mirrored(hand: Pixels) -> None:
    darker = flipped(hand) * np.float32(0.6) + np.float32(0.1)
    likeness = likeness_of(hand, darker)
    assert likeness.mirrored > 0.9
    assert likeness.gained == pytest.approx(0, abs=0.02)
    assert likeness.unmirrored < likeness.mirrored - 0.2
    same_side = likeness_of(hand, hand)
    assert same_side.unmirrored > same_side.mirrored + 0.2


def test_hands_of_two_sizes_fit_better_resized(hand: Pixels) -> None:
    smaller = flipped(hand)[::5, ::5].repeat(4, axis=0).repeat(4, axis=1)
    assert likeness_of(hand, smaller).gained > 0.06


def _turned(cut: Cut) -> Cut:
    first, second = (Box(box.min_col, box.min_row, box.max_col, box.max_row) for box in cut.parts)
    return Cut(first, second, cut.emptiness)
