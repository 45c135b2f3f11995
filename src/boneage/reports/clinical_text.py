"""What follows from a bone age for a child, in words: labels and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator

from boneage.clinical.growth import NORMAL_SDS
from boneage.domain.assessment import years_and_months
from boneage.domain.child import CM_PER_INCH
from boneage.domain.clinical_findings import (
    AdultHeight,
    ClinicalFindings,
    Determination,
    Growth,
    NearestStandards,
)

Lines = list[tuple[str, str]]
"""A label and a text each; a line without label goes on from the one above."""

MEANS = {
    Determination.DELAYED: "delayed: below the normal range",
    Determination.NORMAL: "normal: within the normal range",
    Determination.ADVANCED: "advanced: above the normal range",
    Determination.INDETERMINATE: "indeterminate: the interval holds a limit of the normal range",
    Determination.UNKNOWN: "unknown: no normal range is defined",
}


def clinical_lines(findings: ClinicalFindings) -> Lines:
    """Say everything: growth, adult height and nearest standards."""
    return [
        *_missing_age(findings),
        *(growth_lines(findings.growth) if findings.growth else ()),
        *(height_lines(findings.adult_height) if findings.adult_height else ()),
        *standards_lines(findings.standards),
    ]


def growth_lines(growth: Growth) -> Lines:
    """Say difference, SDS, normal range and determination, and by which table."""
    lines = [("Difference", difference_text(growth))]
    if growth.not_defined is not None:
        lines.append(("SDS", f"not defined: {growth.not_defined.message}"))
    else:
        lines.append(("SDS", f"{sds_text(growth)}, {basis_text(growth)}"))
        lines.append(("Normal range", normal_range_text(growth)))
    return [*lines, ("Determination", MEANS[growth.determination])]


def difference_text(growth: Growth) -> str:
    """Say how far the bone age is ahead of the chronological age, or behind."""
    months = round(growth.bone_age_months) - round(growth.chronological_age_months)
    if not months:
        return "none: the bone age is the chronological age, to the month"
    size = years_and_months(abs(months)) if abs(months) >= 12 else _months(abs(months))
    return f"the bone age is {size} {'ahead' if months > 0 else 'behind'}"


def sds_text(growth: Growth) -> str:
    """Say the SDS, with that of the interval's ends."""
    if growth.sds is None:
        return "not defined"
    said = _signed(growth.sds)
    if growth.sds_low is not None and growth.sds_high is not None:
        said += f" ({_signed(growth.sds_low)} to {_signed(growth.sds_high)} over the interval)"
    return said


def basis_text(growth: Growth) -> str:
    """Say what the SDS is centred on, one SD, and the table."""
    middle = growth.centre.value
    if growth.centre_months is not None and growth.centre_months != growth.chronological_age_months:
        middle = f"{middle} ({growth.centre_months:.1f} months)"
    return f"centred on {middle}; one SD is {growth.sd_months:.1f} months ({growth.table})"


def normal_range_text(growth: Growth) -> str:
    """Say the limits, which lie two SD from the centre."""
    low, high = growth.normal_low_months, growth.normal_high_months
    if low is None or high is None:
        return "not defined"
    ends = f"{years_and_months(low)} to {years_and_months(high)}"
    return f"{ends} ({low:.0f} to {high:.0f} months), ±{NORMAL_SDS:g} SD"


def height_lines(height: AdultHeight) -> Lines:
    """Say the predicted adult height, its error, and what it rests on."""
    if height.predicted_cm is None:
        reason = height.not_defined.message if height.not_defined else "no reason is known"
        return [("Adult height", f"not defined: {reason}")]
    return [
        ("Adult height", f"{length_text(height.predicted_cm)}; {error_text(height)}"),
        *(("", said) for said in _over_the_interval(height)),
        ("", f"by {height_basis_text(height)}"),
    ]


def height_basis_text(height: AdultHeight) -> str:
    """Say the table, the category and the share of the adult height that is reached."""
    return (
        f"{height.table}, {height.category} table: {length_text(height.present_height_cm)} is "
        f"{height.percent:.1f} % of it"
    )


def error_text(height: AdultHeight) -> str:
    """Say the prediction error of the paper, or why there is none."""
    if height.low_cm is None or height.high_cm is None:
        reason = height.error_not_defined.message if height.error_not_defined else ""
        return f"prediction error not defined: {reason}"
    return f"{range_text(height.low_cm, height.high_cm)}: ±2 SD of the paper's prediction error"


def _over_the_interval(height: AdultHeight) -> Iterator[str]:
    if height.interval_low_cm is not None and height.interval_high_cm is not None:
        ends = range_text(height.interval_low_cm, height.interval_high_cm)
        yield f"{ends} over the interval of the bone age alone"
    elif height.interval_not_defined is not None:
        yield f"over the interval not defined: {height.interval_not_defined.message}"


def standards_lines(standards: NearestStandards) -> Lines:
    """Say between which standards, and what a reader looks at there."""
    return [("Standards", standards.text), ("Look at", standards.looks_at)]


def short_clinical_text(findings: ClinicalFindings) -> list[str]:
    """Say the growth and the height of one film of many, a few words each."""
    said = []
    if growth := findings.growth:
        said.append(f"{difference_text(growth)}, SDS {_brief_sds(growth)}, {growth.determination}")
    if height := findings.adult_height:
        predicted = height.predicted_cm
        said.append(
            "adult height not defined"
            if predicted is None
            else f"adult height {length_text(predicted)}"
        )
    return said


def reasons(findings: ClinicalFindings) -> list[str]:
    """Say why something is not defined, a sentence each."""
    growth, height = findings.growth, findings.adult_height
    found = [findings.context.age_not_defined, growth.not_defined if growth else None]
    if height:
        found += [height.not_defined, height.error_not_defined, height.interval_not_defined]
    return list(dict.fromkeys(reason.message for reason in found if reason))


def length_text(cm: float) -> str:
    """Say a length in centimetres and inches."""
    return f"{cm:.1f} cm ({cm / CM_PER_INCH:.1f} in)"


def range_text(low_cm: float, high_cm: float) -> str:
    """Say two lengths in centimetres and inches."""
    inches = f"{low_cm / CM_PER_INCH:.1f} to {high_cm / CM_PER_INCH:.1f} in"
    return f"{low_cm:.1f} to {high_cm:.1f} cm ({inches})"


def _missing_age(findings: ClinicalFindings) -> Lines:
    reason = findings.context.age_not_defined
    if reason is None or reason.code == "no_age":  # nobody said anything of it
        return []
    return [("Chronological", f"not known: {reason.message}")]


def _brief_sds(growth: Growth) -> str:
    return "not defined" if growth.sds is None else _signed(growth.sds)


def _months(months: int) -> str:
    return f"{months} month{'s' * (months != 1)}"


def _signed(sds: float) -> str:
    return f"{sds:+.1f}".replace("-", "−")
