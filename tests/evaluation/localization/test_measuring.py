from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pytest

from boneage.domain.assessment import CARPAL, METACARPAL, Box, RegionDetection
from boneage.errors import DataError, WeightsError
from boneage.evaluation.localization.anatomical_target import Marks
from boneage.evaluation.localization.measuring import RegionMeasurement, measure
from boneage.imaging.regions import RegionPlan
from tests.evaluation.hands import (
    CARPUS,
    FIRST_BASE,
    JOINTS,
    PROPORTIONS,
    SIZE,
    WRIST,
    boxes,
    points,
    shares,
)

ON_CARPUS = Box(140, 80, 180, 135)
WHOLE = Box(0, 0, *SIZE)
PLAN = RegionPlan()


def detections(carpal: Box = ON_CARPUS, metacarpal: Box = WHOLE) -> list[RegionDetection]:
    heat = np.zeros((2, 2), np.float32)
    return [
        RegionDetection(CARPAL, heat, carpal, True),
        RegionDetection(METACARPAL, heat, metacarpal, False),
    ]


def ruled(
    marks: Marks | None = None, plan: RegionPlan = PLAN, **boxes_found: Box
) -> RegionMeasurement:
    return measure(detections(**boxes_found), plan, [shares(marks or boxes())], PROPORTIONS, SIZE)


def of_box(found: RegionMeasurement, target: str, rectangle: str = "crop") -> Mapping[str, float]:
    names = ("coverage", "iou", "excess", "area_ratio")
    return {name: found.figures[target][f"{rectangle}_{name}"] for name in names}


def test_a_box_on_the_carpus() -> None:
    found = ruled()
    assert of_box(found, "carpus") == pytest.approx(
        {"coverage": 1, "iou": 1, "excess": 0, "area_ratio": 1}, abs=0.02
    )
    assert found.figures["carpus"]["tight_iou"] == 1
    assert found.found == {CARPAL: True, METACARPAL: False}


def test_half_a_carpus_in_a_box_of_twice_its_half() -> None:
    found = ruled(carpal=Box(160, 80, 200, 135))
    assert of_box(found, "carpus") == pytest.approx(
        {"coverage": 0.5, "iou": 1 / 3, "excess": 0.5, "area_ratio": 1}, abs=0.02
    )


def test_a_box_beside_it() -> None:
    found = ruled(carpal=Box(0, 0, 40, 55))
    assert of_box(found, "carpus") == pytest.approx(
        {"coverage": 0, "iou": 0, "excess": 1, "area_ratio": 1}, abs=0.02
    )


def test_the_crop_is_what_the_region_network_sees() -> None:
    found = ruled(plan=RegionPlan(margin=0.5, square=True), carpal=Box(150, 90, 170, 125))
    assert found.figures["carpus"]["crop_coverage"] == pytest.approx(1, abs=0.02)
    assert found.figures["carpus"]["box_coverage"] == pytest.approx(20 * 35 / (40 * 55), abs=0.02)
    assert of_box(found, "carpus")["area_ratio"] == pytest.approx(70 * 70 / (40 * 55), rel=0.03)


def test_the_metacarpals_together_and_each() -> None:
    found = ruled(metacarpal=Box(0, 0, SIZE[0], 100))  # up to the third one's middle
    single = [found.figures[f"metacarpal_{number}"]["crop_coverage"] for number in range(1, 6)]
    assert single == pytest.approx([0, 0, 0.5, 1, 1], abs=0.05)
    assert 0.4 < found.figures["metacarpals"]["crop_coverage"] < 0.6
    whole = ruled().figures["metacarpals"]
    assert whole["crop_coverage"] == 1
    assert whole["crop_excess"] == pytest.approx(1 - whole["crop_iou"])
    assert whole["tight_iou"] > whole["crop_iou"]


def test_carpus_of_points_is_reported_apart() -> None:
    found = ruled(points())
    assert "carpus" not in found.figures
    assert found.figures["carpus_from_points"]["crop_coverage"] == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("metacarpal", "offset"), [(Box(60, 60, 140, 160), 0.6), (Box(170, 60, 230, 160), -0.4)]
)
def test_order_along_the_hand(metacarpal: Box, offset: float) -> None:
    found = ruled(metacarpal=metacarpal)
    assert found.distal_offset == pytest.approx(offset, abs=1e-6)
    assert found.in_order == (offset > 0)
    # The same boxes over a hand that points downwards are the other way round.
    down = points(WRIST * [1, -1] + [0, 240], JOINTS * [1, -1] + [0, 240])
    assert ruled(down, metacarpal=metacarpal).in_order == (offset < 0)


def test_outlines_do_not_depend_on_how_the_hand_lies() -> None:
    upright = ruled(points())
    middle = np.array([SIZE[1], 0])
    mirrored = points(*(middle + at * [-1, 1] for at in (WRIST, JOINTS, FIRST_BASE)))
    found = ruled(mirrored, carpal=Box(140, 65, 180, 120))
    assert upright.outlines.keys() == found.outlines.keys()
    for name, outline in upright.outlines.items():
        assert np.array(found.outlines[name]) == pytest.approx(np.array(outline)), name


def test_several_readers_have_the_mean() -> None:
    away = Marks("another", WRIST, JOINTS, carpus=CARPUS - [80, 0])
    both = [shares(boxes()), shares(away)]
    found = measure(detections(), PLAN, both, PROPORTIONS, SIZE)
    assert found.figures["carpus"]["crop_coverage"] == pytest.approx(0.5, abs=0.02)


def test_a_measurement_survives_a_journal() -> None:
    found = ruled()
    assert RegionMeasurement(**json.loads(json.dumps(asdict(found)))) == found


def test_weights_without_a_region() -> None:
    with pytest.raises(WeightsError, match="no metacarpal region, only \\['carpal'\\]"):
        measure(detections()[:1], PLAN, [shares(boxes())], PROPORTIONS, SIZE)


def test_a_target_without_area() -> None:
    flat = Marks("someone", WRIST, JOINTS, carpus=CARPUS * [1, 0] + [0, 150])
    with pytest.raises(DataError, match="empty or outside"):
        ruled(flat)
