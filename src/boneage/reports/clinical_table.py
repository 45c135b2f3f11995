"""What follows from a bone age for a child, as cells of the CSV table."""

from __future__ import annotations

from boneage.domain.clinical_findings import AdultHeight, ClinicalFindings, Growth
from boneage.reports.clinical_text import reasons

CLINICAL_COLUMNS = (
    "age_source",
    "difference_months",
    "sds",
    "sds_low",
    "sds_high",
    "sds_centre",
    "sds_table",
    "sd_months",
    "normal_low_months",
    "normal_high_months",
    "determination",
    "height_cm",
    "height_category",
    "percent_of_adult_height",
    "adult_height_cm",
    "adult_height_low_cm",
    "adult_height_high_cm",
    "adult_height_interval_low_cm",
    "adult_height_interval_high_cm",
    "standards",
    "not_defined",
)
"""No date is among them: dates point at a child."""


def clinical_cells(findings: ClinicalFindings) -> dict[str, object]:
    """Fill the columns that are known."""
    context = findings.context
    cells: dict[str, object] = {
        "standards": findings.standards.text,
        "not_defined": "; ".join(reasons(findings)),
        "height_cm": _number(context.height_cm),
        "age_source": context.age_source.value if context.age_source else "",
    }
    if findings.growth is not None:
        cells |= _growth_cells(findings.growth)
    if findings.adult_height is not None:
        cells |= _height_cells(findings.adult_height)
    return cells


def _growth_cells(growth: Growth) -> dict[str, object]:
    return {
        "difference_months": _number(growth.difference_months),
        "sds": _number(growth.sds),
        "sds_low": _number(growth.sds_low),
        "sds_high": _number(growth.sds_high),
        "sds_centre": growth.centre.value,
        "sds_table": growth.table,
        "sd_months": _number(growth.sd_months),
        "normal_low_months": _number(growth.normal_low_months),
        "normal_high_months": _number(growth.normal_high_months),
        "determination": growth.determination.value,
    }


def _height_cells(height: AdultHeight) -> dict[str, object]:
    return {
        "height_category": height.category.value if height.category else "",
        "percent_of_adult_height": _number(height.percent),
        "adult_height_cm": _number(height.predicted_cm),
        "adult_height_low_cm": _number(height.low_cm),
        "adult_height_high_cm": _number(height.high_cm),
        "adult_height_interval_low_cm": _number(height.interval_low_cm),
        "adult_height_interval_high_cm": _number(height.interval_high_cm),
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
