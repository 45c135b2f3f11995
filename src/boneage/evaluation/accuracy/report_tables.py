"""The tables of the report, cell by cell, from what ``metrics.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Table: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = list[list[str]]


def number(estimate: Table, digits: int = 1) -> str:
    """A figure and its interval, such as "8.0 (7.1 to 9.0)"; a dash where it is undefined."""
    if estimate["value"] is None:
        return "–"
    value = _digits(estimate["value"], digits)
    if estimate["low"] is None:
        return value
    return f"{value} ({_digits(estimate['low'], digits)} to {_digits(estimate['high'], digits)})"


def share(estimate: Table) -> str:
    """A share of 0 to 1 in per cent, with its interval."""
    return number({k: None if v is None else 100 * v for k, v in estimate.items()}, 0) + " %"


def metrics_table(groups: Table) -> Rows:
    """All figures, a column a group."""
    rows = [["", *(f"{group} (n = {metrics['count']})" for group, metrics in groups.items())]]
    for label, key, digits in _FIGURES:
        cells = [
            share(metrics[key]) if digits is None else number(metrics[key], digits)
            for metrics in groups.values()
        ]
        rows.append([label, *cells])
    return rows


def bands_table(bands: Table) -> Rows:
    """Figures by band, a row a band; empty when there is none."""
    if not bands:
        return []
    rows = [
        ["years of age", "films", "MAE, months", "RMSE, months", "bias, months", "within 12 months"]
    ]
    for name, metrics in bands.items():
        errors = [number(metrics[key]) for key in ("mae_months", "rmse_months", "bias_months")]
        within = share(metrics["within_12"])
        rows.append([name.replace("-", "–"), str(metrics["count"]), *errors, within])
    return rows


def standards_table(standards: Table) -> Rows:
    """How far apart the two standards read the same films, a row a band; empty when not known."""
    if not standards:
        return []
    rows = [["years of age", "films", "male minus female, months", "female younger in"]]
    for name, found in {"all": standards["overall"], **standards["by_band"]}.items():
        cells = [number(found["difference_months"]), share(found["female_younger"])]
        rows.append([name.replace("-", "–"), str(found["count"]), *cells])
    return rows


def networks_table(table: Table) -> Rows:
    """Each network alone and the joined answer."""
    rows = [["", "MAE, months", "RMSE, months", "R²", "bias, months"]]
    alone = {f"{n.replace('_', ' ')} alone": m for n, m in table["networks"].items()}
    for label, groups in {**alone, "all joined, with sex": table["metrics"]}.items():
        overall = groups["overall"]
        cells = [
            number(overall[key], digits)
            for key, digits in (
                ("mae_months", 1),
                ("rmse_months", 1),
                ("r2", 3),
                ("bias_months", 1),
            )
        ]
        rows.append([label, *cells])
    return rows


def summary(table: Table) -> str:
    """Say what a person wants first of what ``metrics.json`` holds."""
    films = table["films"]
    lines = [f"{films['read']} of {films['tried']} films read with {table['weights']['name']}"]
    for group, metrics in table["metrics"].items():
        mae, r2 = metrics["mae_months"], metrics["r2"]["value"]
        spread = "" if mae["low"] is None else f" ({mae['low']:.1f} to {mae['high']:.1f})"
        fit = "" if r2 is None else f", R² {r2:.3f}"
        within = metrics["within_12"]["value"]
        lines.append(
            f"{group:>8}: mean absolute error {mae['value']:.1f}{spread} months{fit}, "
            f"{within:.0%} within 12 months, n = {metrics['count']}"
        )
    return "\n".join(lines)


def _digits(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


_FIGURES: Sequence[tuple[str, str, int | None]] = (
    ("mean absolute error (MAE), months", "mae_months", 1),
    ("root mean squared error (RMSE), months", "rmse_months", 1),
    ("R²", "r2", 3),
    ("bias, months", "bias_months", 1),
    ("read within 6 months", "within_6", None),
    ("read within 12 months", "within_12", None),
    ("read within 24 months", "within_24", None),
)
"""What it is called, its key in ``metrics.json``, its digits; None: a share."""
