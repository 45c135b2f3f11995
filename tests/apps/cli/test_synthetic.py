"""``boneage synthetic``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from tests.apps.cli.conftest import Run

SMALL = ("--height", 300, "--width", 240)


def test_a_film_and_its_truth_are_written(run: Run, tmp_path: Path) -> None:
    out, truth = tmp_path / "synthetic.png", tmp_path / "truth.json"
    arguments = ("synthetic", "--age-years", 10, "--sex", "girl", *SMALL)
    result = run(*arguments, "--out", out, "--regions", truth)
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        assert (image.mode, image.size) == ("L", (240, 300))
        assert "Synthetic" in image.info["Description"]
    document = json.loads(truth.read_text("utf-8"))
    assert (document["film"], document["sex"], document["age_months"]) == (
        "synthetic.png",
        "female",
        120,
    )
    assert "Synthetic" in document["description"]
    assert set(document["regions"]) == {"hand", "carpal", "metacarpal", "phalanx"}
    assert document["bones"]["radius"]["max_row"] == 300


def test_months_and_years_draw_the_same_film(run: Run, tmp_path: Path) -> None:
    films = tmp_path / "months.png", tmp_path / "years.png"
    run("synthetic", "--age-months", 60, "--sex", "m", *SMALL, "--out", films[0])
    run("synthetic", "--age-years", 5, "--sex", "m", *SMALL, "--out", films[1])
    months, years = (np.asarray(Image.open(film)) for film in films)
    np.testing.assert_array_equal(months, years)


def test_other_options_draw_another_film(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "film.png"
    seen = set()
    for option in ((), ("--rotation", 20), ("--seed", 5), ("--collimated",), ("--sex", "male")):
        arguments = ("--age-months", 60, "--sex", "female", *SMALL, "--out", out, *option)
        assert run("synthetic", *arguments).exit_code == 0
        seen.add(out.read_bytes())
    assert len(seen) == 5


def test_a_dicom_film(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "film.DCM"
    result = run("synthetic", "--age-months", 150, "--sex", "male", *SMALL, "--out", out)
    assert result.exit_code == 0
    assert pydicom.dcmread(out).PatientName == "SYNTHETIC^HAND"


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        (("--age-months", 60), "--sex"),
        (("--age-months", 60, "--sex", "x"), "'x'"),
        (("--sex", "male"), "--age-months"),
        (("--sex", "male", "--age-months", 60, "--age-years", 5), "--age-years"),
        (("--sex", "male", "--age-months", 300), "300"),
        (("--sex", "male", "--age-months", 60, "--height", 10), "10"),
        (("--sex", "male", "--age-months", 60, "--rotation", "nan"), "nan"),
        (("--sex", "male", "--age-months", 60, "--seed", -3), "-3"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, arguments: tuple[object, ...], quoted: str) -> None:
    out = tmp_path / "film.png"
    result = run("synthetic", *arguments, "--out", out)
    assert result.exit_code == 2
    assert quoted in result.stderr
    assert not out.exists()


def test_where_no_film_can_be_written(run: Run, tmp_path: Path) -> None:
    arguments = ("synthetic", "--age-months", 60, "--sex", "male", *SMALL)
    result = run(*arguments, "--out", tmp_path / "film.jpg")
    assert result.exit_code == 2
    assert "film.jpg" in result.stderr
    assert run(*arguments, "--out", tmp_path / "no" / "film.png").exit_code == 2
    out = tmp_path / "film.png"
    assert run(*arguments, "--out", out, "--regions", tmp_path / "no" / "r.json").exit_code == 2
    assert not out.exists()
