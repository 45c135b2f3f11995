"""An assessment as text for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from boneage.domain.assessment import Assessment, Failure, RegionDetection, Severity
from boneage.i18n.words import percent
from boneage.reports.wording import (
    DISCLAIMER,
    SEVERITIES,
    Entry,
    age_range,
    age_text,
    calibration_text,
    chronological_age,
    clinical_entries,
    finding_sentence,
    interval_basis,
    interval_text,
    refusal_sentence,
    regional_estimates,
    short_clinical_text,
    weights_text,
)
from boneage.storage.printable import printable

LABEL_WIDTH = 26
LINE_WIDTH = 88


def full_text(assessment: Assessment) -> str:
    """Everything about one image, on several lines."""
    lines = [printable(assessment.film)]
    for label, text in _entries(assessment):
        first, *rest = textwrap.wrap(text, LINE_WIDTH - LABEL_WIDTH - 2) or [""]
        if len(label) >= LABEL_WIDTH:
            lines.append(f"  {label}")
        beside = label if len(label) < LABEL_WIDTH else ""
        lines.append(f"  {beside:<{LABEL_WIDTH}}{first}")
        lines += (" " * (LABEL_WIDTH + 2) + line for line in rest)
    return "\n".join(lines)


def one_line(assessment: Assessment | Failure) -> str:
    """One image of a batch: one line with bone age and regions, and its warnings below."""
    if isinstance(assessment, Failure):
        what = "refused" if assessment.refused else "failed"
        return f"{printable(assessment.film)}: {what}: {printable(assessment.message)}"
    found = [detection.region for detection in assessment.detections if detection.attention_found]
    age = age_text(assessment.age_months)
    parts = [f"{printable(assessment.film)}: {age}, {assessment.sex} standard"]
    if assessment.interval is not None:
        parts.append(interval_text(assessment.interval))
    if assessment.other_hand is not None:
        parts.append(f"right hand {age_text(assessment.other_hand.age_months)}")
    if assessment.calibrated is not None:
        parts.append(f"site calibration: {calibration_text(assessment.calibrated)}")
    if assessment.clinical is not None:
        parts += short_clinical_text(assessment.clinical)
    parts.append(f"regions found: {', '.join(found) or 'none'}")
    warnings = (f"  {printable(finding_sentence(finding))}" for finding in assessment.warnings)
    return "\n".join(["; ".join(parts), *warnings])


def _entries(assessment: Assessment) -> Iterator[Entry]:
    for refusal in assessment.refusals:
        yield SEVERITIES[Severity.REFUSAL], refusal_sentence(refusal)
    yield "Bone age", f"{age_text(assessment.age_months)}, {assessment.sex} standard"
    if (interval := assessment.interval) is not None:
        ages = age_range(interval.low_months, interval.high_months)
        text = f"{ages}. {interval_basis(interval)}"
        yield f"{percent(interval.level)} prediction interval", text
    if assessment.other_hand is not None:
        yield "Right hand", age_text(assessment.other_hand.age_months)
    if assessment.calibrated is not None:
        yield "Site calibration", calibration_text(assessment.calibrated)
    if (age := chronological_age(assessment)) is not None:
        yield "Chronological age", age
    if assessment.clinical is not None:
        yield from clinical_entries(assessment.clinical)
    yield "Estimates by network", regional_estimates(assessment)
    for number, detection in enumerate(assessment.detections):
        yield "" if number else "Regions", _region(detection)
    for finding in assessment.findings:
        if finding.severity is not Severity.REFUSAL:  # listed first
            yield SEVERITIES[finding.severity], finding.message
    yield "Model", weights_text(assessment.weights)
    yield "Notice", DISCLAIMER


def _region(detection: RegionDetection) -> str:
    box = detection.box
    place = f"rows {box.min_row}–{box.max_row}, columns {box.min_col}–{box.max_col}"
    expected = "" if detection.attention_found else " (expected position)"
    return f"{detection.region:<11} {place}{expected}"
