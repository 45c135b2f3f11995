"""The figures of the robustness: one row a change, those of a kind together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from boneage.evaluation.plotting import ACCENT, BOTH, legend_above, plot_estimates, saved_figure
from boneage.evaluation.robustness.changes import KINDS
from boneage.evaluation.robustness.effects import (
    FATES,
    REFUSED,
    SILENT_FAR,
    SILENT_NEAR,
    WARNED_FAR,
    WARNED_NEAR,
    Effect,
)

FAR, VERY_FAR = "#e69f00", "#882255"
FATE_COLOURS = {
    SILENT_FAR: VERY_FAR,
    WARNED_FAR: ACCENT,
    WARNED_NEAR: "#a6d9c8",
    REFUSED: "#332288",
    SILENT_NEAR: "#e6e6e6",
}
"""In the order of the bars."""
ROW_INCHES, MARGIN_INCHES, WIDTH_INCHES = 0.215, 1.3, 9.5


def rows_of(effects: Sequence[Effect]) -> tuple[list[float], dict[float, str]]:
    """Give each change its row, counted downwards, and headings of the kinds between them."""
    places: list[float] = []
    headings: dict[float, str] = {}
    for kind, members in groupby(effects, key=lambda effect: effect.kind):
        row = len(places) + len(headings)
        headings[row] = KINDS[kind]
        places += [row + 1 + place for place, _ in enumerate(members)]
    return places, headings


def draw_shifts(path: Path, effects: Sequence[Effect]) -> None:
    """Draw how far the bone ages move, and how often far."""
    rows, headings = rows_of(effects)
    height = ROW_INCHES * (len(rows) + len(headings)) + MARGIN_INCHES
    with saved_figure(path, 1, 2, width=WIDTH_INCHES, height=height) as (_, (left, right)):
        _label_rows(left, effects)
        _label_rows(right, effects, labelled=False)
        style: dict[str, Any] = {"horizontal": True, "ms": 4, "clip_on": False}
        shifts = [e.mean_shift_months for e in effects]
        plot_estimates(left, rows, shifts, BOTH, "mean, 95 % interval", **style)
        medians = [math.nan if (m := e.median_shift_months) is None else m for e in effects]
        left.plot(medians, rows, "|", markersize=9, color=ACCENT, label="median")
        left.set(xlim=(0, None), xlabel="Change of the bone age, months, either way")
        for months, shares, colour, marker, aside in (
            (12, [e.changed_12 for e in effects], FAR, "o", -0.16),
            (24, [e.changed_24 for e in effects], VERY_FAR, "D", 0.16),
        ):
            places, label = [row + aside for row in rows], f"> {months} months"
            plot_estimates(right, places, shares, colour, label, scale=100, fmt=marker, **style)
        right.set(
            xlim=(-3, 103), xlabel="Radiographs whose bone age moved so far, % of those assessed"
        )
        for axes in (left, right):
            legend_above(axes, columns=2)


def draw_fates(path: Path, effects: Sequence[Effect]) -> None:
    """Draw which changed films the program refused or warned about, and which not."""
    rows, headings = rows_of(effects)
    height = ROW_INCHES * (len(rows) + len(headings)) + MARGIN_INCHES + 0.3
    with saved_figure(path, width=WIDTH_INCHES, height=height) as (_, (axes,)):
        _label_rows(axes, effects)
        ends = [0.0] * len(effects)
        for fate, colour in FATE_COLOURS.items():
            shares = [100 * effect.fates[fate] for effect in effects]
            axes.barh(rows, shares, left=ends, height=0.75, color=colour, label=FATES[fate])
            ends = [end + share for end, share in zip(ends, shares, strict=True)]
        axes.set(xlim=(0, 100), xlabel="Radiographs, % of all")
        legend_above(axes, columns=2, centre=0.35)


def _label_rows(axes: Axes, effects: Sequence[Effect], *, labelled: bool = True) -> None:
    rows, headings = rows_of(effects)
    labels = [*(effect.label for effect in effects), *headings.values()]
    axes.set_yticks([*rows, *headings], labels if labelled else [""] * len(labels))
    for tick in axes.get_yticklabels()[len(rows) :]:
        tick.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    for row in headings:
        axes.axhline(row, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_ylim(max(rows) + 0.7, -0.7)
