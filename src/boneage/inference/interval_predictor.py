"""A clinic's calibration and the prediction interval, applied to an estimate of the weights."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from boneage.domain.assessment import Assessment, Finding, Interval
from boneage.errors import LevelError
from boneage.inference.weights import Weights
from boneage.uncertainty.calibration import open_calibration
from boneage.uncertainty.intervals import DEFAULT_LEVEL

WIDE_MONTHS = 48.0
"""An interval of the default level that is wider says too little of a child."""


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
        if self.model is None:
            return answer
        interval = self.model.around(answer, self.level)
        findings = (*answer.findings, *_of_width(self.model.around(answer, DEFAULT_LEVEL)))
        errors = self.model.errors(answer)
        return replace(answer, interval=interval, errors=errors, findings=findings)

    def around(self, answer: Assessment, level: float) -> Interval | None:
        """The interval of any level around a calibrated answer; None where there is no model."""
        return self.model.around(answer, level) if self.model else None


def _of_width(interval: Interval) -> Iterator[Finding]:
    width = interval.high_months - interval.low_months
    if width > WIDE_MONTHS:
        message = (
            "The 90 % prediction interval is wider than 4 years: the bone age of this image cannot "
            "be determined well enough."
        )
        yield Finding.warning("wide_interval", message, width, WIDE_MONTHS)
