"""``boneage calibrate``, and what uses its file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from boneage.inference.assessor import Assessor
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.uncertainty.calibration import FILE_VARIABLE
from tests.apps.cli.conftest import Run
from tests.conftest import write_labelled


@pytest.fixture
def clinic(run: Run, labelled: Path, tmp_path: Path) -> Path:
    out = tmp_path / "clinic.json"
    found = run("calibrate", "--data", labelled, "--out", out, "--name", " St\n Anna ")
    assert found.exit_code == 0, found.output
    return out


def test_the_fit_is_summarised(run: Run, labelled: Path, tmp_path: Path) -> None:
    result = run("calibrate", "--data", labelled, "--out", tmp_path / "c.json")
    assert result.exit_code == 0
    for message in (
        "35 girls' and 35 boys' images analysed",
        "female: estimate × ",
        "male: estimate × ",
        "months before, ",
        "(each film by a line fitted without it)",
        "for the weights tiny-1 only",
    ):
        assert message in result.stdout
    table = json.loads((tmp_path / "c.json").read_text())
    assert table["mae_months"]["after"] < table["mae_months"]["before"] - 3
    assert table["name"] == "films.csv"


def test_too_few_films_are_refused_with_a_reason(run: Run, labelled: Path, tmp_path: Path) -> None:
    lines = labelled.read_text().splitlines()[:33]
    few = labelled.parent / "few.csv"
    few.write_text("\n".join([*lines[:29], lines[29].replace(".png", "-none.png"), ""]))
    result = run("calibrate", "--data", few, "--out", tmp_path / "c.json")
    assert result.exit_code == 2
    assert "left out: 1 label without image" in result.stderr
    assert "28 images of 'few.csv' could be read; a calibration needs at least 30" in (
        result.stderr
    )
    assert not (tmp_path / "c.json").exists()


def test_a_broken_film_is_named_and_not_counted(run: Run, labelled: Path, tmp_path: Path) -> None:
    table, broken = labelled.parent / "broken.csv", labelled.parent / "broken.png"
    broken.write_bytes(b"no film")
    rows = labelled.read_text().splitlines()[:41]
    table.write_text("\n".join([*rows, "broken.png,male,100", ""]))
    result = run("calibrate", "--data", table, "--out", tmp_path / "c.json")
    assert result.exit_code == 0
    assert "broken: failed: " in result.stderr
    assert "5 girls' and 35 boys' images analysed, 1 failed" in result.stdout
    assert "one line for both sexes: one of them has fewer than 30 images" in result.stdout


def test_where_no_line_helps_answers_stay_as_they_are(
    run: Run, assessor: Assessor, tmp_path: Path
) -> None:
    table = write_labelled(tmp_path / "right", assessor, 40, shift=0.0, boys=1.0)
    result = run("calibrate", "--data", table, "--out", tmp_path / "c.json")
    assert result.exit_code == 0
    assert "both: no line reliably lowers the error" in result.stdout
    line = json.loads((tmp_path / "c.json").read_text())["lines"]["female"]
    assert (line["intercept_months"], line["slope"], line["helps"]) == (0, 1, False)
    films = [tmp_path / "right" / f"{n}.png" for n in range(2)]
    shown = run("assess", *films, "--sex", "male", "--calibration", tmp_path / "c.json")
    assert "90 % prediction interval" in shown.stdout


def test_the_place_of_the_file_is_checked_first(run: Run, labelled: Path, tmp_path: Path) -> None:
    result = run("calibrate", "--data", labelled, "--out", tmp_path / "no" / "c.json")
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_every_output_states_the_calibration(
    run: Run, clinic: Path, film: Path, tmp_path: Path
) -> None:
    arguments = ("assess", film, "--sex", "f", "--calibration", clinic)
    text = " ".join(run(*arguments).stdout.split())
    assert "Site calibration St Anna (" in text
    assert ", 70 radiographs); uncalibrated " in text
    assert "Based on 70 calibration radiographs of both sexes." in text
    (record,) = json.loads(run(*arguments, "--json").stdout)["films"]
    assert record["calibration"]["name"] == "St Anna"
    assert record["age_months"] - record["calibration"]["uncalibrated_months"] > 5
    assert record["interval"]["level"] == 0.9
    table, pictures = tmp_path / "ages.csv", tmp_path / "pictures"
    assert run(*arguments, "--csv", table, "--picture", pictures).exit_code == 0
    with table.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert row["calibration"] == "St Anna"
    assert float(row["uncalibrated_months"]) < float(row["age_months"])
    assert row["interval_text"].startswith("90 % prediction interval: ")
    assert len(list(pictures.iterdir())) == 1


def test_the_variable_is_for_answers_not_for_measuring(
    run: Run,
    clinic: Path,
    film: Path,
    labelled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(clinic))
    assert "Site calibration" in run("assess", film, "--sex", "f").stdout
    again = tmp_path / "again.json"
    assert run("calibrate", "--data", labelled, "--out", again, "--name", "St Anna").exit_code == 0
    assert again.read_text() == clinic.read_text()


def test_a_calibration_of_other_weights_is_wrong_usage(
    run: Run, clinic: Path, film: Path, sure_weights: Path
) -> None:
    result = run("assess", film, "--sex", "f", "--calibration", clinic, "--weights", sure_weights)
    assert result.exit_code == 2
    assert "run 'boneage calibrate' with these" in result.stderr


def test_levels_on_the_command_line(
    run: Run, film: Path, sure_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("assess", film, "--sex", "f", "--level", "0.8")
    assert refused.exit_code == 2
    assert "state no interval" in refused.stderr
    monkeypatch.setenv(FOLDER_VARIABLE, str(sure_weights))
    widths = []
    for level in ("0.5", "0.8", "0.95"):
        shown = run("assess", film, "--sex", "f", "--level", level, "--json")
        interval = json.loads(shown.stdout)["films"][0]["interval"]
        assert interval["level"] == float(level)
        widths.append(interval["high_months"] - interval["low_months"])
    assert np.all(np.diff(widths) > 0)
    many = run("assess", film, "--sex", "f", "--level", "0.99")
    assert many.exit_code == 2
    assert "needs at least 99 calibration images, and there are 70" in many.stderr
    assert run("assess", film, "--sex", "f", "--level", "90").exit_code == 2


def test_weights_show_the_basis_of_their_interval(run: Run, sure_weights: Path) -> None:
    assert "interval       none: these weights state no prediction" in run("weights").stdout
    shown = run("weights", "--weights", sure_weights).stdout
    assert (
        "interval       by 35 female and 35 male calibration images; widens for atypical images"
        in shown
    )
    assert "scores" not in shown
