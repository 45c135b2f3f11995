"""The course of a child over its visits: growth, height velocity, predictions, contradictions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boneage.clinical.bone_age_references import BoneAgeReference, bone_age_reference
from boneage.clinical.growth import GrowthChart, GrowthPoint, growth_chart, growth_of
from boneage.clinical.height import adult_height
from boneage.clinical.stature import (
    HeightReference,
    height_findings,
    height_reference,
    height_velocity,
    target_height,
)
from boneage.domain.assessment import Interval
from boneage.domain.clinical_findings import (
    AdultHeight,
    Centre,
    GrowthFindings,
    HeightFindings,
    HeightVelocity,
    TargetHeight,
)
from boneage.domain.findings import Finding
from boneage.domain.radiograph import Sex
from boneage.domain.reported import reported, years_and_months
from boneage.domain.visits import ChildRecord, ClinicVisit

BACKWARDS_MONTHS = 12.0
"""A bone age without an interval that is lower than an earlier one by more contradicts it."""
SHRINKING_CM = 1.0
"""Two measurements of one height differ by less."""


@dataclass(frozen=True)
class VisitFindings:
    """A visit, and what it says of growth; None: what it needs is not known."""

    visit: ClinicVisit
    growth: GrowthFindings | None = None
    height: HeightFindings | None = None
    velocity: HeightVelocity | None = None
    """Since the latest earlier height at least half a year before, else since the last one."""
    adult_height: AdultHeight | None = None


@dataclass(frozen=True)
class Course:
    """A child over years."""

    child: ChildRecord
    visits: tuple[VisitFindings, ...]
    """By chronological age; those of unknown age come last."""
    target: TargetHeight | None
    """None: a parent's height is not known."""
    findings: tuple[Finding, ...]
    """Contradictions between visits."""
    height_reference: HeightReference
    bone_age_reference: BoneAgeReference
    centre: Centre
    """Of the SDS of bone age."""

    @property
    def sex(self) -> Sex:
        return self.child.sex

    @property
    def growth_chart(self) -> GrowthChart:
        """The bone ages at known ages; a reader's own has no interval."""
        points = []
        for found in self.visits:
            age, bone_age = (
                found.visit.chronological_age_months,
                found.visit.reported_bone_age_months,
            )
            if age is not None and bone_age is not None:
                interval = _interval(found.visit)
                ends = (interval.low_months, interval.high_months) if interval else (None, None)
                points.append(GrowthPoint(age, bone_age, *ends))
        return growth_chart(self.sex, points, self.centre, self.bone_age_reference)


def course_of(
    child: ChildRecord,
    *,
    centre: Centre = Centre.CHRONOLOGICAL_AGE,
    bone_ages: BoneAgeReference | None = None,
    heights: HeightReference | None = None,
) -> Course:
    """Put a child's visits in order, and compare each with the references and with the last.

    A reader's own bone age takes the place of the estimate.
    """
    bone_ages, heights = bone_ages or bone_age_reference(), heights or height_reference()
    visits = sorted(child.visits, key=_by_age)
    parents = child.father_cm, child.mother_cm
    target = None
    if parents[0] is not None and parents[1] is not None:
        target = target_height(parents[0], parents[1], child.sex)
    return Course(
        child=child,
        visits=tuple(
            _findings(visit, visits[:place], centre, bone_ages, heights)
            for place, visit in enumerate(visits)
        ),
        target=target,
        findings=tuple(contradictions(visits)),
        height_reference=heights,
        bone_age_reference=bone_ages,
        centre=centre,
    )


def _by_age(visit: ClinicVisit) -> tuple[bool, float]:
    age = visit.chronological_age_months
    return age is None, age or 0.0


def _findings(
    visit: ClinicVisit,
    earlier: Sequence[ClinicVisit],
    centre: Centre,
    bone_ages: BoneAgeReference,
    heights: HeightReference,
) -> VisitFindings:
    age, bone_age = visit.chronological_age_months, visit.reported_bone_age_months
    age = None if age is None else reported(age)
    bone_age = None if bone_age is None else reported(bone_age)
    growth = height = prediction = None
    if age is not None and bone_age is not None:
        growth = growth_of(
            bone_age,
            age,
            visit.sex,
            interval=_interval(visit),
            centre=centre,
            reference=bone_ages,
        )
    if visit.height_cm is not None:
        height = height_findings(visit.height_cm, age, bone_age, visit.sex, heights)
        if bone_age is not None:
            prediction = adult_height(visit.height_cm, bone_age, age, visit.sex)
    return VisitFindings(visit, growth, height, _velocity(visit, earlier), prediction)


def _interval(visit: ClinicVisit) -> Interval | None:
    low, high, level = visit.interval_low_months, visit.interval_high_months, visit.interval_level
    if visit.reader_months is not None or low is None or high is None or level is None:
        return None
    return Interval(low, high, level)


def _velocity(visit: ClinicVisit, earlier: Sequence[ClinicVisit]) -> HeightVelocity | None:
    now = _measured(visit)
    measured = [one for one in map(_measured, earlier) if one is not None]
    if now is None or not measured:
        return None
    velocities = [height_velocity(before, now) for before in reversed(measured)]
    return next((one for one in velocities if one.not_defined is None), velocities[0])


def _measured(visit: ClinicVisit) -> tuple[float, float] | None:
    if visit.chronological_age_months is None or visit.height_cm is None:
        return None
    return visit.chronological_age_months, visit.height_cm


def contradictions(visits: Sequence[ClinicVisit]) -> Iterator[Finding]:
    """What in the visits of one child, by rising age, cannot all be true."""
    known = [visit for visit in visits if visit.chronological_age_months is not None]
    read = [visit for visit in known if visit.reported_bone_age_months is not None]
    for before, after in pairwise(read):
        fall = (before.reported_bone_age_months or 0) - (after.reported_bone_age_months or 0)
        allowed = _allowed(before, after)
        if _at_one_age(before, after):
            if abs(fall) > allowed:
                message = (
                    f"Two bone ages at {_at(before)} differ by {reported(abs(fall)):g} months, "
                    "more than their errors explain."
                )
                yield Finding.warning("bone_ages_differ", message, abs(fall), allowed)
        elif fall > allowed:
            message = (
                f"The bone age falls by {reported(fall):g} months from {_at(before)} to "
                f"{_at(after)}, more than its error explains."
            )
            yield Finding.warning("bone_age_falls", message, fall, allowed)
    tall = [visit for visit in known if visit.height_cm is not None]
    for before, after in pairwise(tall):
        loss = (before.height_cm or 0) - (after.height_cm or 0)
        if _at_one_age(before, after):
            if abs(loss) > SHRINKING_CM:
                message = f"Two heights at {_at(before)} differ by {reported(abs(loss)):g} cm."
                yield Finding.warning("heights_differ", message, abs(loss), SHRINKING_CM)
        elif loss > SHRINKING_CM:
            message = (
                f"The height falls by {reported(loss):g} cm from {_at(before)} to {_at(after)}."
            )
            yield Finding.warning("height_falls", message, loss, SHRINKING_CM)
    if len({visit.sex for visit in visits}) > 1:
        yield Finding.warning("sex_changes", "The visits state both sexes.")
    seen: dict[str, ClinicVisit] = {}
    for visit in visits:
        first = seen.setdefault(visit.image_sha256, visit) if visit.image_sha256 else visit
        if first.chronological_age_months != visit.chronological_age_months:
            message = f"The same image is saved at {_at(first)} and at {_at(visit)}."
            yield Finding.warning("image_saved_twice", message)


def _at_one_age(before: ClinicVisit, after: ClinicVisit) -> bool:
    """Whether the order of two visits says nothing."""
    return before.chronological_age_months == after.chronological_age_months


def _allowed(before: ClinicVisit, after: ClinicVisit) -> float:
    """How far a bone age may fall by the errors of both: the root of their squares."""
    return math.hypot(*(_error(visit) for visit in (before, after)))


def _error(visit: ClinicVisit) -> float:
    interval = _interval(visit)
    if interval is None:
        return BACKWARDS_MONTHS / math.sqrt(2)
    return (interval.high_months - interval.low_months) / 2


def _at(visit: ClinicVisit) -> str:
    age = visit.chronological_age_months
    return "an unknown age" if age is None else years_and_months(age)
