"""The command on drawn films, read by small but real weights."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner, Result

from boneage.apps.cli import main
from boneage.training.monitoring import CURVES
from tests.conftest import write_png

FIGURES = {
    *("bland-altman", "comparison-1", "error-by-age", "error-histograms", "mae-by-band"),
    *("scatter-carpal-alone", "scatter-joined", "scatter-metacarpal-alone"),
    *("scatter-phalanx-alone", "scatter-whole-hand-alone", "scatters", "within"),
}


@pytest.fixture(autouse=True)
def _small_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boneage.evaluation.plotting.DPI", 30)


@pytest.fixture
def films(tmp_path: Path, grey_film: npt.NDArray[np.uint8]) -> Path:
    """Four films for validation, the third cut off; one for training; one only labelled."""
    folder = tmp_path / "films"
    rows = ["id,boneage,male", "1,120,True", "2,60,False", "3,180,False", "4,90,True", "9,90,True"]
    metadata = ["id,original_width,original_height,film,split"]
    for name in ("1", "2", "3", "4"):
        path = write_png(folder / "half" / f"{name}.png", np.roll(grey_film, 9 * int(name), axis=1))
        metadata.append(
            f"{name},360,480,half/{name}.png,{'train' if name == '4' else 'validation'}"
        )
        if name == "3":
            path.write_bytes(path.read_bytes()[:2000])
    metadata.append("9,360,480,half/9.png,validation")
    (folder / "films.csv").write_text("\n".join(metadata))
    (folder / "boneage-training-dataset.csv").write_text("\n".join(rows))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def table_of(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_everything_at_once(tmp_path: Path, films: Path, weights: Path) -> None:
    out = tmp_path / "out"
    other = table_of(tmp_path / "b.csv", "id,months\n1,110\n2,70\n7,50\n2,71\n")
    curves = write_png(tmp_path / "run" / "fusion" / CURVES, np.zeros((4, 4), np.uint8))
    result = run(
        *("--data", films, "--weights", weights, "--out", out, "--workers", "2"),
        *("--compare", other, "--compare-name", "reader B", "--curves", curves.parents[1]),
    )
    assert result.exit_code == 1, result.output  # film 3 could not be assessed
    assert "2 of 3 radiographs assessed with tiny-1" in result.output
    assert "3: failed: " in result.output
    assert "9: image 'half/9.png' is missing" in result.output
    assert "left out: 1 label without image" in result.output
    assert "b.csv, line 5: case '2' occurs twice; the first row is used" in result.output
    assert "and reader B, 2 common radiographs: " in result.output

    table = json.loads((out / "metrics.json").read_text())
    assert table["data"] == {"name": "films", "split": "validation", "limit": None}
    assert table["films"] == {"tried": 3, "read": 2, "failed": 1, "unusable": 1}
    assert table["workers"] == 2
    with (out / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["1", "2"]
    error = np.mean([abs(float(row["error_months"])) for row in rows])
    assert table["metrics"]["overall"]["mae_months"]["value"] == pytest.approx(error, abs=0.01)

    (compared,) = json.loads((out / "comparison.json").read_text())["comparisons"]
    assert (compared["name"], compared["only_there"]) == ("reader B", ["7"])
    assert compared["there"]["mae_months"]["value"] == 10
    assert {path.stem for path in (out / "figures").iterdir()} == FIGURES
    page = (out / "report.html").read_text()
    assert "Compared with reader B" in page
    assert "Loss curves of fusion" in page
    assert "state no prediction interval" in page
    assert page.count("data:image/png;base64,") == 8  # seven figures and the loss curve
    assert "http:" not in page
    assert "https:" not in page
    assert {path.name for path in out.iterdir()} == {
        *("cases.csv", "comparison.json", "figures", "metrics.json", "report.html")
    }


def test_one_film_is_enough_and_what_an_earlier_run_left_is_removed(
    tmp_path: Path, films: Path, weights: Path
) -> None:
    out = tmp_path / "out"
    own = write_png(out / "figures" / "mine.png", np.zeros((4, 4), np.uint8))
    old = write_png(out / "figures" / "comparison-2.png", np.zeros((4, 4), np.uint8))
    (out / "comparison.json").write_text("{}")
    result = run("--data", films, "--split", "train", "--weights", weights, "--out", out)
    assert result.exit_code == 0, result.output
    assert "months, " in result.output
    assert "R²" not in result.output  # of one film
    assert own.exists()
    assert not old.exists()
    assert not (out / "comparison.json").exists()
    page = (out / "report.html").read_text()
    assert "If these weights were trained on" in page
    assert "would lie between – and – months" in page  # the limits of one film


def test_a_stopped_run_resumes(tmp_path: Path, films: Path, weights: Path) -> None:
    for name in ("films.csv", "boneage-training-dataset.csv"):
        lines = (films / name).read_text().splitlines()
        (films / name).write_text("\n".join(lines[:-1]))  # without film 9, which strict minds
    out = tmp_path / "out"
    arguments = ("--data", films, "--weights", weights, "--out", out)
    stopped = run(*arguments, "--strict")
    assert stopped.exit_code == 1
    assert "stopped at the first radiograph that failed" in stopped.output
    assert [path.name for path in out.iterdir()] == ["evaluate.journal.jsonl"]
    journal = out / "evaluate.journal.jsonl"
    noted = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line.get("key") for line in noted] == [None, "1", "2"]
    noted[1]["value"]["predicted_months"] = 123.0  # would not be there, were film 1 read again
    journal.write_text("".join(json.dumps(line) + "\n" for line in noted))

    assert run(*arguments, "--split", "all").exit_code == 2  # not of the same films
    again = run(*arguments)
    assert "2 radiographs were assessed before" in again.output
    assert "2 of 3 radiographs assessed" in again.output
    assert "1,male,120,123.00,3.00," in (out / "cases.csv").read_text()
    assert not journal.exists()


def test_strict_stops_at_a_label_of_no_use(tmp_path: Path, films: Path, weights: Path) -> None:
    arguments = ("--data", films, "--weights", weights, "--out", tmp_path / "out", "--strict")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "9: image 'half/9.png' is missing" in result.output
    assert not (tmp_path / "out").exists()


def test_no_film_readable(tmp_path: Path, films: Path, weights: Path) -> None:
    for name in ("1", "2"):
        (films / "half" / f"{name}.png").write_bytes(b"no film")
    result = run("--data", films, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "none of 3 radiographs could be assessed; nothing written" in result.output
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--compare", "none.csv"), "none of the cases that are assessed here"),
        (("--compare", "bad.csv"), "has none of the columns"),
        (("--compare", "a.csv", "--compare", "deep/a.csv"), "two readers are called 'a'"),
        (("--compare-name", "B"), "1 --compare-name, but 0 --compare"),
        (("--curves", "deep"), "no curves.png in 'deep'"),
    ],
)
def test_wrong_usage_is_reported_before_an_image_is_read(
    tmp_path: Path,
    films: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for name, text in {
        "none.csv": "id,months\n77,120\n",
        "bad.csv": "id,film\n1,120\n",
        "a.csv": "id,months\n1,120\n",
        "deep/a.csv": "id,months\n1,120\n",
    }.items():
        (tmp_path / name).write_text(text)
    result = run("--data", films, "--weights", weights, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "out").exists()


def test_nothing_to_measure(tmp_path: Path, films: Path, weights: Path) -> None:
    (films / "boneage-training-dataset.csv").unlink()
    result = run("--data", films, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "boneage-training-dataset.csv" in result.output
    shutil.rmtree(films / "half")
    result = run("--data", films, "--weights", films, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "manifest.json" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.films
def test_real_films(tmp_path: Path, real_films: Path, bundled: Path) -> None:
    arguments = ("--weights", bundled, "--limit", "6", "--out", tmp_path)
    result = run("--data", real_films, *arguments)
    assert result.exit_code == 0, result.output
    table = json.loads((tmp_path / "metrics.json").read_text())
    assert table["films"]["read"] == 6
    assert table["metrics"]["overall"]["mae_months"]["value"] < 40
