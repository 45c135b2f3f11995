"""From an answer to what follows for the child."""

from __future__ import annotations

from dataclasses import replace

from boneage.ages import unlikely_age
from boneage.assessment import Assessment
from boneage.clinical.child import Child, settle
from boneage.clinical.findings import ClinicalContext, ClinicalFindings
from boneage.clinical.growth import growth_of
from boneage.clinical.height import adult_height
from boneage.clinical.standards import nearest_standards


def with_clinical_findings(answer: Assessment, child: Child) -> Assessment:
    """Add to an answer what follows from it for this child.

    Parameters
    ----------
    answer : Assessment
        Its film may state birth date, study date or age; what ``child`` says is stronger.
    child : Child

    Returns
    -------
    Assessment
        With ``clinical``, and with the chronological age that was settled on.

    Raises
    ------
    AgeError
        When what is given and what the film states make no age.
    """
    context = settle(child, answer.facts)
    age = context.chronological_age_months
    unlikely = None if age is None else unlikely_age(age, answer.age_months)
    others = tuple(finding for finding in answer.findings if finding.code != "unlikely_age")
    return replace(
        answer,
        findings=others if unlikely is None else (*others, unlikely),
        chronological_age_months=age,
        clinical=clinical_findings(answer, context),
    )


def clinical_findings(answer: Assessment, context: ClinicalContext) -> ClinicalFindings:
    """Say what follows from a bone age for a child of whom this is known."""
    age, bone_age, sex = context.chronological_age_months, answer.age_months, answer.sex
    growth = height = None
    if age is not None:
        growth = growth_of(bone_age, age, sex, interval=answer.interval, centre=context.centre)
    if context.height_cm is not None:
        height = adult_height(context.height_cm, bone_age, age, sex, answer.interval)
    return ClinicalFindings(context, nearest_standards(bone_age, sex), growth, height)
