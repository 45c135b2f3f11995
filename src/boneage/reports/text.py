"""An assessment as text for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from boneage.domain.assessment import Assessment, Failure, RegionDetection, Severity
from boneage.domain.clinical_findings import ClinicalFindings, Confidence
from boneage.i18n.words import percent
from boneage.reports import clinical_wording, wording
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
    age = wording.full_bone_age_text(assessment)
    parts = [f"{printable(assessment.film)}: {age}, {assessment.sex} standard"]
    if assessment.interval is not None:
        parts.append(wording.interval_text(assessment.interval))
    if assessment.other_hand is not None:
        parts.append(f"right hand {wording.age_text(assessment.other_hand.age_months)}")
    if assessment.calibrated is not None:
        parts.append(f"site calibration: {wording.calibration_text(assessment.calibrated)}")
    if assessment.clinical is not None:
        parts += _short_clinical_text(assessment.clinical)
    parts.append(f"regions found: {', '.join(found) or 'none'}")
    warnings = (
        f"  {printable(wording.finding_sentence(finding))}" for finding in assessment.warnings
    )
    return "\n".join(["; ".join(parts), *warnings])


def _entries(assessment: Assessment) -> Iterator[wording.Entry]:
    for refusal in assessment.refusals:
        yield wording.SEVERITIES[Severity.REFUSAL], wording.refusal_sentence(refusal)
    yield "Bone age", f"{wording.full_bone_age_text(assessment)}, {assessment.sex} standard"
    if (interval := assessment.interval) is not None:
        ages = wording.age_range(interval.low_months, interval.high_months)
        text = f"{ages}. {wording.interval_basis(interval)}"
        yield f"{percent(interval.level)} prediction interval", text
    if assessment.other_hand is not None:
        yield "Right hand", wording.age_text(assessment.other_hand.age_months)
    if assessment.calibrated is not None:
        yield "Site calibration", wording.calibration_text(assessment.calibrated)
    if (age := clinical_wording.chronological_age(assessment)) is not None:
        yield "Chronological age", age
    if assessment.clinical is not None:
        yield from clinical_wording.clinical_entries(assessment.clinical)
    yield "Estimates by network", wording.regional_estimates(assessment)
    for number, detection in enumerate(assessment.detections):
        yield "" if number else "Regions", _region(detection)
    for finding in assessment.findings:
        if finding.severity is not Severity.REFUSAL:  # listed first
            yield wording.SEVERITIES[finding.severity], finding.message
    yield "Model", wording.weights_text(assessment.weights)
    yield "Notice", wording.DISCLAIMER


def _region(detection: RegionDetection) -> str:
    box = detection.box
    place = f"rows {box.min_row}–{box.max_row}, columns {box.min_col}–{box.max_col}"
    expected = "" if detection.attention_found else " (expected position)"
    return f"{detection.region:<11} {place}{expected}"


def _short_clinical_text(findings: ClinicalFindings) -> list[str]:
    """Growth and adult height of one image of many, in a few English words each."""
    texts = []
    if growth := findings.growth:
        sds = "not defined" if growth.sds is None else clinical_wording.sds_number(growth.sds)
        classification = clinical_wording.CLASSIFICATIONS[growth.classification].partition(":")[0]
        texts.append(
            f"difference {clinical_wording.difference_text(growth)}, SDS {sds}, {classification}"
        )
        if growth.confidence is Confidence.LOW:
            texts[-1] += f" ({clinical_wording.CONFIDENCES[growth.confidence]})"
    if height := findings.adult_height:
        predicted = height.predicted_cm
        known = "not defined" if predicted is None else clinical_wording.length_text(predicted)
        texts.append(f"adult height {known}")
    return texts
