"""What a validation leaves behind: ``cases.csv``, ``metrics.json`` and ``report.html``.

``cases.csv`` has one row a film that was read; the others have the
figures of all together. All name films by their id in a public data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from boneage.datasets.problems import count_by_kind
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy import agreement
from boneage.evaluation.accuracy.bands import LEAST_FILMS, measure_bands, measure_bands_by_sex
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation, months_of
from boneage.evaluation.accuracy.report_tables import metrics_table, networks_table
from boneage.evaluation.metrics import METHOD, measure_by
from boneage.evaluation.report import Experiment, failures_of, write_page, write_rows
from boneage.reports.wording import DISCLAIMER
from boneage.storage.files import write_json

CASES, METRICS, PAGE = "cases.csv", "metrics.json", "report.html"


def write_evidence(
    folder: Path, validation: Validation, experiment: Experiment, workers: int = 1
) -> dict[str, Any]:
    """Write both files into a folder, made when missing; gives what ``metrics.json`` holds."""
    write_rows(folder / CASES, _rows(validation.readings))
    table = summarise(validation, experiment, workers)
    write_json(folder / METRICS, table)
    return table


def _rows(readings: Sequence[CaseEstimate]) -> Iterable[list[str]]:
    """One row a film, ages and errors in months."""
    networks = in_order(reading.networks for reading in readings)
    regions = in_order(reading.attention_found for reading in readings)
    levels = sorted({interval.level for reading in readings for interval in reading.intervals})
    ends = [f"interval_{level:.0%}".rstrip("%") for level in levels]
    standards = [sex for sex in Sex if any(sex in reading.by_standard for reading in readings)]
    yield [
        *("case", "sex", "true_months", "predicted_months", "error_months"),
        *(f"{end}_{side}_months" for end in ends for side in ("low", "high")),
        *(f"{sex}_standard_months" for sex in standards),
        *(f"{name}_months" for name in networks),
        *(f"{name}_attention_found" for name in regions),
        "seconds",
    ]
    for reading in readings:
        stated = {i.level: (i.low_months, i.high_months) for i in reading.intervals}
        months = [
            *(end for level in levels for end in stated.get(level, (None, None))),
            *(reading.by_standard.get(sex) for sex in standards),
            *(reading.networks.get(name) for name in networks),
        ]
        yield [
            *(reading.case, str(reading.sex), f"{reading.true_months:g}"),
            *(f"{reading.predicted_months:.2f}", f"{reading.error_months:.2f}"),
            *("" if value is None else f"{value:.2f}" for value in months),
            *(str(int(reading.attention_found.get(name, False))) for name in regions),
            f"{reading.seconds:.3f}",
        ]


def summarise(validation: Validation, experiment: Experiment, workers: int = 1) -> dict[str, Any]:
    """All that ``metrics.json`` holds; plain values.

    ``workers`` is how many films were read at a time, which makes each of them slower.
    """
    readings, problems = validation.readings, validation.problems
    return {
        **experiment.header(METHOD),
        "films": {
            "tried": validation.films,
            "read": len(readings),
            "failed": len(validation.failures),
            "unusable": len(problems),
        },
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
        "attention_found": {
            name: float(np.mean([r.attention_found.get(name, False) for r in readings]))
            for name in in_order(reading.attention_found for reading in readings)
        },
        "seconds_per_film": _seconds(readings),
        "workers": workers,
        "failures": failures_of(validation.failures),
        "problems": {
            "by_kind": {str(kind): n for kind, n in count_by_kind(problems).items()},
            "named": [str(problem) for problem in problems],
        },
    }


def _measured(readings: Sequence[CaseEstimate], predicted: Sequence[float]) -> dict[str, Any]:
    """Metrics overall and by sex; empty when nothing was read."""
    if not readings:
        return {}
    true = [reading.true_months for reading in readings]
    by_sex = measure_by(true, predicted, [reading.sex for reading in readings])
    return {group: asdict(metrics) for group, metrics in by_sex.items()}


def _standards(readings: Sequence[CaseEstimate]) -> dict[str, Any]:
    """How far apart the two standards read the same films; empty when none was read by both."""
    overall = agreement.measure_standards(readings)
    if overall is None:
        return {}
    bands = agreement.measure_standards_by_band(readings)
    by_band = {name: asdict(found) for name, found in bands.items()}
    return {"overall": asdict(overall), "by_band": by_band}


def _agreement(readings: Sequence[CaseEstimate]) -> dict[str, Any]:
    """Bland–Altman limits and regression line; empty when nothing was read."""
    if not readings:
        return {}
    line = agreement.regression_line(*months_of(readings))
    return {
        "bland_altman": asdict(agreement.limits_of_agreement(*months_of(readings))),
        "regression": asdict(line) if line else None,
    }


def _by_network(readings: Sequence[CaseEstimate]) -> dict[str, Any]:
    """Measure each network alone, on the films it read."""
    found = {}
    for name in in_order(reading.networks for reading in readings):
        read = [reading for reading in readings if name in reading.networks]
        found[name] = _measured(read, [reading.networks[name] for reading in read])
    return found


def _prediction_intervals(readings: Sequence[CaseEstimate]) -> dict[str, Any] | None:
    """Coverage by level, overall and by band; None where the readings state no interval."""
    levels = []
    for level, coverage in agreement.coverage_by_level(readings).items():
        bands = agreement.coverage_by_band(readings, level)
        by_band = {band: asdict(found) for band, found in bands.items()}
        levels.append({"level": level, "overall": asdict(coverage), "by_band": by_band})
    return {"method": agreement.COVERAGE_METHOD, "levels": levels} if levels else None


def _seconds(readings: Sequence[CaseEstimate]) -> dict[str, float]:
    if not readings:
        return {}
    seconds = [reading.seconds for reading in readings]
    return {"median": float(np.median(seconds)), "p95": float(np.quantile(seconds, 0.95))}


def in_order(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Every key of several mappings, in the order first met."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def write_report(
    folder: Path,
    table: Mapping[str, Any],
    *,
    comparisons: Sequence[tuple[Mapping[str, Any], str]] = (),
    curves: Mapping[str, Path] | None = None,
) -> None:
    """Write the page into a folder that has the figures.

    ``table`` is what ``metrics.json`` holds; ``comparisons`` are what
    ``comparison.json`` holds, each with its conclusion; ``curves`` are pictures
    of loss curves, by the name of their stage.
    """
    write_page(
        folder / PAGE,
        "accuracy",
        test=table,
        metrics_table=metrics_table(table["metrics"]),
        networks_table=networks_table(table),
        comparisons=comparisons,
        curves={name: path.absolute() for name, path in (curves or {}).items()},
        least_films=LEAST_FILMS,
        disclaimer=DISCLAIMER,
    )


def title_of(data: Mapping[str, Any], weights: str) -> str:
    """Data, split and weights, for every figure."""
    only = f", the first {data['limit']}" if data["limit"] else ""
    copies = f", {data['copies']} copies" if "copies" in data else ""
    forced = ", refused ones analysed too" if data.get("forced") else ""
    return f"{data['name']}, {data['split']} radiographs{only}{copies}{forced}, weights {weights}"
