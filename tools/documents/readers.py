"""The readings beside those of others, from ``comparison.json``."""

from __future__ import annotations

from boneage.evaluation.accuracy.report_tables import number
from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    difference,
    joined,
    markdown,
    months,
    of_other_weights,
    source,
)

LEAST_P = 0.001


def comparisons(evidence: Evidence) -> str:
    """Set each other reader beside these readings."""
    found = evidence.comparison
    if found is None:
        return (
            "No other reader's ages of the same films were at hand (`boneage evaluate --compare`)."
        )
    rows = [["reader", "films of both", "MAE, months", "R²", "difference of MAE", "Wilcoxon"]]
    for other in found["comparisons"]:
        rows += _rows(other)
    note = (
        f"On {found['data']['split']} films, with {source(found)}. The difference is these "
        "weights less the other, film by film: below 0, these weights are nearer to the labels. "
        f"In brackets: 95 % intervals, {found['interval']['method']}. Test: {found['test']}."
    )
    return joined(of_other_weights(evidence, found), markdown(rows), note)


def _rows(other: Table) -> list[list[str]]:
    def fit(table: Table) -> tuple[str, str]:
        return months(table["mae_months"]), number(table["r2"], 3)

    p = other["wilcoxon_p"]
    test = "–" if p is None else f"p < {LEAST_P}" if p < LEAST_P else f"p = {p:.3f}"
    apart = difference(other["difference"]["mae_months"])
    return [
        ["these weights", str(other["common"]), *fit(other["here"]), apart, test],
        [other["name"], "", *fit(other["there"]), "", ""],
    ]
