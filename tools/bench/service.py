"""Throughput and memory of the service, compared with the networks alone.

A real server process, over real connections.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from boneage.inference.weights import Weights
from tools.bench.measuring import MEGABYTE, JsonObject, boneage_command, head, this_machine, timed
from tools.bench.steps import measure_networks

CLIENTS = (1, 4, 16)
SHAPES = ((2, 1), (1, 2))
"""Workers and threads of a network that are compared on two cores; the default first."""
BATCHES = (1, 2, 4)
WARMING_UP = 4
MEMORY_CLIENTS, MEMORY_STEPS = 4, 10
ANSWER_SECONDS = 600
MEMORY, PROCESSOR = "process_resident_memory_bytes", "process_cpu_seconds_total"


def measure(film: Path, weights: Path | None, requests: int, load_requests: int) -> JsonObject:
    """Measure networks, library and server by themselves; then the memory over ``requests``."""
    machine = this_machine()
    networks = [
        measure_networks(
            film, weights, at_a_time=workers, threads=threads, batch=batch, films=load_requests
        )
        for workers, threads in SHAPES
        for batch in BATCHES
    ]
    return {
        **head(machine, Weights(weights).name),
        "film_bytes": film.stat().st_size,
        "networks": networks,
        "service": [
            measure_server(film, weights, workers=workers, threads=threads, requests=load_requests)
            for workers, threads in SHAPES
        ],
        "assessing": [
            measure_assessing(film, weights, threads=threads, films=load_requests)
            for _, threads in SHAPES
        ],
        "memory": measure_memory(film, weights, requests=requests),
    }


def in_short(table: JsonObject) -> Iterator[str]:
    for server in table["service"]:
        for load in server["loads"]:
            yield (
                f"{server['workers']} workers x {server['threads']} threads, {load['clients']} "
                f"clients: {load['per_second']:.2f} images a second, "
                f"p50 {load['p50_seconds']:.3f} s, "
                f"{load['processor_seconds']:.3f} s of processor time an image"
            )
    for networks in table["networks"]:
        yield (
            f"networks alone, {networks['at_a_time']} x {networks['threads']} threads, batches of "
            f"{networks['batch']}: {networks['films_per_second']:.2f} images a second, "
            f"{networks['processor_seconds']:.3f} s of processor time an image"
        )
    memory = table["memory"]
    yield (
        f"memory: {memory['megabytes'][0]:.0f} MB, {memory['megabytes'][-1]:.0f} MB after "
        f"{memory['requests'][-1]} requests"
    )


def measure_assessing(film: Path, weights: Path | None, *, threads: int, films: int) -> JsonObject:
    """Time ``Assessor.assess`` on one image at a time, without a server."""
    assessor = Assessor(weights, threads=threads, calibration="")
    assessor.assess(film, Sex.FEMALE)  # opens the networks, outside the clock
    calls = timed(lambda: assessor.assess(film, Sex.FEMALE), films)
    return {
        "threads": threads,
        "median_seconds": calls.median.seconds,
        "processor_seconds": calls.whole.processor_seconds / films,
    }


def measure_server(
    film: Path,
    weights: Path | None,
    *,
    workers: int,
    threads: int,
    requests: int,
    clients: Sequence[int] = CLIENTS,
) -> JsonObject:
    """Start a server and send requests from few and from many clients."""
    options = ["--workers", str(workers), "--threads", str(threads)]
    with serving(options, weights, waiting=max(clients)) as server:
        loads = [_load(server, film, count, requests) for count in clients]
    return {"workers": workers, "threads": threads, "loads": loads}


def _load(server: httpx.Client, film: Path, clients: int, requests: int) -> JsonObject:
    request = _requesting(server, film)
    timed(request, max(clients, WARMING_UP), clients)
    begun = metric(server, PROCESSOR)
    calls = timed(request, max(clients, requests), clients)
    processor = metric(server, PROCESSOR) - begun
    done, shares = len(calls.seconds), (50, 95, 99)
    latencies = calls.quantiles(*(share / 100 for share in shares))
    return {
        "clients": clients,
        "requests": done,
        "per_second": done / calls.whole.seconds,
        **{f"p{share}_seconds": value for share, value in zip(shares, latencies, strict=True)},
        "processor_seconds": processor / done,
    }


def measure_memory(film: Path, weights: Path | None, *, requests: int) -> JsonObject:
    """The resident memory of a server after each tenth of the requests."""
    with serving([], weights, waiting=MEMORY_CLIENTS) as server:
        request = _requesting(server, film)
        timed(request, WARMING_UP)
        done, megabytes = [0], [metric(server, MEMORY) / MEGABYTE]
        for step in range(1, MEMORY_STEPS + 1):
            until = requests * step // MEMORY_STEPS
            timed(request, until - done[-1], MEMORY_CLIENTS)
            done.append(until)
            megabytes.append(metric(server, MEMORY) / MEGABYTE)
    return {"requests": done, "megabytes": megabytes}


@contextmanager
def serving(
    options: Sequence[str], weights: Path | None, *, waiting: int
) -> Iterator[httpx.Client]:
    """Run ``boneage serve`` with an audit log; yield a client."""
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        command = boneage_command(
            *("serve", "--port", "0", "--audit", Path(folder) / "audit"),
            *("--waiting", waiting, "--seconds", ANSWER_SECONDS, *options),
            weights=weights,
        )
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        try:
            address = address_of(process)
            with httpx.Client(base_url=address, timeout=ANSWER_SECONDS, trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait(ANSWER_SECONDS)


def address_of(process: subprocess.Popen[bytes]) -> str:
    line = process.stdout.readline().decode() if process.stdout else ""
    found = re.search(r"http://\S+", line)
    if found is None:
        raise DataError("boneage serve did not start; run it to see why")
    return found[0]


def metric(server: httpx.Client, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", server.get("/metrics").text, re.MULTILINE)
    if found is None:
        raise DataError(f"{server.base_url}metrics has no {name}")
    return float(found[1])


def _requesting(server: httpx.Client, film: Path) -> Callable[[], None]:
    content = film.read_bytes()

    def request() -> None:
        answer = server.post(
            "/v1/assessments", data={"sex": "female"}, files={"film": ("film", content)}
        )
        if answer.status_code != httpx.codes.CREATED:
            raise DataError(f"the server answered {answer.status_code}: {answer.text}")

    return request
