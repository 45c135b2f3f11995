"""The forest plot of an ablation: a row a variant, its error with the interval."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from boneage.evaluation.ablation.measuring import Worth
from boneage.evaluation.plotting import ACCENT, BOTH, drawn, plot_estimates
from boneage.training.ablation.outcomes import Study

ROW_INCHES, MARGIN_INCHES = 0.42, 1.3
OFFSET = 0.17
"""Of two markers in one row, in rows."""
SMALL = 7.5


def draw_ablation(
    path: Path, studies: Sequence[tuple[Study, Sequence[Worth]]], titles: Sequence[str]
) -> None:
    """Draw the studies one below the other."""
    rows = max(len({worth.variant.label for worth in worths}) for _, worths in studies)
    height = len(studies) * (MARGIN_INCHES + ROW_INCHES * rows)
    with drawn(path, len(studies), width=8.0, height=height) as (figure, axes):
        figure.set_layout_engine("constrained", h_pad=0.12)
        for place, (study, worths), title in zip(axes, studies, titles, strict=True):
            _draw(place, study, worths)
            place.set_title(title, loc="left")


def _draw(axes: Axes, study: Study, worths: Sequence[Worth]) -> None:
    labels = list(dict.fromkeys(worth.variant.label for worth in worths))
    series = list(dict.fromkeys(worth.variant.series for worth in worths))
    for worth in worths:
        rank = series.index(worth.variant.series)
        row = labels.index(worth.variant.label) + OFFSET * (2 * rank - len(series) + 1)
        _draw_one(axes, worth, row, rank > 0, worth.variant.name == study.baseline)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(f"mean absolute error, months, n = {len(study.films)} held-out films")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    # Drawn nowhere: what the markers and the lines mean.
    handles: list[Any] = []
    for rank, name in enumerate(series if len(series) > 1 else ()):
        handles += axes.plot([], [], "o", color=BOTH, mfc="white" if rank else BOTH, label=name)
    handles += axes.plot([], [], color=BOTH, label="95 % interval")
    handles += axes.plot([], [], "o--", color=ACCENT, linewidth=1, label="baseline")
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=SMALL)


def _draw_one(axes: Axes, worth: Worth, row: float, hollow: bool, is_baseline: bool) -> None:
    mae = worth.mae_months
    if mae.value is None:
        return
    colour = ACCENT if is_baseline else BOTH
    if is_baseline:
        axes.axvline(mae.value, color=ACCENT, linestyle="--", linewidth=1, zorder=0.5)
    plot_estimates(axes, [row], [mae], colour, "", lying=True, mfc="white" if hollow else colour)
    axes.annotate(
        f"{mae.value:.1f}",
        (mae.value if mae.high is None else mae.high, row),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
    )
