"""The style of every figure of an evaluation; its colours suit colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage.evaluation.metrics import LEVEL, Estimate
from boneage.storage.files import atomically

BOTH, FEMALE, MALE = "#4d4d4d", "#d55e00", "#0072b2"
COLOURS: Mapping[str, str] = {"overall": BOTH, "female": FEMALE, "male": MALE}
"""After Okabe and Ito, Color Universal Design, 2008."""
ACCENT, LIGHT = "#009e73", "#bbbbbb"
BARS_ARE = f"bars: {100 * LEVEL:.0f} % bootstrap interval"
DPI = 150
_STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "figure.titlesize": 11,
    "font.size": 9,
    "grid.alpha": 0.35,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
}


@contextmanager
def saved_figure(
    path: Path, rows: int = 1, columns: int = 1, *, width: float, height: float
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure and its axes to draw on, row by row, and save it as PNG afterwards.

    Sizes are in inches, for the whole figure.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")  # no pyplot: no state
        yield figure, list(figure.subplots(rows, columns, squeeze=False).flat)
        save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; the same figure, the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as file:
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})


def plot_estimates(
    axes: Axes,
    places: Sequence[float],
    found: Sequence[Estimate],
    colour: str,
    label: str,
    *,
    scale: float = 1,
    horizontal: bool = False,
    **style: Any,
) -> None:
    """Plot estimates as points with their intervals as bars; an unknown one is left out.

    ``scale`` is 100 for shares in per cent; with ``horizontal`` bars the places are on the
    vertical axis.
    """
    values = np.array([[e.value, e.low, e.high] for e in found], dtype=np.float64)
    value, low, high = scale * values.reshape(-1, 3).T
    bars = np.nan_to_num(np.maximum([value - low, high - value], 0))  # one film has no interval
    style = {"fmt": "o", "ms": 5, "capsize": 0 if horizontal else 3, "color": colour, **style}
    x, y, errors = (value, places, "xerr") if horizontal else (places, value, "yerr")
    axes.errorbar(x, y, label=label, **style | {errors: bars})


def legend_beside(axes: Axes, title: str | None = None) -> None:
    """Put the legend to the right of the axes, where it hides nothing."""
    where: Any = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
    axes.legend(title=title, alignment="left", **where)


def legend_above(axes: Axes, columns: int, centre: float = 0.5) -> None:
    """Put the legend over the axes."""
    axes.legend(loc="lower center", bbox_to_anchor=(centre, 1.0), ncols=columns)


def legend_inside(axes: Axes, title: str | None = None) -> None:
    """Put the legend into the upper left corner, which the ages of films leave empty."""
    where: Any = {"loc": "upper left", "borderaxespad": 0.1, "labelspacing": 0.3}
    axes.legend(title=title, alignment="left", fontsize=8, title_fontsize=8, **where)
