from __future__ import annotations

from pathlib import Path

import pytest

from boneage.datasets.films import load_films
from boneage.errors import DataError
from boneage.evaluation.localization.cases import true_shape
from boneage.evaluation.localization.marks import (
    BOXES_FILE,
    POINTS_FILE,
    Annotations,
    load_annotations,
)
from tests.evaluation.hands import CARPUS, FIRST_BASE, JOINTS, SIZE, WRIST, write_marks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_marks(tmp_path, ["1", "2"], ["3", "4"])


def load(folder: Path, absent: str = "") -> Annotations:
    return load_annotations(folder, lambda name: None if name == absent else SIZE)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_marks_of_both_kinds(folder: Path) -> None:
    found = load(folder)
    assert list(found.marks) == ["1", "2", "3", "4"]
    assert not found.problems
    (boxes,), (points,) = (found.marks[name] for name in ("1", "3"))
    for marks in (boxes.scaled(*SIZE), points.scaled(*SIZE)):
        assert marks.wrist == pytest.approx(WRIST, abs=1e-3)
        assert marks.joints == pytest.approx(JOINTS, abs=1e-3)
    assert boxes.scaled(*SIZE).carpus == pytest.approx(CARPUS, abs=1e-3)
    assert points.scaled(*SIZE).first_base == pytest.approx(FIRST_BASE, abs=1e-3)
    assert found.proportions.carpus_share == pytest.approx(0.4, abs=1e-3)
    assert found.proportions.wrist_shift == pytest.approx(0, abs=1e-3)


def test_several_readers_of_a_film(folder: Path) -> None:
    path = folder / BOXES_FILE
    lines = path.read_text().splitlines()
    again = [line.replace("someone", "another") for line in lines if line.startswith("1,")]
    path.write_text("\n".join([*lines, *again]))
    assert [mark.reader for mark in load(folder).marks["1"]] == ["someone", "another"]


def test_a_film_that_is_not_here_is_named(folder: Path) -> None:
    found = load(folder, absent="2")
    assert "2" not in found.marks
    assert found.problems == (
        "2: boxes of 'someone' left out: no labelled radiograph of this id is here",
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("2,someone,Radius", "2,someone,Ulna", "0 Radius boxes instead of one"),
        ("2,someone,MCP", "2,someone,PIP", "4 MCP boxes instead of 5"),
        ("2,someone,Wrist,0.400000", "2,someone,Wrist,1.5", "left '1.5' is not a share"),
        ("2,someone,Wrist,0.400000", "2,someone,Wrist,x", "left 'x' is not a share"),
        ("2,someone,Wrist,0.400000", "2,someone,Wrist,nan", "left 'nan' is not a share"),
        ("2,someone,Wrist,0.400000", "2,someone,Wrist,0.9", "a Wrist box is empty"),
    ],
)
def test_unusable_boxes_are_named_and_the_others_kept(
    folder: Path, old: str, new: str, problem: str
) -> None:
    change(folder / BOXES_FILE, old, new)
    found = load(folder)
    assert list(found.marks) == ["1", "3", "4"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith("2: boxes of 'someone' left out: ")
    assert problem in found.problems[0]


def test_boxes_that_are_no_hand(folder: Path) -> None:
    path = folder / BOXES_FILE
    text = path.read_text()
    path.write_text(
        text.replace("1,someone,Radius", "#")
        .replace("1,someone,Ulna", "1,someone,Radius")
        .replace("#", "1,someone,Ulna")
    )
    assert "do not lie as the five joints of a hand" in load(folder).problems[0]


def test_key_points_twice_or_without_a_hand(folder: Path) -> None:
    path = folder / POINTS_FILE
    lines = path.read_text().splitlines()
    stuck = ",".join(["5", *["0.5"] * (lines[0].count(","))])
    path.write_text("\n".join([*lines, lines[1], stuck]))
    found = load(folder)
    assert list(found.marks) == ["1", "2", "3", "4"]
    assert found.problems == (
        "3: key points are there twice; the first count",
        "5: key points left out: the wrist and the third MCP joint are one point",
    )


def test_files_that_cannot_be_used(folder: Path) -> None:
    with pytest.raises(DataError, match=r"hand_keypoints\.csv' has no usable marks"):
        load_annotations(folder, lambda name: SIZE if name in "12" else None)
    change(folder / POINTS_FILE, "wrist_x", "elbow_x")
    with pytest.raises(DataError, match="no column 'wrist_x'"):
        load(folder)
    (folder / BOXES_FILE).unlink()
    with pytest.raises(DataError, match=BOXES_FILE):
        load(folder)


@pytest.mark.films
def test_the_real_marks_give_a_hand(real_films: Path) -> None:
    films = load_films(real_films).films
    found = load_annotations(real_films / "regions", true_shape(films))
    assert len(found.marks) > 850
    assert len(found.problems) < 5
    assert 0.3 < found.proportions.carpus_share < 0.45
    assert 0 < found.proportions.wrist_shift < 0.1
    assert found.proportions.reader == "eval/expert"
