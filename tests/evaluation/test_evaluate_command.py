from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boneage.cli import main
from boneage.errors import WeightsError
from tests.evaluation.drawn import DrawnAssessor, write_films


@pytest.fixture(autouse=True)
def drawn_assessor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boneage.assessor.Assessor", DrawnAssessor)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def test_a_film_without_an_answer_is_named_and_the_others_measured(tmp_path: Path) -> None:
    folder, out = write_films(tmp_path / "films"), tmp_path / "out"
    result = run("--data", folder, "--out", out)
    assert result.exit_code == 1, result.output
    assert "2 of 3 films read with drawn" in result.output
    assert "3: failed: the film 3.png is blank" in result.output
    table = json.loads((out / "metrics.json").read_text())
    assert table["data"] == {"name": "films", "split": "validation", "limit": None}
    assert table["metrics"]["overall"]["mae_months"]["value"] == 30
    assert len((out / "cases.csv").read_text().splitlines()) == 3


def test_all_read(tmp_path: Path) -> None:
    result = run("--data", write_films(tmp_path / "films"), "--limit", "2", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "metrics.json").read_text())["data"]["limit"] == 2


def test_one_film_is_summed_up_without_interval_or_r2(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    result = run("--data", folder, "--split", "train", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert "mean absolute error 10.0 months, 100% within 12 months, n = 1" in result.output


def test_nothing_to_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    result = run("--data", empty, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "boneage-training-dataset.csv" in result.output
    assert not (tmp_path / "out").exists()

    def no_weights(_: object) -> None:
        raise WeightsError("no weights in 'there'")

    monkeypatch.setattr("boneage.assessor.Assessor", no_weights)
    result = run("--data", write_films(tmp_path / "films"), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no weights in 'there'" in result.output


def test_no_film_readable(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    for name in ("1", "2"):
        rows = (folder / "films.csv").read_text()
        rows = rows.replace(f"half-scale/{name}.png,validation", f"half-scale/{name}.png,train")
        (folder / "films.csv").write_text(rows)
    result = run("--data", folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "none of 1 films could be read" in result.output
    assert not list((tmp_path / "out").iterdir())
