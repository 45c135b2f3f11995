"""The steps of one assessment, and the lower bounds of its time.

The bounds are the networks alone, with the same calls, and the decoding of the file alone.
A test limits the ratio of processor time to them, which other processes hardly affect.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session
from boneage.reading import read
from boneage.reports.exports import PICTURE, export, save
from boneage.reports.record import record
from tools.bench.measuring import JsonObject, Spent, timed
from tools.bench.networks import WatchedWeights, measure_networks

RUNS = 20
READING, WRITING = "reading the file", "writing the record and the picture"


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
    steps = [_step(name, *times) for (name, _, _), times in zip(once[0], seconds, strict=True)]

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
    networks = Spent(alone["median_seconds"], alone["processor_seconds"])
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
