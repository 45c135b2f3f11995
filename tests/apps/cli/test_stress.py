from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from boneage.apps.cli import main
from tests.conftest import drawn_hand, write_png


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Two films and one that is none, in the layout with ``films.csv``."""
    folder = tmp_path / "films"
    for name, size in (("1", (300, 240)), ("2", (260, 280))):
        write_png(folder / "half-scale" / f"{name}.png", (drawn_hand(*size) >> 6).astype(np.uint8))
    (folder / "half-scale" / "3.png").write_bytes(b"no film")
    labels = ["id,boneage,male", "1,120,True", "2,60,False", "3,180,False"]
    (folder / "boneage-training-dataset.csv").write_text("\n".join(labels))
    rows = ["id,original_width,original_height,film,split"]
    rows += [f"{name},600,800,half-scale/{name}.png,validation" for name in "123"]
    (folder / "films.csv").write_text("\n".join(rows))
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["stress", *map(str, arguments)])


def test_a_run_is_extended_by_more_images(films: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--data", films, "--weights", weights, "--out", out, "--workers", "2")
    result = run(*options, "--only", "inverted", "--only", "file", "--limit", "2")
    assert result.exit_code == 0, result.output
    assert "2 radiographs under 3 changes, assessed with tiny-1" in result.output
    table = json.loads((out / "stress.json").read_text())
    assert table["data"] == {"name": "films", "split": "validation", "limit": 2}
    assert len((out / "stress.csv").read_text().splitlines()) == 1 + 2 * 3
    assert (out / "stress.html").is_file()
    noted = (out / "stress.journal.jsonl").read_text()

    result = run(*options, "--only", "inverted")
    assert result.exit_code == 1, result.output
    assert "3: failed: " in result.output
    assert "2 radiographs under 1 changes" in result.output
    again = json.loads((out / "stress.json").read_text())
    assert again["films"] == {"tried": 3, "read": 2, "failed": 1}
    assert again["changes"][0] == table["changes"][0]
    assert (out / "stress.journal.jsonl").read_text() == noted


def test_an_unknown_change_is_named(films: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("--data", films, "--weights", weights, "--out", out, "--only", "spin")
    assert result.exit_code == 2
    assert "no change is called 'spin'" in result.output
    assert not out.exists()


def test_no_film_readable(films: Path, weights: Path, tmp_path: Path) -> None:
    for name in "12":
        (films / "half-scale" / f"{name}.png").write_bytes(b"no film")
    out = tmp_path / "out"
    result = run("--data", films, "--weights", weights, "--out", out, "--only", "inverted")
    assert result.exit_code == 1
    assert "none of 3 radiographs could be assessed" in result.output
    assert not (out / "stress.json").exists()


def test_a_folder_without_films(weights: Path, tmp_path: Path) -> None:
    result = run("--data", tmp_path, "--weights", weights, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "boneage-training-dataset.csv" in result.output
