"""What the rows of a batch depend on, and the reader that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boneage._version import __version__
from boneage.batch.answering import answer_case, named
from boneage.batch.items import Answered, Item
from boneage.domain.assessment import Assessment
from boneage.domain.child import Child
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import WeightsError
from boneage.inference.assessor import Assessor
from boneage.reports.table import row


@dataclass(frozen=True)
class Settings:
    """How every film of a batch is read; goes to other processes and machines."""

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
        """Say in plain values what the rows depend on, but for the films."""
        calibration = assessor.certainty.calibration
        return {
            "boneage": __version__,
            "weights": assessor.weights.name.name,
            "weights sha256": assessor.weights.name.sha256,
            "calibration sha256": calibration.sha256 if calibration else None,
            "level": assessor.certainty.level,
            "sex": self.sex.value if self.sex else None,
            "force": self.force,
            "SDS centre": self.centre.value,
        }


class Reader:
    """Turns items into rows, with weights that are opened once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.assessor = settings.assessor()
        self._child = Child(centre=settings.centre)

    def read(self, item: Item) -> Answered:
        """Read one film.

        Raises
        ------
        WeightsError
            When the weights turn out unusable.
        """
        answer = answer_case(
            self.assessor,
            item.case,
            self.settings.sex,
            self._child,
            force=self.settings.force,
        )
        cells = row(named(answer, item.film))
        if item.source_row is not None:
            cells["source_row"] = item.source_row
        return Answered(item.key, isinstance(answer, Assessment), cells)
