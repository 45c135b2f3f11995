"""What a stress test leaves behind: ``stress.csv`` and ``stress.json``.

``stress.csv`` has one row a film and change; ``stress.json`` all that can be
said of the films together. Both name films by their id in a public data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from boneage._version import __version__
from boneage.domain.assessment import Failure, WeightsName
from boneage.evaluation.metrics import DRAWS, LEVEL, SEED
from boneage.evaluation.robustness.changes import Change
from boneage.evaluation.robustness.stress import Stressed
from boneage.evaluation.robustness.summary import Effect, effects_of, mean_of
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_json, write_text

TABLE, SUMMARY = "stress.csv", "stress.json"
"""Of ``stress.json``."""
COLUMNS = (
    *("case", "sex", "label_months", "unchanged_months", "change", "kind", "months"),
    *("shift_months", "refusal", "new_warnings"),
)


@dataclass(frozen=True)
class Setting:
    """Which weights were put to the test on which films, and when."""

    weights: WeightsName
    data: str
    """The folder of films, by its bare name."""
    split: str
    limit: int | None
    """Only so many films were tried; None for all."""
    day: date


@dataclass(frozen=True)
class StressTest:
    """All that was found."""

    setting: Setting
    changes: tuple[Change, ...]
    films: tuple[Stressed, ...]
    failures: tuple[Failure, ...]
    """Films that got no answer unchanged, and so say nothing of the changes."""
    effects: tuple[Effect, ...]


def stress_test(
    setting: Setting, changes: Sequence[Change], results: Sequence[Stressed | Failure]
) -> StressTest:
    """Sum up the films that were put through the changes.

    Raises
    ------
    ValueError
        When not one film got an answer.
    """
    films = tuple(result for result in results if isinstance(result, Stressed))
    failures = tuple(result for result in results if isinstance(result, Failure))
    return StressTest(setting, tuple(changes), films, failures, effects_of(films, changes))


def write_table(path: Path, test: StressTest) -> None:
    """Write one row a film and change; ages and differences in months."""
    rows = (_row(film, change) for film in test.films for change in test.changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, csv_text([COLUMNS, *rows]))


def _row(film: Stressed, change: Change) -> list[str]:
    outcome, shift = film.outcomes[change.name], film.shift_months(change.name)
    return [
        film.case,
        str(film.sex),
        f"{film.label_months:g}",
        f"{film.unchanged_months:.2f}",
        change.name,
        change.kind,
        "" if outcome.months is None else f"{outcome.months:.2f}",
        "" if shift is None else f"{shift:.2f}",
        outcome.refusal or "",
        ";".join(outcome.warnings),
    ]


def write_summary(path: Path, test: StressTest) -> None:
    """Write all figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, summarise(test))


def summarise(test: StressTest) -> dict[str, Any]:
    """All that ``stress.json`` holds; plain values."""
    setting = test.setting
    errors = np.array([film.unchanged_months - film.label_months for film in test.films])
    return {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": setting.day.isoformat(),
        "weights": asdict(setting.weights),
        "data": {"name": setting.data, "split": setting.split, "limit": setting.limit},
        "films": {
            "tried": len(test.films) + len(test.failures),
            "read": len(test.films),
            "failed": len(test.failures),
        },
        "interval": {"method": "bootstrap", "level": LEVEL, "draws": DRAWS, "seed": SEED},
        "unchanged": {"mae_months": asdict(mean_of(np.abs(errors)))},
        "changes": [asdict(effect) for effect in test.effects],
        "failures": [
            {"case": failure.film, "code": failure.code, "message": failure.message}
            for failure in test.failures
        ],
    }
