"""The same film by the standard of each sex: girls mature earlier, so theirs reads younger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.bands import in_bands
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.metrics import Estimate, Vector, estimate


@dataclass(frozen=True)
class Standards:
    """How far apart the two standards read the same films."""

    count: int
    difference_months: Estimate
    """Mean of male minus female standard: above 0, the female one reads younger."""
    female_younger: Estimate
    """Share of films that the female standard reads younger, 0 to 1."""


def measure_standards(readings: Sequence[Reading]) -> Standards | None:
    """Compare both standards on the films that were read by both; None where there are none."""
    apart = np.array(
        [
            reading.by_standard[Sex.MALE] - reading.by_standard[Sex.FEMALE]
            for reading in readings
            if len(reading.by_standard) == len(Sex)
        ]
    )
    return Standards(len(apart), *estimate(_figures, apart)) if len(apart) else None


def measure_standards_by_band(readings: Sequence[Reading]) -> dict[str, Standards]:
    """The same by the name of the two-year band of the label, whichever sex it is of."""
    found = {band.name: measure_standards(films) for band, films in in_bands(readings).items()}
    return {name: standards for name, standards in found.items() if standards}


def _figures(apart: Vector) -> Vector:
    """Mean difference and share above 0 of samples of shape (films, draws)."""
    return np.stack([apart.mean(axis=0), (apart > 0).mean(axis=0)])
