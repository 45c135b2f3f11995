"""From a bone age to its clinical interpretation."""

from __future__ import annotations

from dataclasses import replace

from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.growth import growth_of
from boneage.clinical.height import adult_height
from boneage.clinical.standards import nearest_standards
from boneage.clinical.stature import height_findings, height_reference
from boneage.domain.ages import UNLIKELY_AGE, unlikely_age
from boneage.domain.assessment import Assessment
from boneage.domain.child import PLACEHOLDER, Child, clinical_context
from boneage.domain.clinical_findings import ClinicalContext, ClinicalFindings
from boneage.domain.findings import Finding, Severity
from boneage.domain.reader import ReaderReading
from boneage.domain.reported import reported

NO_NEWBORN = "The stated age of 0 months is implausible for this bone age and was not used."


def with_clinical_findings(assessment: Assessment, child: Child) -> Assessment:
    """Add the clinical interpretation for this child to an assessment.

    Parameters
    ----------
    assessment : Assessment
        Its image may state birth date, study date or age; ``child`` takes precedence.
    child : Child

    Returns
    -------
    Assessment
        With ``clinical`` and the chronological age that was used.

    Raises
    ------
    AgeError
        When what is given and what the image states give no age.
    """
    context = clinical_context(child, assessment.metadata)
    age = context.chronological_age_months
    unlikely = None if age is None else unlikely_age(age, assessment.age_months)
    if unlikely is not None and age == 0:
        context = replace(
            context, chronological_age_months=None, age_source=None, age_not_defined=PLACEHOLDER
        )
        unlikely = Finding(PLACEHOLDER.code, Severity.WARNING, NO_NEWBORN)
    others = tuple(finding for finding in assessment.findings if finding.code != UNLIKELY_AGE)
    return replace(
        assessment,
        findings=others if unlikely is None else (*others, unlikely),
        chronological_age_months=context.chronological_age_months,
        clinical=clinical_findings(assessment, context),
    )


def with_reading(assessment: Assessment, reading: ReaderReading) -> Assessment:
    """The assessment as a reader states it: the reader's bone age, which has no interval.

    The bone age of the program is kept in the reading. ValueError where the reader states none.
    """
    if reading.bone_age_months is None:
        raise ValueError("the reader states no bone age")
    if reading.bone_age_months == reported(assessment.age_months):
        return replace(assessment, reading=reading)
    stated = replace(
        assessment,
        age_months=reading.bone_age_months,
        interval=None,
        errors=None,
        reading=reading,
    )
    clinical = assessment.clinical
    if clinical is not None:
        stated = replace(stated, clinical=clinical_findings(stated, clinical.context))
    return stated


def clinical_findings(assessment: Assessment, context: ClinicalContext) -> ClinicalFindings:
    """Interpret a bone age in the context of the child: of the ages as they are reported."""
    age, sex = context.chronological_age_months, assessment.sex
    age = None if age is None else reported(age)
    bone_age = reported(assessment.age_months)
    growth = height = predicted = None
    if age is not None:
        growth = growth_of(
            bone_age,
            age,
            sex,
            interval=assessment.interval,
            errors=assessment.errors,
            centre=context.centre,
            reference=bone_age_reference(context.sds_reference),
        )
    if context.height_cm is not None:
        reference = height_reference(context.height_reference)
        height = height_findings(context.height_cm, age, bone_age, sex, reference)
        predicted = adult_height(context.height_cm, bone_age, age, sex, assessment.interval)
    return ClinicalFindings(context, nearest_standards(bone_age, sex), growth, height, predicted)
