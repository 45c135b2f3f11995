from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from boneage.evaluation.localization.anatomical_target import (
    METACARPALS,
    STRIP_WIDTH,
    Marks,
    axes_of,
    bases_of,
    carpus_end,
    number_joints,
    proportions_of,
    strip,
    targets,
)
from boneage.evaluation.localization.measuring import filled
from boneage.evaluation.localization.report import built_of
from tests.evaluation.hands import (
    CARPUS,
    FIRST_BASE,
    JOINTS,
    PROPORTIONS,
    SIDEWAYS,
    SIZE,
    WRIST,
    boxes,
    points,
    shares,
)

Points = npt.NDArray[np.float64]


def turned(at: Points, degrees: float, *, mirrored: bool = False) -> Points:
    """Turn points around the middle of the film; mirror them first."""
    middle = np.array([SIZE[1] / 2, SIZE[0] / 2])
    away = (at - middle) * ([-1, 1] if mirrored else [1, 1])
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(away @ turn.T + middle)


def area(polygon: Points) -> float:
    x, y = polygon.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def test_bases_of_key_points() -> None:
    marks = points()
    bases = bases_of(marks, axes_of(marks, 0.0), PROPORTIONS)
    assert bases[0] == pytest.approx(FIRST_BASE)
    assert bases[2] == pytest.approx([100, 140])  # 40 % of the way to the third joint
    assert bases[1] == pytest.approx([117, 140])  # halfway across to the first base
    # The line from the wrist to the fifth joint, 42 across in 80 along, at 40 along.
    assert bases[4] == pytest.approx([79, 140])


def test_first_base_of_boxes_is_where_it_lies_on_average() -> None:
    marks = boxes()
    bases = bases_of(marks, axes_of(marks, 0.0), PROPORTIONS)
    assert bases[0] == pytest.approx([134, 150])


def test_wrist_shift_moves_the_wrist_of_boxes_only() -> None:
    assert axes_of(boxes(), 0.1).wrist == pytest.approx([100, 170])
    assert axes_of(points(), 0.1).wrist == pytest.approx(WRIST)


def test_a_strip_is_a_rectangle_about_its_bone() -> None:
    corners = strip(np.array([10.0, 20.0]), np.array([40.0, 60.0]))
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    assert sides == pytest.approx([50, 50 * STRIP_WIDTH, 50, 50 * STRIP_WIDTH])
    assert corners.mean(axis=0) == pytest.approx([25, 40])
    assert (corners[1] - corners[0]) @ (corners[2] - corners[1]) == pytest.approx(0)


@pytest.mark.parametrize("degrees", [0, 90, 137, -88])
@pytest.mark.parametrize("mirrored", [False, True])
def test_targets_turn_with_the_hand(degrees: float, mirrored: bool) -> None:
    upright = targets(shares(points()), PROPORTIONS, *SIZE)
    marks = points(
        turned(WRIST, degrees, mirrored=mirrored),
        turned(JOINTS, degrees, mirrored=mirrored),
        turned(FIRST_BASE, degrees, mirrored=mirrored),
    )
    found = targets(shares(marks), PROPORTIONS, *SIZE)
    for name in METACARPALS:
        expected = turned(upright[name], degrees, mirrored=mirrored)
        gaps = np.linalg.norm(found[name][:, np.newaxis] - expected, axis=2).min(axis=1)
        assert gaps == pytest.approx(0, abs=1e-6), name
    # A hull may or may not keep a corner on a straight side.
    back = axes_of(marks, 0.0).to_hand(found["carpus"])
    hand = axes_of(points(), 0.0).to_hand(upright["carpus"])
    assert back.min(axis=0) == pytest.approx(hand.min(axis=0), abs=1e-5)
    assert back.max(axis=0) == pytest.approx(hand.max(axis=0), abs=1e-5)
    assert area(back) == pytest.approx(area(hand), abs=1e-5)


def test_carpus_of_boxes_is_the_box_as_drawn() -> None:
    found = targets(shares(boxes()), PROPORTIONS, *SIZE)
    assert found["carpus"] == pytest.approx(CARPUS)
    assert list(found) == ["carpus", *METACARPALS]


def test_carpus_of_points_reaches_from_the_wrist_to_the_bases() -> None:
    carpus = targets(shares(points()), PROPORTIONS, *SIZE)["carpus"]
    assert carpus[:, 1].max() == pytest.approx(WRIST[1], abs=1e-3)
    assert carpus[:, 1].min() == pytest.approx(140, abs=1e-3)
    assert carpus[:, 0].min() == pytest.approx(79, abs=1e-3)
    assert carpus[:, 0].max() == pytest.approx(FIRST_BASE[0], abs=1e-3)
    # A rectangle of 55 x 40 without the corner beyond the second and first base.
    assert area(carpus) == pytest.approx(55 * 40 - 17 * 10 / 2, rel=1e-3)


def test_angles_are_those_of_the_true_shape() -> None:
    marks = shares(points(), SIZE)
    wide = targets(marks, PROPORTIONS, SIZE[0], 2 * SIZE[1])["metacarpal_5"]
    assert (wide[1] - wide[0]) @ (wide[2] - wide[1]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("degrees", [0, 110, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_joints_are_numbered_from_the_thumb(degrees: float, mirrored: bool) -> None:
    joints = turned(JOINTS, degrees, mirrored=mirrored)
    radius = turned(WRIST + SIDEWAYS, degrees, mirrored=mirrored)
    ulna = turned(WRIST - SIDEWAYS, degrees, mirrored=mirrored)
    found = number_joints(joints[[2, 4, 0, 3, 1]], radius, ulna)
    assert found == pytest.approx(joints)


def test_joints_that_are_no_hand_are_not_numbered() -> None:
    thumb_on_the_wrong_side = JOINTS.copy()
    thumb_on_the_wrong_side[0] = [20, 150]
    assert number_joints(thumb_on_the_wrong_side, WRIST + SIDEWAYS, WRIST - SIDEWAYS) is None


def test_wrist_and_joint_in_one_point() -> None:
    with pytest.raises(ValueError, match="one point"):
        axes_of(points(wrist=JOINTS[2]), 0.0)


def test_filled_counts_the_union_inside_the_film() -> None:
    square = np.array([[10, 10], [50, 10], [50, 50], [10, 50]], dtype=np.float64)
    assert filled([square, square + 20], 1.0, (100, 100)).sum() == 2 * 1600 - 400
    assert filled([square[::-1]], 2.0, (200, 200)).sum() == 6400
    assert filled([square - 30], 1.0, (100, 100)).sum() == 400
    assert not filled([square + 100], 1.0, (100, 100)).any()
    assert not filled([], 1.0, (100, 100)).any()


def test_filled_slanting() -> None:
    triangle = np.array([[0, 0], [100, 0], [0, 60]], dtype=np.float64)
    mask = filled([triangle], 1.0, (60, 100))
    assert mask.sum() == pytest.approx(3000, rel=0.01)
    assert mask[0, 0]
    assert not mask[59, 99]


def test_proportions_are_measured() -> None:
    longer = boxes(wrist=np.array([100.0, 205.0]))  # 125 pixels from the third joint, not 100
    wide = Marks("wide", longer.wrist, longer.joints, carpus=CARPUS - [0, 30])
    found = proportions_of([points(), points(), longer, wide, wide])
    assert found.wrist_shift == pytest.approx(0.2)
    assert found.carpus_share == pytest.approx(0.4)
    assert found.reader == "someone"
    assert (found.first_base_along, found.first_base_across) == pytest.approx((0.3, 0.34))


def test_proportions_need_both_kinds() -> None:
    for marks in ([points()], [boxes()]):
        with pytest.raises(ValueError, match="boxes and radiographs with key points"):
            proportions_of(marks)


@pytest.mark.parametrize(("joint", "end"), [([200, 180], 0.35), ([0, 180], 0.2), ([100, 280], 0)])
def test_the_axis_leaves_the_box_where_the_hand_points(joint: list[float], end: float) -> None:
    joints = JOINTS.copy()
    joints[2] = joint
    assert carpus_end(boxes(joints=joints), CARPUS, 0.0) == pytest.approx(end)


def test_words_state_what_was_measured() -> None:
    text = " ".join(built_of(PROPORTIONS))
    for number in ("0.400", "0.300", "0.340", "0.25", "'someone'"):
        assert number in text
