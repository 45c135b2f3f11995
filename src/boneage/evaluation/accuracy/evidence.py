"""What a validation leaves behind: ``cases.csv`` and ``metrics.json``.

``cases.csv`` has one row a film that was read; ``metrics.json`` all that can
be said of them together. Both name films by their id in a public data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from boneage._version import __version__
from boneage.datasets.problems import count_by_kind
from boneage.domain.assessment import WeightsName
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy import agreement
from boneage.evaluation.accuracy.bands import measure_bands, measure_bands_by_sex
from boneage.evaluation.accuracy.standards import measure_standards, measure_standards_by_band
from boneage.evaluation.accuracy.validation import Copies, Reading, Split, Validation
from boneage.evaluation.metrics import DRAWS, LEVEL, METHOD, SEED, measure_by
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_json, write_text

CASES = "cases.csv"
METRICS = "metrics.json"
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
    workers: int = 1
    """Films read at a time, which makes each of them slower."""
    copies: Copies = "detailed"
    forced: bool = False
    """Films that the image quality check refuses were read, too."""

    @property
    def title(self) -> str:
        """Data, split and weights, for every figure."""
        only = f", the first {self.limit}" if self.limit else ""
        copies = "" if self.copies == "detailed" else f", {self.copies} copies"
        forced = ", refused ones read too" if self.forced else ""
        return f"{self.data}, {self.split} films{only}{copies}{forced}, weights {self.weights.name}"

    @property
    def data_table(self) -> dict[str, Any]:
        """Which films, for JSON files; what is as usual goes without saying."""
        table: dict[str, Any] = {"name": self.data, "split": self.split, "limit": self.limit}
        if self.copies != "detailed":
            table["copies"] = self.copies
        if self.forced:
            table["forced"] = True
        return table


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
    write_json(folder / METRICS, table)
    return table


def write_cases(path: Path, readings: Sequence[Reading]) -> None:
    """Write one row a film, ages and errors in months; whole or not at all."""
    networks = in_order(reading.networks for reading in readings)
    regions = in_order(reading.attention_found for reading in readings)
    levels = sorted({interval.level for reading in readings for interval in reading.intervals})
    ends = [f"interval_{level:.0%}".rstrip("%") for level in levels]
    standards = [sex for sex in Sex if any(sex in reading.by_standard for reading in readings)]
    header = [
        *("case", "sex", "true_months", "predicted_months", "error_months"),
        *(f"{end}_{side}_months" for end in ends for side in ("low", "high")),
        *(f"{sex}_standard_months" for sex in standards),
        *(f"{name}_months" for name in networks),
        *(f"{name}_attention_found" for name in regions),
        "seconds",
    ]
    rows = (_row(reading, levels, standards, networks, regions) for reading in readings)
    write_text(path, csv_text([header, *rows]))


def _row(
    reading: Reading,
    levels: Sequence[float],
    standards: Sequence[Sex],
    networks: Sequence[str],
    regions: Sequence[str],
) -> list[str]:
    stated = {interval.level: interval for interval in reading.intervals}
    ends: list[str] = []
    for level in levels:
        interval = stated.get(level)
        ends += (
            [f"{interval.low_months:.2f}", f"{interval.high_months:.2f}"] if interval else ["", ""]
        )
    return [
        reading.case,
        str(reading.sex),
        f"{reading.true_months:g}",
        f"{reading.predicted_months:.2f}",
        f"{reading.error_months:.2f}",
        *ends,
        *_months(reading.by_standard, standards),
        *_months(reading.networks, networks),
        *(str(int(reading.attention_found.get(name, False))) for name in regions),
        f"{reading.seconds:.3f}",
    ]


def _months(read: Mapping[Any, float], columns: Sequence[str]) -> list[str]:
    return [f"{read[name]:.2f}" if name in read else "" for name in columns]


def summarise(validation: Validation, setting: Setting) -> dict[str, Any]:
    """All that ``metrics.json`` holds; plain values."""
    readings = validation.readings
    return {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": setting.day.isoformat(),
        "weights": asdict(setting.weights),
        "data": setting.data_table,
        "films": {
            "tried": validation.films,
            "read": len(readings),
            "failed": len(validation.failures),
            "unusable": len(validation.problems),
        },
        "interval": {"method": METHOD, "level": LEVEL, "draws": DRAWS, "seed": SEED},
        "metrics": _measured(readings, [reading.predicted_months for reading in readings]),
        "by_band": {band.name: asdict(m) for band, m in measure_bands(readings).items()},
        "by_sex_and_band": {
            str(sex): {band.name: asdict(m) for band, m in bands.items()}
            for sex, bands in measure_bands_by_sex(readings).items()
        },
        "standards": _standards(readings),
        "agreement": _agreement(readings),
        "networks": _by_network(readings),
        "prediction_intervals": _prediction_intervals(readings),
        "attention_found": _attention_share(readings),
        "seconds_per_film": _seconds(readings),
        "workers": setting.workers,
        "failures": [
            {"case": failure.film, "code": failure.code, "message": failure.message}
            for failure in validation.failures
        ],
        "problems": {
            "by_kind": {str(kind): n for kind, n in count_by_kind(validation.problems).items()},
            "named": [str(problem) for problem in validation.problems],
        },
    }


def _measured(readings: Sequence[Reading], predicted: Sequence[float]) -> dict[str, Any]:
    """Metrics overall and by sex; empty when nothing was read."""
    if not readings:
        return {}
    true = [reading.true_months for reading in readings]
    by_sex = measure_by(true, predicted, [reading.sex for reading in readings])
    return {group: asdict(metrics) for group, metrics in by_sex.items()}


def _standards(readings: Sequence[Reading]) -> dict[str, Any]:
    """How far apart the two standards read the same films; empty when none was read by both."""
    overall = measure_standards(readings)
    if overall is None:
        return {}
    bands = measure_standards_by_band(readings)
    return {
        "overall": asdict(overall),
        "by_band": {name: asdict(found) for name, found in bands.items()},
    }


def _agreement(readings: Sequence[Reading]) -> dict[str, Any]:
    """Bland–Altman limits and regression line; empty when nothing was read."""
    if not readings:
        return {}
    true = [reading.true_months for reading in readings]
    predicted = [reading.predicted_months for reading in readings]
    line = agreement.regression_line(true, predicted)
    return {
        "bland_altman": asdict(agreement.limits_of_agreement(true, predicted)),
        "regression": asdict(line) if line else None,
    }


def _prediction_intervals(readings: Sequence[Reading]) -> dict[str, Any] | None:
    """Coverage by level, overall and by band; None where the readings state no interval."""
    by_level = agreement.coverage_by_level(readings)
    if not by_level:
        return None
    return {
        "method": agreement.COVERAGE_METHOD,
        "levels": [
            {
                "level": level,
                "overall": asdict(coverage),
                "by_band": {
                    band: asdict(found)
                    for band, found in agreement.coverage_by_band(readings, level).items()
                },
            }
            for level, coverage in by_level.items()
        ],
    }


def _by_network(readings: Sequence[Reading]) -> dict[str, Any]:
    """Measure each network alone, on the films it read."""
    found = {}
    for name in in_order(reading.networks for reading in readings):
        read = [reading for reading in readings if name in reading.networks]
        found[name] = _measured(read, [reading.networks[name] for reading in read])
    return found


def _attention_share(readings: Sequence[Reading]) -> dict[str, float]:
    """Share of films, 0 to 1, in which a region's attention stood out."""
    return {
        name: float(np.mean([reading.attention_found.get(name, False) for reading in readings]))
        for name in in_order(reading.attention_found for reading in readings)
    }


def _seconds(readings: Sequence[Reading]) -> dict[str, float]:
    if not readings:
        return {}
    seconds = [reading.seconds for reading in readings]
    return {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95))}


def in_order(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Every key of several mappings, in the order first met."""
    seen: dict[str, None] = {}
    for mapping in mappings:
        seen |= dict.fromkeys(mapping)
    return list(seen)
