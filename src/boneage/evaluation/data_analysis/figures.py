"""The analysis of a data set as figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import Z_LIMIT, Analysis, Bin, Dataset
from boneage.evaluation.plotting import ACCENT, BOTH, COLOURS, LIGHT, saved_figure

TICK_MONTHS = 24
WORDS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}
"""The sexes in texts and figures, in their order."""
SPLIT_STYLES = ((BOTH, "-"), (ACCENT, "--"))
"""Of "train" and "validation", in this order; the dashes tell them apart in grey too."""
BAR = {"align": "edge", "edgecolor": "white", "linewidth": 0.8}


def draw_ages(path: Path, dataset: Dataset) -> None:
    """Histograms of bone age: all films, girls, boys."""
    bins = dataset.ages
    panels = [("All radiographs", [b.count for b in bins], BOTH, dataset.overall)] + [
        (name.capitalize(), [b.counts[sex] for b in bins], COLOURS[sex], dataset.by_sex.get(sex))
        for sex, name in WORDS.items()
    ]
    with saved_figure(path, 3, width=7.0, height=7.5) as (_, axes):
        for ax, (name, counts, colour, found) in zip(axes, panels, strict=True):
            _bars(ax, bins, counts, colour)
            title = f"{name}: none"
            if found is not None:
                title = (
                    f"{name}: {found.count:,}; mean {found.mean:.1f}, median {found.median:g}, "
                    f"SD {found.standard_deviation:.1f} months"
                )
            ax.set_title(title, loc="left")
            ax.set_ylabel("radiographs")
            _month_axis(ax, bins)
        axes[-1].set_xlabel("bone age in months (years); a bar covers one year")


def _bars(
    ax: Axes, bins: Sequence[Bin], counts: Sequence[int], colour: str, **style: object
) -> None:
    lows, widths = [b.low for b in bins], [b.high - b.low for b in bins]
    ax.bar(lows, counts, widths, color=colour, **BAR, **style)  # type: ignore[arg-type]


def _month_axis(ax: Axes, bins: Sequence[Bin]) -> None:
    first = math.floor(bins[0].low / TICK_MONTHS) * TICK_MONTHS
    last = math.ceil(bins[-1].high / TICK_MONTHS) * TICK_MONTHS
    ticks = range(first, last + 1, TICK_MONTHS)
    ax.set_xticks(ticks, [f"{tick}\n({tick // 12})" for tick in ticks])
    ax.set(xlim=(first, last), ylim=(0, None))
    ax.grid(visible=False, axis="x")


def draw_splits(path: Path, analysis: Analysis) -> None:
    """Shares of each split by bone age, one line a split, over one another."""
    bins = analysis.dataset.ages
    edges = [*(b.low for b in bins), bins[-1].high]
    with saved_figure(path, width=7.0, height=3.6) as (figure, (ax,)):
        splits = sorted(analysis.ages_by_split.items())
        for (name, counts), (colour, dashes) in zip(splits, SPLIT_STYLES, strict=False):
            found = analysis.by_split[name]
            shares = [100 * count / found.count for count in counts]
            label = f"{name}: {found.count:,} radiographs, mean {found.mean:.1f} months"
            ax.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.8, label=label)
        ax.set_title("Are the splits of the same ages?", loc="left")
        ax.set(xlabel="bone age in months (years)", ylabel="share of the split, % a year of age")
        _month_axis(ax, bins)
        figure.legend(loc="outside lower center", ncols=2)


def draw_z_scores(path: Path, dataset: Dataset) -> None:
    """The histogram of z-scores, the sexes upon one another, with ±3 marked."""
    bins = dataset.z_scores
    edge = max(Z_LIMIT + 0.5, -bins[0].low, bins[-1].high)
    with saved_figure(path, width=7.0, height=3.8) as (figure, (ax,)):
        below = [0] * len(bins)
        for sex, name in WORDS.items():
            counts = [b.counts[sex] for b in bins]
            _bars(ax, bins, counts, COLOURS[sex], bottom=below, label=name)
            below = [low + count for low, count in zip(below, counts, strict=True)]
        for limit, label in ((-Z_LIMIT, f"±{Z_LIMIT:g} standard deviations"), (Z_LIMIT, None)):
            ax.axvline(limit, color="black", linestyle="--", linewidth=1.2, label=label)
            ax.axvspan(limit, math.copysign(edge, limit), color=LIGHT, alpha=0.3, linewidth=0)
        low, high = dataset.z_range
        beyond = f"radiographs beyond ±{Z_LIMIT:g}: {len(dataset.outliers):,}"
        ax.set_title(f"z-scores from {low:.2f} to {high:.2f}; {beyond}", loc="left")
        ax.set(xlim=(-edge, edge), ylabel="radiographs")
        ax.set_xlabel("z-score = (bone age − mean) / standard deviation, over all radiographs")
        ax.grid(visible=False, axis="x")
        figure.legend(loc="outside lower center", ncols=3)
