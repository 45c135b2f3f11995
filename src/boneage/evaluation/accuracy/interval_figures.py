"""Whether the stated intervals hold the labelled age as often as they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from boneage.evaluation.accuracy.agreement import Coverage, coverage_by_band, coverage_by_level
from boneage.evaluation.accuracy.plots import (
    AGE_AXIS,
    head,
    head_all,
    in_percent,
    legend_beside,
    legend_inside,
    plot_estimates,
)
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.drawing import ACCENT, BOTH, new_figure, save


def draw_calibration(path: Path, readings: Sequence[Reading], title: str) -> None:
    """Coverage by age of the widest level; with several levels also observed against nominal.

    Parameters
    ----------
    path : Path
    readings : sequence of Reading
        At least one that states an interval.
    title : str
    """
    levels = coverage_by_level(readings)
    several = len(levels) > 1
    figure, axes = new_figure(1, 1 + several, width=8.4 + 4 * several, height=4.6)
    if several:
        _by_level(axes[0], levels)
    widest = max(levels)
    _by_band(axes[-1], coverage_by_band(readings, widest), widest)
    stated = levels[widest].count
    head_all(figure, f"Calibration of the stated intervals ({stated} films state one)\n{title}")
    save(figure, path)


def _by_level(axes: Axes, levels: Mapping[float, Coverage]) -> None:
    axes.plot([0, 100], [0, 100], "--", color=BOTH, lw=1, label="as often as stated")
    nominal = [100 * level for level in levels]
    observed = [in_percent(coverage.share) for coverage in levels.values()]
    plot_estimates(axes, nominal, observed, ACCENT, "observed")
    axes.set(xlabel="stated level, %", ylabel="films with the label inside, %")
    axes.set(xlim=(0, 102), ylim=(0, 102), aspect="equal")
    head(axes, "observed against stated")
    legend_inside(axes, "bars: 95 % Wilson interval")


def _by_band(axes: Axes, bands: Mapping[str, Coverage], level: float) -> None:
    axes.axhline(100 * level, ls="--", color=BOTH, lw=1, label=f"stated: {100 * level:.0f} %")
    observed = [in_percent(coverage.share) for coverage in bands.values()]
    plot_estimates(axes, range(len(bands)), observed, ACCENT, "observed")
    labels = [
        f"{name.replace('-', '–')}\nn = {coverage.count}\n{coverage.mean_width_months:.0f} mo"
        for name, coverage in bands.items()
    ]
    axes.set_xticks(range(len(bands)), labels)
    axes.set(xlabel=f"{AGE_AXIS}, years; films; mean width of the interval (mo: months)")
    axes.set(ylabel="films with the label inside, %", ylim=(0, 102))
    head(axes, f"intervals of level {100 * level:.0f} %, by two-year band")
    legend_beside(axes, "bars: 95 % Wilson interval")
