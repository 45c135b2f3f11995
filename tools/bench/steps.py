"""Where the time of one film goes, beside what no reading can be faster than.

The bounds are the networks alone, asked what a reading asks them, and the decoding
of the file alone. Processor time says more than the clock where other work runs
beside: by it, a test holds a reading to a ratio of the bounds.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session
from boneage.inference.weights import Asked, Weights
from boneage.reading import read
from boneage.reports.exports import PICTURE, export, save
from boneage.reports.record import record
from tools.bench.service import measure_networks

RUNS = 20
READING, WRITING = "reading the file", "writing the record and the picture"


@dataclass(frozen=True)
class Step:
    """One step of a reading, medians."""

    name: str
    seconds: float
    networks_seconds: float
    """Of these, in ONNX Runtime."""


@dataclass(frozen=True)
class Cost:
    """What something takes, medians."""

    seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class Steps:
    """Where the time of one film goes."""

    width: int
    height: int
    steps: tuple[Step, ...]
    """In their order, writing included."""
    whole: Cost
    """From the file to the answer, without writing."""
    networks_alone: Cost
    decoding_alone: Cost
    runs: int

    @property
    def ratio(self) -> float:
        """Processor time of a reading over that of its bounds."""
        bounds = self.networks_alone.processor_seconds + self.decoding_alone.processor_seconds
        return self.whole.processor_seconds / bounds


class TimedWeights(Weights):
    """Weights that count the seconds inside their networks."""

    seconds_inside = 0.0

    def run(self, *args: Any, **kwargs: Any) -> dict[str, npt.NDArray[np.float32]]:
        """Run one network, and count."""
        with self._counted():
            return super().run(*args, **kwargs)

    def run_each(self, asked: Iterable[Asked]) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Run networks side by side, and count until the last is done."""
        with self._counted():
            return super().run_each(asked)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds_inside += time.perf_counter() - start


def measure_steps(film: Path, sex: Sex, weights: Path | None = None, *, runs: int = RUNS) -> Steps:
    """Time each step of reading a film with an open Assessor, and the bounds.

    Parameters
    ----------
    film : Path
        A picture that Pillow can decode.
    sex : Sex
    weights : Path, optional
    runs : int
    """
    assessor = Assessor(weights, calibration="")
    assessor.weights = timed = TimedWeights(weights)
    radiograph, answer = read(film), assessor.assess(film, sex)  # opens the networks
    once = [_one_reading(assessor, timed, film, sex) for _ in range(runs)]
    steps = [
        Step(name, *(float(value) for value in np.median([run[place][1:] for run in once], axis=0)))
        for place, (name, _, _) in enumerate(once[0])
    ]

    def write() -> None:
        json.dumps(record(answer))
        with TemporaryDirectory() as folder:
            session = Session(answer, radiograph)
            save(export(session, PICTURE), session, Path(folder))

    steps.append(Step(WRITING, cost_of(write, runs).seconds, 0.0))
    cores = os.cpu_count() or 1
    alone = measure_networks(film, weights, at_a_time=1, threads=cores, films=runs)
    return Steps(
        answer.film_width,
        answer.film_height,
        tuple(steps),
        cost_of(lambda: assessor.assess(film, sex), runs),
        Cost(alone.median_seconds, alone.processor_seconds),
        cost_of(lambda: np.asarray(Image.open(film)), runs),
        runs,
    )


def cost_of(work: Callable[[], object], runs: int) -> Cost:
    """Time something, so many times; the processor time of all threads is counted."""
    costs = []
    for _ in range(runs):
        start, begun = time.perf_counter(), time.process_time()
        work()
        costs.append((time.perf_counter() - start, time.process_time() - begun))
    seconds, processor_seconds = np.median(costs, axis=0)
    return Cost(float(seconds), float(processor_seconds))


def _one_reading(
    assessor: Assessor, timed: TimedWeights, film: Path, sex: Sex
) -> list[tuple[str, float, float]]:
    """Name, seconds and seconds inside networks of each step."""
    marks = [(READING, time.perf_counter(), timed.seconds_inside)]

    def mark(step: str) -> None:
        marks.append((step, time.perf_counter(), timed.seconds_inside))

    assessor.assess(film, sex, on_step=mark)
    mark("")
    return [
        (name, until - since, inside_after - inside)
        for (name, since, inside), (_, until, inside_after) in pairwise(marks)
    ]
