"""How every figure of the evidence looks: one style, colours that the colour-blind tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from boneage.storage.files import atomically

BOTH, FEMALE, MALE = "#4d4d4d", "#d55e00", "#0072b2"
COLOURS: Mapping[str, str] = {"overall": BOTH, "female": FEMALE, "male": MALE}
"""After Okabe and Ito, Color Universal Design, 2008."""
ACCENT, LIGHT = "#009e73", "#bbbbbb"
DPI = 150
_STYLE = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "grid.alpha": 0.35,
    "legend.frameon": False,
}


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 6.0, height: float = 4.0
) -> tuple[Figure, list[Axes]]:
    """A figure and its axes, row by row; sizes in inches, for the whole figure.

    Made without pyplot, so that threads and servers may draw.
    """
    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [axes[row][column] for row in range(rows) for column in range(columns)]


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; the same figure, the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rc_context(_STYLE), atomically(path) as file:
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
