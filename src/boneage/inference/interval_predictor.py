"""A clinic's calibration and the prediction interval, applied to an estimate of the weights."""

from __future__ import annotations

import os
from dataclasses import replace

from boneage.domain.assessment import Assessment, Interval
from boneage.errors import LevelError
from boneage.inference.weights import Weights
from boneage.uncertainty.calibration import open_calibration
from boneage.uncertainty.intervals import DEFAULT_LEVEL


class IntervalPredictor:
    """Calibrates answers, where there is a calibration, and gives them their interval.

    The level is 0.9 by default. LevelError when there is no interval, or none of this level;
    CalibrationError when the calibration cannot be used with these weights.
    """

    def __init__(
        self, weights: Weights, level: float | None, calibration: str | os.PathLike[str] | None
    ) -> None:
        self.calibration = open_calibration(calibration, weights.name)
        self.model = weights.manifest.interval
        if self.calibration:
            self.model = self.calibration.model(self.model)
        self.level = DEFAULT_LEVEL if level is None else level
        self._weights_name = weights.manifest.name
        if self.model or level is not None:
            self.check(self.level)

    def check(self, level: float) -> None:
        """Raise LevelError when there is no interval, or none of this level."""
        if self.model is None:
            raise LevelError(
                f"the weights {self._weights_name!r} state no interval, so none of level {level:g}"
            )
        self.model.check(level)

    def apply(self, answer: Assessment) -> Assessment:
        """Calibrate an answer of the weights, and add its interval."""
        if self.calibration:
            answer = self.calibration.apply(answer)
        errors = self.model.errors(answer) if self.model else None
        return replace(answer, interval=self.around(answer, self.level), errors=errors)

    def around(self, answer: Assessment, level: float) -> Interval | None:
        """The interval of any level around a calibrated answer; None where there is no model."""
        return self.model.around(answer, level) if self.model else None
