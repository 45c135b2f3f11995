"""The points and the band of a growth chart: bone age against chronological age."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from boneage.clinical.growth import BRUSH_NAME, NORMAL_SDS, centre_months
from boneage.clinical.tables import brush_sd
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex


@dataclass(frozen=True)
class Point:
    """One reading of a child, in months."""

    chronological_age_months: float
    bone_age_months: float
    interval_low_months: float | None = None
    interval_high_months: float | None = None


@dataclass(frozen=True)
class GrowthChart:
    """What a growth chart shows, all in months, by rising chronological age."""

    sex: Sex
    centre: Centre
    table: str
    ages: tuple[float, ...]
    """The rows of the table: between them the band's edges are straight."""
    middle: tuple[float, ...]
    low: tuple[float, ...]
    """Two SD below the middle."""
    high: tuple[float, ...]
    points: tuple[Point, ...]


def growth_chart(
    sex: Sex, points: Iterable[Point], centre: Centre = Centre.CHRONOLOGICAL_AGE
) -> GrowthChart:
    """Lay a child's readings over the ±2 SD band of the Brush Foundation children."""
    sd = brush_sd(sex)
    middle = tuple(centre_months(age, sex, centre) for age in sd.months)
    spread = [NORMAL_SDS * value for value in sd.values]
    return GrowthChart(
        sex=sex,
        centre=centre,
        table=BRUSH_NAME,
        ages=sd.months,
        middle=middle,
        low=tuple(m - s for m, s in zip(middle, spread, strict=True)),
        high=tuple(m + s for m, s in zip(middle, spread, strict=True)),
        points=tuple(sorted(points, key=lambda point: point.chronological_age_months)),
    )
