"""The steps of one assessment, and the lower bounds of its time.

The bounds are the networks alone, by the same calls, and the decoding of the file alone.
A test limits the ratio of processor time to them, which other processes hardly affect.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session
from boneage.inference.weights import Arrays, Job, Weights
from boneage.reading import read
from boneage.reports.exports import PICTURE, export, save
from boneage.reports.record import record
from tools.bench.measuring import JsonObject, TimeSpent, timed

RUNS = 20
READING, WRITING = "reading the file", "writing the record and the picture"
Outputs = dict[str, npt.NDArray[np.float32]]
T = TypeVar("T")


def measure_steps(
    film: Path, sex: Sex, weights: Path | None = None, *, runs: int = RUNS
) -> JsonObject:
    """Time each step of an assessment with an open Assessor, and the bounds; medians.

    ``whole`` is from the file to the assessment, without writing; ``ratio`` is its processor time
    over that of the bounds.
    """
    assessor = Assessor(weights, calibration="")
    assessor.weights = watched = WatchedWeights(weights)
    radiograph, answer = read(film), assessor.assess(film, sex)  # opens the networks
    once = [_timed_steps(assessor, watched, film, sex) for _ in range(runs)]
    seconds = np.median([[step[1:] for step in run] for run in once], axis=0)
    steps = [_step(name, *times) for (name, *_), times in zip(once[0], seconds, strict=True)]

    def write() -> None:
        json.dumps(record(answer))
        with TemporaryDirectory() as folder:
            session = Session(answer, radiograph)
            save(export(session, PICTURE), session, Path(folder))

    steps.append(_step(WRITING, timed(write, runs).median.seconds))
    whole = timed(lambda: assessor.assess(film, sex), runs).median
    decoding = timed(lambda: np.asarray(Image.open(film)), runs).median
    cores = os.cpu_count() or 1
    alone = measure_networks(film, weights, at_a_time=1, threads=cores, films=runs)
    networks = TimeSpent(alone["median_seconds"], alone["processor_seconds"])
    return {
        "width": answer.film_width,
        "height": answer.film_height,
        "steps": steps,
        "whole": asdict(whole),
        "networks_alone": asdict(networks),
        "decoding_alone": asdict(decoding),
        "runs": runs,
        "ratio": whole.processor_seconds
        / (networks.processor_seconds + decoding.processor_seconds),
    }


def _step(name: str, seconds: float, inside: float = 0.0) -> JsonObject:
    return {"name": name, "seconds": float(seconds), "networks_seconds": float(inside)}


def _timed_steps(
    assessor: Assessor, watched: WatchedWeights, film: Path, sex: Sex
) -> list[tuple[str, float, float]]:
    """Name, seconds, and seconds inside networks of each step."""
    marks: list[tuple[str, float, float]] = []

    def mark(step: str) -> None:
        marks.append((step, time.perf_counter(), watched.seconds_inside))

    mark(READING)
    assessor.assess(film, sex, on_step=mark)
    mark("")
    return [
        (name, until - since, inside_after - inside)
        for (name, since, inside), (_, until, inside_after) in pairwise(marks)
    ]


class WatchedWeights(Weights):
    """Weights that count the seconds inside their networks, and record the calls."""

    def __init__(self, folder: Path | None, threads: int | None = None, batch: int = 0) -> None:
        super().__init__(folder, threads=threads)
        self.batch = batch
        self.seconds_inside = 0.0
        self.calls: list[Callable[[Weights], object]] = []
        """Each repeats a call on other weights with ``batch`` images; empty for batches of 0."""

    def run(self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None) -> Outputs:
        if self.batch:
            many = self._many(inputs)
            self.calls.append(lambda weights: weights.run(network, many, outputs))
        return self._counted(lambda: Weights.run(self, network, inputs, outputs))

    def run_each(self, jobs: Iterable[Job]) -> list[Outputs]:
        """Run networks in parallel, and count until the last is done."""
        jobs = list(jobs)
        if self.batch:
            many = [(network, self._many(inputs)) for network, inputs in jobs]
            self.calls.append(lambda weights: weights.run_each(many))
        # Not by Weights.run_each, whose single runs would be counted once more.
        return self._counted(lambda: self.in_parallel(lambda job: Weights.run(self, *job), jobs))

    def _many(self, inputs: Arrays) -> Arrays:
        return {name: np.concatenate([value] * self.batch) for name, value in inputs.items()}

    def _counted(self, run: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = run()
        self.seconds_inside += time.perf_counter() - start
        return result


def measure_networks(
    film: Path, weights: Path | None, *, at_a_time: int, threads: int, films: int, batch: int = 1
) -> JsonObject:
    """Time the networks of about ``films`` images, each call with ``threads``.

    ``at_a_time`` batches run in parallel. ``median_seconds`` are of one batch through every
    network, ``processor_seconds`` of one image.
    """
    assessor = Assessor(weights, threads=threads, calibration="")
    assessor.weights = watched = WatchedWeights(weights, threads, batch)
    assessor.assess(film, Sex.FEMALE)
    fresh, recorded = Weights(weights, threads=threads), tuple(watched.calls)

    def once() -> None:
        for call in recorded:
            call(fresh)

    once()  # opens the networks, outside the clock
    calls = timed(once, max(at_a_time, films // batch), at_a_time)
    done = len(calls.seconds) * batch
    return {
        "at_a_time": at_a_time,
        "threads": threads,
        "batch": batch,
        "films_per_second": done / calls.whole.seconds,
        "median_seconds": calls.median.seconds,
        "processor_seconds": calls.whole.processor_seconds / done,
    }
