"""Whether two hands are one child's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boneage.domain.assessment import Severity
from boneage.domain.geometry import Box
from boneage.imaging.hand_likeness import Likeness
from boneage.imaging.two_hands import Cut
from boneage.quality.both_hands import (
    TwoHands,
    has_room_beside,
    is_unlikely_one,
    may_show_two,
    of_two_hands,
)
from boneage.quality.classifier import ORIENTATIONS, Judgement

OWN = TwoHands(0.9, -0.8, 120.0, 123.0, Likeness(0.7, 0.7, 0.3))
UNLIKE = Likeness(0.4, 0.4, 0.3)


def codes(hands: TwoHands, laterality: str | None = None) -> list[tuple[str, Severity]]:
    return [(f.code, f.severity) for f in of_two_hands(hands, laterality)]


def test_one_childs_hands_are_a_note() -> None:
    (note,) = of_two_hands(OWN, None)
    assert (note.code, note.severity) == ("both_hands", Severity.NOTE)
    assert "Bone age of the right hand: 10 years 3 months" in note.message


def test_a_stated_right_hand_is_a_warning() -> None:
    assert codes(OWN, "R") == [("both_hands", Severity.NOTE), ("right_hand", Severity.WARNING)]
    assert codes(OWN, "L") == [("both_hands", Severity.NOTE)]


@pytest.mark.parametrize(
    "hands",
    [
        replace(OWN, right_months=139.0),
        replace(OWN, right_months=130.0, likeness=UNLIKE),
        replace(OWN, right_months=126.0, likeness=Likeness(0.5, 0.6, 0.2)),
    ],
    ids=["ages", "ages and looks", "size"],
)
def test_hands_of_two_children_are_refused(hands: TwoHands) -> None:
    assert codes(hands) == [("several_hands", Severity.REFUSAL)]


def test_one_childs_hands_may_differ_a_little() -> None:
    assert codes(replace(OWN, right_months=132.0)) == [("both_hands", Severity.NOTE)]
    resized = replace(OWN, likeness=Likeness(0.5, 0.6, 0.2))
    assert codes(resized) == [("both_hands", Severity.NOTE)]


def test_hands_that_are_not_alike_are_a_warning() -> None:
    hands = replace(OWN, likeness=Likeness(0.3, 0.33, 0.2))
    assert codes(hands)[1] == ("hands_differ", Severity.WARNING)


@pytest.mark.parametrize("thumb", [0.8, -0.8])
def test_two_hands_of_one_side_are_refused(thumb: float) -> None:
    hands = replace(OWN, left_thumb=thumb, right_thumb=thumb, likeness=Likeness(0.4, 0.4, 0.8))
    assert codes(hands) == [("several_hands", Severity.REFUSAL)]
    mirror_images = replace(hands, likeness=Likeness(0.9, 0.9, 0.3))
    assert codes(mirror_images) == [("both_hands", Severity.NOTE)]


def judgement(hand: float, several: float) -> Judgement:
    kinds = {"hand": hand, "several": several, "part": 1 - hand - several}
    return Judgement(kinds, (1.0, *[0.0] * (len(ORIENTATIONS) - 1)), 0.0, 1.0)


def cut(emptiness: float) -> Cut:
    return Cut(Box(0, 0, 10, 5), Box(0, 5, 10, 10), emptiness)


def test_an_image_is_cut_when_it_may_show_two_hands() -> None:
    tall, wide = (200, 150), (150, 200)
    assert not may_show_two(judgement(0.98, 0.0), cut(0.9), tall, 0.5)
    assert not may_show_two(judgement(0.98, 0.0), cut(0.1), wide, 0.5)
    assert may_show_two(judgement(0.98, 0.0), cut(0.9), wide, 0.5)
    assert may_show_two(judgement(0.9, 0.05), cut(0.1), tall, 0.5)
    assert may_show_two(judgement(0.2, 0.0), cut(0.1), tall, 0.5)
    assert not is_unlikely_one(judgement(0.9, 0.05), 0.5)
    assert is_unlikely_one(judgement(0.6, 0.4), 0.5)


def test_a_wide_border_has_room_for_a_hand() -> None:
    everything = Box(0, 0, 100, 200)
    assert has_room_beside(Box(0, 110, 100, 200), everything)
    assert not has_room_beside(Box(10, 20, 90, 180), everything)
