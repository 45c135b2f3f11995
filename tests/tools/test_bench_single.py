from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from tests.evaluation.drawn import DrawnAssessor
from tests.gates import put_gate
from tools.bench import single as bench
from tools.bench import steps as step_bench
from tools.bench.__main__ import bench as bench_command

COST = step_bench.Cost(0.2, 0.3)


def test_pace_is_read_from_the_logs_of_a_run(tmp_path: Path) -> None:
    phase = tmp_path / "attention" / "phase-0"
    phase.mkdir(parents=True)
    (phase / "epochs.csv").write_text(
        "epoch,data_share,films_per_second,loss\n0,0.1,40.0,1\n1,0.1,44.0,1\n2,0.1,45.0,1\n"
    )
    (tmp_path / "fusion").mkdir()
    (tmp_path / "fusion" / "epochs.csv").write_text("epoch,films_per_second\n")
    assert bench.training_pace(tmp_path) == (bench.StagePace("attention/phase-0", 44.0, 3),)


def test_copies_have_the_sizes_that_are_timed(tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    cv2.imwrite(str(film), np.full((30, 20), 90, np.uint8))
    sizes = []
    for copy in bench.at_sizes(film, tmp_path):
        grey = cv2.imread(str(copy), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        sizes.append(grey.shape[::-1])
    assert tuple(sizes) == bench.SIZES_PX


def test_a_film_that_is_no_image_is_quoted(tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    film.write_text("no pixels")
    with pytest.raises(DataError, match=r"film\.dcm"):
        bench.at_sizes(film, tmp_path)


def test_a_failing_command_is_not_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError, match="boneage assess"):
        bench.measure_cold(tmp_path / "film.png", Sex.MALE, runs=1)


def test_memory_and_time_of_a_fresh_process() -> None:
    code = "import time; block = b'x' * 50_000_000; time.sleep(0.05)"
    seconds, memory = bench._run_fresh([sys.executable, "-c", code])
    assert seconds >= 0.05
    assert memory > 50


def test_a_report_is_timed_from_the_film_on(
    assessor: Assessor, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "perf_counter", iter(range(100)).__next__)
    timed = bench.measure_report(assessor, film, Sex.FEMALE, runs=2)
    assert (timed.width, timed.height, timed.runs) == (360, 480, 2)
    assert timed.median_seconds >= 1


def test_what_judging_adds_is_timed_where_films_are_judged(weights: Path, film: Path) -> None:
    assert bench.measure_judging(film, Sex.FEMALE, weights, runs=2) is None


def test_judging_is_timed_against_readings_without(
    weights_copy: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_gate(weights_copy)
    judged: list[bool] = []
    assess = Assessor.assess

    def spied(self: Assessor, *args: object) -> Assessment:
        judged.append(self.weights.suitability is not None)
        return assess(self, *args, force=True)  # type: ignore[arg-type]

    monkeypatch.setattr(Assessor, "assess", spied)
    timed = bench.measure_judging(film, Sex.FEMALE, weights_copy, runs=2)
    assert timed is not None and timed.runs == 2
    assert judged == [True, False] * 3


def test_only_a_checkout_can_be_installed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"pyproject\.toml"):
        bench.measure_install(tmp_path)


def test_the_machine_is_described() -> None:
    machine = bench.this_machine()
    assert machine.cores >= 1
    assert machine.processor


def test_the_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "1.png"
    cv2.imwrite(str(film), np.full((30, 20), 90, np.uint8))
    monkeypatch.setattr("boneage.inference.assessor.Assessor", DrawnAssessor)
    monkeypatch.setattr(bench, "measure_cold", lambda *_: bench.Cold(1.5, 200.0, 1))
    monkeypatch.setattr(bench, "measure_import", lambda: 0.2)
    monkeypatch.setattr(bench, "measure_judging", lambda *_: bench.Judging(0.012, 1))
    monkeypatch.setattr(bench, "measure_report", lambda *_: bench.Warm(2000, 2500, 0.6, 0.7, 1))
    joining = step_bench.Step("joining", 0.3, 0.2)
    steps = step_bench.Steps(9, 9, (joining,), COST, COST, COST, runs=1)
    monkeypatch.setattr(step_bench, "measure_steps", lambda *_: steps)
    out = tmp_path / "new" / "bench.json"
    result = CliRunner().invoke(bench_command, ["--film", str(film), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "one film from nothing: 1.50 s, 200 MB" in result.output
    table = json.loads(out.read_text())
    assert table["weights"]["name"] == "drawn"
    assert [warm["runs"] for warm in table["warm"]] == [bench.WARM_RUNS] * len(bench.SIZES_PX)
    assert table["report"]["median_seconds"] == 0.6
    assert "from film to report, 2000 x 2500: 0.600 s" in result.output
    assert table["judging"] == {"added_seconds": 0.012, "runs": 1}
    assert "joining: 0.300 s, 0.200 s of it in networks" in result.output
    assert table["steps"]["ratio"] == 0.5
    assert table["install"] is None
    assert table["training"] == []
