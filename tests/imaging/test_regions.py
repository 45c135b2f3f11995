"""From heat maps to boxes, masks, looks and crops."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box, RegionDetection
from boneage.domain.geometry import Edges
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.imaging.components import connected_components
from boneage.imaging.preparing import Placement, Preparation, placement
from boneage.imaging.regions import (
    FALLBACK,
    RegionPlan,
    box_from_fractions,
    coverage_of,
    crop,
    crop_box,
    exact_edges,
    find_regions,
    largest_box,
    mask_of,
    scale_heat_map,
    with_fallback,
    zoomed_crops,
)
from boneage.inference.assessor import Assessor

HeatMap = npt.NDArray[np.float32]
heat_maps = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.floats(-1e6, 1e6, width=32),
)
any_maps = hnp.arrays(
    np.float32,
    (6, 5),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)
PLAN = RegionPlan(names=(CARPAL, METACARPAL, PHALANX))


def detect_once(
    raw: HeatMap, height: int = 300, width: int = 200, plan: RegionPlan = PLAN
) -> RegionDetection:
    return detect_all(raw, height, width, plan)[0]


def detect_all(
    raw: HeatMap, height: int, width: int, plan: RegionPlan
) -> tuple[RegionDetection, ...]:
    canvas = np.full((1, 48, 32), 128, np.uint8)
    place = placement(height, width, (48, 32), "pad")
    return find_regions(canvas, [place], [(height, width)], lambda _: raw[np.newaxis], plan)[0]


@given(heat_maps)
def test_scaled_heat_is_between_0_and_1(raw: HeatMap) -> None:
    scaled = scale_heat_map(raw)
    assert scaled.dtype == np.float32
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    assert not scaled.any() or (scaled.min() == 0 and scaled.max() == pytest.approx(1))


def test_a_hot_spot_does_not_hide_the_rest() -> None:
    raw = np.zeros((20, 20), np.float32)
    raw[0, 0] = 10.0  # a marker
    raw[8:14, 6:14] = 4.0  # the wrist
    assert largest_box(scale_heat_map(raw), 0.7) == Box(0, 0, 1, 1)
    scaled = scale_heat_map(raw, peak_percentile=98.0)
    assert scaled.max() == 1.0
    assert largest_box(scaled, 0.7) == Box(8, 6, 14, 14)


def test_a_map_that_is_flat_but_for_a_spot_still_has_a_peak() -> None:
    raw = np.zeros((20, 20), np.float32)
    raw[3, 4] = 1.0
    assert largest_box(scale_heat_map(raw, peak_percentile=98.0), 0.7) == Box(3, 4, 4, 5)


def test_the_edge_of_the_map_counts_as_cold() -> None:
    raw = np.zeros((12, 8), np.float32)
    raw[11, :] = 9.0  # where a convolution sees its own padding
    raw[7:9, 3:5] = 1.0
    plan = replace(PLAN, edge_cells=1)
    box = detect_once(raw, plan=plan).box
    assert 150 < box.min_row < box.max_row < 250, "of 300 rows"
    assert detect_once(raw).box.max_row == 300


@pytest.mark.parametrize("edge", [1, 2, 5])
def test_a_map_that_is_all_edge_is_no_attention(edge: int) -> None:
    raw = np.random.default_rng(1).random((3, 2)).astype(np.float32)
    assert not detect_once(raw, plan=replace(PLAN, edge_cells=edge)).attention_found


def test_a_blur_makes_one_area_of_neighbours() -> None:
    raw = np.zeros((16, 12), np.float32)
    raw[5, 3:10:2] = 1.0  # knuckles
    one = detect_once(raw, plan=replace(PLAN, threshold=0.5)).box
    joined = detect_once(raw, plan=replace(PLAN, threshold=0.5, blur_cells=1.0)).box
    assert joined.width > 2 * one.width


def test_within_reach_a_region_is_detected_near_its_usual_place() -> None:
    raw = np.zeros((16, 12), np.float32)
    raw[2:4, 4:6] = 1.0  # a fingertip, the hottest
    raw[11:13, 5:7] = 0.5  # the wrist
    assert detect_once(raw).box.max_row < 100, "of 300 rows"
    assert detect_once(raw, plan=replace(PLAN, reach=0.2)).box.min_row > 180


def test_a_region_follows_the_one_before_it() -> None:
    raw = np.zeros((32, 24), np.float32)
    raw[28:30, 18:20] = 1.0  # a wrist in the lower right corner
    raw[22:24, 18:20] = 0.5  # its metacarpals
    raw[16:18, 8:10] = 0.6  # where metacarpals usually are
    plan = replace(PLAN, names=(CARPAL, METACARPAL), carpal_mask="rows_to_lower_edge")
    assert detect_all(raw, 320, 240, plan)[1].box.max_row < 200, "the hotter place"
    after = detect_all(raw, 320, 240, replace(plan, follow=0.1))[1].box
    assert 200 < after.min_row < after.max_row < 260
    assert after.min_col > 160


def test_without_a_region_before_nothing_is_followed() -> None:
    raw = np.zeros((16, 12), np.float32)
    raw[2:4, 4:6] = 1.0
    assert detect_once(raw, plan=replace(PLAN, follow=0.01)).box == detect_once(raw).box


@pytest.mark.parametrize("mask", ["box", "rows_to_lower_edge"])
def test_a_joined_metacarpal_box_begins_in_the_middle_of_the_carpal_box(
    mask: Literal["box", "rows_to_lower_edge"],
) -> None:
    raw = np.zeros((32, 24), np.float32)
    raw[20:28, 8:16] = 1.0
    raw[8:10, 8:16] = 0.7  # knuckles
    plan = replace(PLAN, carpal_mask=mask, joined=True)
    carpal, metacarpal, phalanx = detect_all(raw, 320, 240, plan)
    apart = detect_all(raw, 320, 240, replace(plan, joined=False))[1]
    assert metacarpal.box.max_row == (carpal.box.min_row + carpal.box.max_row) // 2
    assert metacarpal.box == replace(apart.box, max_row=metacarpal.box.max_row)
    assert phalanx.box.max_row < carpal.box.max_row


def test_a_joined_box_is_never_smaller() -> None:
    raw = np.zeros((32, 24), np.float32)
    raw[4:8, 8:16] = 1.0  # taken for the carpus: a hand upside down
    raw[24:28, 8:16] = 0.9
    plan = replace(PLAN, carpal_mask="box", joined=True)
    boxes = [detect_all(raw, 320, 240, replace(plan, joined=j))[1].box for j in (False, True)]
    assert boxes[0] == boxes[1]
    assert boxes[0].min_row > 200


def test_reach_weighs_by_the_distance_from_the_usual_place() -> None:
    raw = np.zeros((16, 12), np.float32)
    raw[11:13, 5:7] = 1.0
    raw[11:13, 0:2] = 1.1  # beside the hand, and hotter
    assert detect_once(raw).box.max_col < 60, "of 200 columns"
    assert detect_once(raw, plan=replace(PLAN, reach=0.15)).box.min_col > 60


@given(any_maps, st.integers(1, 300), st.integers(1, 300))
def test_any_map_gives_boxes_inside_the_film_also_with_every_aid(
    raw: HeatMap, height: int, width: int
) -> None:
    plan = replace(PLAN, edge_cells=1, blur_cells=0.8, reach=0.2, peak_percentile=99.0)
    with np.errstate(all="ignore"):
        detections = detect_all(raw, height, width, plan)
    for detection in detections:
        assert detection.box.max_row <= height
        assert detection.box.max_col <= width
        assert np.isfinite(detection.heat_map).all()


@given(heat_maps, st.floats(0.05, 0.95))
def test_the_box_holds_the_largest_bright_area(raw: HeatMap, threshold: float) -> None:
    heat_map = scale_heat_map(raw)
    box = largest_box(heat_map, threshold)
    mask = (heat_map > threshold).astype(np.uint8)
    if box is None:
        assert not mask.any()
        return
    assert largest_box(heat_map, threshold) == box
    assert box.max_row <= raw.shape[0]
    assert box.max_col <= raw.shape[1]
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    areas = [int((labels == label).sum()) for label in range(1, count)]
    inside = labels[box.min_row : box.max_row, box.min_col : box.max_col]
    assert max(areas) in [int((inside == label).sum()) for label in range(1, count)]


def test_of_two_areas_the_larger_wins() -> None:
    heat_map = np.zeros((10, 10), np.float32)
    heat_map[0, 0] = 1.0
    heat_map[5:8, 4:9] = 0.8
    assert largest_box(heat_map, 0.7) == Box(5, 4, 8, 9)


@given(any_maps, st.integers(1, 3000), st.integers(1, 3000))
def test_any_map_gives_boxes_inside_the_film(raw: HeatMap, height: int, width: int) -> None:
    with np.errstate(all="ignore"):
        detections = detect_all(raw, height, width, PLAN)
        again = detect_all(raw, height, width, PLAN)
    assert [detection.region for detection in detections] == list(PLAN.names)
    for detection, other in zip(detections, again, strict=True):
        assert detection.box == other.box
        assert detection.box.max_row <= height
        assert detection.box.max_col <= width
        assert np.isfinite(detection.heat_map).all()


@pytest.mark.parametrize("raw", [np.nan, np.inf, -np.inf, 0.0, 1.0, -5.0])
def test_defect_2_an_empty_box_is_no_attention_with_a_fallback(raw: float) -> None:
    with np.errstate(all="ignore"):
        detection = detect_once(np.full((6, 4), raw, np.float32))
    assert not detection.attention_found
    assert detection.box == box_from_fractions(FALLBACK[CARPAL], 300, 200)
    assert not detection.heat_map.any()


def test_defect_2_a_blank_film_is_read_with_a_warning(assessor: Assessor) -> None:
    blank = Radiograph(np.zeros((300, 200), np.float32), ImageMetadata("PNG", 8))
    answer = assessor.assess(blank, Sex.MALE)
    assert not any(detection.attention_found for detection in answer.detections)
    assert {finding.code for finding in answer.warnings} == {"no_attention"}


def test_each_step_is_masked_where_earlier_ones_detected_a_region() -> None:
    seen: list[npt.NDArray[np.uint8]] = []

    def attend(canvases: npt.NDArray[np.uint8]) -> HeatMap:
        seen.append(canvases.copy())
        heat = cv2.GaussianBlur(canvases[0].astype(np.float32), (3, 3), 0)
        return np.asarray(heat, np.float32)[np.newaxis]

    canvas = np.full((1, 60, 40), 20, np.uint8)
    canvas[0, 40:46, 12:28] = 250  # carpus
    canvas[0, 50:60, 12:28] = 120  # forearm
    canvas[0, 20:30, 12:28] = 180  # metacarpals
    place = Placement(0, 0, 60, 40)
    detections = find_regions(canvas, [place], [(600, 400)], attend, PLAN)[0]
    carpal, metacarpal, _ = (detection.box for detection in detections)
    assert abs(carpal.min_row - 400) <= 20
    assert abs(metacarpal.min_row - 200) <= 20
    assert not seen[1][0, 40:60, 12:28].any(), "the forearm goes with the carpus"
    assert seen[1][0, 40:60, :8].all(), "beside the box the film stays"
    assert not seen[2][0, 20:30, 12:28].any()
    assert canvas.all(), "the canvas itself is not changed"


@pytest.mark.parametrize(
    ("extent", "black"),
    [("box", 2 * 3), ("box_to_lower_edge", 6 * 3), ("rows_to_lower_edge", 6 * 8)],
)
def test_masks(extent: str, black: int) -> None:
    mask = mask_of(Box(4, 1, 6, 4), (10, 8), extent)
    assert mask.sum() == black
    assert mask[4:6, 1:4].all()


@given(st.data())
def test_crops_are_inside_the_image_and_contain_the_box(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 500)), data.draw(st.integers(1, 500))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    box = Box(
        top,
        left,
        data.draw(st.integers(top + 1, height)),
        data.draw(st.integers(left + 1, width)),
    )
    plan = RegionPlan(
        margin=data.draw(st.floats(0, 1)),
        square=data.draw(st.booleans()),
        min_side=data.draw(st.floats(0, 1)),
    )
    cut = crop_box(box, plan, height, width)
    assert cut.max_row <= height
    assert cut.max_col <= width
    assert cut.min_row <= box.min_row + 1  # to rounding
    assert cut.max_row >= box.max_row - 1
    assert cut.min_col <= box.min_col + 1
    assert cut.max_col >= box.max_col - 1


def test_crops_near_an_edge_stay_square() -> None:
    plan = RegionPlan(margin=0.2, square=True)
    cut = crop_box(Box(380, 10, 400, 90), plan, 400, 300)
    assert cut.height == cut.width


def test_defect_3_crops_come_from_the_full_resolution_film() -> None:
    """One-pixel stripes live in the original and die in any reduced copy of it."""
    film = np.zeros((2000, 1600), np.uint8)
    film[:, ::2] = 255
    part = Box(900, 700, 1124, 924).edges
    seen = crop(film, part, RegionPlan(), (224, 224), Preparation(antialias=True))
    np.testing.assert_array_equal(seen, film[900:1124, 700:924])


def test_measured_fallbacks_replace_only_their_own() -> None:
    plan = with_fallback(RegionPlan(), {CARPAL: (0.5, 0.5, 0.6, 0.6)})
    assert plan.fallback[CARPAL] == (0.5, 0.5, 0.6, 0.6)
    assert plan.fallback[METACARPAL] == FALLBACK[METACARPAL]


@pytest.mark.parametrize("shape", [(511, 511), (1, 131_075), (362, 362)])
def test_there_may_be_more_components_than_16_bits_count(shape: tuple[int, int]) -> None:
    speckled = np.zeros(shape, np.float32)
    speckled[::2, ::2] = 1
    speckled[-1, -3:] = 1  # the largest, the last one
    box = largest_box(speckled, 0.5)
    assert box is not None
    assert box.max_col == shape[1]


def hill(row: float, col: float, shape: tuple[int, int] = (60, 44)) -> HeatMap:
    """Heat that falls off around a place that may lie between pixels."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    far = np.hypot((rows + 0.5 - row) / 12, (cols + 0.5 - col) / 8)
    heat: HeatMap = np.clip(1.2 - far, 0, 1).astype(np.float32)
    return heat


@given(st.floats(15, 45), st.floats(12, 32))
def test_exact_edges_are_where_the_heat_crosses_the_threshold(row: float, col: float) -> None:
    edges = exact_edges(hill(row, col), 0.7)
    assert edges is not None
    expected = row - 6, col - 4, row + 6, col + 4
    np.testing.assert_allclose(astuple(edges), expected, atol=0.45)


def test_exact_edges_move_as_faintly_as_the_heat() -> None:
    """A threshold that is crossed a little earlier moves an edge a little, at any phase."""
    found = [exact_edges(hill(row, 20), 0.7) for row in np.linspace(25, 27, 201)]
    tops = np.array([edges.top for edges in found if edges])
    assert len(tops) == 201
    assert np.abs(np.diff(tops)).max() < 0.1
    assert abs(tops[-1] - tops[0] - 2) < 0.1


@given(hnp.arrays(np.float32, (9, 7), elements=st.floats(0, 1, width=32)), st.floats(0.1, 0.9))
def test_exact_edges_are_those_of_the_largest_area_within_half_a_pixel(
    heat_map: npt.NDArray[np.float32], threshold: float
) -> None:
    areas = connected_components((heat_map > threshold).view(np.uint8))[:, 4]
    assume(np.sum(areas == areas.max(initial=0)) <= 1)  # of two as large, either will do
    box, edges = largest_box(heat_map, threshold), exact_edges(heat_map, threshold)
    if box is None or edges is None:
        assert box is None
        assert edges is None
        return
    np.testing.assert_allclose(astuple(edges), astuple(box), atol=0.5 + 1e-6)


@pytest.mark.parametrize("extent", ["box", "box_to_lower_edge", "rows_to_lower_edge"])
def test_coverage_is_the_mask_where_edges_are_whole(extent: str) -> None:
    box = Box(4, 1, 6, 4)
    covered = coverage_of(box.edges, (10, 8), extent)
    np.testing.assert_array_equal(covered, mask_of(box, (10, 8), extent))


def test_coverage_of_a_pixel_is_the_share_of_it_that_is_black() -> None:
    covered = coverage_of(Edges(2.25, 1.5, 4.0, 3.0), (6, 4))
    np.testing.assert_allclose(covered[2], [0, 0.375, 0.75, 0])
    np.testing.assert_allclose(covered[3], [0, 0.5, 1, 0])
    assert covered.sum() == pytest.approx(1.75 * 1.5)


def test_exact_boxes_are_rounded_only_in_what_is_shown() -> None:
    place = Placement(0, 2, 60, 40)
    plan = replace(PLAN, exact=True)
    raw = hill(30.3, 21.7)[np.newaxis]
    detections = find_regions(
        np.full((1, 60, 44), 99, np.uint8), [place], [(601, 403)], lambda _: raw, plan
    )[0]
    for detection in detections:
        assert detection.edges is not None
        assert detection.box == detection.edges.within(601, 403)
    assert detections[0].edges != detections[0].box.edges


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("smooth", [True, False])
def test_a_crop_moves_as_faintly_as_its_box_only_if_all_is_exact(exact: bool, smooth: bool) -> None:
    noise = np.random.default_rng(3).normal(128, 60, (500, 400))
    film = np.clip(cv2.GaussianBlur(noise, (0, 0), 2), 0, 255).astype(np.uint8)
    plan, preparation = replace(PLAN, exact=exact), Preparation(antialias=True, smooth=smooth)

    def cut(top: float) -> npt.NDArray[np.int16]:
        edges = Edges(top, 100.0, top + 150.3, 250.3)
        return crop(film, edges, plan, (64, 64), preparation).astype(np.int16)

    steps = [np.abs(cut(200 + t / 20) - cut(200 + (t + 1) / 20)).mean() for t in range(40)]
    total = np.abs(cut(200) - cut(202)).mean()
    assert (max(steps) < total / 8) == (exact and smooth)


def test_zoomed_crops_see_the_same_middle_in_other_sizes_every_second_one_mirrored() -> None:
    film = np.zeros((400, 300), np.uint8)
    cv2.circle(film, (140, 180), 20, 255, -1)
    plan = replace(PLAN, exact=True, square=True, zooms=(1.0, 1.0, 1.5))
    seen = zoomed_crops(
        film, Edges(140, 100, 220, 190), plan, (80, 80), Preparation(antialias=True, smooth=True)
    )
    np.testing.assert_array_equal(seen[1], seen[0][:, ::-1])
    assert np.mean(seen[0] > 127) / np.mean(seen[2] > 127) == pytest.approx(2.25, rel=0.05)
