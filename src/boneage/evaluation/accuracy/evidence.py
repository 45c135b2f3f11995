"""What a validation leaves behind: ``cases.csv``, ``metrics.json`` and ``report.html``.

``cases.csv`` has one row a film that was read; the others have the figures of all together. All
name films by their id in a public data set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from boneage.datasets.labels import count_by_kind
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy import agreement
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation, months_of
from boneage.evaluation.metrics import METHOD, measure_by
from boneage.evaluation.report import Experiment, failures_of, number, write_page, write_rows
from boneage.reports.wording import DISCLAIMER
from boneage.storage.files import write_json

Table: TypeAlias = Mapping[str, Any]


def text_summary(table: Table) -> str:
    """The main figures of ``metrics.json``, for a terminal."""
    films = table["films"]
    lines = [
        f"{films['read']} of {films['tried']} radiographs assessed with {table['weights']['name']}"
    ]
    for group, metrics in table["metrics"].items():
        r2 = metrics["r2"]["value"]
        fit = "" if r2 is None else f", R² {r2:.3f}"
        lines.append(
            f"{group:>8}: mean absolute error {number(metrics['mae_months'])} months{fit}, "
            f"{100 * metrics['within_12']['value']:.0f} % within 12 months, n = {metrics['count']}"
        )
    return "\n".join(lines)


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
    """All that ``metrics.json`` holds; plain values, and empty ones where nothing was read.

    ``workers`` is how many films were read at a time, which makes each of them slower.
    """
    readings, problems = validation.readings, validation.problems
    standards, levels = agreement.measure_standards(readings), _levels(readings)
    return {
        **experiment.header(METHOD),
        "films": {
            "tried": validation.films,
            "read": len(readings),
            "failed": len(validation.failures),
            "unusable": len(problems),
        },
        "metrics": _measured([(reading, reading.predicted_months) for reading in readings]),
        "by_band": {b.name: asdict(m) for b, m in agreement.measure_bands(readings).items()},
        "by_sex_and_band": {
            str(sex): {band.name: asdict(m) for band, m in bands.items()}
            for sex, bands in agreement.measure_bands_by_sex(readings).items()
        },
        "standards": {
            "overall": asdict(standards),
            "by_band": _plain(agreement.measure_standards_by_band(readings)),
        }
        if standards
        else {},
        "agreement": _agreement(readings) if readings else {},
        "networks": {
            name: _measured([(r, r.networks[name]) for r in readings if name in r.networks])
            for name in in_order(reading.networks for reading in readings)
        },
        "prediction_intervals": {"method": agreement.COVERAGE_METHOD, "levels": levels}
        if levels
        else None,
        "attention_found": {
            name: float(np.mean([r.attention_found.get(name, False) for r in readings]))
            for name in in_order(reading.attention_found for reading in readings)
        },
        "seconds_per_film": _seconds(readings) if readings else {},
        "workers": workers,
        "failures": failures_of(validation.failures),
        "problems": {
            "by_kind": {str(kind): n for kind, n in count_by_kind(problems).items()},
            "named": [str(problem) for problem in problems],
        },
    }


def _plain(found: Mapping[str, Any]) -> Table:
    return {name: asdict(one) for name, one in found.items()}


def _measured(predicted: Sequence[tuple[CaseEstimate, float]]) -> Table:
    """Metrics overall and by sex."""
    if not predicted:
        return {}
    true, sexes = zip(
        *((reading.true_months, reading.sex) for reading, _ in predicted), strict=True
    )
    return _plain(measure_by(true, [months for _, months in predicted], sexes))


def _agreement(readings: Sequence[CaseEstimate]) -> Table:
    """Bland–Altman limits and regression line."""
    line = agreement.regression_line(*months_of(readings))
    return {
        "bland_altman": asdict(agreement.limits_of_agreement(*months_of(readings))),
        "regression": asdict(line) if line else None,
    }


def _levels(readings: Sequence[CaseEstimate]) -> list[Table]:
    """Coverage of the prediction intervals by level, overall and by band."""
    return [
        {
            "level": level,
            "overall": asdict(coverage),
            "by_band": _plain(agreement.coverage_by_band(readings, level)),
            "by_sex": _plain(agreement.coverage_by_sex(readings, level)),
            "informativeness": asdict(agreement.informativeness(readings, level)),
        }
        for level, coverage in agreement.coverage_by_level(readings).items()
    ]


def _seconds(readings: Sequence[CaseEstimate]) -> Table:
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

    ``table`` is what ``metrics.json`` holds; ``comparisons`` are what ``comparison.json`` holds,
    each with its conclusion; ``curves`` are pictures of loss curves, by the name of their stage.
    """
    write_page(
        folder / PAGE,
        "accuracy",
        test=table,
        comparisons=comparisons,
        curves={name: path.absolute() for name, path in (curves or {}).items()},
        least_films=agreement.LEAST_FILMS,
        disclaimer=DISCLAIMER,
    )


def title_of(data: Mapping[str, Any], weights: str) -> str:
    """Data, split and weights, for every figure."""
    only = f", the first {data['limit']}" if data["limit"] else ""
    copies = f", {data['copies']} copies" if "copies" in data else ""
    forced = ", refused ones analysed too" if data.get("forced") else ""
    return f"{data['name']}, {data['split']} radiographs{only}{copies}{forced}, weights {weights}"
