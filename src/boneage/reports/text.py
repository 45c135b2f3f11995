"""An answer in words, for a person at a terminal."""

from __future__ import annotations

import textwrap

from boneage.domain.assessment import (
    Assessment,
    Calibrated,
    Failure,
    Finding,
    Interval,
    Look,
    Severity,
    WeightsName,
    years_and_months,
)
from boneage.i18n.words import percent
from boneage.reports.clinical_text import clinical_lines, short_clinical_text
from boneage.storage.printable import printable

DISCLAIMER = "Not a medical device: supports, does not replace, a reader."
LABEL_WIDTH = 14
LINE_WIDTH = 88
TOLD_WIDENING = 1.2
"""An interval that is wider by less than this than a usual one says nothing of it."""


def full_text(answer: Assessment) -> str:
    """Everything a reader of one film should see, some lines."""
    lines = [printable(answer.film)]
    for refusal in answer.refusals:
        lines += _entry("Refused", f"{refusal.message} Read all the same, as was asked.")
    lines += _entry("Bone age", bone_age(answer))
    if answer.interval is not None:
        lines += _entry("Interval", f"{_ends(answer.interval)}; {basis(answer.interval)}")
    if answer.other_hand is not None:
        lines += _entry("Other hand", f"{_both(answer.other_hand.age_months)}, right")
    if answer.calibrated is not None:
        lines += _entry("Calibrated", calibrated_text(answer.calibrated))
    if answer.chronological_age_months is not None:
        lines += _entry("Chronological", chronological_text(answer))
    if answer.clinical is not None:
        for label, said in clinical_lines(answer.clinical):
            lines += _entry(label, said)
    lines += _entry("By network", readings_text(answer))
    for number, look in enumerate(answer.looks):
        lines += _entry("" if number else "Regions", _region(look))
    for finding in answer.findings:
        if finding.severity is Severity.REFUSAL:
            continue  # said first
        lines += _entry(finding.severity.value.capitalize(), finding.message)
    lines += _entry("Weights", weights_text(answer.weights))
    lines += _entry("", DISCLAIMER)
    return "\n".join(lines)


def one_line(answer: Assessment | Failure) -> str:
    """One film of many: the answer, the regions found, and warnings below it."""
    if isinstance(answer, Failure):
        what = "refused" if answer.refused else "failed"
        return f"{printable(answer.film)}: {what}: {printable(answer.message)}"
    found = [look.region for look in answer.looks if look.attention_found]
    regions = f"found {', '.join(found)}" if found else "no region found"
    said = [f"{printable(answer.film)}: {bone_age(answer)}"]
    if answer.interval is not None:
        said.append(interval_text(answer.interval))
    if answer.other_hand is not None:
        said.append(f"right hand {_both(answer.other_hand.age_months)}")
    if answer.calibrated is not None:
        said.append(f"calibrated: {calibrated_text(answer.calibrated)}")
    if answer.clinical is not None:
        said += short_clinical_text(answer.clinical)
    line = "; ".join([*said, regions])
    warnings = (f"  {printable(sentence(finding))}" for finding in answer.warnings)
    return "\n".join([line, *warnings])


def bone_age(answer: Assessment) -> str:
    """Say the answer as clinicians say it, in months, and by whose standard."""
    return f"{_both(answer.age_months)}, {answer.sex} standard"


def chronological_text(answer: Assessment) -> str:
    """Say the chronological age and how it is known; empty where it is not."""
    if answer.chronological_age_months is None:
        return ""
    source = answer.clinical.context.age_source if answer.clinical else None
    said = _both(answer.chronological_age_months)
    return f"{said}, {source}" if source else said


def interval_text(interval: Interval) -> str:
    """Say an interval with its level, as clinicians say ages and in months."""
    return f"{percent(interval.level)} interval {_ends(interval)}"


def basis(interval: Interval) -> str:
    """Say what an interval means, what it was calibrated on, and when it is widened."""
    said = [f"it holds the bone age of {percent(interval.level)} of such films"]
    if interval.films is not None:
        of = "of this sex" if interval.by_sex else "of both sexes"
        said.append(f"by {interval.films} calibration films {of}")
    if interval.widening >= TOLD_WIDENING:
        said.append(
            f"{interval.widening:.1f} times as wide as usual, for the networks disagree "
            "or the film is unlike the training films"
        )
    return ", ".join(said)


def calibrated_text(calibrated: Calibrated) -> str:
    """Say whose calibration an answer went through, and what it was before."""
    return (
        f"by {calibrated.name} ({calibrated.date}, {calibrated.films} films); "
        f"uncalibrated {_both(calibrated.uncalibrated_months)}"
    )


def readings_text(answer: Assessment) -> str:
    """List what each network says alone."""
    ages = (f"{name.replace('_', ' ')} {age:.1f}" for name, age in answer.readings.items())
    return f"{', '.join(ages)} months"


def weights_text(weights: WeightsName) -> str:
    """Which weights answered."""
    return f"{weights.name} (profile {weights.profile}, sha256 {weights.sha256[:12]})"


def sentence(finding: Finding) -> str:
    """Put its severity before a finding."""
    return f"{finding.severity.value.capitalize()}: {finding.message}"


def _ends(interval: Interval) -> str:
    low, high = interval.low_months, interval.high_months
    words = f"{years_and_months(low)} to {years_and_months(high)}"
    return f"{words} ({low:.0f} to {high:.0f} months)"


def _both(age_months: float) -> str:
    return f"{years_and_months(age_months)} ({age_months:.1f} months)"


def _region(look: Look) -> str:
    box = look.box
    place = f"rows {box.min_row}–{box.max_row}, columns {box.min_col}–{box.max_col}"
    return f"{look.region:<11} {place}{'' if look.attention_found else ' (usual place)'}"


def _entry(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(text, LINE_WIDTH - LABEL_WIDTH - 2) or [""]
    first, *rest = lines
    return [
        f"  {label:<{LABEL_WIDTH}}{first}",
        *(" " * (LABEL_WIDTH + 2) + line for line in rest),
    ]
