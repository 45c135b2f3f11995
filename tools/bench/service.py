"""How many films a second the service reads, beside the networks alone, and what memory it takes.

A real server process is asked over real connections. The networks alone are the
same calls of ONNX Runtime that one reading makes, made again with nothing around them.
"""

from __future__ import annotations

import http.client
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.inference.assessor import Assessor
from boneage.inference.weights import Arrays, Asked, Weights

CLIENTS = (1, 4, 16)
SHAPES = ((2, 1), (1, 2))
"""Workers and threads of a network that are compared on two cores; the default first."""
BATCHES = (1, 2, 4)
LOAD_REQUESTS = 200
WARMING_UP = 4
MEMORY_CLIENTS, MEMORY_STEPS = 4, 10
MEGABYTE = 1_000_000
ANSWER_SECONDS = 600
MEMORY, PROCESSOR = "process_resident_memory_bytes", "process_cpu_seconds_total"
"""As Prometheus calls them."""
Seconds = list[float]


@dataclass(frozen=True)
class Networks:
    """The networks of one film, run with nothing around them."""

    at_a_time: int
    threads: int
    batch: int
    """Films joined into one call."""
    films_per_second: float
    median_seconds: float
    """Of one call of every network, that is of ``batch`` films."""
    processor_seconds: float
    """Of one film, on all cores together; busy neighbours hardly move it."""


@dataclass(frozen=True)
class Assessing:
    """``Assessor.assess`` in a process of its own, one film at a time, file reading included."""

    threads: int
    median_seconds: float
    processor_seconds: float


@dataclass(frozen=True)
class Load:
    """What clients met that ask one after the other, each without a pause."""

    clients: int
    requests: int
    per_second: float
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float
    processor_seconds: float
    """Of the server, for one request."""


@dataclass(frozen=True)
class Shape:
    """A server, and how it did."""

    workers: int
    threads: int
    loads: tuple[Load, ...]


@dataclass(frozen=True)
class Memory:
    """What the server process takes, resident, 10^6 bytes."""

    requests: tuple[int, ...]
    """Answered when it was looked at."""
    megabytes: tuple[float, ...]


class Recording(Weights):
    """Weights that keep what each network was asked, so that it can be asked again."""

    def __init__(self, folder: Path | None, threads: int, batch: int) -> None:
        super().__init__(folder, threads=threads)
        self.batch = batch
        self.asked: list[Callable[[Weights], object]] = []
        """Each asks other weights the same, of ``batch`` films at once."""

    def run(
        self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Run one network, and keep what it was asked."""
        repeated = self._repeated(inputs)
        self.asked.append(lambda weights: weights.run(network, repeated, outputs))
        return super().run(network, inputs, outputs)

    def run_each(self, asked: Iterable[Asked]) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Run networks side by side, and keep what they were asked."""
        jobs = list(asked)
        repeated = [(network, self._repeated(inputs)) for network, inputs in jobs]
        self.asked.append(lambda weights: weights.run_each(repeated))
        return super().run_each(jobs)

    def _repeated(self, inputs: Arrays) -> Arrays:
        return {name: np.concatenate([value] * self.batch) for name, value in inputs.items()}


def measure_networks(
    film: Path,
    weights: Path | None = None,
    *,
    at_a_time: int,
    threads: int,
    batch: int = 1,
    films: int = LOAD_REQUESTS,
) -> Networks:
    """Time the networks of one film alone.

    Parameters
    ----------
    film : Path
    weights : Path, optional
    at_a_time : int
        Films, or batches of films, side by side.
    threads : int
        Of one network.
    batch : int
        Films in one call.
    films : int
        To time, about.
    """
    assessor = Assessor(weights, threads=threads, calibration="")
    assessor.weights = recording = Recording(weights, threads, batch)
    assessor.assess(film, Sex.FEMALE)
    fresh, asked = Weights(weights, threads=threads), tuple(recording.asked)

    def once(_: int) -> None:
        for ask in asked:
            ask(fresh)

    once(0)
    begun = time.process_time()
    seconds, whole = _timed(once, at_a_time, max(at_a_time, films // batch))
    done = len(seconds) * batch
    processor = (time.process_time() - begun) / done
    return Networks(at_a_time, threads, batch, done / whole, float(np.median(seconds)), processor)


def measure_assessing(
    film: Path, weights: Path | None = None, *, threads: int, films: int = LOAD_REQUESTS
) -> Assessing:
    """Time ``Assessor.assess``, with nothing of a server around it."""
    assessor = Assessor(weights, threads=threads, calibration="")
    assessor.assess(film, Sex.FEMALE)  # opens the networks, outside the clock
    begun = time.process_time()
    seconds, _ = _timed(lambda _: assessor.assess(film, Sex.FEMALE), 1, films)
    processor = (time.process_time() - begun) / films
    return Assessing(threads, float(np.median(seconds)), processor)


def measure_shape(
    film: Path,
    weights: Path | None = None,
    *,
    workers: int,
    threads: int,
    requests: int = LOAD_REQUESTS,
    clients: Sequence[int] = CLIENTS,
) -> Shape:
    """Start a server and ask it, by few clients and by many.

    Raises
    ------
    DataError
        When the server does not start, or does not answer.
    """
    options = ["--workers", str(workers), "--threads", str(threads)]
    with serving(options, weights, waiting=max(clients)) as url:
        ask = _asking(url, film)
        loads = tuple(_load(url, ask, count, requests) for count in clients)
    return Shape(workers, threads, loads)


def measure_memory(film: Path, weights: Path | None = None, *, requests: int) -> Memory:
    """Look at the memory of a server every tenth of so many requests.

    Raises
    ------
    DataError
        As in :func:`measure_shape`.
    """
    with serving([], weights, waiting=MEMORY_CLIENTS) as url:
        ask = _asking(url, film)
        _timed(ask, 1, WARMING_UP)
        done, megabytes = [0], [metric(url, MEMORY) / MEGABYTE]
        for step in range(1, MEMORY_STEPS + 1):
            until = requests * step // MEMORY_STEPS
            _timed(ask, MEMORY_CLIENTS, until - done[-1])
            done.append(until)
            megabytes.append(metric(url, MEMORY) / MEGABYTE)
    return Memory(tuple(done), tuple(megabytes))


@contextmanager
def serving(options: Sequence[str], weights: Path | None, *, waiting: int) -> Iterator[str]:
    """Run ``boneage serve`` as a clinic does, with an audit log; gives its URL.

    Raises
    ------
    DataError
        When it does not start.
    """
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "boneage", "serve", "--port", "0"]
        command += ["--audit", str(Path(folder) / "audit"), "--waiting", str(waiting)]
        command += ["--seconds", str(ANSWER_SECONDS), *options]
        command += ["--weights", str(weights)] if weights else []
        log = (Path(folder) / "log").open("w+b")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        try:
            yield address_of(process)
        finally:
            process.terminate()
            process.wait(ANSWER_SECONDS)
            log.close()


def address_of(process: subprocess.Popen[bytes]) -> str:
    """Read from its first line where a server answers.

    Raises
    ------
    DataError
        When it ended without one.
    """
    line = process.stdout.readline().decode() if process.stdout else ""
    found = re.search(r"http://\S+", line)
    if found is None:
        raise DataError("boneage serve did not start; try it by hand")
    return found[0]


def metric(url: str, name: str) -> float:
    """Ask a server for one of the numbers that it counts without labels.

    Raises
    ------
    DataError
        When it has none of this name.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=ANSWER_SECONDS)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    if found is None:
        raise DataError(f"{url}/metrics does not say {name}")
    return float(found[1])


def _asking(url: str, film: Path) -> Callable[[int], None]:
    """Make what sends one film over a connection that each thread keeps."""
    kind, body = form_of(film)
    local = threading.local()

    def ask(_: int) -> None:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(
                urlsplit(url).netloc, timeout=ANSWER_SECONDS
            )
        local.connection.request("POST", "/v1/assessments", body, {"Content-Type": kind})
        answer = local.connection.getresponse()
        said = answer.read()
        if answer.status != 201:
            raise DataError(f"the server answered {answer.status}: {said.decode()}")

    return ask


def form_of(film: Path) -> tuple[str, bytes]:
    """Write the form that sends a film: its media type and its bytes."""
    boundary = secrets.token_hex(16)
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="sex"\r\n\r\nfemale\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="film"; filename="film"\r\n\r\n',
        f"\r\n--{boundary}--\r\n",
    )
    body = parts[0].encode() + film.read_bytes() + parts[1].encode()
    return f"multipart/form-data; boundary={boundary}", body


def _load(url: str, ask: Callable[[int], None], clients: int, requests: int) -> Load:
    _timed(ask, clients, max(clients, WARMING_UP))
    begun = metric(url, PROCESSOR)
    seconds, whole = _timed(ask, clients, max(clients, requests))
    processor = (metric(url, PROCESSOR) - begun) / len(seconds)
    p50, p95, p99 = (float(value) for value in np.quantile(seconds, [0.5, 0.95, 0.99]))
    return Load(clients, len(seconds), len(seconds) / whole, p50, p95, p99, processor)


def _timed(work: Callable[[int], object], at_a_time: int, times: int) -> tuple[Seconds, float]:
    """Seconds of each of so many calls, and of the whole."""

    def once(number: int) -> float:
        start = time.perf_counter()
        work(number)
        return time.perf_counter() - start

    start = time.perf_counter()
    with ThreadPoolExecutor(at_a_time) as pool:
        seconds = list(pool.map(once, range(times)))
    return seconds, time.perf_counter() - start
