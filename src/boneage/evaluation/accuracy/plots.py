"""What the figures of an evaluation share: points by sex, estimates with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.drawing import COLOURS
from boneage.evaluation.metrics import LEVEL, Estimate, Vector

MARKS: Mapping[Sex, str] = {Sex.FEMALE: "o", Sex.MALE: "^"}
MONTHS_A_YEAR = 12
HEAD_POINTS, LEGEND_POINTS = 10, 9
AGE_AXIS = "true bone age (label)"
BARS_ARE = f"bars: {100 * LEVEL:.0f} % bootstrap interval"


@dataclass(frozen=True)
class Drawn:
    """A figure on disk, and what it shows in words."""

    path: Path
    alt: str


def plot_by_sex(axes: Axes, readings: Sequence[Reading], x: Vector, y: Vector) -> None:
    """Plot a point a reading, the sexes told apart by colour and by mark.

    Parameters
    ----------
    axes : Axes
    readings : sequence of Reading, length n
    x, y : ndarray of shape (n,)
    """
    for sex, mark in MARKS.items():
        of_sex = np.array([reading.sex is sex for reading in readings])
        label = f"{sex}, n = {of_sex.sum()}"
        colour = COLOURS[sex]
        axes.plot(x[of_sex], y[of_sex], mark, ms=4.5, mew=0, alpha=0.6, color=colour, label=label)


def plot_estimates(
    axes: Axes, x: Sequence[float], found: Sequence[Estimate], colour: str, label: str
) -> None:
    """Plot estimates as points with their intervals as bars."""
    y = np.array([estimate.value for estimate in found], dtype=np.float64)
    ends = [
        [e.value if end is None else end for e, end in zip(found, side, strict=True)]
        for side in ([e.low for e in found], [e.high for e in found])
    ]
    low, high = np.array(ends, dtype=np.float64)
    bars = np.maximum([y - low, high - y], 0)
    axes.errorbar(x, y, bars, fmt="o", ms=5, capsize=3, color=colour, label=label)


def head(axes: Axes, text: str) -> None:
    """Put a title over the axes."""
    axes.set_title(text, fontsize=HEAD_POINTS)


def head_all(figure: Figure, text: str) -> None:
    """Put a title over all axes of a figure."""
    figure.suptitle(text, fontsize=HEAD_POINTS + 1)


def legend_beside(axes: Axes, title: str | None = None) -> None:
    """Put the legend to the right of the axes, where it hides nothing."""
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        title=title,
        alignment="left",
        frameon=False,
        fontsize=LEGEND_POINTS,
        title_fontsize=LEGEND_POINTS,
    )


def legend_inside(axes: Axes, title: str | None = None) -> None:
    """Put the legend into the upper left corner, which the ages of films leave empty."""
    axes.legend(
        loc="upper left",
        title=title,
        alignment="left",
        frameon=False,
        fontsize=LEGEND_POINTS - 1,
        title_fontsize=LEGEND_POINTS - 1,
        borderaxespad=0.1,
        labelspacing=0.3,
    )


def in_percent(share: Estimate) -> Estimate:
    """A share of 0 to 1, in per cent."""
    parts = (share.value, share.low, share.high)
    return Estimate(*(None if part is None else 100 * part for part in parts))


def months_with_ends(found: Estimate) -> str:
    """Such as "8.0 (7.1 to 9.0)"."""
    if found.value is None:
        return "–"
    ends = "" if found.low is None else f" ({found.low:.1f} to {found.high:.1f})"
    return f"{found.value:.1f}{ends}".replace("-", "−")
