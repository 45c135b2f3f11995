"""A clinic's own calibration: one JSON file, made by ``boneage calibrate``, for one set of weights.

It holds a line for each sex and the scores of the clinic's images for the interval, and nothing
of any child. Without it, the weights' own results are back.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from boneage.domain.assessment import AGE_RANGE_MONTHS, Assessment, Calibrated, WeightsName
from boneage.domain.radiograph import Sex
from boneage.errors import CalibrationError
from boneage.storage.files import digest_of
from boneage.storage.typed import broken_file
from boneage.uncertainty import intervals

FORMAT = 1
"""Of the file; raised when older programs could no longer read it."""
KIND = "boneage calibration"
FILE_VARIABLE = "BONEAGE_CALIBRATION"
SLOPES = (0.8, 1.25)
"""A steeper or flatter line is a sign of other images than the weights are for."""
MOST_MONTHS = 18.0
"""No estimate is moved further than this."""
CHECKSUM = "sha256"


@dataclass(frozen=True)
class CalibrationLine:
    """Calibrated = intercept + slope · estimate, within limits."""

    intercept_months: float
    slope: float

    def move(self, age_months: float) -> float:
        """Calibrate an estimate: by 18 months at most, within 0–240."""
        moved = self.intercept_months + self.slope * age_months - age_months
        limited = age_months + float(np.clip(moved, -MOST_MONTHS, MOST_MONTHS))
        return float(np.clip(limited, *AGE_RANGE_MONTHS))


IDENTITY = CalibrationLine(0.0, 1.0)


@dataclass(frozen=True)
class Calibration:
    """The content of the file."""

    name: str
    date: str
    films: int
    weights_sha256: str
    """Of the manifest of the weights it was made for."""
    weights_name: str
    lines: Mapping[Sex, CalibrationLine]
    scores: intervals.NonconformityScores
    shape: intervals.ErrorModel | None
    """None: that of the weights."""
    sha256: str

    def apply(self, answer: Assessment) -> Assessment:
        """Calibrate an assessment by the weights alone."""
        before = answer.age_months
        stated = Calibrated(self.name, self.date, self.films, self.sha256, before)
        age = self.lines[answer.sex].move(before)
        return replace(answer, age_months=age, calibrated=stated)

    def model(self, weights: intervals.IntervalModel | None) -> intervals.IntervalModel:
        """Give the interval by the clinic's scores; the error model may be that of the weights."""
        shape = self.shape or (weights.shape if weights else None)
        if shape is None:
            raise CalibrationError(
                f"the calibration {self.name!r} needs the interval of the weights "
                f"{self.weights_name!r}, and they state none"
            )
        return intervals.IntervalModel(shape, self.scores)


def open_calibration(
    path: str | os.PathLike[str] | None, weights: WeightsName
) -> Calibration | None:
    """Read the calibration that is named, if one is, for these weights.

    Without a path it is the file named by the environment variable ``BONEAGE_CALIBRATION``, if that
    is set; with an empty one there is none, whatever the variable says. A CalibrationError when it
    cannot be read, was changed, or belongs to other weights.
    """
    named = os.environ.get(FILE_VARIABLE) if path is None else path
    if not named:
        return None
    calibration = read_calibration(Path(named))
    if calibration.weights_sha256 != weights.sha256:
        raise CalibrationError(
            f"{str(named)!r} was made for the weights {calibration.weights_name!r} (sha256 "
            f"{calibration.weights_sha256[:12]}), and these are {weights.name!r} "
            f"({weights.sha256[:12]}): run 'boneage calibrate' with these"
        )
    return calibration


def read_calibration(path: Path) -> Calibration:
    """Read and check a calibration file, whatever weights it is for."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CalibrationError(
            f"the calibration {str(path)!r} cannot be read: {error.strerror}"
        ) from error
    try:
        table = json.loads(content)
        if table["kind"] != KIND:
            raise ValueError(f"its kind is {table['kind']!r}, not {KIND!r}")
        if table["format"] != FORMAT:
            raise CalibrationError(
                f"{str(path)!r} is of format {table['format']!r}; this program reads {FORMAT}"
            )
        if table[CHECKSUM] != checksum(table):
            raise CalibrationError(
                f"{str(path)!r} was changed after it was written: its checksum is another; "
                "run 'boneage calibrate' again"
            )
        stated = msgspec.convert(table, _CalibrationFile)
        return stated.calibration(hashlib.sha256(content).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CalibrationError(
            f"{str(path)!r} is not a calibration: {broken_file(error)}"
        ) from error


def checksum(table: Mapping[str, Any]) -> str:
    """Of all values of a calibration but this one: it finds a mistake, not a forgery."""
    return digest_of({key: value for key, value in table.items() if key != CHECKSUM})


class _Weights(msgspec.Struct):
    sha256: str
    name: str


class _ClinicInterval(msgspec.Struct):
    scores: dict[str, Any]
    shape: dict[str, Any] | None


class _CalibrationFile(msgspec.Struct):
    """The keys of the file that are used here; others are for people."""

    name: str
    date: str
    weights: _Weights
    lines: dict[Sex, CalibrationLine]
    interval: _ClinicInterval

    def calibration(self, digest: str) -> Calibration:
        scores, shape = intervals.scores_of(self.interval.scores), self.interval.shape
        for line in self.lines.values():
            if not (SLOPES[0] <= line.slope <= SLOPES[1] and isfinite(line.intercept_months)):
                raise ValueError(
                    f"{line} is invalid: slopes are from {SLOPES[0]} to {SLOPES[1]}, "
                    "intercepts finite"
                )
        return Calibration(
            name=self.name,
            date=self.date,
            films=scores.count,
            weights_sha256=self.weights.sha256,
            weights_name=self.weights.name,
            lines={sex: self.lines[sex] for sex in intervals.SEXES},
            scores=scores,
            shape=None if shape is None else intervals.shape_of(shape),
            sha256=digest,
        )
