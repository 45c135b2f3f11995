"""The analysis of a data set as charts, and as the tables of the same numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.dataset import BIN_MONTHS, Z_LIMIT, Bin, Dataset, Statistics

CHART_PX, AXIS_PX = 170, 50
SAME_NUMBERS = "The table of numbers below holds the same."
COLOUR = "#2a78ab"
LIMIT_COLOUR = "#d55e00"
"""Blue and vermilion: told apart with any colour vision, and on light and dark."""
Columns = dict[str, list[str]]
Spec = dict[str, Any]
"""Of Vega-Lite, which comes with Streamlit: https://vega.github.io/vega-lite/docs/spec.html"""
LABELS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}


def statistics_table(dataset: Dataset) -> Columns:
    """The statistics, overall and by sex."""
    groups: dict[str, Statistics] = {"all": dataset.overall}
    groups |= {LABELS[sex]: dataset.by_sex[sex] for sex in LABELS if sex in dataset.by_sex}
    names = ("films", "mean", "median", "standard deviation", "least", "most")
    columns: Columns = {"statistic": list(names)}
    for name, s in groups.items():
        columns[name] = [
            f"{s.count:,}",
            f"{s.mean:.1f}",
            f"{s.median:.1f}",
            f"{s.standard_deviation:.1f}",
            f"{s.least:g}",
            f"{s.most:g}",
        ]
    return columns


def bins_table(bins: Sequence[Bin], label: str, form: str) -> Columns:
    """A histogram as numbers; a bin holds its lower end, not its upper one."""
    return {
        label: [f"{form.format(b.low)} to {form.format(b.high)}" for b in bins],
        **{LABELS[sex]: [str(b.counts[sex]) for b in bins] for sex in LABELS},
        "all": [str(b.count) for b in bins],
    }


def outliers_table(dataset: Dataset) -> Columns:
    """The films whose ages lie far out."""
    found = dataset.outliers
    return {
        "film": [o.film for o in found],
        "sex": [o.sex.value for o in found],
        "months": [f"{o.age_months:g}" for o in found],
        "z-score": [f"{o.z:.2f}" for o in found],
    }


def age_chart(dataset: Dataset) -> Spec:
    """Histograms of ages, all and by sex, over one axis."""
    edges = [month for b in dataset.ages for month in (b.low, b.high)]
    panels = [("all", [b.count for b in dataset.ages])]
    panels += [(LABELS[sex], [b.counts[sex] for b in dataset.ages]) for sex in LABELS]
    return {
        "description": "Histograms of bone age in bins of a year: all films, girls, boys. "
        f"{SAME_NUMBERS}",
        "spacing": 12,
        "vconcat": [
            _bars(dataset.ages, counts, ("months", f"films, {name}"), edges, BIN_MONTHS)
            | {"width": "container", "height": CHART_PX}
            for name, counts in panels
        ],
    }


def z_chart(dataset: Dataset) -> Spec:
    """The histogram of z-scores, with ±3 marked."""
    edges = [z for b in dataset.z_scores for z in (b.low, b.high)]
    edges += [-Z_LIMIT - 0.5, Z_LIMIT + 0.5]
    counts = [b.count for b in dataset.z_scores]
    limits = {"values": [{"z": -Z_LIMIT, "name": "−3"}, {"z": Z_LIMIT, "name": "+3"}]}
    x = {"field": "z", "type": "quantitative"}
    line = {"type": "rule", "color": LIMIT_COLOUR, "strokeDash": [6, 4], "strokeWidth": 2}
    word = {"type": "text", "color": LIMIT_COLOUR, "align": "left", "dx": 5, "fontSize": 13}
    name = {"field": "name", "type": "nominal"}
    return {
        "description": "Histogram of z-scores with lines at minus 3 and plus 3. " + SAME_NUMBERS,
        "width": "container",
        "height": CHART_PX + AXIS_PX,
        "layer": [
            _bars(dataset.z_scores, counts, ("z-score", "films"), edges, 1),
            {"data": limits, "mark": line, "encoding": {"x": x}},
            {"data": limits, "mark": word, "encoding": {"x": x, "y": {"value": 8}, "text": name}},
        ],
    }


def _bars(
    bins: Sequence[Bin],
    counts: Sequence[int],
    titles: tuple[str, str],
    edges: Sequence[float],
    step: float,
) -> Spec:
    """Bars over an axis that holds all edges, with a tick at each step."""
    low, high = min(edges), max(edges)
    ticks = [tick * step for tick in range(math.ceil(low / step), math.floor(high / step) + 1)]
    scale = {"domain": [low, high], "nice": False}
    rows = [{"low": b.low, "high": b.high, "films": n} for b, n in zip(bins, counts, strict=True)]
    return {
        "data": {"values": rows},
        "mark": {"type": "bar", "color": COLOUR, "tooltip": True},
        "encoding": {
            "x": {
                "field": "low",
                "bin": "binned",
                "type": "quantitative",
                "title": titles[0],
                "scale": scale,
                "axis": {"values": ticks},
            },
            "x2": {"field": "high"},
            "y": {
                "field": "films",
                "type": "quantitative",
                "title": titles[1],
                "axis": {"tickCount": 4},
            },
        },
    }
