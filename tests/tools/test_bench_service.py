"""Measuring the service: what is counted, and one real server for a few requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from boneage.errors import DataError
from tools.bench import service
from tools.bench import steps as networks

FILM = Path(__file__).parents[2] / "examples/synthetic_hand_girl.png"


def test_a_server_that_does_not_start_is_reported() -> None:
    command = [sys.executable, "-c", "print('no')"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        pytest.raises(DataError, match="did not start"),
    ):
        service.address_of(process)


def test_the_networks_alone_are_those_of_a_reading(weights: Path) -> None:
    found = networks.measure_networks(FILM, weights, at_a_time=1, threads=1, batch=2, films=2)
    assert (found["at_a_time"], found["threads"], found["batch"]) == (1, 1, 2)
    assert found["processor_seconds"] > 0
    whole = service.measure_assessing(FILM, weights, threads=1, films=1)
    assert whole["processor_seconds"] > 0


def test_a_server_is_measured_with_its_memory(weights: Path) -> None:
    pytest.importorskip("uvicorn", reason="the server extra is not installed")
    server = service.measure_server(FILM, weights, workers=1, threads=1, requests=2, clients=(2,))
    (load,) = server["loads"]
    assert (load["clients"], load["requests"]) == (2, 2)
    assert load["p99_seconds"] >= load["p50_seconds"] > 0
    assert load["processor_seconds"] > 0
    memory = service.measure_memory(FILM, weights, requests=10)
    assert memory["requests"] == list(range(11))
    assert min(memory["megabytes"]) > 50
