"""Answers drawn on their films."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from boneage.domain.assessment import Assessment, Box, Finding, Severity
from boneage.domain.radiograph import ImageMetadata, Radiograph
from boneage.inference.session import Session
from boneage.reports.exports import PICTURE, export, save
from boneage.reports.panels import REFUSAL_TEXT, colour_of, fitted, with_boxes, with_heat
from boneage.reports.picture import draw
from tests.conftest import drawn_hand


def count(picture: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((picture == np.array(colour, np.uint8)).all(axis=-1).sum())


def of_size(height: int, width: int) -> Radiograph:
    pixels = drawn_hand(height, width) / 65535
    return Radiograph(pixels.astype(np.float32), ImageMetadata("PNG", 16), "hand.png")


def test_a_picture_shows_the_boxes_in_their_colours(
    answer: Assessment, radiograph: Radiograph
) -> None:
    picture = draw(answer, radiograph)
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    for detection in answer.detections:
        assert count(picture, colour_of(detection.region)) > 1000


@pytest.mark.parametrize("shape", [(1, 1), (100, 80), (480, 360), (3000, 2400), (40, 900)])
def test_pictures_are_of_one_height_whatever_the_film(
    answer: Assessment, shape: tuple[int, int]
) -> None:
    box = Box(0, 0, *shape)
    detections = tuple(replace(detection, box=box) for detection in answer.detections)
    answer = replace(answer, detections=detections, film_height=shape[0], film_width=shape[1])
    picture = draw(answer, of_size(*shape))
    assert 1000 < picture.shape[0] < 1400
    assert 700 < picture.shape[1] < 2200


def test_a_box_lies_where_its_region_is(answer: Assessment) -> None:
    film = np.zeros((960, 720, 3), np.uint8)  # twice the film's size
    panel = np.asarray(with_boxes(film, answer.detections[:1], (480, 360)))
    rows, cols = np.nonzero((panel == colour_of("carpal")).all(axis=-1))
    assert rows.max() == 2 * 400 - 1
    assert (cols.min(), cols.max()) == (2 * 120, 2 * 240 - 1)


def test_the_film_shines_through_the_heat() -> None:
    film = np.zeros((40, 40, 3), np.uint8)
    film[:, ::2] = 255
    heat_map = np.ones((4, 4), np.float32)
    panel = np.asarray(with_heat(film, heat_map)).astype(int)
    assert (np.abs(panel[:, 0] - panel[:, 1]) > 80).all()
    cold = np.asarray(with_heat(film, np.zeros((4, 4), np.float32)))
    np.testing.assert_array_equal(cold, film)


def test_fitted_keeps_the_shape() -> None:
    assert fitted(np.zeros((3000, 2000, 3), np.uint8), 900, 900).shape == (900, 600, 3)
    assert fitted(np.zeros((1, 5000, 3), np.uint8), 900, 900).shape == (1, 900, 3)


def test_a_picture_without_detections_or_with_long_warnings(
    answer: Assessment, radiograph: Radiograph
) -> None:
    assert draw(replace(answer, detections=()), radiograph).shape[0] > 900
    long = replace(answer.findings[0], message="a long sentence " * 40)
    short = draw(answer, radiograph).shape[0]
    assert draw(replace(answer, findings=(long,)), radiograph).shape[0] > short


def save_picture(answer: Assessment, radiograph: Radiograph, folder: Path) -> Path:
    session = Session(answer, radiograph)
    return save(export(session, PICTURE), session, folder)


def test_two_films_with_one_name_do_not_overwrite_each_other(
    answer: Assessment, radiograph: Radiograph, tmp_path: Path
) -> None:
    other = replace(radiograph, pixels=radiograph.pixels[::-1].copy())
    first = save_picture(answer, radiograph, tmp_path)
    second = save_picture(answer, other, tmp_path)
    assert first.name == "hand.boneage.png"
    assert second.name == "hand-2.boneage.png"
    assert save_picture(answer, radiograph, tmp_path) == first, "drawn again it is replaced"
    assert save_picture(answer, other, tmp_path) == second
    assert len(list(tmp_path.iterdir())) == 2


def test_somebody_elses_file_is_never_replaced(
    answer: Assessment, radiograph: Radiograph, tmp_path: Path
) -> None:
    theirs = tmp_path / "hand.boneage.png"
    theirs.write_text("mine")
    assert save_picture(answer, radiograph, tmp_path).name == "hand-2.boneage.png"
    assert theirs.read_text() == "mine"


def test_unicode_names_and_no_other_text_in_the_file(
    answer: Assessment, radiograph: Radiograph, tmp_path: Path
) -> None:
    path = save_picture(answer, replace(radiograph, name="手 ü.dcm"), tmp_path)
    assert path.name == "手 ü.boneage.png"
    with Image.open(path) as picture:
        assert set(picture.info) == {"boneage film"}


def test_a_forced_film_reports_it_above_the_number(
    answer: Assessment, radiograph: Radiograph, tmp_path: Path
) -> None:
    refusal = Finding("not_a_hand", Severity.REFUSAL, "It looks like a chest.", 0.1, 0.2)
    forced = draw(replace(answer, findings=(refusal, *answer.findings)), radiograph)
    rows = np.nonzero((forced == np.array(REFUSAL_TEXT, np.uint8)).all(axis=-1))[0]
    assert len(rows) > 100
    assert rows.max() < 60
    assert not count(draw(answer, radiograph), REFUSAL_TEXT)
