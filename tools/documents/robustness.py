"""What moves the answer, from ``stress.json``."""

from __future__ import annotations

from collections.abc import Sequence

from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    films_of,
    joined,
    listed,
    markdown,
    months,
    of_other_weights,
    percent,
    share,
    source,
    unmeasured,
)

COMMAND = "stress"
FAR = 12
"""Months; an answer moved by more is another answer (``changed_12``)."""
SMALL = 1.0
"""Months on average: a change that moves answers by less is only named."""
SHOWN = 3
"""Changes that are named where there is room for a few."""
NOTICED = ("refused", "warned_far", "warned_near")


def in_short(evidence: Evidence) -> str:
    """Say in a line or two which changes do not matter, and which matter most."""
    found = evidence.stress
    if found is None:
        return unmeasured(evidence, COMMAND)
    changes = found["changes"]
    small = [change for change in changes if _is_small(change)]
    text = (
        f"Under {len(changes)} changes of {films_of(found, found['films']['read'])}, "
        f"{len(small)} move{'s' * (len(small) == 1)} the answer by less than "
        f"{SMALL:g} month on average; all taken together, {_silence(changes)} of the answers move "
        f"by more than {FAR} months without a refusal or a warning."
    )
    worst = most_silent(changes)[:SHOWN]
    if not worst:
        return text
    parts = (
        f"{change['label']} ({percent(change['silent_of_all']['value'])} of films; "
        f"{change['mean_shift_months']['value']:.1f} months on average)"
        for change in worst
    )
    return f"{text} The most do so under {listed(parts)}."


def changes_table(evidence: Evidence) -> str:
    """Tabulate the changes that matter, the worst first, and name the others."""
    found = evidence.stress
    if found is None:
        return unmeasured(evidence, COMMAND)
    large = [change for change in by_shift(found["changes"]) if not _is_small(change)]
    small = [change["label"] for change in found["changes"] if _is_small(change)]
    rows = [
        [
            *("change", "mean change, months", f"moved > {FAR} months"),
            *("refused or warned about", f"silent: moved > {FAR} months, no word"),
        ]
    ]
    rows += [_row(change) for change in large]
    harmless = f"Less than {SMALL:g} month on average: {', '.join(small)}." if small else ""
    note = (
        f"{films_of(found, found['films']['read'])}, each under {len(found['changes'])} changes, "
        f"with {source(found)}; unchanged, their mean absolute error is "
        f"{months(found['unchanged']['mae_months'])} months. “Moved” is of the answered films, "
        "the last two columns of all films. In brackets: 95 % bootstrap intervals."
    )
    table = markdown(rows) if large else ""
    return joined(of_other_weights(evidence, found), table, harmless, note)


def most_silent(changes: Sequence[Table]) -> list[Table]:
    """Those that move answers far without a word, the most films first."""
    silent = [change for change in changes if change["silent_of_all"]["value"]]
    return sorted(silent, key=_by_silence)


def by_shift(changes: Sequence[Table]) -> list[Table]:
    """All, by the mean change of the answer; those that leave no answer come first."""
    return sorted(changes, key=lambda change: -_shift(change))


def _silence(changes: Sequence[Table]) -> str:
    """The share of all answers under all changes that move far without a word."""
    shares = [change["silent_of_all"]["value"] or 0.0 for change in changes]
    return f"{100 * sum(shares) / len(shares):.1f} %"


def _by_silence(change: Table) -> tuple[float, float]:
    return -change["silent_of_all"]["value"], -_shift(change)


def _shift(change: Table) -> float:
    value = change["mean_shift_months"]["value"]
    return float("inf") if value is None else float(value)


def _is_small(change: Table) -> bool:
    return _shift(change) < SMALL


def _row(change: Table) -> list[str]:
    return [
        change["label"],
        months(change["mean_shift_months"]),
        percent(change["changed_12"]["value"]),
        percent(sum(change["fates"].get(fate, 0.0) for fate in NOTICED)),
        share(change["silent_of_all"]),
    ]
