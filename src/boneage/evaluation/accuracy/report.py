"""``report.html``: one page that says what was measured, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from boneage.evaluation.accuracy.bands import LEAST_FILMS
from boneage.evaluation.accuracy.report_tables import metrics_table, networks_table
from boneage.evaluation.report import write_page

PAGE = "report.html"


def write_report(
    folder: Path,
    table: Mapping[str, Any],
    *,
    comparisons: Sequence[Mapping[str, Any]] = (),
    conclusions: Sequence[str] = (),
    curves: Mapping[str, Path] | None = None,
) -> None:
    """Write the page into a folder that has the figures.

    Parameters
    ----------
    folder : Path
    table : mapping
        What ``metrics.json`` holds.
    comparisons : sequence of mapping
        What ``comparison.json`` holds of each.
    conclusions : sequence of str
        Of each comparison.
    curves : mapping of Path, optional
        Loss curves, by the name of their stage.
    """
    write_page(
        folder / PAGE,
        "accuracy",
        test=table,
        metrics_table=metrics_table(table["metrics"]),
        networks_table=networks_table(table),
        comparisons=list(zip(comparisons, conclusions, strict=True)),
        curves={name: path.absolute() for name, path in (curves or {}).items()},
        least_films=LEAST_FILMS,
    )


def title_of(data: Mapping[str, Any], weights: str) -> str:
    """Data, split and weights, for every figure."""
    only = f", the first {data['limit']}" if data["limit"] else ""
    copies = f", {data['copies']} copies" if "copies" in data else ""
    forced = ", refused ones analysed too" if data.get("forced") else ""
    return f"{data['name']}, {data['split']} films{only}{copies}{forced}, weights {weights}"
