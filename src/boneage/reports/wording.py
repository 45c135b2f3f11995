"""The labels and sentences about an assessment, in one language.

Every output for people takes its texts from here: terminal, picture, PDF report, dashboard,
and the comments of DICOM and FHIR, which are English.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from boneage.domain.assessment import (
    Assessment,
    Calibrated,
    Finding,
    Interval,
    RegionDetection,
    Severity,
    WeightsName,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reader import Decision, ReaderReading
from boneage.i18n.words import ENGLISH, Words, noop, words_of

Entry: TypeAlias = tuple[str, str]
"""A label and its text."""

EN = words_of(ENGLISH)
DISCLAIMER = noop(
    "For research and education only. Not a medical device. Supports, but does not replace, a "
    "qualified reader."
)
NOTABLE_WIDENING = 1.2
"""From this factor on, an interval is reported as wider than usual."""

SEVERITIES: Mapping[Severity, str] = {
    Severity.NOTE: noop("Note"),
    Severity.WARNING: noop("Warning"),
    Severity.REFUSAL: noop("Quality check failed"),
}
STANDARDS: Mapping[Sex, str] = {
    Sex.FEMALE: noop("Greulich and Pyle, female standard"),
    Sex.MALE: noop("Greulich and Pyle, male standard"),
}
SEXES: Mapping[Sex, str] = {Sex.FEMALE: noop("female"), Sex.MALE: noop("male")}
REGIONS: Mapping[str, str] = {
    "whole_hand": noop("whole hand"),
    "carpal": noop("carpal"),
    "metacarpal": noop("metacarpal"),
    "phalanx": noop("phalanx"),
}


@dataclass(frozen=True)
class EntryGroup:
    """A heading and the entries below it."""

    title: str
    entries: tuple[Entry, ...]


def bone_age_text(assessment: Assessment, words: Words = EN) -> str:
    """The bone age in years and months; of a mature hand: at least that."""
    return _of_maturity(assessment, words.age(assessment.age_months), words)


def full_bone_age_text(assessment: Assessment, words: Words = EN) -> str:
    """The bone age both ways; of a mature hand: at least that."""
    return _of_maturity(assessment, age_text(assessment.age_months, words), words)


def _of_maturity(assessment: Assessment, age: str, words: Words) -> str:
    if not assessment.is_mature:
        return age
    return words.gettext("at least {age}, skeletally mature or nearly so").format(age=age)


def age_text(age_months: float, words: Words = EN) -> str:
    """Write an age both ways: 10 years 2 months (122.4 months)."""
    return f"{words.age(age_months)} ({words.months(age_months)})"


def age_range(low: float, high: float, words: Words = EN) -> str:
    """Write a range of ages both ways."""
    months = words.to(words.number(low), words.months(high))
    return f"{words.to(words.age(low), words.age(high))} ({months})"


def sex_text(sex: Sex, words: Words = EN) -> str:
    """Write a sex."""
    return words.gettext(SEXES[sex])


def standard_text(sex: Sex, words: Words = EN) -> str:
    """Name the standard that an image was assessed by."""
    return words.gettext(STANDARDS[sex])


def interval_text(interval: Interval, words: Words = EN) -> str:
    """Write an interval with its level."""
    return words.gettext("{number} % prediction interval: {ages}").format(
        number=words.percent(interval.level).removesuffix(" %"),
        ages=age_range(interval.low_months, interval.high_months, words),
    )


def interval_basis(interval: Interval, words: Words = EN) -> str:
    """The calibration sample of an interval, and why it is wider than usual; may be empty."""
    _ = words.gettext
    sentences = []
    if interval.films is not None:
        basis = (
            _("Based on {count} calibration radiographs of this sex.")
            if interval.by_sex
            else _("Based on {count} calibration radiographs of both sexes.")
        )
        sentences.append(basis.format(count=interval.films))
    if interval.widening >= NOTABLE_WIDENING:
        wider = _(
            "Wider than usual (× {times}): the network estimates disagree or the image is atypical."
        )
        sentences.append(wider.format(times=words.number(interval.widening)))
    return " ".join(sentences)


def calibration_text(calibrated: Calibrated, words: Words = EN) -> str:
    """Name the site calibration, and the bone age without it."""
    return words.gettext("{name} ({date}, {count} radiographs); uncalibrated {age}").format(
        name=calibrated.name,
        date=words.date(calibrated.date),
        count=calibrated.films,
        age=age_text(calibrated.uncalibrated_months, words),
    )


def site_calibration(calibrated: Calibrated, words: Words = EN) -> str:
    """The site calibration with its label."""
    label = words.gettext("Site calibration")
    return f"{label}: {calibration_text(calibrated, words)}"


def age_details(assessment: Assessment, words: Words = EN) -> list[str]:
    """The lines below a bone age: months and standard, interval and its basis, calibration."""
    lines = [f"{words.months(assessment.age_months)} · {standard_text(assessment.sex, words)}"]
    if assessment.interval is not None:
        lines.append(interval_text(assessment.interval, words))
        lines.append(interval_basis(assessment.interval, words))
    if assessment.calibrated is not None:
        lines.append(site_calibration(assessment.calibrated, words))
    return [line for line in lines if line]


def weights_text(weights: WeightsName) -> str:
    """Name the model."""
    return f"{weights.name} (profile {weights.profile}, sha256 {weights.sha256[:12]})"


def region_name(region: str, words: Words = EN) -> str:
    """Name a region, or the whole hand."""
    return words.gettext(REGIONS[region]) if region in REGIONS else region


def region_label(detection: RegionDetection, words: Words = EN) -> str:
    """Name a region, marked where attention did not detect it."""
    name = region_name(detection.region, words)
    if detection.attention_found:
        return name
    return words.gettext("{region} (expected position)").format(region=name)


def regional_estimates(assessment: Assessment, words: Words = EN) -> str:
    """List the estimate of each network."""
    ages = (
        f"{region_name(n, words)} {words.number(a)}" for n, a in assessment.age_by_network.items()
    )
    return words.gettext("{number} months").format(number=", ".join(ages))


def reading_text(reading: ReaderReading, words: Words = EN) -> str:
    """What a reader has decided, in a sentence."""
    _ = words.gettext
    if reading.bone_age_months is None:
        return _("Rejected by the reader: no bone age is stated from this image.")
    sentence = _("Accepted by the reader: {age}.")
    if reading.decision is Decision.EDITED:
        sentence = _("Stated by the reader: {age}; by the program: {program}.")
    return sentence.format(
        age=words.age(reading.bone_age_months), program=words.age(reading.program_months)
    )


def finding_text(finding: Finding, words: Words = EN) -> str:
    """The message of a finding."""
    return words.by_code("finding", finding.code, finding.message)


def finding_sentence(finding: Finding, words: Words = EN) -> str:
    """The message of a finding, after its severity."""
    return f"{words.gettext(SEVERITIES[finding.severity])}: {finding_text(finding, words)}"


def refusal_sentence(finding: Finding, words: Words = EN) -> str:
    """Why an image that was analysed nevertheless failed the quality check."""
    forced = words.gettext("Analysed at the user's request despite a failed quality check.")
    return f"{finding_text(finding, words)} {forced}"


def comments(assessment: Assessment) -> list[str]:
    """The comments on the coded values of DICOM and FHIR, in English."""
    texts = [DISCLAIMER, *(finding_sentence(finding) for finding in assessment.findings)]
    if assessment.calibrated is not None:
        texts.append(site_calibration(assessment.calibrated))
    if assessment.reading is not None:
        texts.append(reading_text(assessment.reading))
    clinical = assessment.clinical
    parts = (clinical.growth, clinical.adult_height) if clinical else ()
    undefined = [part.not_defined for part in parts if part is not None]
    return [*texts, *(reason.message for reason in undefined if reason is not None)]
