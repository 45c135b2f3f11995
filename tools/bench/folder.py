"""How fast, and in how much memory, a big folder is read, and whether kills lose a row.

The command itself is measured, in processes of its own, on small films that a table names
again and again: what grows with the number of films shows, what a film costs does not depend
on the disk.
"""

from __future__ import annotations

import csv
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2

from boneage.errors import DataError
from boneage.reading.folders import walk_films

SIDE_PX = 256
"""Of the shorter side: smaller films are enlarged, for less than 128 is refused."""
UNIQUE_FILMS = 500
SAMPLE_FILMS = 1_000
SAMPLE_SECONDS = 2.0
MEGABYTE = 1_000_000
PROGRESS = re.compile(rb"(\d+) of \d+ images?(?:, ([\d.]+) images/s)?")


@dataclass(frozen=True)
class Pace:
    """A run of the command to its end."""

    workers: int
    films: int
    seconds: float
    films_per_second: float
    """From the first film that was read on."""


@dataclass(frozen=True)
class Memory:
    """The most each process had held, when so many films were done; 10^6 bytes."""

    films: int
    parent_mb: float
    workers_mb: tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    """A run that was killed on the way, and its rows."""

    films: int
    rows: int
    """Of both tables."""
    failures: int
    twice: int
    """Films with more than one row."""
    missing: int
    """Films without a row."""
    kills: int
    bytes_per_row: float
    memory: tuple[Memory, ...]


def enlarged(folder: Path, out: Path, films: int = UNIQUE_FILMS) -> list[Path]:
    """Write films of a folder as PNG, none smaller than ``SIDE_PX``.

    Raises
    ------
    DataError
        When the folder holds no pictures.
    """
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
        raise DataError(f"no pictures in the folder {str(folder)!r}")
    return paths


def write_cases(table: Path, films: Sequence[Path], count: int) -> None:
    """Name films again and again, and either sex in turn, until there are ``count`` rows."""
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sex"])
        for number in range(count):
            writer.writerow([films[number % len(films)], ("female", "male")[number % 2]])


def measure_pace(films: Sequence[Path], count: int, workers: int, weights: Path | None) -> Pace:
    """Read ``count`` films by ``workers`` processes, in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "cases.csv"
        write_cases(table, films, count)
        start = time.perf_counter()
        run = _Run(_command(table, Path(folder) / "out", "csv", workers, weights))
        run.wait()
        seconds = time.perf_counter() - start
    if run.pace is None:
        raise DataError(f"{count} films are too few to time")
    return Pace(workers, count, seconds, run.pace)


def measure_kills(
    films: Sequence[Path],
    count: int,
    kills: int,
    pace: Pace,
    weights: Path | None,
    say: Callable[[str], None],
) -> Measured:
    """Read ``count`` films with kill -9 at random moments, and count the rows.

    The moments are spread over the time that the films take at a ``pace`` that was measured.

    Raises
    ------
    DataError
        When the command fails other than by being killed.
    """
    chance = random.Random(7)  # noqa: S311  where it is killed, no secret
    # Of a part each, so that all come before the end; with what it takes to begin.
    opening = pace.seconds - pace.films / pace.films_per_second
    stretch = count / pace.films_per_second / (kills + 1)
    moments = [max(0.0, opening) + chance.uniform(0.1, 0.9) * stretch for _ in range(kills)]
    memory: list[Memory] = []
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        table, out = Path(folder) / "cases.csv", Path(folder) / "out"
        write_cases(table, films, count)
        command = _command(table, out, "csv", pace.workers, weights)
        for moment in moments:
            run = _Run(command)
            survived += run.kill_after(moment)
            memory += run.memory
            say(f"killed after {moment:.0f} s")
        run = _Run(command)
        run.wait()
        memory += run.memory
        seen = Counter(_lines(out, "ages"))
        read = seen.total()
        seen.update(_lines(out, "failures"))
        size = sum(path.stat().st_size for path in out.rglob("part-*"))
    return Measured(
        films=count,
        rows=seen.total(),
        failures=seen.total() - read,
        twice=sum(times > 1 for times in seen.values()),
        missing=count - len(seen),
        kills=survived,
        bytes_per_row=size / max(1, seen.total()),
        memory=tuple(memory),
    )


def _lines(out: Path, table: str) -> Iterator[int]:
    for path in (out / table).glob("part-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield int(row["source_row"])


def _command(
    table: Path, out: Path, table_format: str, workers: int, weights: Path | None
) -> list[str]:
    command = [sys.executable, "-m", "boneage", "assess", "--table", str(table), "--out", str(out)]
    command += ["--format", table_format, "--workers", str(workers)]
    return command + (["--weights", str(weights)] if weights else [])


class _Run:
    """The command at work, and what it says of its progress."""

    def __init__(self, command: Sequence[str]) -> None:
        self.done = 0
        self.pace: float | None = None
        self.memory: list[Memory] = []
        self._next = 0
        self._said = b""
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._start = time.monotonic()
        stream = self._process.stderr
        if stream is None:
            raise RuntimeError("the command says nothing")
        self._thread = threading.Thread(target=self._listen, args=(stream,), daemon=True)
        self._thread.start()

    def _listen(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._said = line
            found = PROGRESS.match(line)
            if found:
                self.done = int(found[1])
                self.pace = float(found[2]) if found[2] else None
                self._sample()

    def _sample(self) -> None:
        if self.done < self._next or self._process.poll() is not None:
            return
        self._next = self.done - self.done % SAMPLE_FILMS + SAMPLE_FILMS
        parent = self._process.pid
        held = [_peak_mb(pid) for pid in _children(parent)]
        workers = tuple(mb for mb in held if mb is not None)
        own = _peak_mb(parent)
        if own is not None:
            self.memory.append(Memory(self.done, own, workers))

    def kill_after(self, seconds: float) -> bool:
        """Kill the command after so long; False: it had ended."""
        until = self._start + seconds
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        alive = self._process.poll() is None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._thread.join()
        return alive

    def wait(self) -> None:
        """Let the command end; films that failed are no failure of it."""
        while self._process.poll() is None:
            time.sleep(SAMPLE_SECONDS / 10)
        self._thread.join()
        if self._process.returncode not in (0, 1) or self._said.startswith(b"Error"):
            raise DataError(f"boneage assess failed: {self._said.decode(errors='replace').strip()}")


def _children(pid: int) -> list[int]:
    """Name the processes that a process reads films with; none but on Linux."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in children if _reads(Path(f"/proc/{child}/cmdline"))]


def _reads(command: Path) -> bool:
    """Tell a reader from the process that Python begins to count shared resources."""
    try:
        return b"spawn_main" in command.read_bytes()
    except OSError:
        return False


def _peak_mb(pid: int) -> float | None:
    """Look up the most memory that a process ever held (VmHWM); None where it cannot be told."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / MEGABYTE if found else None
