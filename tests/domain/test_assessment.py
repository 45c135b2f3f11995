"""What an answer is."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from boneage.domain.assessment import Box
from boneage.inference.assessor import Assessor


@pytest.mark.parametrize(
    "corners", [(5, 0, 5, 9), (0, 9, 5, 9), (6, 0, 5, 9), (-1, 0, 5, 9), (0, -1, 5, 9)]
)
def test_a_box_is_never_empty_nor_outside(corners: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="empty or starts outside"):
        Box(*corners)


def test_a_box_measures_itself() -> None:
    box = Box(2, 3, 7, 13)
    assert (box.height, box.width, box.area) == (5, 10, 50)


def test_answers_do_not_change(assessor: Assessor) -> None:
    with pytest.raises(FrozenInstanceError):
        assessor.weights.name.name = "other"  # type: ignore[misc]
