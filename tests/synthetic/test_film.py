"""The drawn film and the truth about it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box
from boneage.domain.radiograph import Sex
from boneage.synthetic import HAND, SyntheticError, SyntheticFilm, draw
from boneage.synthetic.maturity import CARPALS, METACARPALS, centres_at
from tests.synthetic.conftest import Draw

AGES = (1, 18, 60, 120, 156, 204, 228)
ROTATIONS = (0, 90, -135)
FOREARM = {"radius", "ulna"}


def mask_of(film: SyntheticFilm, *bones: str) -> npt.NDArray[np.uint8]:
    """Fill bones' outlines on an empty film."""
    mask = np.zeros(film.radiograph.pixels.shape, np.uint8)
    for bone in bones:
        for outline in film.outlines[bone]:
            cv2.fillPoly(mask, [np.rint((outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return mask


def box_of(mask: npt.NDArray[np.uint8]) -> Box:
    rows, cols = np.nonzero(mask)
    return Box(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)


def sides(box: Box) -> npt.NDArray[np.int_]:
    return np.array([box.min_row, box.min_col, box.max_row, box.max_col])


def contains(outer: Box, inner: Box, slack: int = 0) -> bool:
    reach = sides(inner) - sides(outer)
    return bool((reach[:2] >= -slack).all() and (reach[2:] <= slack).all())


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("age_months", AGES)
def test_a_film_is_one(drawn: Draw, age_months: int, sex: Sex) -> None:
    film = drawn(age_months, sex)
    pixels = film.radiograph.pixels
    assert pixels.dtype == np.float32
    assert pixels.shape == (600, 460)
    assert 0 <= pixels.min() < 0.05
    assert pixels.max() == 1  # the marker
    assert film.radiograph.metadata.sex is sex
    assert film.radiograph.metadata.laterality == "L"
    assert "synthetic" in film.radiograph.name
    assert set(film.regions) == {HAND, CARPAL, METACARPAL, PHALANX}


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("age_months", AGES)
def test_boxes_hold_their_bones_and_no_more(drawn: Draw, age_months: int, rotation: int) -> None:
    film = drawn(age_months, Sex.FEMALE, rotation)
    for name, box in film.bones.items():
        drawn_box = box_of(mask_of(film, name))
        # A pixel that an outline only touches may or may not be filled.
        assert np.abs(sides(box) - sides(drawn_box)).max() <= 2, name


@pytest.mark.parametrize("rotation", ROTATIONS)
@pytest.mark.parametrize("age_months", AGES)
def test_regions_hold_their_bones(drawn: Draw, age_months: int, rotation: int) -> None:
    film = drawn(age_months, Sex.FEMALE, rotation)
    members = {
        CARPAL: [name for name in film.bones if name in CARPALS],
        METACARPAL: list(METACARPALS),
        PHALANX: [name for name in film.bones if "phalanx" in name],
        HAND: [name for name in film.bones if name not in FOREARM],
    }
    assert len(members[PHALANX]) == 14
    for region, names in members.items():
        for name in names:
            assert contains(film.regions[region], film.bones[name], slack=1), (region, name)
    for region in (METACARPAL, PHALANX):
        exact = box_of(mask_of(film, *members[region]))
        assert np.abs(sides(film.regions[region]) - sides(exact)).max() <= 2


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("age_months", AGES)
def test_the_film_shows_what_the_age_has(drawn: Draw, age_months: int, sex: Sex) -> None:
    film, centres = drawn(age_months, sex), centres_at(age_months, sex)
    for name, centre in centres.items():
        if name in CARPALS or name == "sesamoid":
            assert (name in film.outlines) == centre.visible
        else:
            assert len(film.outlines[name]) == 1 + centre.visible


@pytest.mark.parametrize("age_months", AGES)
def test_every_bone_of_the_hand_is_inside_the_film(drawn: Draw, age_months: int) -> None:
    for rotation in ROTATIONS:
        film = drawn(age_months, Sex.FEMALE, rotation)
        for name, outlines in film.outlines.items():
            if name not in FOREARM:
                points = np.concatenate(outlines)
                assert (points > 0).all(), name
                assert (points < (460, 600)).all(), name


def test_the_forearm_runs_off_the_lower_edge(drawn: Draw) -> None:
    film = drawn(120, Sex.FEMALE)
    for name in FOREARM:
        assert film.bones[name].max_row == 600
    assert film.bones["radius"].width > film.bones["ulna"].width


def test_it_is_a_left_hand_palm_down(drawn: Draw) -> None:
    film = drawn(120, Sex.MALE)

    def middle(bone: str) -> npt.NDArray[np.float64]:
        box = film.bones[bone]
        return np.array([box.min_row + box.max_row, box.min_col + box.max_col]) / 2

    tips = [middle(f"distal_phalanx_{finger}") for finger in range(1, 6)]
    cols = [tip[1] for tip in tips]
    assert cols == sorted(cols, reverse=True)  # the thumb on the right
    assert min(tips, key=lambda tip: float(tip[0])) is tips[2]  # the middle finger is longest
    assert middle("radius")[1] > middle("ulna")[1]
    assert middle("scaphoid")[1] > middle("lunate")[1] > middle("triquetrum")[1]
    row = [middle(name)[1] for name in ("trapezium", "trapezoid", "capitate", "hamate")]
    assert row == sorted(row, reverse=True)


@pytest.mark.parametrize("sex", Sex)
def test_more_bone_shows_with_age(drawn: Draw, sex: Sex) -> None:
    films = [drawn(age_months, sex) for age_months in AGES]
    parts = [sum(map(len, film.outlines.values())) for film in films]
    assert parts == sorted(parts)
    assert parts[0] == 21  # a shaft each: 19 and the forearm's two
    assert parts[-1] == 21 * 2 + 9
    areas_mm2 = []
    for film in films:
        (side_mm, _) = film.radiograph.metadata.pixel_spacing_mm or (0.0, 0.0)
        hand = [name for name in film.outlines if name not in FOREARM]
        areas_mm2.append(float(mask_of(film, *hand).sum()) * side_mm**2)
    assert all(after > before for before, after in pairwise(areas_mm2[:-1]))
    assert areas_mm2[-1] > 0.99 * areas_mm2[-2]  # girls are grown by then


def test_bone_is_brighter_than_flesh_and_flesh_than_air(drawn: Draw) -> None:
    for age_months in AGES[1:]:
        film = drawn(age_months, Sex.MALE)
        pixels = film.radiograph.pixels
        bones = mask_of(film, *film.outlines).astype(bool)
        hand = film.regions[HAND]
        palm = film.regions[METACARPAL]
        inside = np.zeros_like(bones)
        inside[palm.min_row : palm.max_row, film.bones["metacarpal_4"].min_col :][
            :, : film.bones["metacarpal_2"].max_col - film.bones["metacarpal_4"].min_col
        ] = True
        flesh = pixels[inside & ~cv2.dilate(bones.astype(np.uint8), np.ones((5, 5))).astype(bool)]
        air = pixels[: hand.min_row // 2, hand.max_col :]
        assert np.median(pixels[bones]) > np.median(flesh) + 0.1
        assert np.median(flesh) > np.median(air) + 0.1


def test_overlapping_bones_only_add(drawn: Draw) -> None:
    film = drawn(180, Sex.MALE)
    pixels = film.radiograph.pixels
    both = (mask_of(film, "pisiform") & mask_of(film, "triquetrum")).astype(bool)
    alone = mask_of(film, "triquetrum").astype(bool) & ~mask_of(film, "pisiform").astype(bool)
    assert both.sum() > 20
    assert np.median(pixels[both]) > np.median(pixels[alone]) + 0.05


@pytest.mark.slow
def test_the_growth_plate_is_dark_until_it_fuses(drawn: Draw) -> None:
    def plate(age_months: float) -> float:
        """Grey between shaft and epiphysis, against that of the shaft."""
        film = draw(age_months, Sex.FEMALE)
        shaft, epiphysis = film.outlines["proximal_phalanx_3"]
        col = round(float(shaft[:, 0].mean()))
        rows = slice(round(float(shaft[:, 1].max())) - 40, round(float(epiphysis[:, 1].max())))
        line = film.radiograph.pixels[rows, col - 6 : col + 7].mean(axis=1)
        return float(line[20:-8].min() / line[:20].mean())

    apart, fusing, fused = plate(126), plate(168), plate(200)
    assert apart < 0.8 * fused
    assert apart < fusing < fused


def test_the_same_arguments_draw_the_same_film(drawn: Draw) -> None:
    film = drawn(120, Sex.FEMALE)
    again = draw(120, Sex.FEMALE, height=600, width=460)
    np.testing.assert_array_equal(film.radiograph.pixels, again.radiograph.pixels)
    assert film.regions == again.regions
    other = draw(120, Sex.FEMALE, height=600, width=460, seed=1)
    assert film.bones["distal_phalanx_2"] != other.bones["distal_phalanx_2"]


def test_a_quarter_turn_moves_the_boxes(drawn: Draw) -> None:
    upright = draw(120, Sex.MALE, height=700, width=700)
    turned = draw(120, Sex.MALE, height=700, width=700, rotation_degrees=90)
    assert (
        upright.radiograph.metadata.pixel_spacing_mm == turned.radiograph.metadata.pixel_spacing_mm
    )
    for name in (*upright.regions, *upright.bones):
        if name not in FOREARM:
            before = {**upright.regions, **upright.bones}[name]
            after = {**turned.regions, **turned.bones}[name]
            # Clockwise: what was up is right.
            expected = [before.min_col, 700 - before.max_row, before.max_col, 700 - before.min_row]
            assert np.abs(sides(after) - expected).max() <= 1, name


def test_a_collimated_film_has_a_black_border() -> None:
    film = draw(120, Sex.MALE, height=600, width=460, collimated=True)
    assert film.radiograph.pixels[0].max() < 0.01
    assert film.radiograph.pixels[-1].max() < 0.01


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    age_months=st.floats(1, 228),
    sex=st.sampled_from(Sex),
    height=st.integers(64, 320),
    width=st.integers(64, 320),
    rotation=st.floats(-360, 360),
    seed=st.integers(0, 2**32),
    collimated=st.booleans(),
)
def test_any_hand_can_be_drawn(
    age_months: float,
    sex: Sex,
    height: int,
    width: int,
    rotation: float,
    seed: int,
    collimated: bool,
) -> None:
    film = draw(
        age_months,
        sex,
        height=height,
        width=width,
        rotation_degrees=rotation,
        seed=seed,
        collimated=collimated,
    )
    pixels = film.radiograph.pixels
    assert pixels.shape == (height, width)
    assert np.isfinite(pixels).all()
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert len(film.bones) == len(film.outlines)
    for box in (*film.regions.values(), *film.bones.values()):
        assert box.max_row <= height
        assert box.max_col <= width


@pytest.mark.parametrize(
    ("change", "quoted"),
    [
        ({"age_months": 0.5}, "0.5"),
        ({"age_months": 229}, "229"),
        ({"age_months": float("nan")}, "nan"),
        ({"height": 63}, "63"),
        ({"width": 5000}, "5000"),
        ({"rotation_degrees": float("inf")}, "inf"),
        ({"seed": -1}, "-1"),
    ],
)
def test_invalid_arguments_are_an_error(change: dict[str, float], quoted: str) -> None:
    arguments = {"age_months": 120, "sex": Sex.MALE} | change
    with pytest.raises(SyntheticError, match=f"{quoted} .*give "):
        draw(**arguments)  # type: ignore[arg-type]


def test_importing_boneage_draws_nothing() -> None:
    code = "import boneage, sys; print([m for m in sys.modules if 'boneage.synthetic' in m])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
