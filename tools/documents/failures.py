"""Known failures: computed from what was measured, and shown on drawn films."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from boneage.evaluation.accuracy.bands import LEAST_FILMS
from tools.documents.attention import LABELS, REGIONS
from tools.documents.evidence import FILES, Evidence, Table
from tools.documents.forms import (
    joined,
    listed,
    months,
    of_other_weights,
    percent,
    signed,
    years,
)
from tools.documents.robustness import FAR, most_silent

WORSE = 1.25
"""A band whose mean absolute error is this many times the overall one is named."""
SILENT = 0.1
"""A change that moves more than this share of the films far, without a word, is named."""
MISSED = 0.5
"""A film of whose target less than this lies inside the crop is counted."""
PICTURES_COMMAND = "python -m tools.documents card"


def measured_failures(evidence: Evidence) -> str:
    """List what the measurements show to be bad; one item each."""
    items = [*_bands(evidence), *_changes(evidence), *_regions(evidence), *_no_interval(evidence)]
    return "\n".join(f"- {item}" for item in items)


def _bands(evidence: Evidence) -> Iterator[str]:
    found = evidence.metrics
    if found is None or not found.get("by_band"):
        return
    overall = found["metrics"]["overall"]["mae_months"]["value"]
    for name, measured in found["by_band"].items():
        error = measured["mae_months"]
        if measured["count"] >= LEAST_FILMS and error["value"] > WORSE * overall:
            yield (
                f"Labelled bone ages of {years(name)}: a mean absolute error of {months(error)} "
                f"months on {measured['count']} films, {error['value'] / overall:.1f} times the "
                "overall one."
            )


def _changes(evidence: Evidence) -> Iterator[str]:
    if evidence.stress is None:
        return
    silent = [
        f"{change['label']} ({percent(change['silent_of_all']['value'])})"
        for change in most_silent(evidence.stress["changes"])
        if change["silent_of_all"]["value"] > SILENT
    ]
    if silent:
        yield (
            f"These changes of a film move more than {percent(SILENT)} of the answers by more "
            f"than {FAR} months without a refusal or a warning: {listed(silent)}."
        )


def _regions(evidence: Evidence) -> Iterator[str]:
    for target, shares in (evidence.coverage or {}).items():
        missed = sum(share < MISSED for share in shares)
        if target in LABELS and missed:
            yield (
                f"The {REGIONS[target]} crop holds less than {percent(MISSED)} of the "
                f"{LABELS[target]} in {missed} of {len(shares)} marked films "
                f"({100 * missed / len(shares):.1f} %)."
            )


def _no_interval(evidence: Evidence) -> Iterator[str]:
    metrics = evidence.metrics or {}
    if "prediction_intervals" in metrics and metrics["prediction_intervals"] is None:
        yield "The answer states no interval, so that it does not say how far off it may be."


def pictures(evidence: Evidence, folder: Path, document: Path) -> str:
    """Show what a change does to the answer for a drawn film.

    Parameters
    ----------
    evidence : Evidence
    folder : Path
        Where the pictures lie.
    document : Path
        The folder of the document, for its links.
    """
    found = evidence.failures
    if found is None:
        return f"Pictures of failures on drawn films: not made yet (`{PICTURES_COMMAND}`)."
    first, *others = found["pictures"]
    link = Path(os.path.relpath(folder, document)).as_posix()
    lead = (
        f"What this looks like, on {found['film']}: nobody's hand, and a drawing reads differently "
        f"from a film, so the pictures show what happens, not how often. {_chosen(evidence)}"
    )
    rows = [["unchanged", "changed"]]
    rows += [[_picture(first, None, link), _picture(other, first, link)] for other in others]
    return joined(of_other_weights(evidence, found), lead, _table_of_pictures(rows))


def _table_of_pictures(rows: list[list[str]]) -> str:
    """Cells that hold Markdown already."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "| --- | --- |", *lines[1:]])


def _picture(picture: Table, unchanged: Table | None, link: str) -> str:
    caption = _caption(picture, unchanged)
    return f"![{caption}]({link}/{picture['file']})<br>{caption}" if picture["file"] else caption


def _chosen(evidence: Evidence) -> str:
    if evidence.stress is None:
        return "The changes were chosen without a stress test of these weights."
    return (
        "Of each of the worst kinds of changes, the one that moves most films silently; and a "
        "small hand in a large frame."
    )


def _caption(picture: Table, unchanged: Table | None) -> str:
    if picture["months"] is None:
        return f"{picture['label']}: refused ({picture['refusal']})"
    text = f"{picture['label']}: {picture['months']:.1f} months"
    if unchanged is not None and unchanged["months"] is not None:
        moved = signed(picture["months"] - unchanged["months"])
        text = f"{text} ({moved})"
    said = len(picture["warnings"])
    warned = f"{said} warning{'s' * (said != 1)}" if said else "no warning"
    return f"{text}, {warned}"


def failures_folder(evidence: Path) -> Path:
    """Where the pictures of failures lie beside the other evidence."""
    return evidence / FILES["failures"].parent
