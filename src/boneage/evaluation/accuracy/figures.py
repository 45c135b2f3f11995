"""All the figures of an evaluation: predictions against labels, errors, intervals, other readers.

Every function draws one file; ``title`` names data, split and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy import agreement
from boneage.evaluation.accuracy.comparison import Comparison
from boneage.evaluation.accuracy.estimates import CaseEstimate, months_of
from boneage.evaluation.accuracy.evidence import in_order
from boneage.evaluation.metrics import WITHIN_MONTHS, Estimate, Vector, fit, measure_by
from boneage.evaluation.plotting import (
    ACCENT,
    BARS_ARE,
    BOTH,
    COLOURS,
    LIGHT,
    legend_beside,
    legend_inside,
    plot_estimates,
    saved_figure,
)
from boneage.evaluation.report import number

Estimates: TypeAlias = Sequence[CaseEstimate]
Points: TypeAlias = Sequence[tuple[CaseEstimate, float]]
"""Films, and the months that were predicted of them."""

MARKERS: Mapping[Sex, str] = {Sex.FEMALE: "o", Sex.MALE: "^"}
GROUPS: Mapping[str, str] = {"male": "male", "female": "female", "overall": "male and female"}
ASIDE = {"female": -1, "overall": 0, "male": 1}
"""On which side of its place a group of films stands."""
AGE_AXIS = "true bone age (label)"
COMBINED = "combined estimate"
OLDEST_MONTHS = 240.0
TICK_MONTHS = 48.0
LIMIT_MONTHS = 20.0
"""1.67 years: the line that earlier work draws."""
BIN_MONTHS = 4
WILSON = "bars: 95 % Wilson interval"
_COLUMNS = 3


def draw_figures(
    folder: Path,
    readings: Estimates,
    title: str,
    *,
    weights: str = "",
    comparisons: Sequence[Comparison] = (),
) -> None:
    """Draw every figure of at least one reading; figures of an earlier evaluation are removed.

    ``weights`` is what the comparisons call these readings.
    """
    for pattern in (*(f"{name}.png" for name in FIGURES), "scatter*.png", "comparison-*.png"):
        for old in folder.glob(pattern):
            old.unlink()
    with_count = f"{title}, n = {len(readings)}"
    panels = scatters_of(readings)
    draw_scatters(folder / "scatters.png", panels, with_count)
    for label, points in panels.items():
        name = "joined" if label == COMBINED else label.replace(" ", "-")
        draw_scatters(folder / f"scatter-{name}.png", {label: points}, with_count)
    for name, draw in FIGURES.items():
        if draw is not draw_calibration or any(reading.intervals for reading in readings):
            draw(folder / f"{name}.png", readings, with_count)
    for place, found in enumerate(comparisons, 1):
        draw_comparison(folder / f"comparison-{place}.png", found, weights, title)


def points_by_sex(axes: Axes, readings: Estimates, x: Vector, y: Vector) -> None:
    """Plot a point a reading, the sexes in different colours and markers."""
    for sex, marker in MARKERS.items():
        of_sex = np.array([reading.sex is sex for reading in readings])
        label = f"{sex}, n = {of_sex.sum()}"
        style: dict[str, Any] = {"ms": 4.5, "mew": 0, "alpha": 0.6, "color": COLOURS[sex]}
        axes.plot(x[of_sex], y[of_sex], marker, label=label, **style)


def scatters_of(readings: Estimates) -> dict[str, Points]:
    """The points of every network alone and of the combined estimate, by what they are called."""
    alone: dict[str, Points] = {
        f"{name.replace('_', ' ')} alone": [
            (reading, reading.networks[name]) for reading in readings if name in reading.networks
        ]
        for name in in_order(reading.networks for reading in readings)
    }
    return {**alone, COMBINED: [(reading, reading.predicted_months) for reading in readings]}


def draw_scatters(path: Path, panels: Mapping[str, Points], title: str) -> None:
    """Predicted against true bone age, a panel for each network and the combined estimate."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    wide = 5.4 if len(panels) == 1 else 4.2
    size = {"width": wide * columns, "height": wide * rows + 0.8}
    with saved_figure(path, rows, columns, **size) as (figure, axes):
        for place, (label, points) in zip(axes, panels.items(), strict=False):
            scatter(place, points, label)
        for place in axes[len(panels) :]:
            place.set_visible(False)
        figure.suptitle(f"Predicted against true bone age\n{title}")


def scatter(axes: Axes, points: Points, label: str) -> None:
    """Draw points with the identity, the regression line, and the figures of both."""
    readings = [reading for reading, _ in points]
    true = np.array([reading.true_months for reading in readings])
    predicted = np.array([months for _, months in points])
    points_by_sex(axes, readings, true, predicted)
    low, high = min(0.0, predicted.min() - 4), max(OLDEST_MONTHS, predicted.max() + 4)
    axes.plot([low, high], [low, high], "--", color=BOTH, lw=1, label="predicted = true")
    line = agreement.regression_line(true, predicted)
    if line:
        ends = np.array([true.min(), true.max()])
        sign = "+" if line.intercept_months >= 0 else "−"
        equation = f"{line.slope:.2f} × true {sign} {abs(line.intercept_months):.1f}"
        named = f"regression: {equation}; r² {line.r_squared:.3f}"
        axes.plot(ends, line.slope * ends + line.intercept_months, color=ACCENT, lw=2, label=named)
    mae, _, r2 = fit(true[:, np.newaxis], predicted[:, np.newaxis])[:, 0]
    stated = f"mean absolute error {mae:.1f} months"
    axes.set_title(f"{label}\n{stated}" + (f", R² {r2:.3f}" if np.isfinite(r2) else ""))
    ticks = np.arange(0, OLDEST_MONTHS + 1, TICK_MONTHS)
    axes.set(xlabel=f"{AGE_AXIS}, months", ylabel="predicted bone age, months")
    axes.set(xlim=(low, high), ylim=(low, high), xticks=ticks, yticks=ticks, aspect="equal")
    legend_inside(axes)


def draw_histograms(path: Path, readings: Estimates, title: str) -> None:
    """Histograms of the errors of male, of female, and of all films."""
    farthest = max(abs(reading.error_months) for reading in readings)
    reach = 12 * max(2, np.ceil(farthest / 12))
    bins = np.arange(-reach, reach + 1, BIN_MONTHS).tolist()
    with saved_figure(path, 1, len(GROUPS), width=11, height=3.8) as (figure, axes):
        for place, (group, name) in zip(axes, GROUPS.items(), strict=True):
            errors = [r.error_months for r in readings if group in ("overall", r.sex)]
            place.hist(errors, bins=bins, color=COLOURS[group], alpha=0.85)
            place.axvline(0, color="black", lw=0.8)
            spread = f"\nmean {np.mean(errors):+.1f}" if errors else ""
            spread += f", sd {np.std(errors, ddof=1):.1f}" if len(errors) > 1 else ""
            stated = f"{spread} months".replace("-", "−") if errors else ""
            place.set_title(f"{name}, n = {len(errors)}{stated}")
            place.set(xlabel="error (predicted − true), months", ylabel="radiographs")
            place.set_xlim(-reach, reach)
            place.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.2, 2.4, 6], integer=True))
            place.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        figure.suptitle(f"Errors, in bins of {BIN_MONTHS} months\n{title}")


def draw_errors_by_age(path: Path, readings: Estimates, title: str) -> None:
    """Absolute error against age, the 1.67-year line, and the mean of each two-year band."""
    true, predicted = months_of(readings)
    ages, errors = true / 12, np.abs(predicted - true)
    with saved_figure(path, width=8.6, height=4.4) as (_, (axes,)):
        points_by_sex(axes, readings, ages, errors)
        for place, (band, members) in enumerate(agreement.in_bands(readings).items()):
            mean = float(np.mean([abs(reading.error_months) for reading in members]))
            label = "mean of the two-year band" if place == 0 else None
            axes.plot([band.low, band.high], [mean, mean], color=ACCENT, lw=2.4, label=label)
        axes.axhline(LIMIT_MONTHS, color="black", lw=1.2, ls="--", label="1.67 years (20 months)")
        beyond = f"{100 * np.mean(errors > LIMIT_MONTHS):.1f} % of radiographs beyond 1.67 years"
        axes.set_title(f"Absolute error against age: {beyond}\n{title}")
        axes.set(xlabel=f"{AGE_AXIS}, years", ylabel="absolute error, months")
        years = range(0, agreement.OLDEST_YEARS + 1, 2)
        axes.set(xlim=(0, years[-1]), xticks=years, ylim=(-0.5, None))
        legend_beside(axes)


def _level(axes: Axes, found: Estimate, label: str, shade: tuple[str, float], **style: Any) -> None:
    """Draw a level, and shade its interval by a colour and its opacity, where they are known."""
    if found.value is not None:
        axes.axhline(found.value, label=label, **style)
    if found.low is not None and found.high is not None:
        axes.axhspan(found.low, found.high, color=shade, lw=0)


def draw_bland_altman(path: Path, readings: Estimates, title: str) -> None:
    """Difference of predicted and true against their mean, with the limits of agreement."""
    true, predicted = months_of(readings)
    limits = agreement.limits_of_agreement(true, predicted)
    with saved_figure(path, width=9.2, height=4.6) as (_, (axes,)):
        points_by_sex(axes, readings, (true + predicted) / 2, predicted - true)
        for words, style, found in (
            (f"mean + {agreement.LIMITS_SD} sd", "--", limits.upper_months),
            ("mean", "-", limits.mean_months),
            (f"mean − {agreement.LIMITS_SD} sd", "--", limits.lower_months),
        ):
            label = f"{words}: {number(found)} months"
            _level(axes, found, label, (LIGHT, 0.4), color=BOTH, lw=1.3, ls=style)
        axes.set_title(f"Bland–Altman: difference against mean, with limits of agreement\n{title}")
        axes.set(xlabel="mean of predicted and true bone age, months")
        axes.set(ylabel="difference (predicted − true), months")
        axes.xaxis.set_major_locator(MaxNLocator(steps=[2.4]))
        legend_beside(axes, "shaded, in brackets: 95 % bootstrap interval")


def draw_bands(path: Path, readings: Estimates, title: str) -> None:
    """MAE of each two-year band with its interval and n, of both sexes and of each."""
    overall, by_sex = agreement.measure_bands(readings), agreement.measure_bands_by_sex(readings)
    groups = {"female": by_sex[Sex.FEMALE], "overall": overall, "male": by_sex[Sex.MALE]}
    with saved_figure(path, width=9.6, height=4.6) as (_, (axes,)):
        for group, bands in groups.items():
            if bands:
                x = [band.middle + 0.4 * ASIDE[group] for band in bands]
                of_sex = f"{group}, bands of ≥ {agreement.LEAST_FILMS} radiographs"
                label = "both" if group == "overall" else of_sex
                found = [metrics.mae_months for metrics in bands.values()]
                plot_estimates(axes, x, found, COLOURS[group], label)
        labels = [f"{band.low}–{band.high}\nn = {m.count}" for band, m in overall.items()]
        axes.set_xticks([band.middle for band in overall], labels)
        axes.set(xlabel=f"{AGE_AXIS}, years; n: radiographs of both sexes")
        axes.set(ylabel="mean absolute error, months", ylim=(0, None))
        axes.set_title(f"Mean absolute error by two-year band\n{title}")
        legend_beside(axes, BARS_ARE)


def draw_within(path: Path, readings: Estimates, title: str) -> None:
    """Shares of films within 6, 12 and 24 months, with their intervals."""
    found = measure_by(*months_of(readings), [reading.sex for reading in readings])
    with saved_figure(path, width=8.2, height=4) as (_, (axes,)):
        for group in sorted(found, key=lambda group: ASIDE[group]):
            metrics, colour = found[group], COLOURS[group]
            shares = [metrics.within_6, metrics.within_12, metrics.within_24]
            x = [place + 0.25 * ASIDE[group] for place in range(len(shares))]
            axes.bar(x, [100 * (s.value or 0) for s in shares], 0.22, color=colour, alpha=0.35)
            label = f"{'both' if group == 'overall' else group}, n = {metrics.count}"
            plot_estimates(axes, x, shares, colour, label, scale=100)
        labels = [f"within {months:g} months" for months in WITHIN_MONTHS]
        axes.set_xticks(range(len(WITHIN_MONTHS)), labels)
        axes.set(ylabel="share of radiographs, %", ylim=(0, 102))
        axes.set_title(f"Share of radiographs within 6, 12 and 24 months of the label\n{title}")
        legend_beside(axes, BARS_ARE)


def draw_calibration(path: Path, readings: Estimates, title: str) -> None:
    """Coverage by age of the widest level; with several levels also observed against nominal.

    At least one reading states an interval.
    """
    levels = agreement.coverage_by_level(readings)
    several, widest = len(levels) > 1, max(levels)
    with saved_figure(path, 1, 1 + several, width=8.4 + 4 * several, height=4.6) as (figure, axes):
        if several:
            _by_level(axes[0], levels)
        _by_band(axes[-1], agreement.coverage_by_band(readings, widest), widest)
        stated = f"{levels[widest].count} radiographs state one"
        figure.suptitle(f"Calibration of the prediction intervals ({stated})\n{title}")


def _by_level(axes: Axes, levels: Mapping[float, agreement.Coverage]) -> None:
    axes.plot([0, 100], [0, 100], "--", color=BOTH, lw=1, label="as often as stated")
    nominal = [100 * level for level in levels]
    observed = [coverage.share for coverage in levels.values()]
    plot_estimates(axes, nominal, observed, ACCENT, "observed", scale=100)
    axes.set(xlabel="stated level, %", ylabel="radiographs with the label inside, %")
    axes.set(xlim=(0, 102), ylim=(0, 102), aspect="equal")
    axes.set_title("observed against stated")
    legend_inside(axes, WILSON)


def _by_band(axes: Axes, bands: Mapping[str, agreement.Coverage], level: float) -> None:
    axes.axhline(100 * level, ls="--", color=BOTH, lw=1, label=f"stated: {100 * level:.0f} %")
    observed = [coverage.share for coverage in bands.values()]
    plot_estimates(axes, range(len(bands)), observed, ACCENT, "observed", scale=100)
    labels = [
        f"{name.replace('-', '–')}\nn = {coverage.count}\n{coverage.mean_width_months:.0f} mo"
        for name, coverage in bands.items()
    ]
    axes.set_xticks(range(len(bands)), labels)
    axes.set(xlabel=f"{AGE_AXIS}, years; radiographs; mean width of the interval (mo: months)")
    axes.set(ylabel="radiographs with the label inside, %", ylim=(0, 102))
    axes.set_title(f"{100 * level:.0f} % prediction intervals, by two-year band")
    legend_beside(axes, WILSON)


def draw_comparison(path: Path, found: Comparison, here: str, title: str) -> None:
    """Draw both scatters, and the paired differences against age; ``here`` names this reader."""
    readings = found.readings
    ages = months_of(readings)[0] / 12
    mean = found.difference.mae_months
    with saved_figure(path, 1, 3, width=14.4, height=5.2) as (figure, (own, other, apart)):
        scatter(own, [(reading, reading.predicted_months) for reading in readings], here)
        theirs = list(zip(readings, found.other_months, strict=True))
        scatter(other, theirs, found.other.name)
        points_by_sex(apart, readings, ages, np.array(found.excess_months))
        apart.axhline(0, color="black", lw=0.8)
        _level(apart, mean, f"mean {number(mean)} months", (ACCENT, 0.2), color=ACCENT, lw=2)
        apart.set_title(f"paired difference of the absolute errors\nbelow 0: {here} is nearer")
        apart.set(xlabel=f"{AGE_AXIS}, years", ylabel="|error| here − |error| there, months")
        apart.margins(y=0.25)
        legend_inside(apart)
        both = f"{here} compared with {found.other.name}"
        figure.suptitle(f"{both} on the {found.count} radiographs assessed by both\n{title}")


FIGURES: Mapping[str, Callable[[Path, Estimates, str], None]] = {
    "error-histograms": draw_histograms,
    "error-by-age": draw_errors_by_age,
    "bland-altman": draw_bland_altman,
    "mae-by-band": draw_bands,
    "within": draw_within,
    "interval-calibration": draw_calibration,
}
"""By the name of the file; the calibration is there when the readings state intervals."""
