"""Images assessed by several processes of this machine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

import cv2

from boneage.batch.cases import Item
from boneage.batch.results import ItemRow
from boneage.batch.run import BatchAssessor, BatchSettings, row_of
from boneage.domain.assessment import Failure
from boneage.errors import DataError

TASK_FILMS = 4
"""Images that a process takes at a time: fewer talk more, more wait longer at the end."""
AHEAD = 3
"""Tasks begun for each process: bounds the memory."""
CRASHES_IN_A_ROW = 10
"""After so many it is not the images."""

Task = tuple[Item, ...]
Rows = list[ItemRow]


class Processes:
    """Assesses images in worker processes, each with weights of its own and one thread.

    Parameters
    ----------
    settings : BatchSettings
    workers : int
        How many processes.
    """

    def __init__(self, settings: BatchSettings, workers: int) -> None:
        self.settings, self.workers = settings, workers
        self._crashes = 0

    def rows(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        """Assess images as they stream in; rows come as they are finished, in any order.

        An image whose process dies is tried once more, alone; if that process dies too, the
        image fails with the code ``"crashed"``.

        Raises
        ------
        WeightsError
            When the weights turn out unusable.
        DataError
            When the processes die whatever they read.
        """
        stream = iter(items)
        left: list[Item] = []
        while True:
            yield from self._until_broken(stream, left)
            if not left:
                return
            yield from self._one_by_one(left)
            left.clear()

    def _until_broken(self, stream: Iterator[Item], left: list[Item]) -> Iterator[ItemRow]:
        """Work until the stream ends or a process dies; then ``left`` has what was begun."""
        begun: dict[Future[Rows], Task] = {}
        pool = self._pool(self.workers)
        try:
            while not left:
                self._fill(pool, stream, begun, left)
                if not begun:
                    return
                for future in wait(begun, return_when=FIRST_COMPLETED).done:
                    yield from _taken(future, begun.pop(future), left)
            for future, task in begun.items():  # a broken pool has ended them all
                yield from _taken(future, task, left)
        except BaseException:  # stopped: what was begun is done again, by the next command
            _terminate(pool)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fill(
        self,
        pool: ProcessPoolExecutor,
        stream: Iterator[Item],
        begun: dict[Future[Rows], Task],
        left: list[Item],
    ) -> None:
        while len(begun) < AHEAD * self.workers and (task := tuple(islice(stream, TASK_FILMS))):
            try:
                begun[pool.submit(_assess, task)] = task
            except BrokenProcessPool:
                left += task
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
                            "the machine may lack memory: try fewer --workers"
                        ) from error
                    why = "the process that read this image ended, twice"
                    yield row_of(item, Failure(item.film, "crashed", why))
        finally:
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)

    def _pool(self, workers: int) -> ProcessPoolExecutor:
        # Spawned: a fork would take the parent's threads' locks and all its memory along.
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self.settings,),
        )


def _taken(future: Future[Rows], task: Task, left: list[Item]) -> Rows:
    try:
        return future.result()
    except BrokenProcessPool:
        left += task
        return []


def _terminate(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once, rather than after the images they have begun."""
    # Public from Python 3.14 on; without it they end a few seconds later.
    for process in list((getattr(pool, "_processes", None) or {}).values()):
        process.terminate()


class _Worker:
    """What a worker process knows: the settings, and the weights once they are open."""

    settings = BatchSettings()
    assessor: BatchAssessor | None = None


def _start(settings: BatchSettings) -> None:
    """Make a process ready; what can go wrong waits for the first image, to be reported."""
    _Worker.settings = settings
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    # Other libraries quote what images state of a patient.
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    logging.getLogger("boneage").addHandler(logging.NullHandler())
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers; they see it themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _assess(task: Task) -> Rows:
    if _Worker.assessor is None:
        _Worker.assessor = BatchAssessor(_Worker.settings)
    return [_Worker.assessor.row(item) for item in task]
