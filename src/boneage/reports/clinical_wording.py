"""The labels and sentences of the clinical interpretation, in one language."""

from __future__ import annotations

from collections.abc import Mapping

from boneage.clinical.growth import NORMAL_SDS
from boneage.domain.assessment import (
    Assessment,
)
from boneage.domain.child import CM_PER_INCH
from boneage.domain.clinical_findings import (
    AdultHeight,
    AgeSource,
    Category,
    Centre,
    Classification,
    ClassProbabilities,
    ClinicalFindings,
    Confidence,
    GrowthFindings,
    HeightComparison,
    HeightFindings,
    NearestStandards,
    NotDefined,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reported import SDS_DECIMALS, reported
from boneage.i18n.words import Words, noop
from boneage.reports.wording import EN, Entry, age_range, age_text, bone_age_text

YEAR = 12
CHILDREN: Mapping[Sex, str] = {Sex.FEMALE: noop("girls"), Sex.MALE: noop("boys")}
CENTRES: Mapping[Centre, str] = {
    Centre.CHRONOLOGICAL_AGE: noop("chronological age"),
    Centre.BRUSH_MEAN: noop("Brush mean"),
    Centre.OWN_MEAN: noop("mean of the reference"),
}
CLASSIFICATIONS: Mapping[Classification, str] = {
    Classification.DELAYED: noop("delayed"),
    Classification.NORMAL: noop("within normal limits"),
    Classification.ADVANCED: noop("advanced"),
    Classification.UNKNOWN: noop("not classified: no normal range is defined"),
}
CONFIDENCES: Mapping[Confidence, str] = {
    Confidence.HIGH: noop("high confidence"),
    Confidence.LOW: noop("low confidence"),
}
AGE_SOURCES: Mapping[AgeSource, str] = {
    AgeSource.GIVEN: noop("as entered"),
    AgeSource.GIVEN_DATES: noop("from the entered date of birth"),
    AgeSource.FILM_DATES: noop("from the birth and study dates in the DICOM file"),
    AgeSource.FILM_AGE: noop("patient age in the DICOM file"),
}
CATEGORIES: Mapping[Category, str] = {
    Category.AVERAGE: noop("table for average children"),
    Category.ACCELERATED: noop("table for accelerated children"),
    Category.DELAYED: noop("table for delayed children"),
}
REFERENCES = (
    noop("Brush Foundation children, Greulich and Pyle 1959"),
    noop("Greulich and Pyle 1959, Tables V and VI"),
    noop("Bayley and Pinneau 1952"),
)
"""As the clinical findings name them."""


def chronological_age(assessment: Assessment, words: Words = EN) -> str | None:
    """The chronological age and its source, or why it is not known; None: nothing is stated."""
    context = assessment.clinical.context if assessment.clinical else None
    if assessment.chronological_age_months is not None:
        age = age_text(assessment.chronological_age_months, words)
        source = context.age_source if context else None
        return f"{age}, {words.gettext(AGE_SOURCES[source])}" if source else age
    reason = context.age_not_defined if context else None
    if reason is None or reason.code == "no_age":
        return None
    unknown = words.gettext("not known")
    return f"{unknown}: {reason_text(reason, words)}"


def clinical_entries(findings: ClinicalFindings, words: Words = EN) -> list[Entry]:
    """The clinical interpretation, after the chronological age."""
    growth, height = findings.growth, findings.adult_height
    return [
        *(growth_entries(growth, words) if growth else ()),
        *(stature_entries(findings.height, words) if findings.height else ()),
        *(height_entries(height, words) if height else ()),
        *standards_entries(findings.standards, words),
    ]


def growth_entries(growth: GrowthFindings, words: Words = EN) -> list[Entry]:
    """Difference, SDS, normal range and classification, with the reference population."""
    _ = words.gettext
    entries = [(_("Difference"), difference_text(growth, words))]
    entries.append((_("SDS"), sds_text(growth, words)))
    if growth.not_defined is None:
        entries.append((_("Normal range"), normal_range(growth, words)))
    entries.append((_("Classification"), classification_text(growth, words)))
    if growth.probabilities is not None:
        entries.append((_("Probability"), probabilities_text(growth.probabilities, words)))
    if growth.not_defined is None:
        entries.append((_("SDS reference"), growth_reference(growth, words)))
    return entries


def difference_text(growth: GrowthFindings, words: Words = EN) -> str:
    """Bone age minus chronological age; in years, too, from one year on."""
    text = words.months(growth.difference_months, sign=True)
    if abs(growth.difference_months) < YEAR:
        return text
    sign = "+" if growth.difference_months > 0 else "−"
    return f"{text} ({sign}{words.age(abs(growth.difference_months))})"


def ahead_text(growth: GrowthFindings, words: Words = EN) -> str:
    """The difference as a clinician says it: "8.0 months ahead of chronological age 11 years"."""
    _, months = words.gettext, growth.difference_months
    sentence = _("equal to chronological age {age}")
    if months > 0:
        sentence = _("{months} ahead of chronological age {age}")
    elif months < 0:
        sentence = _("{months} behind chronological age {age}")
    age = words.age(growth.chronological_age_months)
    return sentence.format(months=words.months(abs(months)), age=age)


def conclusion_text(assessment: Assessment, words: Words = EN) -> str:
    """One sentence: bone age, difference, classification and SDS; empty at an unknown age."""
    growth = assessment.clinical.growth if assessment.clinical else None
    if growth is None:
        return ""
    classification = words.gettext(CLASSIFICATIONS[growth.classification])
    sds = "" if growth.sds is None else f", {sds_number(growth.sds, words)} SDS"
    return words.gettext("Bone age {bone_age}, {difference}: {classification}{sds}.").format(
        bone_age=bone_age_text(assessment, words),
        difference=ahead_text(growth, words),
        classification=classification,
        sds=sds,
    )


def sds_number(sds: float, words: Words = EN) -> str:
    """Write an SDS with its sign."""
    return words.number(sds, SDS_DECIMALS, sign=True)


def sds_text(growth: GrowthFindings, words: Words = EN) -> str:
    """The SDS, with those of the interval's ends."""
    if growth.sds is None:
        return _undefined(growth.not_defined, words)
    text = sds_number(growth.sds, words)
    if growth.sds_low is None or growth.sds_high is None:
        return text
    low, high = (sds_number(end, words) for end in (growth.sds_low, growth.sds_high))
    over = words.gettext("{range} over the prediction interval")
    return f"{text} ({over.format(range=words.to(low, high))})"


def classification_text(growth: GrowthFindings, words: Words = EN) -> str:
    """The classification with its confidence, and the limit that the interval crosses."""
    text = words.gettext(CLASSIFICATIONS[growth.classification])
    if growth.confidence is None:
        return text
    confidence = words.gettext(CONFIDENCES[growth.confidence])
    if growth.confidence is Confidence.LOW:
        ends = (growth.sds_low or 0.0, growth.sds_high or 0.0)
        limits = (-NORMAL_SDS, NORMAL_SDS)
        crossed = [words.number(at, 0, sign=True) for at in limits if ends[0] < at < ends[1]]
        reason = words.gettext("the prediction interval crosses {limits} SD")
        confidence += ": " + reason.format(limits=words.gettext(" and ").join(crossed))
    return f"{text} ({confidence})"


def probabilities_text(probabilities: ClassProbabilities, words: Words = EN) -> str:
    """How probable each classification is by a single expert reading."""
    texts = []
    for one in (Classification.DELAYED, Classification.NORMAL, Classification.ADVANCED):
        share = reported(getattr(probabilities, one.value), 2)
        percent = words.percent(share) if share else f"< {words.percent(0.01)}"
        texts.append(f"{words.gettext(CLASSIFICATIONS[one])} {percent}")
    return ", ".join(texts)


def normal_range(growth: GrowthFindings, words: Words = EN) -> str:
    """The limits of the normal range, two SD from its centre."""
    low, high = growth.normal_low_months, growth.normal_high_months
    if low is None or high is None:
        return words.gettext("not defined")
    return f"{age_range(low, high, words)}, ±{NORMAL_SDS:g} SD"


def growth_reference(growth: GrowthFindings, words: Words = EN) -> str:
    """The reference population, what the SDS is centred on, and one SD."""
    _ = words.gettext
    centre = _("centred on the chronological age")
    if growth.centre is not Centre.CHRONOLOGICAL_AGE:
        mean = growth.centre_months or 0.0
        centre = _("centred on its mean ({months})").format(months=words.months(mean))
    return f"{_(growth.table)}; {centre}; 1 SD = {words.months(growth.sd_months or 0.0, 2)}"


def stature_entries(height: HeightFindings, words: Words = EN) -> list[Entry]:
    """A height beside its reference, at the chronological age and at the bone age."""
    _ = words.gettext
    compared = (
        (_("Height for age"), height.for_age),
        (_("Height for bone age"), height.for_bone_age),
    )
    return [
        (label, height_comparison(found, _(height.table), words))
        for label, found in compared
        if found is not None
    ]


def height_comparison(found: HeightComparison, table: str, words: Words = EN) -> str:
    """The SDS and the percentile of a height."""
    if found.sds is None or found.percentile is None:
        return _undefined(found.not_defined, words)
    percentile = words.gettext("percentile {number}").format(number=words.number(found.percentile))
    return f"{sds_number(found.sds, words)} SDS, {percentile} ({table})"


def height_entries(height: AdultHeight, words: Words = EN) -> list[Entry]:
    """The predicted adult height, its error, and its basis."""
    _ = words.gettext
    present = length_text(height.present_height_cm, words)
    if height.percent is not None:
        percent = words.percent(reported(height.percent / 100, 3))
        present += ", " + _("{percent} of adult height").format(percent=percent)
    entries = [(_("Current height"), present)]
    predicted = height.predicted_cm and length_text(height.predicted_cm, words)
    error = length_range(height.low_cm, height.high_cm, words)
    over = length_range(height.interval_low_cm, height.interval_high_cm, words)
    for label, text, reason in (
        (_("Predicted adult height"), predicted, height.not_defined),
        (_("Prediction ±2 SD"), error, height.error_not_defined),
        (_("Range over the prediction interval"), over, height.interval_not_defined),
    ):
        if text or reason:
            entries.append((label, text or _undefined(reason, words)))
    if height.category is not None and height.percent is not None:
        reference = f"{_(height.table)}, {_(CATEGORIES[height.category])}"
        entries.append((_("Height reference"), reference))
    return entries


def standards_entries(standards: NearestStandards, words: Words = EN) -> list[Entry]:
    """The nearest standards of the atlas, and the assessment criteria there."""
    _ = words.gettext
    lower = words.age(standards.lower_months)
    if standards.upper_months is None:
        nearest = _("beyond the last, {lower}").format(lower=lower)
    elif standards.upper_months == standards.lower_months:
        nearest = lower
    else:
        upper = words.age(standards.upper_months)
        nearest = _("between {lower} and {upper}").format(lower=lower, upper=upper)
    criteria = words.by_code("phase", standards.phase, standards.criteria)
    return [(_("Nearest standards"), nearest), (_("Assessment criteria"), criteria)]


def reasons(findings: ClinicalFindings) -> list[NotDefined]:
    """Why something is not defined, each reason once."""
    growth, height = findings.growth, findings.adult_height
    found = [findings.context.age_not_defined, growth.not_defined if growth else None]
    if findings.height:
        compared = (findings.height.for_age, findings.height.for_bone_age)
        found += [one.not_defined for one in compared if one]
    if height:
        found += [height.not_defined, height.error_not_defined, height.interval_not_defined]
    return list({reason.message: reason for reason in found if reason}.values())


def reason_text(reason: NotDefined, words: Words = EN) -> str:
    """Why something is not defined."""
    return words.by_code("not defined", reason.code, reason.message)


def length_text(cm: float, words: Words = EN) -> str:
    """Write a length in centimetres and inches."""
    return f"{words.number(cm)} cm ({words.number(cm / CM_PER_INCH)} in)"


def length_range(low_cm: float | None, high_cm: float | None, words: Words = EN) -> str | None:
    """Write a range of lengths in centimetres and inches; None: it is not known."""
    if low_cm is None or high_cm is None:
        return None
    inches = (words.number(cm / CM_PER_INCH) for cm in (low_cm, high_cm))
    cm = words.to(words.number(low_cm), words.number(high_cm))
    return f"{cm} cm ({words.to(*inches)} in)"


def _undefined(reason: NotDefined | None, words: Words) -> str:
    undefined = words.gettext("not defined")
    return f"{undefined}: {reason_text(reason, words)}" if reason else undefined
