"""The course of a child in words, in one language."""

from __future__ import annotations

from collections.abc import Iterator

from boneage.clinical.course import Course, VisitFindings
from boneage.i18n.words import Words
from boneage.reports import wording
from boneage.reports.wording import EN


def course_lines(course: Course, words: Words = EN) -> Iterator[str]:
    """A line a visit, then the target height and what contradicts itself."""
    for found in course.visits:
        yield ", ".join(_visit(found, words))
    if course.target is not None:
        low, high = course.target.low_cm, course.target.high_cm
        target = wording.length_text(course.target.cm, words)
        yield f"target height by the parents: {target}, {wording.length_range(low, high, words)}"
    for finding in course.findings:
        yield wording.finding_sentence(finding, words)


def _visit(found: VisitFindings, words: Words) -> Iterator[str]:
    visit, age = found.visit, found.visit.chronological_age_months
    at = "at an unknown age" if age is None else f"at {words.age(age)}"
    yield at if visit.number is None else f"{visit.number}: {at}"
    bone_age = visit.reported_bone_age_months
    if bone_age is not None:
        by = "" if visit.reader_months is None else " by a reader"
        yield f"bone age{by} {wording.age_text(bone_age, words)}"
    if found.growth is not None and found.growth.sds is not None:
        sds = wording.sds_number(found.growth.sds, words)
        classification = wording.CLASSIFICATIONS[found.growth.classification]
        yield f"SDS {sds} around the {found.growth.centre.value}, {classification}"
    if visit.height_cm is not None:
        yield f"height {words.number(visit.height_cm)} cm{_height_sds(found, words)}"
    if found.velocity is not None:
        speed = found.velocity.cm_a_year
        reason = found.velocity.not_defined
        yield (
            f"growth {words.number(speed)} cm a year"
            if speed is not None
            else f"growth not defined: {wording.reason_text(reason, words)}"
            if reason is not None
            else ""
        )
    if found.adult_height is not None and found.adult_height.predicted_cm is not None:
        yield f"adult height {words.number(found.adult_height.predicted_cm)} cm"
    if visit.pubertal_stage is not None:
        yield f"pubertal stage {visit.pubertal_stage}"
    if visit.treatment is not None:
        yield visit.treatment
    if visit.weights is not None:
        yield f"weights {visit.weights}"


def _height_sds(found: VisitFindings, words: Words) -> str:
    height = found.height
    parts = [
        f"{label}{wording.sds_number(compared.sds, words)}"
        for label, compared in (
            ("SDS ", height.for_age if height else None),
            ("for bone age ", height.for_bone_age if height else None),
        )
        if compared is not None and compared.sds is not None
    ]
    return f" ({', '.join(parts)}, {height.table})" if height and parts else ""
