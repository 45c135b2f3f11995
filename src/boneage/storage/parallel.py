"""Parallel work on many images, and a journal from which an interrupted run resumes.

Threads are enough: reading, resizing and the networks release Python's lock. Results come in
the order of the images.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TextIO, TypeVar

from boneage.errors import DataError
from boneage.storage.files import lock

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 2
"""Items submitted for each worker ahead of the results: bounds the memory."""


def default_workers() -> int:
    """One for each processor core this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_parallel(work: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Apply ``work`` to items in parallel; results and errors in order, nothing begun after one."""
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
    to_record: Callable[[R], Any],
) -> Iterator[R]:
    """Apply ``work`` to items and their records in a journal in parallel; record the results.

    Work on a new item gets None. ``to_record`` gives plain values, or None for what is to be tried
    again, such as a failure. Results are in the items' order.
    """
    done = journal.done if journal else {}

    def work_on(item: T) -> R:
        return work(item, done.get(key(item)))

    for item, result in zip(items, in_parallel(work_on, items, workers), strict=True):
        record = json.loads(json.dumps(to_record(result))) if journal else None
        if journal and record is not None and record != done.get(key(item)):
            journal.add(key(item), record)
        yield result


class Journal:
    """The finished results of a long command, a line of JSON each, so that it can resume.

    A last line cut off by a kill is dropped. The recipe is JSON-able: what the results depend on
    (weights, films, settings). DataError for a file of another one: two results would be mixed.
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
                f"{str(self.path)!r} was begun with other weights, images or settings; "
                "give another folder, or delete that file to start anew"
            )
        self.done = {line["key"]: line["value"] for line in lines[1:] if line is not None}

    def __enter__(self) -> Self:
        """Rewrite the complete lines, and append to them; DataError: another process does."""
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

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
            self._file = None

    def add(self, key: str, value: Any) -> None:
        """Record a result; it is in the file when this returns."""
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
