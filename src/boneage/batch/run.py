"""Runs a batch: a stream of cases, an engine that assesses them, a folder of rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import cv2

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

OnImage = Callable[[ItemRow | None], None]
"""Called for every image with its row, or None where an earlier run assessed it."""


@dataclass(frozen=True)
class BatchSettings:
    """How every image of a batch is assessed; sent to other processes and machines."""

    weights: str | None = None
    """A folder accessible from every machine; None: those of the environment or the package."""
    calibration: str | None = None
    level: float | None = None
    sex: Sex | None = None
    force: bool = False
    centre: Centre = Centre.CHRONOLOGICAL_AGE
    weights_sha256: str | None = None
    """Of the weights that the command opened: every machine must have the same."""

    def assessor(self) -> Assessor:
        """Open the weights for one thread, as the processes share the cores."""
        assessor = Assessor(self.weights, threads=1, level=self.level, calibration=self.calibration)
        found = assessor.weights.name.sha256
        if self.weights_sha256 not in (None, found):
            raise WeightsError(
                f"a process found the weights {found[:12]}, the command {self.weights_sha256}: "
                "every machine needs the same weights"
            )
        return assessor

    def recipe(self, assessor: Assessor) -> dict[str, Any]:
        """What the rows depend on apart from the images, as plain values."""
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
    """Turns items into rows, in a worker process.

    The weights are opened with the first image: a WeightsError is raised there, not where the
    process starts.
    """

    def __init__(self, settings: BatchSettings) -> None:
        self.settings = settings
        cv2.setNumThreads(1)
        # Warnings of other libraries may quote patient data.
        logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
        logging.getLogger("boneage").addHandler(logging.NullHandler())

    @cached_property
    def _assessor(self) -> Assessor:
        return self.settings.assessor()

    def row(self, item: Item) -> ItemRow:
        """Assess one image; its pixels are released on return."""
        session = assess_case(
            *(self._assessor, item.case),
            sex=self.settings.sex,
            child=Child(centre=self.settings.centre),
            force=self.settings.force,
            name=item.film,
        )
        return row_of(item, session.outcome)


def row_of(item: Item, outcome: Assessment | Failure) -> ItemRow:
    """The row of an item's outcome."""
    cells = table.row(outcome)
    if item.source_row is not None:
        cells["source_row"] = item.source_row
    return ItemRow(item.key, isinstance(outcome, Assessment), cells)


class Engine(Protocol):
    """What assesses a stream of cases, in any order, each once."""

    def rows(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        """Yield a row for every item, with few of either in memory."""
        ...


def run_batch(items: Iterable[Item], engine: Engine, results: Results, on_image: OnImage) -> None:
    """Assess the images without a row; finished rows are written, whatever happens."""

    def unfinished() -> Iterator[Item]:
        for item in items:
            if results.is_done(item.key):
                on_image(None)
            else:
                yield item

    try:
        for row in engine.rows(unfinished()):
            results.add(row)
            on_image(row)
    except BaseException as error:
        if not isinstance(error, OutputError):
            with suppress(OutputError):
                results.flush()
        raise
    results.flush()
