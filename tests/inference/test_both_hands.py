"""From an image of both hands to the answer for the left one."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from boneage.domain.geometry import Box
from boneage.domain.radiograph import ImageMetadata, Pixels, Radiograph, Sex
from boneage.errors import UnsuitableError
from boneage.inference.assessor import Assessor
from boneage.inference.both_hands import part_of
from boneage.synthetic.film import draw


@pytest.fixture(scope="module")
def hand() -> Pixels:
    """A left hand, shape (900, 690)."""
    return draw(120, Sex.FEMALE, height=900, width=690, seed=3).radiograph.pixels


def radiograph(pixels: npt.NDArray[np.float32], **stated: object) -> Radiograph:
    metadata = replace(ImageMetadata("drawn", 8), **stated)  # type: ignore[arg-type]
    return Radiograph(np.ascontiguousarray(pixels), metadata)


@pytest.mark.parametrize("order", ["right first", "left first"])
def test_the_left_one_of_both_hands_is_answered_for(
    bundled_assessor: Assessor, hand: Pixels, order: str
) -> None:
    alone = bundled_assessor.assess(radiograph(hand), "female")
    parts = [hand[:, ::-1] * np.float32(0.8), hand]
    if order == "left first":
        parts.reverse()
    answer = bundled_assessor.assess(radiograph(np.concatenate(parts, axis=1)), "female")
    assert answer.age_months == pytest.approx(alone.age_months, abs=3)
    assert answer.other_hand is not None
    assert answer.other_hand.age_months == pytest.approx(alone.age_months, abs=6)
    assert "both_hands" in {finding.code for finding in answer.findings}
    assert (answer.film_height, answer.film_width) == (900, 1380)
    left = (0, 700) if order == "left first" else (680, 1380)
    for detection in answer.detections:
        assert left[0] <= detection.box.min_col < detection.box.max_col <= left[1]
        whole = detection.heat_map.shape[1] / detection.heat_map.shape[0]
        assert whole == pytest.approx(1380 / 900, rel=0.2)
    other = answer.other_hand.box
    assert not left[0] <= (other.min_col + other.max_col) / 2 <= left[1]
    shown = bundled_assessor.find_regions(radiograph(np.concatenate(parts, axis=1)))
    assert [detection.box for detection in shown] == [
        detection.box for detection in answer.detections
    ]


def test_an_answer_for_both_hands_is_of_the_left_one(
    bundled_assessor: Assessor, hand: Pixels
) -> None:
    pair = np.concatenate([hand[:, ::-1], hand], axis=1)
    answer = bundled_assessor.assess(radiograph(pair, laterality="R"), "female")
    assert answer.laterality == "L"
    (stated,) = [finding for finding in answer.findings if finding.code == "right_hand"]
    assert "shows both" in stated.message


def test_two_left_hands_are_refused(bundled_assessor: Assessor, hand: Pixels) -> None:
    pair = radiograph(np.concatenate([hand, hand], axis=1))
    with pytest.raises(UnsuitableError) as refused:
        bundled_assessor.assess(pair, "female")
    assert refused.value.code == "several_hands"
    assert bundled_assessor.assess(pair, "female", force=True).refusals


def test_hands_of_two_children_are_refused(bundled_assessor: Assessor, hand: Pixels) -> None:
    young = draw(36, Sex.FEMALE, height=900, width=690, seed=9).radiograph.pixels
    with pytest.raises(UnsuitableError) as refused:
        bundled_assessor.assess(
            radiograph(np.concatenate([young[:, ::-1], hand], axis=1)), "female"
        )
    assert refused.value.code == "several_hands"


def test_one_hand_stays_one(bundled_assessor: Assessor, hand: Pixels) -> None:
    beside = np.concatenate([np.full_like(hand, hand.min()), hand], axis=1)
    for pixels in (hand, beside):
        assert bundled_assessor.assess(radiograph(pixels), "female", force=True).other_hand is None


def test_without_a_quality_check_no_second_hand_is_searched_for(
    assessor: Assessor, hand: Pixels
) -> None:
    pair = np.concatenate([hand[:, ::-1], hand], axis=1)
    assert assessor.weights.quality_model is None
    assert assessor.assess(radiograph(pair), "female").other_hand is None


def test_a_part_has_its_share_of_a_stated_field() -> None:
    whole = replace(radiograph(np.zeros((20, 40), np.float32)), exposed=Box(2, 4, 18, 24))
    assert part_of(whole, Box(0, 20, 20, 40)).exposed == Box(2, 0, 18, 4)
    assert part_of(whole, Box(0, 30, 20, 40)).exposed is None


@pytest.mark.films
def test_real_hands_are_answered_for_as_the_left_one_alone(
    bundled_assessor: Assessor, real_films: Path
) -> None:
    with (real_films / "films.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["film"].startswith("half-scale/")]
    for row in [row for row in rows if row["split"] == "validation"][30:33]:
        grey = np.array(Image.open(real_films / row["film"]).convert("L"), np.float32)
        grey /= np.float32(255)
        alone = bundled_assessor.assess(radiograph(grey), "female")
        both = bundled_assessor.assess(
            radiograph(np.concatenate([grey[:, ::-1], grey], axis=1)), "female"
        )
        assert both.other_hand is not None
        assert both.age_months == pytest.approx(alone.age_months, abs=3)


@pytest.mark.films
@pytest.mark.parametrize(("number", "answered"), [(123, 0), (124, 1), (127, 0), (128, 1)])
def test_composites_of_the_catalogue(
    bundled_assessor: Assessor, real_films: Path, number: int, answered: int
) -> None:
    folder = real_films.parent / "refusal" / "hand-unsuitable"
    path = folder / f"hand-unsuitable_{number}.jpg"
    if answered:
        assert bundled_assessor.assess(path, "female").other_hand is not None
        return
    with pytest.raises(UnsuitableError) as refused:
        bundled_assessor.assess(path, "female")
    assert refused.value.code == "several_hands"


@pytest.mark.films
@pytest.mark.parametrize("film", ["1430", "2256"])
def test_real_images_of_both_hands(bundled_assessor: Assessor, real_films: Path, film: str) -> None:
    answer = bundled_assessor.assess(real_films / "half-scale" / f"{film}.jpg", "female")
    assert answer.other_hand is not None
    assert answer.other_hand.age_months == pytest.approx(answer.age_months, abs=12)
