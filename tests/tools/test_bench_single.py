"""Measuring one film: by a fresh process, an open Assessor, and the steps of an analysis."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from tests.classifiers import put_classifier
from tests.evaluation.drawn import DrawnAssessor
from tools.bench import measuring, single
from tools.bench.__main__ import EXAMPLE, bench
from tools.bench.steps import READING, WRITING, measure_steps

MOST = 1.8
"""Processor time of a reading over networks and decoding alone, which is 1.3 or so; threads
that wait in a loop would make it 3."""


def test_pace_is_read_from_the_logs_of_a_run(tmp_path: Path) -> None:
    phase = tmp_path / "attention" / "phase-0"
    phase.mkdir(parents=True)
    (phase / "epochs.csv").write_text(
        "epoch,data_share,films_per_second,loss\n0,0.1,40.0,1\n1,0.1,44.0,1\n2,0.1,45.0,1\n"
    )
    (tmp_path / "fusion").mkdir()
    (tmp_path / "fusion" / "epochs.csv").write_text("epoch,films_per_second\n")
    (pace,) = single.training_pace(tmp_path)
    assert pace == {"stage": "attention/phase-0", "films_per_second": 44.0, "epochs": 3}


def test_copies_have_the_sizes_that_are_timed(tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    cv2.imwrite(str(film), np.full((30, 20), 90, np.uint8))
    sizes = []
    for copy in single.at_sizes(film, tmp_path):
        grey = cv2.imread(str(copy), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        sizes.append(grey.shape[::-1])
    assert tuple(sizes) == single.SIZES_PX


def test_a_film_that_is_no_image_is_quoted(tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    film.write_text("no pixels")
    with pytest.raises(DataError, match=r"film\.dcm"):
        single.at_sizes(film, tmp_path)


def test_a_failing_command_is_not_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError, match="boneage assess"):
        single.measure_cold(tmp_path / "film.png", Sex.MALE, runs=1)


def test_memory_and_time_of_a_fresh_process() -> None:
    code = "import time; block = b'x' * 50_000_000; time.sleep(0.05)"
    seconds, memory = measuring.run_fresh([sys.executable, "-c", code])
    assert seconds >= 0.05
    assert memory > 50


@pytest.mark.parametrize("at_a_time", [1, 3])
def test_every_call_is_timed_and_all_together(at_a_time: int) -> None:
    calls = measuring.timed(lambda: time.sleep(0.01), 7, at_a_time)
    assert len(calls.seconds) == 7
    assert 0.01 <= calls.median.seconds <= max(calls.seconds) <= calls.whole.seconds
    assert calls.quantiles(0.0, 1.0) == [min(calls.seconds), max(calls.seconds)]


def test_a_report_is_timed_from_the_film_on(assessor: Assessor, film: Path) -> None:
    row = single.measure_report(assessor, film, Sex.FEMALE, runs=2)
    assert (row["width"], row["height"], row["runs"]) == (360, 480, 2)
    assert row["p95_seconds"] >= row["median_seconds"] > 0


def test_weights_without_a_quality_check_have_none_to_time(weights: Path, film: Path) -> None:
    assert single.measure_quality_check(film, Sex.FEMALE, weights, runs=2) is None


def test_the_quality_check_is_timed_against_analyses_without(
    weights_copy: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_classifier(weights_copy)
    judged: list[bool] = []
    assess = Assessor.assess

    def spied(self: Assessor, *args: object) -> Assessment:
        judged.append(self.weights.quality_model is not None)
        return assess(self, *args, force=True)  # type: ignore[arg-type]

    monkeypatch.setattr(Assessor, "assess", spied)
    row = single.measure_quality_check(film, Sex.FEMALE, weights_copy, runs=2)
    assert row is not None and row["runs"] == 2
    assert judged == [True, False] * 3


def test_only_a_checkout_can_be_installed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"pyproject\.toml"):
        single.measure_install(tmp_path)


def test_the_machine_is_described() -> None:
    machine = measuring.this_machine()
    assert machine.cores >= 1
    assert machine.processor


def test_every_step_is_timed(weights: Path, film: Path) -> None:
    found = measure_steps(film, Sex.FEMALE, weights, runs=2)
    names = [step["name"] for step in found["steps"]]
    assert names == [READING, *Assessor(weights).steps, WRITING]
    assert all(step["seconds"] > step["networks_seconds"] >= 0 for step in found["steps"])
    inside = {step["name"] for step in found["steps"] if step["networks_seconds"]}
    assert inside == set(names) - {READING, WRITING, "detecting the carpal region"}
    assert (found["width"], found["height"], found["runs"]) == (360, 480, 2)


@pytest.mark.slow
def test_a_reading_costs_little_beside_its_networks(bundled: Path, tmp_path: Path) -> None:
    film = single.at_sizes(Path(__file__).parents[2] / EXAMPLE, tmp_path)[0]
    # The middle of three: on a shared machine one alone differs by a quarter either way.
    found = [measure_steps(film, Sex.FEMALE, bundled, runs=5) for _ in range(3)]
    assert all(one["networks_alone"]["processor_seconds"] > 0.03 for one in found)
    assert 1 < statistics.median(one["ratio"] for one in found) < MOST


def test_the_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "1.png"
    cv2.imwrite(str(film), np.full((30, 20), 90, np.uint8))
    rows: dict[str, Any] = {
        "measure_cold": {"seconds": 1.5, "peak_memory_mb": 200.0, "runs": 1},
        "measure_import": 0.2,
        "measure_quality_check": {"added_seconds": 0.012, "runs": 1},
        "measure_report": {"width": 2000, "height": 2500, "median_seconds": 0.6, "runs": 1},
        "measure_steps": {
            "steps": [{"name": "joining", "seconds": 0.3, "networks_seconds": 0.2}],
            "ratio": 0.5,
        },
    }
    for name, row in rows.items():
        monkeypatch.setattr(single, name, lambda *_, row=row: row)
    monkeypatch.setattr(single, "Assessor", DrawnAssessor)
    out = tmp_path / "new" / "bench.json"
    result = CliRunner().invoke(bench, ["--film", str(film), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "one image, in a fresh process: 1.50 s, 200 MB" in result.output
    assert "from image to report, 2000 x 2500: 0.600 s" in result.output
    assert "joining: 0.300 s, 0.200 s of it in networks" in result.output
    table = json.loads(out.read_text())
    assert table["weights"]["name"] == "drawn"
    assert [warm["runs"] for warm in table["warm"]] == [single.WARM_RUNS] * len(single.SIZES_PX)
    assert table["steps"]["ratio"] == 0.5
    assert table["judging"] == rows["measure_quality_check"]
    assert table["install"] is None
    assert table["training"] == []
