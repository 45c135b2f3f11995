"""``boneage regions``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.apps.cli.conftest import Run
from tests.conftest import write_png


def test_a_folder_is_annotated(run: Run, tmp_path: Path, grey_film: npt.NDArray[np.uint8]) -> None:
    films, out = tmp_path / "films", tmp_path / "out"
    write_png(films / "ä.png", grey_film)
    (films / "bad.png").write_bytes(b"no film")
    result = run("regions", films, "--out", out)
    assert result.exit_code == 1
    assert "bad.png: failed: " in result.stderr
    assert "2 images: 1 annotated, 1 failed" in result.stdout
    assert len(json.loads((out / "regions.json").read_text())["annotations"]) == 3
    assert (out / "crops" / "carpal" / "ä.png.png").is_file()
    (films / "bad.png").unlink()
    again = run("regions", films, "--out", out)
    assert again.exit_code == 0
    assert "1 image done before" in again.stderr


def test_wrong_usage(run: Run, tmp_path: Path, film: Path) -> None:
    assert run("regions", tmp_path / "no", "--out", tmp_path).exit_code == 2
    assert run("regions", film, "--out", tmp_path).exit_code == 2
    assert run("regions", tmp_path).exit_code == 2
    assert run("regions", tmp_path, "--out", film).exit_code == 2
    (tmp_path / "empty").mkdir()
    assert run("regions", tmp_path / "empty", "--out", tmp_path / "out").exit_code == 2
