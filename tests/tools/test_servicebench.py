"""Measuring the service: what is sent, what is counted, and one real server for a few requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from boneage.errors import DataError
from boneage.inference.weights import bundled_folder
from tools.bench import service as servicebench

FILM = Path(__file__).parents[2] / "examples/synthetic_hand_girl_10y.png"


def bundled() -> None:
    if not (bundled_folder() / "manifest.json").is_file():
        pytest.skip("the bundled weights are not here (no src/boneage/bundle/manifest.json)")


def test_calls_are_made_side_by_side_and_counted() -> None:
    seconds, whole = servicebench._timed(lambda _: None, 3, 7)
    assert len(seconds) == 7
    assert max(seconds) <= whole


def test_a_server_that_does_not_start_is_said() -> None:
    command = [sys.executable, "-c", "print('no')"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        pytest.raises(DataError, match="did not start"),
    ):
        servicebench.address_of(process)


def test_the_networks_alone_are_those_of_a_reading() -> None:
    bundled()
    found = servicebench.measure_networks(FILM, at_a_time=1, threads=1, batch=2, films=2)
    assert (found.at_a_time, found.threads, found.batch) == (1, 1, 2)
    assert found.processor_seconds > 0
    whole = servicebench.measure_assessing(FILM, threads=1, films=1)
    assert whole.processor_seconds > 0


def test_a_server_is_asked_and_its_memory_looked_at() -> None:
    bundled()
    pytest.importorskip("uvicorn", reason="the server extra is not installed")
    shape = servicebench.measure_shape(FILM, workers=1, threads=1, requests=2, clients=(2,))
    (load,) = shape.loads
    assert (load.clients, load.requests) == (2, 2)
    assert load.p99_seconds >= load.p50_seconds > 0
    assert load.processor_seconds > 0
    memory = servicebench.measure_memory(FILM, requests=10)
    assert memory.requests == tuple(range(11))
    assert min(memory.megabytes) > 50
