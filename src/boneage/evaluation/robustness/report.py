"""What a test of the robustness leaves behind: ``stress.csv``, ``stress.json``, ``stress.html``.

The CSV file has one row a film and change; JSON and page have the
figures of all films together. All name films by their id in a public data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from boneage.domain.assessment import Failure
from boneage.evaluation.metrics import mean
from boneage.evaluation.report import (
    FIGURES,
    Experiment,
    failures_of,
    number,
    share,
    write_page,
    write_records,
)
from boneage.evaluation.robustness import cases, figures
from boneage.evaluation.robustness.changes import Change
from boneage.storage.files import write_json

TABLE, SUMMARY, PAGE = "stress.csv", "stress.json", "stress.html"


@dataclass(frozen=True)
class RobustnessTest:
    """All that was found."""

    experiment: Experiment
    changes: Sequence[Change]
    films: Sequence[cases.ChangedFilm]
    failures: Sequence[Failure] = ()
    """Films that could not be assessed even unchanged."""

    @cached_property
    def effects(self) -> tuple[cases.Effect, ...]:
        """What each change did to all films; a ValueError when there are none."""
        return cases.effects_of(self.films, self.changes)


def write_report(folder: Path, test: RobustnessTest) -> None:
    """Write the table, the summary, the figures and the page into a folder, made when missing."""
    write_records(folder / TABLE, _records(test))
    table = summarise(test)
    write_json(folder / SUMMARY, table)
    drawings = folder / FIGURES
    figures.draw_shifts(drawings / "stress_shifts.png", test.effects)
    figures.draw_fates(drawings / "stress_fates.png", test.effects)
    figures.draw_contact_sheet(drawings / "changes.png", figures.example_film(), test.changes)
    limits = {"far": cases.FAR_MONTHS, "very_far": cases.VERY_FAR_MONTHS}
    write_page(folder / PAGE, "robustness", test=table, **limits)


def _records(test: RobustnessTest) -> list[dict[str, object]]:
    """One of each film and change."""
    return [
        {
            "case": film.case,
            "sex": str(film.sex),
            "label_months": f"{film.label_months:g}",
            "unchanged_months": f"{film.unchanged_months:.2f}",
            "change": change.name,
            "kind": change.kind,
            "months": _hundredths(film.outcomes[change.name].months),
            "shift_months": _hundredths(film.shift_months(change.name)),
            "refusal": film.outcomes[change.name].refusal,
            "new_warnings": ";".join(film.outcomes[change.name].warnings),
        }
        for film in test.films
        for change in test.changes
    ]


def _hundredths(months: float | None) -> str | None:
    return None if months is None else f"{months:.2f}"


def summarise(test: RobustnessTest) -> dict[str, Any]:
    """All that ``stress.json`` holds; plain values."""
    errors = np.array([film.unchanged_months - film.label_months for film in test.films])
    return {
        **test.experiment.header(),
        "films": {
            "tried": len(test.films) + len(test.failures),
            "read": len(test.films),
            "failed": len(test.failures),
        },
        "unchanged": {"mae_months": asdict(mean(np.abs(errors)))},
        "changes": [asdict(effect) for effect in test.effects],
        "failures": failures_of(test.failures),
    }


def text_summary(test: RobustnessTest) -> str:
    """Report how far each change moves the bone age, one line a change, for a terminal."""
    width = max(len(effect.label) for effect in test.effects)
    lines = [
        f"{len(test.films)} radiographs under {len(test.effects)} changes, assessed with "
        f"{test.experiment.weights.name}: mean change; share of radiographs moved by more than "
        f"{cases.FAR_MONTHS:g} months; share of radiographs so moved and neither refused nor "
        "warned about"
    ]
    lines += [
        f"{e.label:<{width}}  {number(e.mean_shift_months)} months; "
        f"{share(e.changed_12)}; {share(e.silent_of_all)}"
        for e in test.effects
    ]
    return "\n".join(lines)
