"""Clock, memory and machine, shared by all benchmarks.

Results are JSON values: wall-clock seconds unless named ``processor_seconds``, memory in 10^6
bytes. What cannot be measured is a DataError.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage._version import __version__
from boneage.domain.assessment import WeightsName
from boneage.errors import DataError
from boneage.storage.files import EVIDENCE_FORMAT

MEGABYTE = 1_000_000
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Machine:
    """The machine of a measurement."""

    processor: str
    cores: int
    system: str
    python: str
    load: float | None
    """The load average at the start, over a minute; well above 0, other processes interfered."""


@dataclass(frozen=True)
class TimeSpent:
    """Time spent."""

    seconds: float
    processor_seconds: float
    """Of all threads; hardly affected by other processes."""


@dataclass(frozen=True, eq=False)
class Calls:
    """Time spent by calls, each and together."""

    seconds: npt.NDArray[np.float64]
    processor_seconds: npt.NDArray[np.float64]
    """Of each call, where no other ran in parallel."""
    whole: TimeSpent

    def quantiles(self, *shares: float) -> list[float]:
        return [float(value) for value in np.quantile(self.seconds, shares)]

    @property
    def median(self) -> TimeSpent:
        return TimeSpent(float(np.median(self.seconds)), float(np.median(self.processor_seconds)))


def now() -> npt.NDArray[np.float64]:
    """Wall-clock seconds, and processor seconds of all threads; shape (2,)."""
    return np.array([time.perf_counter(), time.process_time()])


def spent(difference: npt.NDArray[np.float64]) -> TimeSpent:
    return TimeSpent(*difference.tolist())


def timed(work: Callable[[], object], times: int, at_a_time: int = 1) -> Calls:
    """Call ``work`` several times, ``at_a_time`` in parallel."""

    def once(_: int) -> npt.NDArray[np.float64]:
        start = now()
        work()
        return now() - start

    start = now()
    if at_a_time == 1:
        each = np.array([once(number) for number in range(times)])
    else:
        with ThreadPoolExecutor(at_a_time) as pool:
            each = np.array(list(pool.map(once, range(times))))
    return Calls(each[:, 0], each[:, 1], spent(now() - start))


def run_fresh(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak memory (MB) of a fresh process; on Linux a parent's memory counts, too."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            reason = output.read().decode(errors="replace").strip()
            raise DataError(f"{' '.join(command[1:])} failed: {reason}")
    return seconds, usage.ru_maxrss * _MAXRSS_BYTES / MEGABYTE


def boneage_command(*arguments: object, weights: Path | None) -> list[str]:
    """The command line of this environment, with the weights."""
    command = [sys.executable, "-m", "boneage", *map(str, arguments)]
    return command + (["--weights", str(weights)] if weights else [])


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
    """The processor's model, or else its architecture."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def head(machine: Machine, weights: WeightsName | None = None) -> JsonObject:
    """The head of a measurement: version, date, machine and weights."""
    row = {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(machine),
    }
    return row | ({"weights": asdict(weights)} if weights else {})
