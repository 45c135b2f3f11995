"""The figures of the stress test: one row a change, those of a kind together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes

from boneage.evaluation.drawing import ACCENT, BOTH, new_figure, save
from boneage.evaluation.metrics import Estimate
from boneage.evaluation.robustness.changes import KINDS
from boneage.evaluation.robustness.summary import (
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
    REFUSED: "#332288",
    WARNED_FAR: ACCENT,
    WARNED_NEAR: "#a6d9c8",
    SILENT_FAR: VERY_FAR,
    SILENT_NEAR: "#e6e6e6",
}
ROW_INCHES, MARGIN_INCHES, WIDTH_INCHES = 0.215, 1.3, 9.5


@dataclass(frozen=True)
class Rows:
    """Where each change has its row, counted downwards, headings between."""

    effects: Sequence[Effect]
    places: tuple[float, ...]
    headings: tuple[tuple[float, str], ...]

    @property
    def height(self) -> float:
        """Of a figure with these rows, in inches."""
        return ROW_INCHES * (len(self.places) + len(self.headings)) + MARGIN_INCHES


def rows_of(effects: Sequence[Effect]) -> Rows:
    """Lay out rows and headings."""
    places: list[float] = []
    headings: list[tuple[float, str]] = []
    row = 0.0
    for kind, members in groupby(effects, key=lambda effect: effect.kind):
        headings.append((row, KINDS[kind]))
        count = len(list(members))
        places += [row + 1 + place for place in range(count)]
        row += 1 + count
    return Rows(effects, tuple(places), tuple(headings))


def draw_shifts(effects: Sequence[Effect], path: Path) -> None:
    """Draw how far the answers move, and how often far."""
    rows = rows_of(effects)
    figure, (left, right) = new_figure(1, 2, width=WIDTH_INCHES, height=rows.height)
    _label_rows(left, rows)
    _label_rows(right, rows, labelled=False)
    _dots(left, rows, [e.mean_shift_months for e in effects], BOTH, "o", "mean, 95 % interval")
    medians = [_known(effect.median_shift_months) for effect in effects]
    left.plot(medians, rows.places, "|", markersize=9, color=ACCENT, label="median")
    left.set_xlim(left=0)
    left.set_xlabel("Change of the answer, months, either way")
    _dots(right, rows, [_percent(e.changed_12) for e in effects], FAR, "o", "> 12 months", -0.16)
    _dots(
        right, rows, [_percent(e.changed_24) for e in effects], VERY_FAR, "D", "> 24 months", 0.16
    )
    right.set_xlim(-3, 103)
    right.set_xlabel("Films whose answer moved so far, % of those answered")
    for axes in (left, right):
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    save(figure, path)


def draw_fates(effects: Sequence[Effect], path: Path) -> None:
    """Draw which changed films the program refused or warned about, and which not."""
    rows = rows_of(effects)
    figure, (axes,) = new_figure(width=WIDTH_INCHES, height=rows.height + 0.3)
    _label_rows(axes, rows)
    ends = [0.0] * len(effects)
    for fate in (SILENT_FAR, WARNED_FAR, WARNED_NEAR, REFUSED, SILENT_NEAR):
        shares = [100 * effect.fates[fate] for effect in effects]
        axes.barh(
            rows.places, shares, left=ends, height=0.75, color=FATE_COLOURS[fate], label=FATES[fate]
        )
        ends = [end + share for end, share in zip(ends, shares, strict=True)]
    axes.set_xlim(0, 100)
    axes.set_xlabel("Films, % of all")
    axes.legend(loc="lower center", bbox_to_anchor=(0.35, 1.0), ncols=2)
    save(figure, path)


def _label_rows(axes: Axes, rows: Rows, *, labelled: bool = True) -> None:
    labels = [effect.label for effect in rows.effects] if labelled else []
    headings = [text for _, text in rows.headings] if labelled else []
    places = [*rows.places, *(place for place, _ in rows.headings)]
    axes.set_yticks(places, [*labels, *headings] or [""] * len(places))
    for tick in axes.get_yticklabels()[len(labels) :]:
        tick.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    for place, _ in rows.headings:
        axes.axhline(place, color="#dddddd", linewidth=0.6, zorder=0)
    axes.set_ylim(max(rows.places) + 0.7, -0.7)


def _dots(
    axes: Axes,
    rows: Rows,
    estimates: Sequence[Estimate],
    colour: str,
    marker: str,
    label: str,
    aside: float = 0.0,
) -> None:
    """Draw estimates with their intervals; what is unknown has no dot."""
    places = [place + aside for place in rows.places]
    for estimate, place in zip(estimates, places, strict=True):
        ends = [_known(estimate.low), _known(estimate.high)]
        axes.plot(ends, [place, place], color=colour, linewidth=1.3)
    values = [_known(estimate.value) for estimate in estimates]
    axes.plot(values, places, marker, markersize=4, color=colour, label=label, clip_on=False)


def _known(value: float | None) -> float:
    """NaN is not drawn."""
    return math.nan if value is None else value


def _percent(share: Estimate) -> Estimate:
    scaled = (None if end is None else 100 * end for end in (share.value, share.low, share.high))
    return Estimate(*scaled)
