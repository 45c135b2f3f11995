"""Throughput and memory of a large batch, and whether kills lose a row.

The command itself is measured, in its own processes, on a table that repeats small images: this
shows what grows with the number of images, and does not depend on the disk.
"""

from __future__ import annotations

import csv
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from boneage.errors import DataError
from boneage.inference.weights import Weights
from boneage.reading.folders import walk_films
from tools.bench.measuring import MEGABYTE, JsonObject, boneage_command, head, this_machine

WORKERS = (1, 2)
PACE_FILMS = 2_000
"""The most images that each of them is timed on."""
SIDE_PX = 256
"""The shorter side: smaller images are enlarged, as less than 128 is refused."""
UNIQUE_FILMS = 500
SAMPLE_FILMS = 1_000
PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
PROGRESS = re.compile(rb"(\d+) of \d+ images?(?:, ([\d.]+) images/s)?")


def measure(
    folder: Path, films: int, kills: int, weights: Path | None, report: Callable[[str], None]
) -> JsonObject:
    """Time so many films by one and by two processes; then kill the command on the way."""
    machine = this_machine()
    with tempfile.TemporaryDirectory() as temporary:
        paths = enlarged(folder, Path(temporary))
        size = sum(path.stat().st_size for path in paths) / len(paths)
        paces = []
        for workers in WORKERS:
            paces.append(measure_pace(paths, min(films, PACE_FILMS), workers, weights))
            report(f"{workers} processes: {paces[-1]['films_per_second']:.2f} images/s")
        killed = measure_kills(paths, films, kills, paces[-1], weights, report)
    report(
        f"{killed['rows']} rows for {killed['films']} images: {killed['twice']} twice, "
        f"{killed['missing']} missing, after {killed['kills']} kills"
    )
    return {
        **head(machine, Weights(weights).name),
        "bytes_per_film": size,
        "paces": paces,
        "ratio": paces[-1]["films_per_second"] / paces[0]["films_per_second"],
        "killed": killed,
    }


def enlarged(folder: Path, out: Path, films: int = UNIQUE_FILMS) -> list[Path]:
    """Write films of a folder as PNG, none smaller than ``SIDE_PX``."""
    paths: list[Path] = []
    for film in walk_films(folder):
        grey = cv2.imread(str(film), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            continue
        scale = max(1.0, SIDE_PX / min(grey.shape))
        size = tuple(round(side * scale) for side in grey.shape[::-1])
        path = out / f"{len(paths)}.png"
        cv2.imwrite(str(path), cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC))
        paths.append(path)
        if len(paths) == films:
            break
    if not paths:
        raise DataError(f"no images in the folder {str(folder)!r}")
    return paths


def measure_pace(
    films: Sequence[Path], count: int, workers: int, weights: Path | None
) -> JsonObject:
    """Read films by processes of their own; the pace counts from the first film read on."""
    with tempfile.TemporaryDirectory() as folder:
        command = _command(films, count, Path(folder), workers, weights)
        start = time.perf_counter()
        run = _run(command)
        seconds = time.perf_counter() - start
    if run.films_per_second is None:
        raise DataError(f"{count} images are too few to time")
    pace = {"seconds": seconds, "films_per_second": run.films_per_second}
    return {"workers": workers, "films": count, **pace}


def measure_kills(
    films: Sequence[Path],
    count: int,
    kills: int,
    pace: JsonObject,
    weights: Path | None,
    report: Callable[[str], None],
) -> JsonObject:
    """Read films with kill -9 at random moments, spread by the pace; count both tables' rows."""
    random_ = random.Random(7)
    # Of a part each, so that all come before the end; with what it takes to begin.
    opening = max(0.0, pace["seconds"] - pace["films"] / pace["films_per_second"])
    stretch = count / pace["films_per_second"] / (kills + 1)
    moments = [opening + random_.uniform(0.1, 0.9) * stretch for _ in range(kills)]
    with tempfile.TemporaryDirectory() as folder:
        command = _command(films, count, Path(folder), pace["workers"], weights)
        runs = []
        for moment in moments:
            runs.append(_run(command, kill_after=moment))
            report(f"killed after {moment:.0f} s")
        runs.append(_run(command))
        out = Path(folder, "out")
        read, failed = (
            Counter(
                int(row["source_row"])
                for path in (out / table).glob("part-*.csv")
                for row in csv.DictReader(path.read_text("utf-8").splitlines())
            )
            for table in ("ages", "failures")
        )
        size = sum(path.stat().st_size for path in out.rglob("part-*"))
    rows = read + failed
    return {
        "films": count,
        "rows": rows.total(),
        "failures": failed.total(),
        "twice": sum(times > 1 for times in rows.values()),
        "missing": count - len(rows),
        "kills": sum(run.killed for run in runs),
        "bytes_per_row": size / max(1, rows.total()),
        "memory": [sample for run in runs for sample in run.memory],
    }


def _command(
    films: Sequence[Path], count: int, folder: Path, workers: int, weights: Path | None
) -> list[str]:
    """Write a table that names the films again and again, and either sex in turn."""
    table = folder / "cases.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sex"])
        for number in range(count):
            writer.writerow([films[number % len(films)], ("female", "male")[number % 2]])
    options = ("--table", table, "--out", folder / "out", "--format", "csv", "--workers", workers)
    return boneage_command("assess", *options, weights=weights)


@dataclass
class _FolderRun:
    """What was measured of one run of the command."""

    killed: bool = False
    films_per_second: float | None = None
    memory: list[JsonObject] = field(default_factory=list)
    """The peak memory of each process after so many images; 10^6 bytes."""


def _run(command: Sequence[str], kill_after: float | None = None) -> _FolderRun:
    """Run the command, to its end or for some seconds; failed images are no error."""
    run = _FolderRun()
    line, due = b"", 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        killer = threading.Timer(kill_after or 0.0, process.kill)
        if kill_after is not None:
            killer.start()
        for line in process.stderr or ():
            if found := PROGRESS.match(line):
                run.films_per_second = float(found[2]) if found[2] else None
                done = int(found[1])
                if done >= due and process.poll() is None:
                    due = done - done % SAMPLE_FILMS + SAMPLE_FILMS
                    run.memory += _memory(done, process.pid)
    killer.cancel()
    run.killed = process.returncode == -signal.SIGKILL and kill_after is not None
    if not run.killed and (process.returncode not in (0, 1) or line.startswith(b"Error")):
        raise DataError(f"boneage assess failed: {line.decode(errors='replace').strip()}")
    return run


def _memory(films: int, pid: int) -> list[JsonObject]:
    """The peak memory of the command and its workers; empty except on Linux."""
    children = _of_process(str(pid), f"task/{pid}/children").split()
    # Not Python's resource tracker.
    workers = [child for child in children if "spawn_main" in _of_process(child, "cmdline")]
    peaks = [PEAK.search(_of_process(one, "status")) for one in (str(pid), *workers)]
    own, *others = (int(peak[1]) * 1024 / MEGABYTE if peak else None for peak in peaks)
    if own is None:
        return []
    megabytes = [other for other in others if other is not None]
    return [{"films": films, "parent_mb": own, "workers_mb": megabytes}]


def _of_process(pid: str, name: str) -> str:
    """What Linux tells of a process; empty where it tells nothing."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""
