"""How a film lies, and the way back to its own pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.domain.assessment import Box, RegionDetection
from boneage.domain.orientation import Orientation

HEIGHT, WIDTH = 60, 40
FIELD = Box(6, 4, 56, 34)


@st.composite
def boxes_within(draw: st.DrawFn, height: int, width: int) -> Box:
    row, col = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    return Box(row, col, draw(st.integers(row + 1, height)), draw(st.integers(col + 1, width)))


@given(st.data(), st.integers(0, 3))
def test_a_box_stays_on_the_same_pixels(data: st.DataObject, quarters: int) -> None:
    orientation = Orientation(FIELD, quarters)
    film = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    box = data.draw(boxes_within(*orientation.size))
    upright = orientation.upright(film)
    assert upright.shape == orientation.size
    inside = upright[box.min_row : box.max_row, box.min_col : box.max_col]
    back = orientation.box_on_film(box)
    ours = film[back.min_row : back.max_row, back.min_col : back.max_col]
    assert set(inside.ravel()) == set(ours.ravel())
    assert orientation.box_upright(back) == box


@pytest.mark.parametrize("quarters", range(4))
def test_a_film_that_was_turned_comes_back(quarters: int) -> None:
    film = np.random.default_rng(1).random((HEIGHT, WIDTH), dtype=np.float32)
    oriented = np.rot90(film, quarters)  # counter-clockwise: as many clockwise turns bring it back
    orientation = Orientation(Box(0, 0, *oriented.shape), quarters)
    np.testing.assert_array_equal(orientation.upright(oriented), film)
    assert not quarters or not orientation.is_identity(*oriented.shape)


def test_a_negative_is_inverted() -> None:
    film = np.random.default_rng(1).random((HEIGHT, WIDTH), dtype=np.float32)
    orientation = Orientation(Box(0, 0, HEIGHT, WIDTH), inverted=True)
    np.testing.assert_allclose(orientation.upright(1 - film), film, atol=1e-6)


@pytest.mark.parametrize("quarters", range(4))
def test_a_map_has_the_orientation_of_its_image(quarters: int) -> None:
    orientation = Orientation(FIELD, quarters)
    film = np.zeros((HEIGHT, WIDTH), np.float32)
    film[10:14, 8:12] = 1  # inside the frame
    on_film = orientation.map_on_film(orientation.upright(film), (HEIGHT, WIDTH))
    np.testing.assert_array_equal(on_film, film)


def test_a_map_of_another_resolution_is_0_on_the_border() -> None:
    heat = np.ones((25, 15), np.float32)
    on_film = Orientation(FIELD).map_on_film(heat, (HEIGHT, WIDTH))
    assert on_film.shape == (30, 20)
    assert on_film[:3].max() == 0
    assert on_film[10, 10] == 1


def test_detections_are_carried_back_together() -> None:
    detection = RegionDetection(
        "carpal", np.ones((5, 3), np.float32), Box(0, 0, 10, 5), attention_found=True
    )
    (back,) = Orientation(FIELD, 1).detections_on_film((detection,), (HEIGHT, WIDTH))
    assert (back.region, back.attention_found) == ("carpal", True)
    assert back.box == Orientation(FIELD, 1).box_on_film(detection.box)
    assert Orientation.of_whole(HEIGHT, WIDTH).detections_on_film(
        (detection,), (HEIGHT, WIDTH)
    ) == (detection,)


def test_a_box_on_the_border_alone_has_no_place_upright() -> None:
    with pytest.raises(ValueError, match="empty"):
        Orientation(FIELD).box_upright(Box(0, 0, 3, 3))
