"""Where requests wait for a worker: so many and no more, and not for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from boneage.apps.service.metrics import Metrics
from boneage.apps.service.problems import Problem

Value = TypeVar("Value")
RETRY_SECONDS = 2
RETRY = {"Retry-After": str(RETRY_SECONDS)}


class Desk:
    """Lets requests in, and runs their work in threads.

    Parameters
    ----------
    workers : int
        Jobs done at a time.
    waiting : int
        Requests that may be let in beside those.
    seconds : float
        A job that is not done by then is no longer waited for. One that was not begun
        never is; a network cannot be stopped midway: its job keeps its place until it ends.
    metrics : Metrics
    """

    def __init__(self, workers: int, waiting: int, seconds: float, metrics: Metrics) -> None:
        self.places, self.seconds, self.metrics = workers + waiting, seconds, metrics
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="boneage")
        self._inside = 0
        metrics.queue.set_function(lambda: self._inside)

    @property
    def full(self) -> bool:
        """Whether the next request would be turned away."""
        return self._inside >= self.places

    def enter(self) -> Place:
        """Take a place, for ``with``.

        Raises
        ------
        Problem
            429 when there is none.
        """
        if self.full:
            raise Problem(
                429,
                "busy",
                f"the server is busy; ask again in {RETRY_SECONDS} seconds",
                headers=RETRY,
            )
        self._inside += 1
        return Place(self)

    def leave(self) -> None:
        """Give a place back."""
        self._inside -= 1

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def do(self, place: Place, work: Callable[[], Value]) -> Value:
        """Run a job in a thread.

        Raises
        ------
        Problem
            503 when it takes too long; 504 is a gateway's word.
        """
        asked = time.perf_counter()

        def job() -> Value:
            began = time.perf_counter()
            self.metrics.seconds.labels("waiting").observe(began - asked)
            try:
                return work()
            finally:
                self.metrics.seconds.labels("working").observe(time.perf_counter() - began)

        loop, future = asyncio.get_running_loop(), self._pool.submit(job)
        try:
            # Shielded: else a job that runs counts as cancelled, and nobody knows when it ends.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), self.seconds)
        except TimeoutError:
            raise Problem(
                503,
                "too_slow",
                f"there was no answer within {self.seconds:g} seconds",
                headers=RETRY,
            ) from None
        finally:
            if not future.done() and not future.cancel():
                place.left_to = True
                future.add_done_callback(lambda _: loop.call_soon_threadsafe(self.leave))


class Place:
    """One place at the desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.left_to = False
        """Whether a job that goes on gives it back."""

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.left_to:
            self.desk.leave()
