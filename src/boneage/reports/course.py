"""The course of a child in words: a line a visit for the terminal, and a conclusion.

The rules of the conclusion are those of docs/clinical.md; none of them is a diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterator

from boneage.clinical.course import Course, VisitFindings
from boneage.clinical.growth import NORMAL_SDS
from boneage.i18n.words import Words
from boneage.reports import clinical_wording, wording
from boneage.reports.wording import EN


def course_lines(course: Course) -> Iterator[str]:
    """For the terminal, in English: a line a visit, the target height, contradictions."""
    for found in course.visits:
        yield ", ".join(_visit(found))
    if course.target is not None:
        low, high = course.target.low_cm, course.target.high_cm
        target = clinical_wording.length_text(course.target.cm)
        yield f"target height by the parents: {target}, {clinical_wording.length_range(low, high)}"
    for finding in course.findings:
        yield wording.finding_sentence(finding)


def _visit(found: VisitFindings) -> Iterator[str]:
    visit, age = found.visit, found.visit.chronological_age_months
    at = "at an unknown age" if age is None else f"at {EN.age(age)}"
    yield at if visit.number is None else f"{visit.number}: {at}"
    bone_age = visit.reported_bone_age_months
    if bone_age is not None:
        by = "" if visit.reader_months is None else " by a reader"
        yield f"bone age{by} {wording.age_text(bone_age)}"
    if found.growth is not None and found.growth.sds is not None:
        sds = clinical_wording.sds_number(found.growth.sds)
        classification = clinical_wording.CLASSIFICATIONS[found.growth.classification]
        yield f"SDS {sds} around the {found.growth.centre.value}, {classification}"
    if visit.height_cm is not None:
        yield f"height {EN.number(visit.height_cm)} cm{_height_sds(found)}"
    if found.velocity is not None:
        speed = found.velocity.cm_a_year
        reason = found.velocity.not_defined
        yield (
            f"growth {EN.number(speed)} cm a year"
            if speed is not None
            else f"growth not defined: {clinical_wording.reason_text(reason)}"
            if reason is not None
            else ""
        )
    if found.adult_height is not None and found.adult_height.predicted_cm is not None:
        yield f"adult height {EN.number(found.adult_height.predicted_cm)} cm"
    if visit.pubertal_stage is not None:
        yield f"pubertal stage {visit.pubertal_stage}"
    if visit.treatment is not None:
        yield visit.treatment
    if visit.weights is not None:
        yield f"weights {visit.weights}"


def _height_sds(found: VisitFindings) -> str:
    height = found.height
    parts = [
        f"{label}{clinical_wording.sds_number(compared.sds)}"
        for label, compared in (
            ("SDS ", height.for_age if height else None),
            ("for bone age ", height.for_bone_age if height else None),
        )
        if compared is not None and compared.sds is not None
    ]
    return f" ({', '.join(parts)}, {height.table})" if height and parts else ""


TEMPO = (0.7, 1.3)
"""Years of bone age a year: below and above, it falls behind or runs ahead."""
LEAST_YEARS = 0.5
"""Between two bone ages whose tempo is stated."""
CHANGED_SDS = 0.5
"""A height SDS that changes by less is steady."""


def conclusion(course: Course, words: Words = EN) -> str:
    """The course in one paragraph, by the rules of docs/clinical.md."""
    return " ".join(_sentences(course, words))


def _sentences(course: Course, words: Words) -> Iterator[str]:
    yield from _of_bone_age(course, words)
    yield from _of_height(course, words)
    yield from _of_adult_height(course, words)
    if course.findings:
        yield words.gettext("Please check: {sentences}").format(
            sentences=" ".join(wording.finding_text(one, words) for one in course.findings)
        )


def _of_bone_age(course: Course, words: Words) -> Iterator[str]:
    _ = words.gettext
    known = [found.growth for found in course.visits if found.growth is not None]
    if not known:
        yield _("No bone age is known at a known age.")
        return
    first, last = known[0], known[-1]
    sentence = _("At {age} the bone age is {bone_age}, {difference}: {classification}.")
    yield sentence.format(
        age=words.age(last.chronological_age_months),
        bone_age=words.age(last.bone_age_months),
        difference=clinical_wording.difference_text(last, words),
        classification=clinical_wording.classification_text(last, words)
        + ("" if last.sds is None else f", {clinical_wording.sds_number(last.sds, words)} SDS"),
    )
    years = (last.chronological_age_months - first.chronological_age_months) / 12
    if years < LEAST_YEARS:
        return
    grown = (last.bone_age_months - first.bone_age_months) / 12
    sentence = _("It kept pace with age: {grown} years in {years} years.")
    if grown / years > TEMPO[1]:
        sentence = _("It ran ahead of age: {grown} years in {years} years.")
    elif grown / years < TEMPO[0]:
        sentence = _("It fell behind age: {grown} years in {years} years.")
    yield sentence.format(grown=words.number(grown), years=words.number(years))


def _of_height(course: Course, words: Words) -> Iterator[str]:
    _ = words.gettext
    known = [
        (found, found.height.for_age.sds)
        for found in course.visits
        if found.height and found.height.for_age and found.height.for_age.sds is not None
    ]
    if not known:
        return
    (_first, before), (last, now) = known[0], known[-1]
    sentence = _("The height of {height} cm is {sds} SDS by {reference}, within ±2 SD.")
    if now < -NORMAL_SDS:
        sentence = _("The height of {height} cm is {sds} SDS by {reference}, below −2 SD.")
    elif now > NORMAL_SDS:
        sentence = _("The height of {height} cm is {sds} SDS by {reference}, above +2 SD.")
    yield sentence.format(
        height=words.number(last.visit.height_cm or 0.0),
        sds=clinical_wording.sds_number(now, words),
        reference=course.height_reference.name,
    )
    if len(known) > 1 and abs(now - before) >= CHANGED_SDS:
        sentence = _("Since the first visit it changed by {change} SDS.")
        yield sentence.format(change=clinical_wording.sds_number(now - before, words))
    if last.velocity is not None and last.velocity.cm_a_year is not None:
        sentence = _("The child grows {speed} cm a year.")
        yield sentence.format(speed=words.number(last.velocity.cm_a_year))


def _of_adult_height(course: Course, words: Words) -> Iterator[str]:
    _ = words.gettext
    predictions = [found.adult_height for found in course.visits if found.adult_height is not None]
    predicted = predictions[-1].predicted_cm if predictions else None
    target = course.target
    if predicted is None:
        return
    if target is None:
        sentence = _("The predicted adult height is {height} cm.")
        yield sentence.format(height=words.number(predicted))
        return
    sentence = _("The predicted adult height, {height} cm, is within the target, {range}.")
    if predicted < target.low_cm:
        sentence = _("The predicted adult height, {height} cm, is below the target, {range}.")
    elif predicted > target.high_cm:
        sentence = _("The predicted adult height, {height} cm, is above the target, {range}.")
    yield sentence.format(
        height=words.number(predicted),
        range=clinical_wording.length_range(target.low_cm, target.high_cm, words),
    )
