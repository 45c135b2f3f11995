"""Predicted against true bone age: each network alone, and the answer that joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes

from boneage.evaluation.accuracy.agreement import regression_line
from boneage.evaluation.accuracy.evidence import in_order
from boneage.evaluation.accuracy.plots import (
    AGE_AXIS,
    Drawn,
    head,
    head_all,
    legend_inside,
    plot_by_sex,
)
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.drawing import ACCENT, BOTH, new_figure, save
from boneage.evaluation.metrics import Vector, fit

JOINED = "all joined, with sex"
OLDEST_MONTHS = 240.0
TICK_MONTHS = 48.0
_COLUMNS = 3

Points: TypeAlias = Sequence[tuple[Reading, float]]
"""Films, and the months that were predicted of them."""


def draw_scatters(folder: Path, readings: Sequence[Reading], title: str) -> dict[str, Drawn]:
    """Draw one scatter a file, and all of them side by side."""
    panels = scatters_of(readings)
    drawn = {}
    for label, points in panels.items():
        name = "scatter-joined" if label == JOINED else f"scatter-{label.replace(' ', '-')}"
        _draw(folder / f"{name}.png", {label: points}, title)
        drawn[name] = Drawn(folder / f"{name}.png", f"Predicted against true bone age: {label}")
    _draw(folder / "scatters.png", panels, title)
    alt = f"Predicted against true bone age: {'; '.join(panels)}"
    return {**drawn, "scatters": Drawn(folder / "scatters.png", alt)}


def scatters_of(readings: Sequence[Reading]) -> dict[str, Points]:
    """The points of every network alone and of the joined answer, by what they are called."""
    networks = in_order(reading.networks for reading in readings)
    alone: dict[str, Points] = {
        f"{name.replace('_', ' ')} alone": [
            (reading, reading.networks[name]) for reading in readings if name in reading.networks
        ]
        for name in networks
    }
    return {**alone, JOINED: [(reading, reading.predicted_months) for reading in readings]}


def _draw(path: Path, panels: Mapping[str, Points], title: str) -> None:
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    wide = 5.4 if len(panels) == 1 else 4.2
    figure, axes = new_figure(rows, columns, width=wide * columns, height=wide * rows + 0.8)
    for place, (label, points) in zip(axes, panels.items(), strict=False):
        scatter(place, points, label)
    for place in axes[len(panels) :]:
        place.set_visible(False)
    head_all(figure, f"Predicted against true bone age\n{title}")
    save(figure, path)


def scatter(axes: Axes, points: Points, label: str) -> None:
    """Draw points with the identity, the regression line, and the figures of both."""
    readings = [reading for reading, _ in points]
    true = np.array([reading.true_months for reading in readings])
    predicted = np.array([months for _, months in points])
    plot_by_sex(axes, readings, true, predicted)
    low, high = min(0.0, predicted.min() - 4), max(OLDEST_MONTHS, predicted.max() + 4)
    axes.plot([low, high], [low, high], "--", color=BOTH, lw=1, label="predicted = true")
    _plot_regression(axes, true, predicted)
    mae, _, r2 = fit(true[:, np.newaxis], predicted[:, np.newaxis])[:, 0]
    stated = f"mean absolute error {mae:.1f} months"
    head(axes, f"{label}\n{stated}" + (f", R² {r2:.3f}" if np.isfinite(r2) else ""))
    ticks = np.arange(0, OLDEST_MONTHS + 1, TICK_MONTHS)
    axes.set(xlabel=f"{AGE_AXIS}, months", ylabel="predicted bone age, months")
    axes.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks, aspect="equal")
    legend_inside(axes)


def _plot_regression(axes: Axes, true: Vector, predicted: Vector) -> None:
    line = regression_line(true, predicted)
    if line is None:
        return
    ends = np.array([true.min(), true.max()])
    equation = f"{line.slope:.2f} × true {'+' if line.intercept_months >= 0 else '−'} "
    equation += f"{abs(line.intercept_months):.1f}"
    label = f"regression: {equation}; r² {line.r_squared:.3f}"
    axes.plot(ends, line.slope * ends + line.intercept_months, color=ACCENT, lw=2, label=label)
