"""Two-year bands of the labelled bone age: the errors of a reader differ by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.estimates import CaseEstimate, months_of
from boneage.evaluation.metrics import ErrorMetrics, measure

BAND_YEARS = 2
OLDEST_YEARS = 20
LEAST_FILMS = 10
"""A band of one sex with fewer films is not measured: its interval would say nothing."""


@dataclass(frozen=True)
class Band:
    """The films labelled from ``low`` up to, but not at, ``high`` years.

    The last band also holds its upper end, the oldest label there may be.
    """

    low: int
    high: int

    @property
    def name(self) -> str:
        """Such as ``"2-4"``, years; the key in ``metrics.json``."""
        return f"{self.low}-{self.high}"

    @property
    def middle(self) -> float:
        """In years."""
        return (self.low + self.high) / 2

    def holds(self, months: float) -> bool:
        """Whether a labelled bone age in months lies in this band."""
        top = months <= self.high * 12 if self.high == OLDEST_YEARS else months < self.high * 12
        return self.low * 12 <= months and top


BANDS = tuple(Band(low, low + BAND_YEARS) for low in range(0, OLDEST_YEARS, BAND_YEARS))


def in_bands(readings: Sequence[CaseEstimate]) -> dict[Band, list[CaseEstimate]]:
    """Sort readings by their labels; bands without films are left out."""
    sorted_in = {band: [r for r in readings if band.holds(r.true_months)] for band in BANDS}
    return {band: members for band, members in sorted_in.items() if members}


def measure_bands(readings: Sequence[CaseEstimate], least: int = 1) -> dict[Band, ErrorMetrics]:
    """Measure every band that has ``least`` films."""
    return {
        band: measure(*months_of(films))
        for band, films in in_bands(readings).items()
        if len(films) >= least
    }


def measure_bands_by_sex(
    readings: Sequence[CaseEstimate],
) -> dict[Sex, dict[Band, ErrorMetrics]]:
    """Measure every band of a sex that has ``LEAST_FILMS`` films."""
    return {sex: measure_bands([r for r in readings if r.sex is sex], LEAST_FILMS) for sex in Sex}
