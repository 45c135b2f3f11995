"""Many films: several at once, and what was finished survives a kill.

Threads are enough: reading, resizing and the networks run outside Python's
lock. Results come in the order of the films, whichever is finished first.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, TypeVar

from boneage.errors import DataError
from boneage.storage.files import lock

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Films begun for each worker before the first result is taken: bounds the memory."""


def default_workers() -> int:
    """One for each processor core this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_parallel(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply ``work`` to every item, ``workers`` at a time; results in the items' order.

    An error of ``work`` is raised when its turn comes, and nothing more is begun.
    """
    if workers <= 1:
        yield from map(work, items)
        return
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def resumed(
    work: Callable[[T, Any], R],
    items: Sequence[T],
    journal: Journal | None,
    workers: int,
    *,
    key: Callable[[T], str],
    note: Callable[[R], Any],
) -> Iterator[R]:
    """Apply ``work`` to every item, several at a time, and note what is finished in a journal.

    Parameters
    ----------
    work : callable
        Takes an item and what the journal holds of it, None where it is new.
    items : sequence
    journal : Journal, optional
        Open.
    workers : int
        How many items are worked on at a time.
    key : callable
        Names an item in the journal.
    note : callable
        Gives a result as plain values for the journal; None for one that is to
        be tried again, such as a failure.

    Yields
    ------
    object
        The results, in the items' order.
    """
    done = journal.done if journal else {}

    def work_on(item: T) -> R:
        return work(item, done.get(key(item)))

    for item, result in zip(items, in_parallel(work_on, items, workers), strict=True):
        noted = json.loads(json.dumps(note(result))) if journal else None
        if journal and noted is not None and noted != done.get(key(item)):
            journal.add(key(item), noted)
        yield result


class Journal:
    """What a long command has finished, a line of JSON each, so that it can go on.

    Parameters
    ----------
    path : Path
        Made when missing. A last line cut off by a kill is forgotten.
    recipe : mapping
        JSON-able: what the results depend on (weights, films, settings).

    Raises
    ------
    DataError
        When the file belongs to another recipe: going on would mix two results.
    """

    def __init__(self, path: Path, recipe: Mapping[str, Any]) -> None:
        self.path = path
        self.done: dict[str, Any] = {}
        self._recipe = json.loads(json.dumps(recipe))
        self._file: TextIO | None = None
        if path.is_file():
            self._read()

    def _read(self) -> None:
        lines = [_parsed(line) for line in self.path.read_text("utf-8").splitlines()]
        if not lines or lines[0] is None:  # killed before anything was finished
            return
        if lines[0] != {"recipe": self._recipe}:
            raise DataError(
                f"{str(self.path)!r} was begun with other weights, films or settings; "
                "give another folder, or delete that file to begin anew"
            )
        self.done = {line["key"]: line["value"] for line in lines[1:] if line is not None}

    def __enter__(self) -> Self:
        """Rewrite the whole lines, and append from there.

        Raises
        ------
        DataError
            When another process is writing it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_file():
            with self.path.open("r+b") as earlier:
                if not lock(earlier.fileno()):
                    raise DataError(
                        f"another command is writing {str(self.path)!r}; wait for it, or give "
                        "another folder"
                    )
        unfinished = self.path.with_name(self.path.name + ".part")
        self._file = unfinished.open("w", encoding="utf-8")
        lock(self._file.fileno())
        self._write({"recipe": self._recipe})
        for key, value in self.done.items():
            self._write({"key": key, "value": value})
        unfinished.replace(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def add(self, key: str, value: Any) -> None:
        """Note a result; it is on disk when this returns."""
        self.done[key] = value
        self._write({"key": key, "value": value})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file is None:
            raise RuntimeError("the journal is not open")
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
