"""A bone age compared with the chronological age: difference, SDS, normal range, growth chart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from boneage.clinical.bone_age_references import BRUSH_NAME, BoneAgeReference, bone_age_reference
from boneage.clinical.tables import CHILDREN
from boneage.domain.assessment import ErrorDistribution, Interval
from boneage.domain.clinical_findings import (
    Centre,
    Classification,
    ClassProbabilities,
    Confidence,
    GrowthFindings,
    NotDefined,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reported import SDS_DECIMALS, reported, years_and_months

NORMAL_SDS = 2.0
"""A normal bone age lies within this many SD of the centre."""


@dataclass(frozen=True)
class GrowthPoint:
    """One assessment of a child, in months."""

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
    points: tuple[GrowthPoint, ...]


def growth_of(
    bone_age_months: float,
    chronological_age_months: float,
    sex: Sex,
    *,
    interval: Interval | None = None,
    errors: ErrorDistribution | None = None,
    centre: Centre = Centre.CHRONOLOGICAL_AGE,
    reference: BoneAgeReference | None = None,
) -> GrowthFindings:
    """Compare a bone age with what is usual at the chronological age.

    Parameters
    ----------
    bone_age_months, chronological_age_months : float
        As reported, so that a reader can redo the arithmetic.
    sex : Sex
    interval : Interval, optional
        Of the bone age. Where it crosses a limit of the normal range, the confidence is low.
    errors : ErrorDistribution, optional
        Of the bone age; they give the probability of each classification.
    centre : Centre, optional
        What 0 SDS means, where the reference leaves a choice.
    reference : BoneAgeReference, optional
        Where the SD comes from; the Brush Foundation children by default.

    Returns
    -------
    GrowthFindings
        With the SD of the reference at this chronological age, between the rows of its
        table on a straight line; outside the table nothing but the difference is defined.
    """
    reference = reference or bone_age_reference("brush")
    centre = reference.centre(centre)
    growth = GrowthFindings(
        bone_age_months=bone_age_months,
        chronological_age_months=chronological_age_months,
        difference_months=reported(bone_age_months - chronological_age_months),
        table=reference.name,
        centre=centre,
        classification=Classification.UNKNOWN,
    )
    sd = reference.sd[sex].at(chronological_age_months)
    if sd is None:
        return replace(growth, not_defined=_outside(chronological_age_months, sex, reference))
    middle = reference.centre_months(chronological_age_months, sex, centre)
    limits = middle - NORMAL_SDS * sd, middle + NORMAL_SDS * sd

    def sds_of(months: float) -> float:
        return reported((months - middle) / sd, SDS_DECIMALS)

    growth = replace(
        growth,
        classification=classification(sds_of(bone_age_months)),
        centre_months=middle,
        sd_months=sd,
        sds=sds_of(bone_age_months),
        normal_low_months=limits[0],
        normal_high_months=limits[1],
        probabilities=_probabilities(bone_age_months, limits, errors) if errors else None,
    )
    if interval is None:
        return growth
    ends = [sds_of(reported(end)) for end in (interval.low_months, interval.high_months)]
    certain = classification(ends[0]) is classification(ends[1])
    return replace(
        growth,
        sds_low=ends[0],
        sds_high=ends[1],
        confidence=Confidence.HIGH if certain else Confidence.LOW,
    )


def classification(sds: float) -> Classification:
    """Classify a bone age by its SDS as reported, as clinicians do."""
    if sds < -NORMAL_SDS:
        return Classification.DELAYED
    return Classification.ADVANCED if sds > NORMAL_SDS else Classification.NORMAL


def growth_chart(
    sex: Sex,
    points: Iterable[GrowthPoint],
    centre: Centre = Centre.CHRONOLOGICAL_AGE,
    reference: BoneAgeReference | None = None,
) -> GrowthChart:
    """Lay a child's assessments over the ±2 SD band of the reference, Brush by default."""
    reference = reference or bone_age_reference("brush")
    centre = reference.centre(centre)
    sd = reference.sd[sex]
    middle = tuple(reference.centre_months(age, sex, centre) for age in sd.months)
    spread = [NORMAL_SDS * value for value in sd.values]
    return GrowthChart(
        sex=sex,
        centre=centre,
        table=reference.name,
        ages=sd.months,
        middle=middle,
        low=tuple(m - s for m, s in zip(middle, spread, strict=True)),
        high=tuple(m + s for m, s in zip(middle, spread, strict=True)),
        points=tuple(sorted(points, key=lambda point: point.chronological_age_months)),
    )


def _probabilities(
    bone_age_months: float, limits: tuple[float, float], errors: ErrorDistribution
) -> ClassProbabilities:
    delayed = errors.probability_beyond(bone_age_months - limits[0])  # the errors have no sign
    advanced = errors.probability_beyond(limits[1] - bone_age_months)
    return ClassProbabilities(delayed, 1 - delayed - advanced, advanced)


def _outside(age_months: float, sex: Sex, reference: BoneAgeReference) -> NotDefined:
    table = reference.sd[sex]
    ages = f"{table.first_months:g} months to {years_and_months(table.last_months)}"
    text = f"has no SD for {years_and_months(age_months)} ({CHILDREN[sex]}: {ages})"
    if reference.name == BRUSH_NAME:
        return NotDefined("outside_brush", f"the Brush table {text}")
    return NotDefined("outside_reference", f"the reference {reference.name} {text}")
