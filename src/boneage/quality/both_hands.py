"""Whether an image shows both hands of one child, and which of them is the left one.

A cut between two hands is accepted when there is a whole hand on either side of it.
Limits were set on training images: on pairs of an image and its own mirror image, altered;
on pairs of two children; and on single hands (``tools/both_hands/measure.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from boneage.domain.findings import Finding
from boneage.domain.geometry import Box
from boneage.domain.reported import years_and_months
from boneage.imaging.hand_likeness import Likeness
from boneage.imaging.two_hands import Cut
from boneage.quality.classifier import Judgement

SEVERAL = "several"
"""The kind of image, as the quality check calls it, that shows more than one hand."""
PERHAPS_SEVERAL = 0.03
"""Likelihood of that kind, beyond which an image is cut and both parts are judged."""
PROBABLY_SEVERAL = 0.2
"""Likelihood beyond which more than the most likely cut is tried."""
WIDE = 0.9
"""Width in heights: one upright hand is seldom wider, two are seldom narrower."""
EMPTY_CUT = 0.35
"""Emptiness of a cut through a wide image, beyond which both parts are judged."""
ROOM = 0.3
"""Of an image's width: a border wider than this has room for a second hand."""
WHOLE_HAND, CLEARLY_WHOLE = 0.6, 0.9
"""Likelihood of a whole hand that either part must reach, and beyond which it is enough."""
MIRROR_WEIGHT, ONE_SIDE = 4.0, 0.5
"""Weight of mirror likeness against the sides of the thumbs, and the sum of both beyond which
two hands are of the same side."""
AGES_APART_MONTHS = 18.0
"""Two hands whose bone ages differ by more are of two children."""
AGES_DIFFER_MONTHS = 9.0
"""The same when they are also less alike than ``ALIKE``."""
ALIKE = 0.45
HARDLY_ALIKE = 0.36
"""Likeness below which the reader is warned."""
SIZE_GAIN, SIZE_AGES_MONTHS = 0.06, 4.0
"""How much better two hands fit at other sizes, and by how much their bone ages differ:
beyond both, one hand is larger than the other."""

SAME_SIDE = Finding.refusal(
    "several_hands",
    "The image shows two hands of the same side, not the left and right hand of one child.",
)


@dataclass(frozen=True)
class TwoHands:
    """What was measured on two hands in one image."""

    left_thumb: float
    right_thumb: float
    """See :func:`boneage.imaging.thumb.thumb_side`; that of the left hand is greater."""
    left_months: float
    right_months: float
    """Their bone ages."""
    likeness: Likeness

    @property
    def of_one_side(self) -> bool:
        """Whether both are left hands, or both right ones, by thumbs and likeness."""
        left, right, alike = self.left_thumb, self.right_thumb, self.likeness
        thumbs = abs(left + right) - abs(left - right)
        mirror_images = alike.mirrored - alike.unmirrored
        return thumbs - MIRROR_WEIGHT * mirror_images > ONE_SIDE


def may_show_two(judgement: Judgement, cut: Cut, size: tuple[int, int], refused: float) -> bool:
    """Whether to try to cut an upright image of this (height, width) in two."""
    if judgement.hand < refused or judgement.kinds.get(SEVERAL, 0.0) > PERHAPS_SEVERAL:
        return True
    return is_wide(size) and cut.emptiness > EMPTY_CUT


def is_wide(size: tuple[int, int]) -> bool:
    """Whether an upright image of this (height, width) has room for two hands."""
    return size[1] >= WIDE * size[0]


def has_room_beside(field: Box, everything: Box) -> bool:
    """Whether there is room for another hand beside the analysed field."""
    beside = max(
        (field.min_col - everything.min_col) / everything.width,
        (everything.max_col - field.max_col) / everything.width,
        (field.min_row - everything.min_row) / everything.height,
        (everything.max_row - field.max_row) / everything.height,
    )
    return beside > ROOM


def is_unlikely_one(judgement: Judgement, refused: float) -> bool:
    """Whether an image is so unlikely to show one hand that each cut is tried."""
    return judgement.hand < refused or judgement.kinds.get(SEVERAL, 0.0) > PROBABLY_SEVERAL


def of_two_hands(hands: TwoHands, laterality: str | None) -> tuple[Finding, ...]:
    """Collect the findings on two hands: a refusal where they are not one child's, else a note."""
    if hands.of_one_side:
        return (SAME_SIDE,)
    left, right = years_and_months(hands.left_months), years_and_months(hands.right_months)
    apart, alike = abs(hands.left_months - hands.right_months), hands.likeness.mirrored
    if apart > AGES_APART_MONTHS or (apart > AGES_DIFFER_MONTHS and alike < ALIKE):
        limit = AGES_APART_MONTHS if apart > AGES_APART_MONTHS else AGES_DIFFER_MONTHS
        message = (
            f"The image shows two hands with bone ages of {left} and {right}, too different for "
            "one child."
        )
        return (Finding.refusal("several_hands", message, apart, limit),)
    if apart > SIZE_AGES_MONTHS and hands.likeness.gained > SIZE_GAIN:
        message = (
            f"The image shows two hands of different size and bone age ({left}, {right}), not "
            "those of one child."
        )
        gained = hands.likeness.gained
        return (Finding.refusal("several_hands", message, gained, SIZE_GAIN),)
    message = (
        "The image shows both hands; the left one, identified by the position of the thumb, was "
        f"analysed. Bone age of the right hand: {right}."
    )
    found = [Finding.note("both_hands", message)]
    if laterality == "R":
        message = (
            "The file states a right hand, but the image shows both; the left one was analysed."
        )
        found.append(Finding.warning("right_hand", message))
    if alike < HARDLY_ALIKE:
        message = "The two hands differ more than those of one child usually do; "
        message += "check that both belong to this patient."
        found.append(Finding.warning("hands_differ", message, alike, HARDLY_ALIKE))
    return tuple(found)
