"""Time and memory of an assessment, and the size of the package.

As users meet it: a fresh process for the first image, an open Assessor for the next ones, a
clean environment for the installation.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import cv2

from boneage.clinical.course import course_of
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.child import Child
from boneage.domain.radiograph import Radiograph, Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.reports.child_files import CHILD_FILES
from boneage.reports.exports import ReportOptions
from tools.bench.measuring import (
    MEGABYTE,
    JsonObject,
    boneage_command,
    head,
    now,
    run_fresh,
    this_machine,
    timed,
)
from tools.bench.steps import measure_steps

FRESH_RUNS = 5
WARM_RUNS = 30
REPORT_RUNS = 10
REPORT_AGE_MONTHS, REPORT_HEIGHT_CM = 120.0, 138.0
"""Of the child, so that every part of the report is filled."""
SIZES_PX = ((2000, 2500), (650, 830))
"""Widths and heights: of a scanned film, and of half scale, as in most of the public data set."""


def measure(film: Path, run: Path | None, weights: Path | None, *, install: bool) -> JsonObject:
    """Measure everything; ``run`` is a training run with logs."""
    sex = Sex.FEMALE
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder:
        films = at_sizes(film, Path(folder))
        cold = measure_cold(films[0], sex, weights)  # first: see run_fresh
        import_seconds = measure_import()
        assessor = Assessor(weights, calibration="")
        warm = [measure_warm(assessor, copy, sex) for copy in films]
        report = measure_report(assessor, films[0], sex)
        quality_check = measure_quality_check(films[0], sex, weights)
        steps = measure_steps(films[0], sex, weights)
    return {
        **head(machine, assessor.weights.name),
        "cold": cold,
        "warm": warm,
        "report": report,
        "follow_up": measure_follow_up(),
        "judging": quality_check,
        "steps": steps,
        "import_seconds": import_seconds,
        "install": measure_install(Path.cwd()) if install else None,
        "training": training_pace(run) if run else [],
    }


def in_short(table: JsonObject) -> Iterator[str]:
    cold, report, steps = table["cold"], table["report"], table["steps"]
    yield f"one image, in a fresh process: {cold['seconds']:.2f} s, {cold['peak_memory_mb']:.0f} MB"
    for warm in table["warm"]:
        yield f"a further one of {warm['width']} x {warm['height']}: {warm['median_seconds']:.3f} s"
    size = f"{report['width']} x {report['height']}"
    yield f"from image to report, {size}: {report['median_seconds']:.3f} s"
    follow_up = table["follow_up"]
    median_seconds = f"{follow_up['median_seconds']:.3f} s"
    yield f"the follow-up report of a child of {follow_up['visits']} visits: {median_seconds}"
    for step in steps["steps"]:
        inside = step["networks_seconds"]
        networks = f", {inside:.3f} s of it in networks" if inside else ""
        yield f"  {step['name']}: {step['seconds']:.3f} s{networks}"
    yield f"an assessment takes {steps['ratio']:.2f} times the networks and decoding alone"


def measure_cold(
    film: Path, sex: Sex, weights: Path | None = None, runs: int = FRESH_RUNS
) -> JsonObject:
    """Time the command line on one image in fresh processes; medians."""
    command = boneage_command("assess", film, "--sex", sex, weights=weights)
    seconds, memory = zip(*(run_fresh(command) for _ in range(runs)), strict=True)
    medians = {"seconds": median(seconds), "peak_memory_mb": median(memory)}
    return {**medians, "runs": runs}


def measure_import(runs: int = FRESH_RUNS) -> float:
    """Seconds that ``import boneage`` takes in a fresh process, the median."""
    code = "import time; s = time.perf_counter(); import boneage; print(time.perf_counter() - s)"
    command = [sys.executable, "-c", code]
    return median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(runs)
    )


def measure_warm(assessor: Assessor, film: Path, sex: Sex, runs: int = WARM_RUNS) -> JsonObject:
    """Time further images with an open Assessor, including file reading."""
    answer = assessor.assess(film, sex)  # opens the networks, outside the clock
    return _row(lambda: assessor.assess(film, sex), runs, answer.film_width, answer.film_height)


def _row(work: Callable[[], object], runs: int, width: int, height: int) -> JsonObject:
    """Time work on an image of this size."""
    middle, p95 = timed(work, runs).quantiles(0.5, 0.95)
    seconds = {"median_seconds": middle, "p95_seconds": p95}
    return {"width": width, "height": height, **seconds, "runs": runs}


def measure_report(assessor: Assessor, film: Path, sex: Sex, runs: int = REPORT_RUNS) -> JsonObject:
    """Time the way from a file to its report, with an open Assessor."""
    from boneage.reports.pdf.writing import report  # noqa: PLC0415  loads ReportLab

    child = Child(chronological_age_months=REPORT_AGE_MONTHS, height_cm=REPORT_HEIGHT_CM)

    def once() -> Radiograph:
        radiograph = read(film)
        report(with_clinical_findings(assessor.assess(radiograph, sex), child), radiograph)
        return radiograph

    first = once()  # opens networks and fonts, outside the clock
    return _row(once, runs, first.width, first.height)


def measure_follow_up(runs: int = REPORT_RUNS) -> JsonObject:
    """Time the PDF of a made-up girl who is seen twice a year from 4 to 14 years."""
    visits = tuple(
        ClinicVisit(
            Sex.FEMALE,
            chronological_age_months=age,
            reader_months=age - 6.0,
            height_cm=102.0 + (age - 48.0) * 0.5,
        )
        for age in map(float, range(48, 169, 6))
    )
    course = course_of(ChildRecord("K17", Sex.FEMALE, visits, father_cm=180.0, mother_cm=167.0))
    report = CHILD_FILES["report"]

    def once() -> None:
        report.content(course, ReportOptions())

    once()  # loads ReportLab and fonts, outside the clock
    return {
        "visits": len(visits),
        "median_seconds": timed(once, runs).quantiles(0.5)[0],
        "runs": runs,
    }


def measure_quality_check(
    film: Path, sex: Sex, weights: Path | None = None, runs: int = WARM_RUNS
) -> JsonObject | None:
    """Time what the image quality check adds to an analysis, by pairs; None: there is none."""
    checking, plain = (Assessor(weights, calibration="") for _ in range(2))
    if checking.weights.quality_model is None:
        return None
    plain.weights.quality_model = None
    radiograph = read(film)
    for assessor in (checking, plain):
        assessor.assess(radiograph, sex)  # opens the networks, outside the clock
    added = []
    for _ in range(runs):
        start = now()
        checking.assess(radiograph, sex)
        between = now()
        plain.assess(radiograph, sex)
        added.append(float((2 * between - start - now())[0]))
    return {"added_seconds": median(added), "runs": runs}


def at_sizes(film: Path, folder: Path) -> tuple[Path, ...]:
    """Write copies of an image at ``SIZES_PX``, so that all machines time the same pixels."""
    grey = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise DataError(f"{str(film)!r} is not an image; give a PNG")
    paths = []
    for width, height in SIZES_PX:
        path = folder / f"{width}x{height}.png"
        cv2.imwrite(str(path), cv2.resize(grey, (width, height), interpolation=cv2.INTER_CUBIC))
        paths.append(path)
    return tuple(paths)


def measure_install(checkout: Path) -> JsonObject:
    """Install the base package from a checkout into a clean environment, downloads included."""
    constraints = checkout / "constraints.txt"
    if not (checkout / "pyproject.toml").is_file() or not constraints.is_file():
        raise DataError(f"{str(checkout)!r} has no pyproject.toml or constraints.txt")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "clean"
        venv.create(home, with_pip=True)
        before = _size(home)
        command = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        command += ["--disable-pip-version-check", "--no-cache-dir", "-c", str(constraints)]
        seconds, _ = run_fresh([*command, str(checkout)])
        return {"seconds": seconds, "size_mb": (_size(home) - before) / MEGABYTE}


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def training_pace(run: Path) -> list[JsonObject]:
    """The training speed of each stage (its folder in the run) by its log; medians."""
    paces = []
    for log in sorted(run.rglob("epochs.csv")):
        with log.open(newline="") as file:
            rows = [row["films_per_second"] for row in csv.DictReader(file)]
        speeds = [float(text) for text in rows if text]
        if speeds:
            stage = log.parent.relative_to(run).as_posix()
            pace = {"films_per_second": median(speeds), "epochs": len(speeds)}
            paces.append({"stage": stage, **pace})
    return paces
