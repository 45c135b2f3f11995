"""How far a reader and the program agree, from readings made before the program's was shown.

Bland and Altman 1986: the mean of the differences, and the limits between which 95 % of them lie
if they are normally distributed. Drift is the mean difference of the latest readings beside that
of those before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from boneage.domain.reader import Decision
from boneage.domain.visits import ClinicVisit

LIMIT_SDS = 1.96
LATEST = 20
"""Readings whose mean is compared with that of those before."""
LEAST = 3
"""Readings without which nothing is stated."""


@dataclass(frozen=True)
class Pair:
    """One image: the reader's own bone age, and the program's, in months."""

    reader_months: float
    program_months: float

    @property
    def mean(self) -> float:
        return (self.reader_months + self.program_months) / 2

    @property
    def difference(self) -> float:
        """Program less reader."""
        return self.program_months - self.reader_months


@dataclass(frozen=True)
class ReaderAgreement:
    """What the readings of a history say; months."""

    pairs: tuple[Pair, ...]
    """In the order of saving."""
    mae: float
    bias: float
    """Program less reader."""
    sd: float
    limits: tuple[float, float]
    median_seconds: float | None
    """That an own reading took."""
    decisions: dict[str, int]
    drift: float | None
    """Mean difference of the latest readings less that of those before; None: too few."""
    drift_error: float | None
    """Standard error of the drift."""


def reader_agreement(visits: Sequence[ClinicVisit]) -> ReaderAgreement | None:
    """Compare the readings that were made before the program's was shown; None: too few."""
    pairs = tuple(
        Pair(visit.own_reading_months, visit.bone_age_months)
        for visit in visits
        if visit.own_reading_months is not None and visit.bone_age_months is not None
    )
    if len(pairs) < LEAST:
        return None
    differences = [pair.difference for pair in pairs]
    bias, sd = fmean(differences), stdev(differences)
    seconds = [v.reading_seconds for v in visits if v.reading_seconds is not None]
    latest, before = differences[-LATEST:], differences[:-LATEST]
    drift = error = None
    if len(before) >= LEAST:
        drift = fmean(latest) - fmean(before)
        error = math.hypot(
            stdev(latest) / math.sqrt(len(latest)), stdev(before) / math.sqrt(len(before))
        )
    return ReaderAgreement(
        pairs=pairs,
        mae=fmean(abs(one) for one in differences),
        bias=bias,
        sd=sd,
        limits=(bias - LIMIT_SDS * sd, bias + LIMIT_SDS * sd),
        median_seconds=median(seconds) if seconds else None,
        decisions={one.value: sum(v.decision == one for v in visits) for one in Decision},
        drift=drift,
        drift_error=error,
    )
