"""How long a film takes, how much memory, and how big the package is.

What a person waits for is measured the way a person meets it: a fresh process
for the first film, one open Assessor for the next ones, a clean environment
for the installation.
"""

from __future__ import annotations

import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.child import Child
from boneage.domain.radiograph import Radiograph, Sex
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from boneage.reading import read

FRESH_RUNS = 5
WARM_RUNS = 30
REPORT_RUNS = 10
REPORT_AGE_MONTHS, REPORT_HEIGHT_CM = 120.0, 138.0
"""Of the child on the report, so that every part of it is filled."""
SIZES_PX = ((2000, 2500), (650, 830))
"""Widths and heights: a film as the scanner leaves it, and at half scale as
the public data set mostly has it."""
MEGABYTE = 1_000_000
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cold:
    """The whole command line on one film, medians over fresh processes."""

    seconds: float
    peak_memory_mb: float
    """Resident, 10^6 bytes."""
    runs: int


@dataclass(frozen=True)
class Warm:
    """One more film for an Assessor that is open, file reading included."""

    width: int
    height: int
    median_seconds: float
    p95_seconds: float
    runs: int


@dataclass(frozen=True)
class Judging:
    """What it costs to judge a film before it is read: frame, kind, lie, pixels."""

    added_seconds: float
    """Median over pairs of readings, with and without."""
    runs: int


@dataclass(frozen=True)
class Install:
    """The base package in a clean environment, downloads included."""

    seconds: float
    size_mb: float
    """Of everything the installation added, 10^6 bytes."""


@dataclass(frozen=True)
class StagePace:
    """How fast a stage of training went."""

    stage: str
    """Its folder inside the run, such as ``attention/phase-0``."""
    films_per_second: float
    """Median over its epochs."""
    epochs: int


@dataclass(frozen=True)
class Machine:
    """Where it was measured."""

    processor: str
    cores: int
    system: str
    python: str
    load: float | None
    """Processes waiting at the start, averaged over a minute: well above 0, and
    others were measured too."""


def measure_cold(film: Path, sex: Sex, weights: Path | None = None, runs: int = FRESH_RUNS) -> Cold:
    """Time ``boneage assess`` in fresh processes.

    Call it before the calling process has grown: Linux counts a parent's
    memory into the peak of the child it forks.
    """
    command = [sys.executable, "-m", "boneage", "assess", str(film), "--sex", str(sex)]
    command += ["--weights", str(weights)] if weights else []
    timed = [_run_fresh(command) for _ in range(runs)]
    seconds, memory = zip(*timed, strict=True)
    return Cold(statistics.median(seconds), statistics.median(memory), runs)


def _run_fresh(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak resident megabytes of a command that must succeed."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            reason = said.read().decode(errors="replace").strip()
            raise DataError(f"{' '.join(command[1:])} failed: {reason}")
    return seconds, usage.ru_maxrss * _MAXRSS_BYTES / MEGABYTE


def measure_import(runs: int = FRESH_RUNS) -> float:
    """Seconds that ``import boneage`` takes in a fresh process, the median."""
    code = "import time; s = time.perf_counter(); import boneage; print(time.perf_counter() - s)"
    command = [sys.executable, "-c", code]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    )


def measure_warm(assessor: Assessor, film: Path, sex: Sex, runs: int = WARM_RUNS) -> Warm:
    """Time further films with an open Assessor."""
    answer = assessor.assess(film, sex)  # opens the networks, outside the clock
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        assessor.assess(film, sex)
        seconds.append(time.perf_counter() - start)
    median, p95 = np.quantile(seconds, [0.5, 0.95])
    return Warm(answer.film_width, answer.film_height, float(median), float(p95), runs)


def measure_report(assessor: Assessor, film: Path, sex: Sex, runs: int = REPORT_RUNS) -> Warm:
    """Time the way from a film's file to its report, with an open Assessor.

    Raises
    ------
    ModuleNotFoundError
        When the ``report`` extra is not installed.
    """
    from boneage.reports.pdf.writing import report  # noqa: PLC0415  loads ReportLab

    child = Child(chronological_age_months=REPORT_AGE_MONTHS, height_cm=REPORT_HEIGHT_CM)

    def once() -> Radiograph:
        radiograph = read(film)
        report(with_clinical_findings(assessor.assess(radiograph, sex), child), radiograph)
        return radiograph

    first = once()  # opens networks and fonts, outside the clock
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - start)
    median, p95 = np.quantile(seconds, [0.5, 0.95])
    return Warm(first.width, first.height, float(median), float(p95), runs)


def measure_judging(
    film: Path, sex: Sex, weights: Path | None = None, runs: int = WARM_RUNS
) -> Judging | None:
    """Time what judging a film adds to reading it; None for weights that judge none."""
    judging, plain = (Assessor(weights, calibration="") for _ in range(2))
    if judging.weights.suitability is None:
        return None
    plain.weights.suitability = None
    radiograph = read(film)
    seconds: dict[Assessor, list[float]] = {judging: [], plain: []}
    for run in range(runs + 1):
        for assessor, timed in seconds.items():
            start = time.perf_counter()
            assessor.assess(radiograph, sex)
            if run:  # the first opens the networks
                timed.append(time.perf_counter() - start)
    added = np.subtract(seconds[judging], seconds[plain])
    return Judging(float(np.median(added)), runs)


def at_sizes(film: Path, folder: Path) -> tuple[Path, ...]:
    """Write copies of a film at ``SIZES_PX``, so that all machines time the same pixels."""
    grey = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise DataError(f"{str(film)!r} is no image; a PNG is needed to make copies of it")
    paths = []
    for width, height in SIZES_PX:
        path = folder / f"{width}x{height}.png"
        cv2.imwrite(str(path), cv2.resize(grey, (width, height), interpolation=cv2.INTER_CUBIC))
        paths.append(path)
    return tuple(paths)


def measure_install(checkout: Path) -> Install:
    """Install the base package from a checkout into a clean environment.

    Raises
    ------
    DataError
        When the folder is no checkout, or the installation fails.
    """
    constraints = checkout / "constraints.txt"
    if not (checkout / "pyproject.toml").is_file() or not constraints.is_file():
        raise DataError(f"{str(checkout)!r} has no pyproject.toml and constraints.txt to install")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "clean"
        venv.create(home, with_pip=True)
        before = _size(home)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        command += ["--disable-pip-version-check", "--no-cache-dir", "-c", str(constraints)]
        seconds, _ = _run_fresh([*command, str(checkout)])
        return Install(seconds, (_size(home) - before) / MEGABYTE)


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def training_pace(run: Path) -> tuple[StagePace, ...]:
    """Read how fast each stage of a training run went, from its logs."""
    paces = []
    for log in sorted(run.rglob("epochs.csv")):
        with log.open(newline="") as file:
            rows = [row["films_per_second"] for row in csv.DictReader(file)]
        speeds = [float(text) for text in rows if text]
        if speeds:
            stage = log.parent.relative_to(run).as_posix()
            paces.append(StagePace(stage, statistics.median(speeds), len(speeds)))
    return tuple(paces)


def this_machine() -> Machine:
    """Describe the machine, without its name."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        load=load,
    )


def _processor() -> str:
    """Name the processor; by its architecture where the system does not say more."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
