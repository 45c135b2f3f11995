"""The bounded queue of requests for a worker, with a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from boneage.apps.service.metrics import ServiceMetrics
from boneage.apps.service.problems import HttpProblem

Value = TypeVar("Value")
RETRY_SECONDS = 2
RETRY = {"Retry-After": str(RETRY_SECONDS)}


@dataclass
class Slot:
    """One place in the queue."""

    left_to_job: bool = False
    """Whether a job that still runs will release it."""


class WorkQueue:
    """Admits requests, so many ``waiting`` beside the ``workers``, and runs their jobs in threads.

    A job that has not started within its ``seconds`` is cancelled; a running network cannot be
    stopped: its job keeps its slot until it ends.
    """

    def __init__(self, workers: int, waiting: int, seconds: float, metrics: ServiceMetrics) -> None:
        self.slots, self.seconds, self.metrics = workers + waiting, seconds, metrics
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="boneage")
        self._taken = 0
        metrics.queue.set_function(lambda: self._taken)

    @property
    def full(self) -> bool:
        """Whether the next request would be rejected."""
        return self._taken >= self.slots

    @contextmanager
    def slot(self) -> Iterator[Slot]:
        """Take a slot; a problem of status 429 when there is none."""
        if self.full:
            detail = f"the server is busy; try again in {RETRY_SECONDS} seconds"
            raise HttpProblem(429, "busy", detail, headers=RETRY)
        self._taken += 1
        slot = Slot()
        try:
            yield slot
        finally:
            if not slot.left_to_job:
                self._release()

    def _release(self) -> None:
        self._taken -= 1

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, slot: Slot, work: Callable[[], Value]) -> Value:
        """Run a job in a thread.

        A problem of status 503 when it takes too long; 504 is for gateways.
        """
        submitted = time.perf_counter()

        def job() -> Value:
            started = time.perf_counter()
            self.metrics.seconds.labels("waiting").observe(started - submitted)
            try:
                return work()
            finally:
                self.metrics.seconds.labels("working").observe(time.perf_counter() - started)

        loop, future = asyncio.get_running_loop(), self._pool.submit(job)
        try:
            # Shielded: otherwise a running job counts as cancelled, and its end goes unnoticed.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), self.seconds)
        except TimeoutError:
            detail = f"there was no result within {self.seconds:g} seconds"
            raise HttpProblem(503, "too_slow", detail, headers=RETRY) from None
        finally:
            if not future.done() and not future.cancel():
                slot.left_to_job = True
                future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release))
