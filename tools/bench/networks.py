"""The networks of one image alone, run by the same calls as in an assessment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.weights import Arrays, Job, Weights
from tools.bench.measuring import JsonObject, timed

Outputs = dict[str, npt.NDArray[np.float32]]
T = TypeVar("T")


class WatchedWeights(Weights):
    """Weights that count the seconds inside their networks, and record the calls."""

    def __init__(self, folder: Path | None, threads: int | None = None, batch: int = 0) -> None:
        super().__init__(folder, threads=threads)
        self.batch = batch
        self.seconds_inside = 0.0
        self.calls: list[Callable[[Weights], object]] = []
        """Each repeats a call on other weights with ``batch`` images; empty for batches of 0."""

    def run(self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None) -> Outputs:
        """Run one network."""
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
