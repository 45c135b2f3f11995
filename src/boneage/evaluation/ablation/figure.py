"""The forest plot of an ablation: a row a variant, its error with the interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from boneage.evaluation.ablation.ablation import Worth
from boneage.evaluation.drawing import ACCENT, BOTH, new_figure, save
from boneage.training.ablation.outcomes import Study

ROW_INCHES, MARGIN_INCHES = 0.42, 1.3
TITLES: Mapping[str, str] = {
    "inputs": "Fusion: its head trained anew on some inputs",
    "networks": "Whole-hand network: trained anew, briefly",
    "backbones": "Backbones: trained for the same processor time",
}
OFFSET = 0.17
"""Of two markers in one row, in rows."""
SMALL = 7.5


def draw_ablation(path: Path, studies: Sequence[tuple[Study, Sequence[Worth]]]) -> None:
    """Draw the studies one below the other."""
    rows = max(len(_labels(worths)) for _, worths in studies)
    height = len(studies) * (MARGIN_INCHES + ROW_INCHES * rows)
    figure, axes = new_figure(len(studies), width=8.0, height=height)
    figure.set_layout_engine("constrained", h_pad=0.12)
    for place, (study, worths) in zip(axes, studies, strict=True):
        _draw(place, study, worths)
        place.set_title(TITLES.get(study.name, study.name), loc="left", fontsize="medium")
    save(figure, path)


def _labels(worths: Sequence[Worth]) -> list[str]:
    return list(dict.fromkeys(worth.variant.label for worth in worths))


def _draw(axes: Axes, study: Study, worths: Sequence[Worth]) -> None:
    labels = _labels(worths)
    series = list(dict.fromkeys(worth.variant.series for worth in worths))
    for worth in worths:
        rank = series.index(worth.variant.series)
        row = labels.index(worth.variant.label) + OFFSET * (2 * rank - len(series) + 1)
        _draw_one(
            axes, worth, row, hollow=rank > 0, is_baseline=worth.variant.name == study.baseline
        )
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(f"mean absolute error, months, n = {len(study.films)} held-back films")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    axes.legend(
        handles=_legend(axes, series),
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        fontsize=SMALL,
        frameon=False,
    )


def _draw_one(axes: Axes, worth: Worth, row: float, *, hollow: bool, is_baseline: bool) -> None:
    mae = worth.mae_months
    if mae.value is None:
        return
    low, high = (mae.value if end is None else end for end in (mae.low, mae.high))
    colour = ACCENT if is_baseline else BOTH
    if is_baseline:
        axes.axvline(mae.value, color=ACCENT, linestyle="--", linewidth=1, zorder=0.5)
    axes.plot([low, high], [row, row], color=colour, linewidth=1.4)
    axes.plot(mae.value, row, "o", color=colour, markerfacecolor="white" if hollow else colour)
    axes.annotate(
        f"{mae.value:.1f}",
        (high, row),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
    )


def _legend(axes: Axes, series: Sequence[str]) -> list[object]:
    """Handles drawn nowhere: what the markers and the lines mean."""
    handles: list[object] = []
    if len(series) > 1:
        for rank, name in enumerate(series):
            face = "white" if rank else BOTH
            handles += axes.plot([], [], "o", color=BOTH, markerfacecolor=face, label=name)
    handles += axes.plot([], [], color=BOTH, linewidth=1.4, label="95 % interval")
    handles += axes.plot([], [], "o--", color=ACCENT, linewidth=1, label="baseline")
    return handles
