"""The errors: how they spread, how they grow with age, between which limits they lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator

from boneage.evaluation.accuracy.agreement import LIMITS_SD, limits_of_agreement
from boneage.evaluation.accuracy.bands import OLDEST_YEARS, in_bands
from boneage.evaluation.accuracy.plots import (
    AGE_AXIS,
    MONTHS_A_YEAR,
    head,
    head_all,
    legend_beside,
    months_with_ends,
    plot_by_sex,
)
from boneage.evaluation.accuracy.validation import Reading
from boneage.evaluation.drawing import ACCENT, BOTH, COLOURS, LIGHT, new_figure, save

LIMIT_MONTHS = 20.0
"""1.67 years: the line that earlier work draws."""
BIN_MONTHS = 4
_GROUPS = {"male": "male", "female": "female", "overall": "male and female"}


def draw_histograms(path: Path, readings: Sequence[Reading], title: str) -> None:
    """Histograms of the errors of male, of female, and of all films."""
    farthest = max(abs(reading.error_months) for reading in readings)
    reach = MONTHS_A_YEAR * max(2, np.ceil(farthest / MONTHS_A_YEAR))
    bins = np.arange(-reach, reach + 1, BIN_MONTHS).tolist()
    figure, axes = new_figure(1, len(_GROUPS), width=11, height=3.8)
    for place, (group, name) in zip(axes, _GROUPS.items(), strict=True):
        errors = [r.error_months for r in readings if group in ("overall", r.sex)]
        place.hist(errors, bins=bins, color=COLOURS[group], alpha=0.85)
        place.axvline(0, color="black", lw=0.8)
        head(place, f"{name}, n = {len(errors)}{_spread(errors)}")
        place.set(xlabel="error (predicted − true), months", ylabel="films", xlim=(-reach, reach))
        place.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 1.2, 2.4, 6], integer=True))
        place.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    head_all(figure, f"Errors, in bins of {BIN_MONTHS} months\n{title}")
    save(figure, path)


def _spread(errors: Sequence[float]) -> str:
    if not errors:
        return ""
    deviation = f", sd {np.std(errors, ddof=1):.1f}" if len(errors) > 1 else ""
    return f"\nmean {np.mean(errors):+.1f}{deviation} months".replace("-", "−")


def draw_errors_by_age(path: Path, readings: Sequence[Reading], title: str) -> None:
    """Absolute error against age, the 1.67-year line, and the mean of each two-year band."""
    ages = np.array([reading.true_months / MONTHS_A_YEAR for reading in readings])
    errors = np.array([abs(reading.error_months) for reading in readings])
    figure, (axes,) = new_figure(width=8.6, height=4.4)
    plot_by_sex(axes, readings, ages, errors)
    for number, (band, members) in enumerate(in_bands(readings).items()):
        mean = float(np.mean([abs(reading.error_months) for reading in members]))
        label = "mean of the two-year band" if number == 0 else None
        axes.plot([band.low, band.high], [mean, mean], color=ACCENT, lw=2.4, label=label)
    axes.axhline(LIMIT_MONTHS, color="black", lw=1.2, ls="--", label="1.67 years (20 months)")
    beyond = np.mean(errors > LIMIT_MONTHS)
    head(axes, f"Absolute error against age: {beyond:.1%} of films beyond 1.67 years\n{title}")
    axes.set(xlabel=f"{AGE_AXIS}, years", ylabel="absolute error, months")
    axes.set(xlim=(0, OLDEST_YEARS), xticks=range(0, OLDEST_YEARS + 1, 2), ylim=(-0.5, None))
    legend_beside(axes)
    save(figure, path)


def draw_bland_altman(path: Path, readings: Sequence[Reading], title: str) -> None:
    """Difference of predicted and true against their mean, with the limits of agreement."""
    true = np.array([reading.true_months for reading in readings])
    predicted = np.array([reading.predicted_months for reading in readings])
    figure, (axes,) = new_figure(width=9.2, height=4.6)
    plot_by_sex(axes, readings, (true + predicted) / 2, predicted - true)
    limits = limits_of_agreement(true, predicted)
    for words, style, found in (
        (f"mean + {LIMITS_SD} sd", "--", limits.upper_months),
        ("mean", "-", limits.mean_months),
        (f"mean − {LIMITS_SD} sd", "--", limits.lower_months),
    ):
        if found.value is None:
            continue
        label = f"{words}: {months_with_ends(found)} months"
        axes.axhline(found.value, color=BOTH, lw=1.3, ls=style, label=label)
        if found.low is not None and found.high is not None:
            axes.axhspan(found.low, found.high, color=LIGHT, alpha=0.4, lw=0)
    head(axes, f"Bland–Altman: difference against mean, with limits of agreement\n{title}")
    axes.set(xlabel="mean of predicted and true bone age, months")
    axes.set(ylabel="difference (predicted − true), months")
    axes.xaxis.set_major_locator(MaxNLocator(steps=[2.4]))
    legend_beside(axes, "shaded, in brackets: 95 % bootstrap interval")
    save(figure, path)
