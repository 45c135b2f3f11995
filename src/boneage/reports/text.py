"""An assessment in words, for a person at a terminal."""

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

LABEL_WIDTH = 21
LINE_WIDTH = 88


def full_text(answer: Assessment) -> str:
    """Everything about one image, some lines."""
    lines = [printable(answer.film)]
    for label, text in _entries(answer):
        first, *rest = textwrap.wrap(text, LINE_WIDTH - LABEL_WIDTH - 2) or [""]
        lines.append(f"  {label:<{LABEL_WIDTH}}{first}")
        lines += (" " * (LABEL_WIDTH + 2) + line for line in rest)
    return "\n".join(lines)


def one_line(answer: Assessment | Failure) -> str:
    """One image of many: the bone age, the regions found, and warnings below it."""
    if isinstance(answer, Failure):
        what = "refused" if answer.refused else "failed"
        return f"{printable(answer.film)}: {what}: {printable(answer.message)}"
    found = [detection.region for detection in answer.detections if detection.attention_found]
    parts = [f"{printable(answer.film)}: {age_text(answer.age_months)}, {answer.sex} standard"]
    if answer.interval is not None:
        parts.append(interval_text(answer.interval))
    if answer.other_hand is not None:
        parts.append(f"right hand {age_text(answer.other_hand.age_months)}")
    if answer.calibrated is not None:
        parts.append(f"site calibration: {calibration_text(answer.calibrated)}")
    if answer.clinical is not None:
        parts += short_clinical_text(answer.clinical)
    parts.append(f"regions found: {', '.join(found) or 'none'}")
    warnings = (f"  {printable(finding_sentence(finding))}" for finding in answer.warnings)
    return "\n".join(["; ".join(parts), *warnings])


def _entries(answer: Assessment) -> Iterator[Entry]:
    for refusal in answer.refusals:
        yield SEVERITIES[Severity.REFUSAL], refusal_sentence(refusal)
    yield "Bone age", f"{age_text(answer.age_months)}, {answer.sex} standard"
    if (interval := answer.interval) is not None:
        ages = age_range(interval.low_months, interval.high_months)
        text = f"{percent(interval.level)}: {ages}. {interval_basis(interval)}"
        yield "Prediction interval", text
    if answer.other_hand is not None:
        yield "Right hand", age_text(answer.other_hand.age_months)
    if answer.calibrated is not None:
        yield "Site calibration", calibration_text(answer.calibrated)
    if (age := chronological_age(answer)) is not None:
        yield "Chronological age", age
    if answer.clinical is not None:
        yield from clinical_entries(answer.clinical)
    yield "Regional estimates", regional_estimates(answer)
    for number, detection in enumerate(answer.detections):
        yield "" if number else "Regions", _region(detection)
    for finding in answer.findings:
        if finding.severity is not Severity.REFUSAL:  # said first
            yield SEVERITIES[finding.severity], finding.message
    yield "Model", weights_text(answer.weights)
    yield "", DISCLAIMER


def _region(detection: RegionDetection) -> str:
    box = detection.box
    place = f"rows {box.min_row}–{box.max_row}, columns {box.min_col}–{box.max_col}"
    expected = "" if detection.attention_found else " (expected position)"
    return f"{detection.region:<11} {place}{expected}"
