"""What a comparison leaves behind: ``comparison.json`` and a section of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boneage.evaluation.accuracy.comparison import Comparison
from boneage.evaluation.accuracy.evidence import Setting
from boneage.evaluation.accuracy.plots import Drawn
from boneage.evaluation.accuracy.report_tables import number
from boneage.evaluation.metrics import DRAWS, LEVEL, METHOD, SEED
from boneage.evaluation.page import Picture, Section
from boneage.storage.files import EVIDENCE_FORMAT, write_json

COMPARISON = "comparison.json"
"""Of ``comparison.json``."""
TEST = "Wilcoxon signed-rank test of the absolute errors, two-sided (scipy.stats.wilcoxon)"
SHOWN_NAMES = 10


def write_comparisons(path: Path, comparisons: Sequence[Comparison], setting: Setting) -> None:
    """Write all comparisons as JSON; with none, a file of an earlier run is removed."""
    if not comparisons:
        path.unlink(missing_ok=True)
        return
    write_json(
        path,
        {
            "format": EVIDENCE_FORMAT,
            "date": setting.day.isoformat(),
            "weights": asdict(setting.weights),
            "data": setting.data_table,
            "interval": {
                "method": f"paired {METHOD}",
                "level": LEVEL,
                "draws": DRAWS,
                "seed": SEED,
            },
            "test": TEST,
            "comparisons": [_plain(found) for found in comparisons],
        },
    )


def _plain(found: Comparison) -> dict[str, Any]:
    return {
        "name": found.other.name,
        "file": found.other.file,
        "common": found.count,
        "here": asdict(found.here),
        "there": asdict(found.there),
        "difference": asdict(found.difference),
        "wilcoxon_p": found.wilcoxon_p,
        "only_here": list(found.only_here),
        "only_there": list(found.only_there),
        "problems": list(found.other.problems),
    }


def comparison_section(found: Comparison, here: str, figure: Drawn) -> Section:
    """The two side by side, their difference, and what could not be compared."""
    other = found.other.name
    rows = [["", "MAE, months", "RMSE, months", "R²"]]
    for label, fit in (
        (here, found.here),
        (other, found.there),
        ("difference", found.difference),
    ):
        plain = asdict(fit)
        cells = [
            number(plain[key], digits)
            for key, digits in (("mae_months", 1), ("rmse_months", 1), ("r2", 3))
        ]
        rows.append([label, *cells])
    title = f"Compared with {other}"
    return Section(title, _text(found, here), rows, [Picture(figure.path, figure.alt)])


def _text(found: Comparison, here: str) -> str:
    other = found.other.name
    return "\n\n".join(
        [
            f"On the {found.count} films that both have read. The difference is {here} less "
            f"{other}, film by film: below 0 for MAE and RMSE, and above 0 for R², {here} is "
            f"nearer. In brackets: 95 % paired bootstrap intervals. {verdict(found, here)}",
            f"Read by {here} only: {_names(found.only_here)}. Read by {other} only: "
            f"{_names(found.only_there)}. Rows that could not be used: "
            f"{_names(found.other.problems)}.",
        ]
    )


def verdict(found: Comparison, here: str) -> str:
    """Say in a sentence who is nearer to the labels, if that can be told."""
    difference = found.difference.mae_months
    if found.wilcoxon_p is None:
        return "Both are equally far off on every film."
    p = "p < 0.001" if found.wilcoxon_p < 0.001 else f"p = {found.wilcoxon_p:.3f}"
    test = f"Wilcoxon signed-rank test of the absolute errors: {p}."
    if difference.low is None or difference.high is None:
        return f"One film cannot tell the two apart. {test}"
    if difference.low <= 0 <= difference.high:
        return f"The mean absolute errors cannot be told apart on these films. {test}"
    nearer = here if difference.high < 0 else found.other.name
    return f"The mean absolute error of {nearer} is the smaller one. {test}"


def _names(names: Sequence[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return f"{len(names):,} ({', '.join(names[:SHOWN_NAMES])}{more})"
