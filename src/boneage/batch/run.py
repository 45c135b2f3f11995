"""The walk of a batch: a stream of cases, an engine that assesses them, a folder of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from boneage._version import __version__
from boneage.batch.cases import Item
from boneage.batch.results import ItemRow, Results
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.child import Child
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import OutputError, WeightsError
from boneage.inference.assessor import Assessor
from boneage.inference.session import assess_case
from boneage.reports import table

OnFilm = Callable[[ItemRow | None], None]
"""Told of every image: its row, or None where an earlier run has assessed it."""


@dataclass(frozen=True)
class BatchSettings:
    """How every image of a batch is assessed; goes to other processes and machines."""

    weights: str | None = None
    """A folder, which every machine must see; None: those of the environment or the package."""
    calibration: str | None = None
    level: float | None = None
    sex: Sex | None = None
    force: bool = False
    centre: Centre = Centre.CHRONOLOGICAL_AGE
    weights_sha256: str | None = None
    """Of the weights that the command found: another machine must have the same."""

    def assessor(self) -> Assessor:
        """Open the weights, for one thread: processes share the cores, not threads.

        Raises
        ------
        BoneageError
            When weights, calibration or level cannot be used.
        """
        assessor = Assessor(self.weights, threads=1, level=self.level, calibration=self.calibration)
        found = assessor.weights.name.sha256
        if self.weights_sha256 not in (None, found):
            raise WeightsError(
                f"a process found the weights {found[:12]}, the command {self.weights_sha256}: "
                "every machine needs the same weights"
            )
        return assessor

    def recipe(self, assessor: Assessor) -> dict[str, Any]:
        """Say in plain values what the rows depend on, but for the images."""
        calibration = assessor.interval_predictor.calibration
        return {
            "boneage": __version__,
            "weights": assessor.weights.name.name,
            "weights sha256": assessor.weights.name.sha256,
            "calibration sha256": calibration.sha256 if calibration else None,
            "level": assessor.interval_predictor.level,
            "sex": self.sex.value if self.sex else None,
            "force": self.force,
            "SDS centre": self.centre.value,
        }


class BatchAssessor:
    """Turns items into rows, with weights that are opened once."""

    def __init__(self, settings: BatchSettings) -> None:
        self.settings = settings
        self.assessor = settings.assessor()
        self._child = Child(centre=settings.centre)

    def row(self, item: Item) -> ItemRow:
        """Assess one image; its pixels are gone when this returns.

        Raises
        ------
        WeightsError
            When the weights turn out unusable.
        """
        session = assess_case(
            self.assessor,
            item.case,
            sex=self.settings.sex,
            child=self._child,
            force=self.settings.force,
            name=item.film,
        )
        return row_of(item, session.outcome)


def row_of(item: Item, outcome: Assessment | Failure) -> ItemRow:
    """Write the outcome of an item as its row."""
    cells = table.row(outcome)
    if item.source_row is not None:
        cells["source_row"] = item.source_row
    return ItemRow(item.key, isinstance(outcome, Assessment), cells)


class Engine(Protocol):
    """What assesses a stream of cases, in any order, each once."""

    def rows(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        """Give a row for every item, and hold few of either."""
        ...


def run_batch(items: Iterable[Item], engine: Engine, results: Results, on_film: OnFilm) -> None:
    """Assess the images that have no row yet; what is finished is written, whatever happens.

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
        for row in engine.rows(left()):
            results.add(row)
            on_film(row)
    except BaseException as error:
        if not isinstance(error, OutputError):
            with suppress(OutputError):
                results.flush()
        raise
    results.flush()
