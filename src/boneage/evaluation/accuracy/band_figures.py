"""How good the readings are at which age, and how many are good enough."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boneage.evaluation.accuracy.bands import LEAST_FILMS, measure_bands, measure_bands_by_sex
from boneage.evaluation.accuracy.plots import (
    AGE_AXIS,
    BARS_ARE,
    head,
    in_percent,
    legend_beside,
    plot_estimates,
)
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.drawing import COLOURS, new_figure, save
from boneage.evaluation.metrics import WITHIN_MONTHS, measure_by

_SIDES = {"female": -1, "overall": 0, "male": 1}


def draw_bands(path: Path, readings: Sequence[Reading], title: str) -> None:
    """MAE of each two-year band with its interval and n, of both sexes and of each."""
    overall = measure_bands(readings)
    by_sex = {str(sex): bands for sex, bands in measure_bands_by_sex(readings).items()}
    groups = {"female": by_sex["female"], "overall": overall, "male": by_sex["male"]}
    figure, (axes,) = new_figure(width=9.6, height=4.6)
    for group, bands in groups.items():
        if bands:
            x = [band.middle + 0.4 * _SIDES[group] for band in bands]
            label = "both" if group == "overall" else f"{group}, bands of ≥ {LEAST_FILMS} films"
            plot_estimates(axes, x, [m.mae_months for m in bands.values()], COLOURS[group], label)
    labels = [f"{band.low}–{band.high}\nn = {m.count}" for band, m in overall.items()]
    axes.set_xticks([band.middle for band in overall], labels)
    axes.set(xlabel=f"{AGE_AXIS}, years; n: films of both sexes")
    axes.set(ylabel="mean absolute error, months", ylim=(0, None))
    head(axes, f"Mean absolute error by two-year band\n{title}")
    legend_beside(axes, BARS_ARE)
    save(figure, path)


def draw_within(path: Path, readings: Sequence[Reading], title: str) -> None:
    """Shares of films read within 6, 12 and 24 months, with their intervals."""
    found = measure_by(
        [reading.true_months for reading in readings],
        [reading.predicted_months for reading in readings],
        [reading.sex for reading in readings],
    )
    figure, (axes,) = new_figure(width=8.2, height=4)
    for group, metrics in sorted(found.items(), key=lambda item: _SIDES[item[0]]):
        shares = [in_percent(s) for s in (metrics.within_6, metrics.within_12, metrics.within_24)]
        x = [place + 0.25 * _SIDES[group] for place in range(len(shares))]
        heights = [share.value or 0.0 for share in shares]
        axes.bar(x, heights, 0.22, color=COLOURS[group], alpha=0.35)
        name = "both" if group == "overall" else group
        plot_estimates(axes, x, shares, COLOURS[group], f"{name}, n = {metrics.count}")
    axes.set_xticks(range(len(WITHIN_MONTHS)), [f"within {m:g} months" for m in WITHIN_MONTHS])
    axes.set(ylabel="share of films, %", ylim=(0, 102))
    head(axes, f"Share of films read within 6, 12 and 24 months of the label\n{title}")
    legend_beside(axes, BARS_ARE)
    save(figure, path)
