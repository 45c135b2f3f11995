"""Tables of the errors, cell by cell, from what ``metrics.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from boneage.evaluation.report import number, share

Table: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = list[list[str]]

DIGITS = {"mae_months": 1, "rmse_months": 1, "r2": 3, "bias_months": 1}
_FIGURES = {
    "mae_months": "mean absolute error (MAE), months",
    "rmse_months": "root mean squared error (RMSE), months",
    "r2": "R²",
    "bias_months": "bias, months",
    "within_6": "within 6 months",
    "within_12": "within 12 months",
    "within_24": "within 24 months",
}


def metrics_table(groups: Table) -> Rows:
    """All figures, a column a group."""
    rows = [["", *(f"{group} (n = {metrics['count']})" for group, metrics in groups.items())]]
    for key, label in _FIGURES.items():
        found = [metrics[key] for metrics in groups.values()]
        digits = DIGITS.get(key)
        cells = map(share, found) if digits is None else (number(one, digits) for one in found)
        rows.append([label, *cells])
    return rows


def networks_table(table: Table) -> Rows:
    """Each network alone and the combined estimate."""
    rows = [["", "MAE, months", "RMSE, months", "R²", "bias, months"]]
    alone = {f"{n.replace('_', ' ')} alone": m for n, m in table["networks"].items()}
    for label, groups in {**alone, "combined estimate": table["metrics"]}.items():
        overall = groups["overall"]
        rows.append([label, *(number(overall[key], digits) for key, digits in DIGITS.items())])
    return rows


def text_summary(table: Table) -> str:
    """The main figures of ``metrics.json``, for a terminal."""
    films = table["films"]
    lines = [
        f"{films['read']} of {films['tried']} radiographs assessed with {table['weights']['name']}"
    ]
    for group, metrics in table["metrics"].items():
        r2 = metrics["r2"]["value"]
        fit = "" if r2 is None else f", R² {r2:.3f}"
        lines.append(
            f"{group:>8}: mean absolute error {number(metrics['mae_months'])} months{fit}, "
            f"{100 * metrics['within_12']['value']:.0f} % within 12 months, n = {metrics['count']}"
        )
    return "\n".join(lines)
