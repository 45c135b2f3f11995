"""An answer in words, for a person at a terminal."""

from __future__ import annotations

import textwrap

from boneage.assessment import Assessment, Failure, Finding, Look, WeightsName, years_and_months

DISCLAIMER = "Not a medical device: supports, does not replace, a reader."
LABEL_WIDTH = 14
LINE_WIDTH = 88


def full_text(answer: Assessment) -> str:
    """Everything a reader of one film should see, some lines."""
    lines = [answer.film, *_entry("Bone age", bone_age(answer))]
    if answer.interval is not None:
        low, high = answer.interval.low_months, answer.interval.high_months
        lines += _entry(
            "Interval",
            f"{low:.0f} to {high:.0f} months ({answer.interval.level:.0%} of such films)",
        )
    if answer.chronological_age_months is not None:
        lines += _entry("Chronological", _both(answer.chronological_age_months))
    lines += _entry("By network", readings_text(answer))
    for number, look in enumerate(answer.looks):
        lines += _entry("" if number else "Regions", _region(look))
    for finding in answer.findings:
        lines += _entry(finding.severity.value.capitalize(), finding.message)
    lines += _entry("Weights", weights_text(answer.weights))
    lines += _entry("", DISCLAIMER)
    return "\n".join(lines)


def one_line(answer: Assessment | Failure) -> str:
    """One film of many: the answer, the regions found, and warnings below it."""
    if isinstance(answer, Failure):
        return f"{answer.film}: failed: {answer.message}"
    found = [look.region for look in answer.looks if look.attention_found]
    regions = f"found {', '.join(found)}" if found else "no region found"
    line = f"{answer.film}: {bone_age(answer)}; {regions}"
    return "\n".join([line, *(f"  {sentence(finding)}" for finding in answer.warnings)])


def bone_age(answer: Assessment) -> str:
    """Say the answer as clinicians say it, in months, and by whose standard."""
    return f"{_both(answer.age_months)}, {answer.sex} standard"


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
