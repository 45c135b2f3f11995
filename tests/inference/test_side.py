"""Which hand an image shows, by its marker and its thumb."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boneage.datasets.films import load_films
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Sex
from boneage.inference.side import lead_marker, side_of
from boneage.quality.side import SideEvidence, findings_of_side
from boneage.synthetic import draw
from tests.conftest import FILMS_FOLDER
from tools.sides.drawing import with_marker

HAND = draw(132, Sex.MALE, height=800, width=640).radiograph.pixels


def with_letter(letter: str, *, mirrored: bool, seed: int) -> Pixels:
    """A drawn hand without a marker of its own, and one of a letter."""
    random = np.random.default_rng(seed)
    pixels = HAND.copy()
    pixels[500:, :180] = np.median(pixels[500:, :20])  # its own marker
    free = pixels < np.quantile(pixels, 0.45)
    drawn = with_marker(pixels, free, random, letter, mirrored=mirrored)
    assert drawn is not None
    return drawn.pixels


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("letter", ["L", "R"])
def test_most_drawn_markers_are_read_and_next_to_none_wrongly(letter: str, mirrored: bool) -> None:
    read = [lead_marker(with_letter(letter, mirrored=mirrored, seed=seed)) for seed in range(30)]
    sure = [SideEvidence(0.9, marker).sure_marker for marker in read]
    right = [m for m in sure if m and (m.letter, m.mirrored) == (letter, mirrored)]
    wrong = [m for m in sure if m and (m.letter, m.mirrored) != (letter, mirrored)]
    assert len(right) >= 15
    assert len(wrong) <= 1


def test_a_turned_or_inverted_image_is_read_upright() -> None:
    pixels = with_letter("R", mirrored=False, seed=1)
    upright = side_of(pixels, pixels, Orientation.of_whole(*pixels.shape), lead_marker(pixels))
    rotated = np.ascontiguousarray(np.rot90(1 - pixels))
    orientation = replace(Orientation.of_whole(*rotated.shape), quarters=1, inverted=True)
    again = side_of(rotated, pixels, orientation, lead_marker(rotated))
    assert again.thumb == upright.thumb
    assert again.marker is not None
    assert upright.marker is not None
    assert (again.marker.letter, again.marker.mirrored) == (
        upright.marker.letter,
        upright.marker.mirrored,
    )


def test_the_drawn_hand_is_a_left_one_and_its_mirror_image_is_not() -> None:
    def codes(pixels: Pixels) -> list[str]:
        whole = Orientation.of_whole(*pixels.shape)
        return [f.code for f in findings_of_side(side_of(pixels, pixels, whole, None))]

    assert codes(HAND) == []
    assert codes(np.ascontiguousarray(HAND[:, ::-1])) == ["looks_right"]


@pytest.mark.films
def test_flipped_films_are_warned_about_and_others_are_not() -> None:
    films = load_films(FILMS_FOLDER).select("detailed", "train")[::40]
    warned = {False: 0, True: 0}
    for film in films:
        for flipped in warned:
            pixels = film.radiograph().pixels
            pixels = np.ascontiguousarray(pixels[:, ::-1]) if flipped else pixels
            whole = Orientation.of_whole(*pixels.shape)
            side = side_of(pixels, pixels, whole, lead_marker(pixels))
            found = findings_of_side(side)
            warned[flipped] += any(finding.severity == "warning" for finding in found)
    assert warned[False] <= 0.1 * len(films)
    assert warned[True] >= 0.8 * len(films)
