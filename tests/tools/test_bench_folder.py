"""Measuring a big folder by the command itself."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from boneage.errors import DataError
from tests.apps.cli.conftest import Run, run
from tools.bench.__main__ import bench
from tools.bench.folder import enlarged
from tools.documents.evidence import Evidence
from tools.documents.render import block

__all__ = ["run"]


def test_small_films_are_enlarged_to_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    for number in range(3):
        cv2.imwrite(str(tmp_path / "small" / f"{number}.png"), np.full((100, 80), 9, np.uint8))
    (tmp_path / "small" / "z.png").write_text("none")
    paths = enlarged(tmp_path / "small", tmp_path, films=2)
    assert len(paths) == 2
    grey = cv2.imread(str(paths[0]), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    assert grey.shape == (320, 256)


def test_a_folder_without_images_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images"):
        enlarged(tmp_path, tmp_path)


@pytest.mark.slow
def test_a_small_folder_is_measured(run: Run, film: Path, tmp_path: Path) -> None:
    assert run("weights").exit_code == 0  # the small weights answer
    out = tmp_path / "folder.json"
    result = CliRunner().invoke(
        bench, ["--folder", str(film.parent), "--films", "60", "--kills", "1", "--out", str(out)]
    )
    assert result.exit_code == 0
    measured = json.loads(out.read_text())
    killed = measured["killed"]
    assert (killed["rows"], killed["twice"], killed["missing"]) == (60, 0, 0)
    assert killed["memory"][-1]["parent_mb"] > 10
    assert [pace["workers"] for pace in measured["paces"]] == [1, 2]
    assert "core hours" in block("cluster", Evidence({"folder": measured}))
