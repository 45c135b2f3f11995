"""What a validation leaves behind: ``cases.csv`` and ``metrics.json``.

``cases.csv`` has one row a film that was read; ``metrics.json`` all that can
be said of them together. Both name films by their id in a public data set.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from boneage import __version__
from boneage.assessment import WeightsName
from boneage.evaluation.metrics import DRAWS, LEVEL, SEED, measure_by
from boneage.evaluation.validation import Reading, Split, Validation

CASES = "cases.csv"
METRICS = "metrics.json"
FORMAT = 1
"""Of ``metrics.json``."""


@dataclass(frozen=True)
class Setting:
    """Which weights were measured on which films, and when."""

    weights: WeightsName
    data: str
    """The folder of films, by its bare name."""
    split: Split
    limit: int | None
    """Only so many films were tried; None for all."""
    day: date


def write_evidence(folder: Path, validation: Validation, setting: Setting) -> dict[str, Any]:
    """Write both files into a folder, made when missing.

    Returns
    -------
    dict
        What ``metrics.json`` now holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_cases(folder / CASES, validation.readings)
    table = summarise(validation, setting)
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / METRICS).write_text(text + "\n", encoding="utf-8")
    return table


def write_cases(path: Path, readings: Sequence[Reading]) -> None:
    """Write one row a film: ages and errors in months."""
    networks = _in_order(reading.networks for reading in readings)
    regions = _in_order(reading.attention_found for reading in readings)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            [
                *("case", "sex", "true_months", "predicted_months", "error_months"),
                *(f"{name}_months" for name in networks),
                *(f"{name}_attention_found" for name in regions),
                "seconds",
            ]
        )
        for reading in readings:
            writer.writerow(_row(reading, networks, regions))


def _row(reading: Reading, networks: Sequence[str], regions: Sequence[str]) -> list[str]:
    return [
        reading.case,
        str(reading.sex),
        f"{reading.true_months:g}",
        f"{reading.predicted_months:.2f}",
        f"{reading.error_months:.2f}",
        *(f"{reading.networks[n]:.2f}" if n in reading.networks else "" for n in networks),
        *(str(int(reading.attention_found.get(name, False))) for name in regions),
        f"{reading.seconds:.3f}",
    ]


def summarise(validation: Validation, setting: Setting) -> dict[str, Any]:
    """All that ``metrics.json`` holds; plain values."""
    readings = validation.readings
    return {
        "format": FORMAT,
        "boneage": __version__,
        "date": setting.day.isoformat(),
        "weights": asdict(setting.weights),
        "data": {"name": setting.data, "split": setting.split, "limit": setting.limit},
        "films": {
            "tried": validation.films,
            "read": len(readings),
            "failed": len(validation.failures),
        },
        "interval": {"method": "bootstrap", "level": LEVEL, "draws": DRAWS, "seed": SEED},
        "metrics": _measured(readings, [reading.predicted_months for reading in readings]),
        "networks": _by_network(readings),
        "attention_found": _attention_share(readings),
        "seconds_per_film": _seconds(readings),
        "failures": [
            {"case": failure.film, "code": failure.code, "message": failure.message}
            for failure in validation.failures
        ],
    }


def _measured(readings: Sequence[Reading], predicted: Sequence[float]) -> dict[str, Any]:
    """Metrics overall and by sex; empty when nothing was read."""
    if not readings:
        return {}
    true = [reading.true_months for reading in readings]
    by_sex = measure_by(true, predicted, [reading.sex for reading in readings])
    return {group: asdict(metrics) for group, metrics in by_sex.items()}


def _by_network(readings: Sequence[Reading]) -> dict[str, Any]:
    """Measure each network alone, on the films it read."""
    found = {}
    for name in _in_order(reading.networks for reading in readings):
        read = [reading for reading in readings if name in reading.networks]
        found[name] = _measured(read, [reading.networks[name] for reading in read])
    return found


def _attention_share(readings: Sequence[Reading]) -> dict[str, float]:
    """Share of films, 0 to 1, in which a region's attention stood out."""
    return {
        name: float(np.mean([reading.attention_found.get(name, False) for reading in readings]))
        for name in _in_order(reading.attention_found for reading in readings)
    }


def _seconds(readings: Sequence[Reading]) -> dict[str, float]:
    if not readings:
        return {}
    seconds = [reading.seconds for reading in readings]
    return {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95))}


def _in_order(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Every key of several mappings, in the order first met."""
    seen: dict[str, None] = {}
    for mapping in mappings:
        seen |= dict.fromkeys(mapping)
    return list(seen)
