"""The walk of a batch: a stream of cases, an engine, a folder of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from boneage.batch.items import Answered, Item
from boneage.batch.results import Results
from boneage.errors import OutputError

OnFilm = Callable[[Answered | None], None]
"""Told of every film: its row, or None where an earlier run has read it."""


class Engine(Protocol):
    """What answers a stream of films, in any order, each once."""

    def answers(self, items: Iterable[Item]) -> Iterator[Answered]:
        """Give a row for every item, and hold few of either."""
        ...


def run_batch(items: Iterable[Item], engine: Engine, results: Results, on_film: OnFilm) -> None:
    """Read the films that have no row yet; what is finished is written, whatever happens.

    Raises
    ------
    OutputError
        When the rows cannot be written.
    BoneageError
        Of the engine, or of the stream of items.
    """

    def left() -> Iterator[Item]:
        for item in items:
            if results.is_done(item.key):
                on_film(None)
            else:
                yield item

    try:
        for answered in engine.answers(left()):
            results.add(answered)
            on_film(answered)
    except BaseException as error:
        if not isinstance(error, OutputError):
            with suppress(OutputError):
                results.flush()
        raise
    results.flush()
