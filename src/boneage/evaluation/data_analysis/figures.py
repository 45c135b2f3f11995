"""The analysis of a data set as figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import Analysis
from boneage.evaluation.data_analysis.dataset import Z_LIMIT, Bin, Dataset, Statistics
from boneage.evaluation.data_analysis.findings import WORDS
from boneage.evaluation.drawing import ACCENT, BOTH, FEMALE, LIGHT, MALE, new_figure, save

TICK_MONTHS = 24
COLOURS = {Sex.FEMALE: FEMALE, Sex.MALE: MALE}
SPLIT_STYLES = ((BOTH, "-"), (ACCENT, "--"))
"""Of "train" and "validation", in this order; the dashes tell them apart in grey too."""


def draw_ages(dataset: Dataset, path: Path) -> None:
    """Histograms of bone age: all films, girls, boys."""
    figure, axes = new_figure(3, width=7.0, height=7.5)
    bins = dataset.ages
    _age_panel(axes[0], bins, [b.count for b in bins], BOTH, ("All films", dataset.overall))
    for ax, sex in zip(axes[1:], WORDS, strict=True):
        counts = [b.counts[sex] for b in bins]
        of_sex = dataset.by_sex.get(sex)
        _age_panel(ax, bins, counts, COLOURS[sex], (WORDS[sex].capitalize(), of_sex))
    axes[-1].set_xlabel("bone age in months (years); a bar holds one year")
    save(figure, path)


def _age_panel(
    ax: Axes,
    bins: Sequence[Bin],
    counts: Sequence[int],
    colour: str,
    who: tuple[str, Statistics | None],
) -> None:
    lows, widths = [b.low for b in bins], [b.high - b.low for b in bins]
    ax.bar(lows, counts, widths, align="edge", color=colour, edgecolor="white", linewidth=0.8)
    name, found = who
    title = f"{name}: none"
    if found is not None:
        title = (
            f"{name}: {found.count:,}; mean {found.mean:.1f}, median {found.median:g}, "
            f"SD {found.standard_deviation:.1f} months"
        )
    ax.set_title(title, loc="left")
    ax.set_ylabel("films")
    _month_axis(ax, bins)


def _month_axis(ax: Axes, bins: Sequence[Bin]) -> None:
    first = math.floor(bins[0].low / TICK_MONTHS) * TICK_MONTHS
    last = math.ceil(bins[-1].high / TICK_MONTHS) * TICK_MONTHS
    ticks = range(first, last + 1, TICK_MONTHS)
    ax.set_xticks(ticks, [f"{tick}\n({tick // 12})" for tick in ticks])
    ax.set_xlim(first, last)
    ax.grid(visible=False, axis="x")
    ax.set_ylim(bottom=0)


def draw_splits(analysis: Analysis, path: Path) -> None:
    """Shares of each split by bone age, one line a split, over one another."""
    figure, (ax,) = new_figure(width=7.0, height=3.6)
    bins = analysis.dataset.ages
    edges = [*(b.low for b in bins), bins[-1].high]
    for (name, counts), (colour, dashes) in zip(
        sorted(analysis.ages_by_split.items()), SPLIT_STYLES, strict=False
    ):
        found = analysis.by_split[name]
        shares = [100 * count / found.count for count in counts]
        label = f"{name}: {found.count:,} films, mean {found.mean:.1f} months"
        ax.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.8, label=label)
    ax.set_title("Are the splits of the same ages?", loc="left")
    ax.set_xlabel("bone age in months (years)")
    ax.set_ylabel("share of the split, % a year of age")
    _month_axis(ax, bins)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    save(figure, path)


def draw_z_scores(dataset: Dataset, path: Path) -> None:
    """The histogram of z-scores, the sexes upon one another, with ±3 marked."""
    figure, (ax,) = new_figure(width=7.0, height=3.8)
    bins = dataset.z_scores
    lows, widths = [b.low for b in bins], [b.high - b.low for b in bins]
    below = [0] * len(bins)
    for sex, name in WORDS.items():
        counts = [b.counts[sex] for b in bins]
        look = {"color": COLOURS[sex], "edgecolor": "white", "linewidth": 0.8}
        ax.bar(lows, counts, widths, bottom=below, align="edge", label=name, **look)
        below = [low + count for low, count in zip(below, counts, strict=True)]
    for limit, label in ((-Z_LIMIT, f"±{Z_LIMIT:g} standard deviations"), (Z_LIMIT, None)):
        ax.axvline(limit, color="black", linestyle="--", linewidth=1.2, label=label)
    edge = max(Z_LIMIT + 0.5, -bins[0].low, bins[-1].high)
    ax.axvspan(-edge, -Z_LIMIT, color=LIGHT, alpha=0.3, linewidth=0)
    ax.axvspan(Z_LIMIT, edge, color=LIGHT, alpha=0.3, linewidth=0)
    ax.set_xlim(-edge, edge)
    low, high = dataset.z_range
    beyond = f"films beyond ±{Z_LIMIT:g}: {len(dataset.outliers):,}"
    ax.set_title(f"z-scores from {low:.2f} to {high:.2f}; {beyond}", loc="left")
    ax.set_xlabel("z-score = (bone age − mean) / standard deviation, over all films")
    ax.set_ylabel("films")
    ax.grid(visible=False, axis="x")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    save(figure, path)
