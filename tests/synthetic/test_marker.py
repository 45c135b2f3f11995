"""The marker that says the film is synthetic."""

from __future__ import annotations

import numpy as np

from boneage.domain.radiograph import Sex
from boneage.synthetic.marker import LETTERS, WORD, marker
from tests.synthetic.conftest import Draw


def test_the_marker_is_where_the_image_is_free() -> None:
    free = np.zeros((600, 460), bool)
    free[20:200, 300:450] = True
    lead = marker(free)
    rows, cols = lead.lead.shape
    assert free[lead.top : lead.top + rows, lead.left : lead.left + cols].all()
    assert lead.lead.max() == 1


def test_every_letter_can_be_written() -> None:
    assert set(WORD) | {"L"} == set(LETTERS)


def test_every_film_is_marked_outside_the_bones(drawn: Draw) -> None:
    for age_months in (18, 120, 228):
        for rotation in (0, 90, -135):
            film = drawn(age_months, Sex.FEMALE, rotation)
            lead = film.radiograph.pixels == 1
            assert lead.sum() > 300
            for name, box in film.bones.items():
                if name not in {"radius", "ulna"}:
                    rows = slice(box.min_row, box.max_row)
                    assert not lead[rows, box.min_col : box.max_col].any(), name
