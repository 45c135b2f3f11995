"""Images assessed by several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from boneage.batch.cases import Item
from boneage.batch.results import ItemRow
from boneage.batch.run import BatchAssessor, BatchSettings, row_of
from boneage.domain.assessment import Failure
from boneage.errors import DataError

TASK_FILMS = 4
"""Images in a task: fewer cost more communication, more leave processes idle at the end."""
AHEAD = 3
"""Tasks submitted for each process: bounds the memory."""
CRASHES_IN_A_ROW = 10
"""After so many the images are not the cause."""

Task = tuple[Item, ...]
Rows = list[ItemRow]


class ProcessEngine:
    """Assesses images in worker processes, each with weights of its own and one thread."""

    def __init__(self, settings: BatchSettings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self._crashes = 0

    def rows(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        """Assess images as they stream in; rows come as they are finished, in any order.

        An image whose process dies is retried once, alone; if that process dies, too, the image
        fails with the code ``"crashed"``. Raises a `WeightsError` when the weights turn out
        unusable, a `DataError` when the processes keep dying.
        """
        stream = iter(items)
        unfinished: list[Item] = []
        while True:
            yield from self._until_broken(stream, unfinished)
            if not unfinished:
                return
            yield from self._one_by_one(unfinished)
            unfinished.clear()

    def _until_broken(self, stream: Iterator[Item], unfinished: list[Item]) -> Iterator[ItemRow]:
        """Work until the stream ends or a process dies; then ``unfinished`` has what was begun."""
        begun: dict[Future[Rows], Task] = {}
        pool = self._pool(self.workers)
        try:
            while not unfinished:
                self._fill(pool, stream, begun, unfinished)
                if not begun:
                    return
                for future in wait(begun, return_when=FIRST_COMPLETED).done:
                    yield from _result_or_requeue(future, begun.pop(future), unfinished)
            for future, task in begun.items():  # all are done, as the pool is broken
                yield from _result_or_requeue(future, task, unfinished)
        except BaseException:  # stopped: the next command repeats what was begun
            _terminate(pool)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fill(
        self,
        pool: ProcessPoolExecutor,
        stream: Iterator[Item],
        begun: dict[Future[Rows], Task],
        unfinished: list[Item],
    ) -> None:
        while len(begun) < AHEAD * self.workers and (task := tuple(islice(stream, TASK_FILMS))):
            try:
                begun[pool.submit(_assess, task)] = task
            except BrokenProcessPool:
                unfinished += task
                return

    def _one_by_one(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        pool: ProcessPoolExecutor | None = None
        try:
            for item in items:
                pool = pool or self._pool(1)
                try:
                    yield from pool.submit(_assess, (item,)).result()
                    self._crashes = 0
                except BrokenProcessPool as error:
                    pool.shutdown(wait=False)
                    pool = None
                    self._crashes += 1
                    if self._crashes >= CRASHES_IN_A_ROW:
                        raise DataError(
                            f"{self._crashes} images in a row ended the process that read them; "
                            "the machine may be short of memory: use fewer --workers"
                        ) from error
                    why = "the process that read this image ended, twice"
                    yield row_of(item, Failure(item.film, "crashed", why))
        finally:
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        # Spawned: a fork would copy the parent's memory and the locks of its threads.
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_set_up_worker,
            initargs=(self.settings,),
        )


def _result_or_requeue(future: Future[Rows], task: Task, unfinished: list[Item]) -> Rows:
    try:
        return future.result()
    except BrokenProcessPool:
        unfinished += task
        return []


def _terminate(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once, without finishing their images."""
    # Public from Python 3.14; without it they end a few seconds later.
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.terminate()


_worker: list[BatchAssessor] = []
"""The assessor of a worker process."""


def _set_up_worker(settings: BatchSettings) -> None:
    _worker[:] = [BatchAssessor(settings)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    warnings.simplefilter("ignore")  # they may quote patient data
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when its parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _assess(task: Task) -> Rows:
    return [_worker[0].row(item) for item in task]
