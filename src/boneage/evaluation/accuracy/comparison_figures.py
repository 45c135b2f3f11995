"""Two readers on the same films: their scatters side by side, and who is nearer where."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boneage.evaluation.accuracy.comparison import Comparison
from boneage.evaluation.accuracy.plots import (
    AGE_AXIS,
    MONTHS_A_YEAR,
    head,
    head_all,
    legend_inside,
    months_with_ends,
    plot_by_sex,
)
from boneage.evaluation.accuracy.scatter_figures import scatter
from boneage.evaluation.drawing import ACCENT, new_figure, save


def draw_comparison(path: Path, found: Comparison, here: str, title: str) -> None:
    """Draw both scatters, and the paired differences against age; ``here`` names this reader."""
    figure, axes = new_figure(1, 3, width=14.4, height=5.2)
    readings = [pair.reading for pair in found.pairs]
    scatter(axes[0], [(reading, reading.predicted_months) for reading in readings], here)
    theirs = [(pair.reading, pair.other_months) for pair in found.pairs]
    scatter(axes[1], theirs, found.other.name)
    place, mean = axes[2], found.difference.mae_months
    ages = np.array([reading.true_months for reading in readings]) / MONTHS_A_YEAR
    plot_by_sex(place, readings, ages, np.array([pair.excess_months for pair in found.pairs]))
    place.axhline(0, color="black", lw=0.8)
    if mean.value is not None:
        label = f"mean {months_with_ends(mean)} months"
        place.axhline(mean.value, color=ACCENT, lw=2, label=label)
    if mean.low is not None and mean.high is not None:
        place.axhspan(mean.low, mean.high, color=ACCENT, alpha=0.2, lw=0)
    head(place, f"paired difference of the absolute errors\nbelow 0: {here} is nearer")
    place.set(xlabel=f"{AGE_AXIS}, years", ylabel="|error| here − |error| there, months")
    place.margins(y=0.25)
    legend_inside(place)
    heading = f"{here} compared with {found.other.name} on the {found.count} films both have read"
    head_all(figure, f"{heading}\n{title}")
    save(figure, path)
