"""The figures of the robustness: one row a change, those of a kind together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes

from boneage.domain.radiograph import Pixels, Sex
from boneage.evaluation.plotting import (
    ACCENT,
    BOTH,
    DPI,
    legend_above,
    plot_estimates,
    saved_figure,
)
from boneage.evaluation.robustness import cases
from boneage.evaluation.robustness.cases import Effect
from boneage.evaluation.robustness.changes import KINDS, QUALITY, Change
from boneage.imaging.perturbations import Grey
from boneage.reading import read
from boneage.synthetic.examples import EXAMPLES

FAR, VERY_FAR = "#e69f00", "#882255"
FATE_COLOURS = {
    cases.SILENT_FAR: VERY_FAR,
    cases.WARNED_FAR: ACCENT,
    cases.WARNED_NEAR: "#a6d9c8",
    cases.REFUSED: "#332288",
    cases.SILENT_NEAR: "#e6e6e6",
}
"""In the order of the bars."""
ROW_INCHES, MARGIN_INCHES, WIDTH_INCHES = 0.215, 1.3, 9.5


def rows_of(effects: Sequence[Effect]) -> tuple[list[float], dict[float, str]]:
    """Give each change its row, counted downwards, and headings of the kinds between them."""
    places: list[float] = []
    headings: dict[float, str] = {}
    for effect in effects:
        if KINDS[effect.kind] not in headings.values():
            headings[len(places) + len(headings)] = KINDS[effect.kind]
        places.append(len(places) + len(headings))
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
        words = "Radiographs whose bone age moved so far, % of those assessed"
        right.set(xlim=(-3, 103), xlabel=words)
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
            axes.barh(rows, shares, left=ends, height=0.75, color=colour, label=cases.FATES[fate])
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


COLUMNS = 7
CELL_INCHES = (1.35, 1.95)
CELL_PX = round(2 * max(CELL_INCHES) * DPI)
DETAIL_ROWS, DETAIL_COLS = (0.42, 0.54), (0.33, 0.49)
"""Where a change of the image quality shows: growth plates at the knuckles; shares of the film."""
PAPER = "#b9cfe0"
"""Around the films, so that black and white borders show as such."""
EXAMPLE = EXAMPLES[Sex.FEMALE]


def example_film() -> Grey:
    """Draw the example, 8-bit grey, shape (1500, 1150)."""
    return np.rint(EXAMPLE.draw().radiograph.pixels * 255).astype(np.uint8)


def draw_contact_sheet(path: Path, grey: Grey, changes: Sequence[Change]) -> None:
    """Draw a film under every change.

    ``grey`` may be shown to anyone: never a patient's film.
    """
    cells = _cells(grey, changes)
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    size = {"width": CELL_INCHES[0] * columns, "height": CELL_INCHES[1] * rows}
    with saved_figure(path, rows, columns, **size) as (_, axes):
        for place in axes[len(cells) :]:
            place.set_axis_off()
        for place, (title, pixels) in zip(axes, cells, strict=False):
            _show(place, title, pixels)


def _cells(grey: Grey, changes: Sequence[Change]) -> list[tuple[str, Pixels]]:
    """Titles and pictures; a detail where the whole film would not show the change."""
    plain = Change("unchanged", "", "unchanged", "")
    cells = [_cell(grey, plain)]
    for change in changes:
        if change.kind == QUALITY and all("detail" not in title for title, _ in cells):
            cells.append(_cell(grey, plain, detail=True))
        cells.append(_cell(grey, change, detail=change.kind == QUALITY))
    return cells


def _cell(grey: Grey, change: Change, *, detail: bool = False) -> tuple[str, Pixels]:
    pixels = read(change.file_of(grey, "example")).pixels
    if detail:
        rows, cols = (
            slice(*(round(end * side) for end in ends))
            for ends, side in zip((DETAIL_ROWS, DETAIL_COLS), pixels.shape, strict=True)
        )
        return f"{change.label}\n(detail)", pixels[rows, cols]
    factor = CELL_PX / max(pixels.shape)
    if factor >= 1:
        return change.label, pixels
    height, width = (round(side * factor) for side in pixels.shape)
    # What a cell can show: quicker to draw, and no finer than paper.
    return change.label, cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _show(axes: Axes, title: str, pixels: Pixels) -> None:
    axes.set_facecolor(PAPER)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
    height, width = pixels.shape
    edge = 0.02 * max(height, width)
    axes.set(xlim=(-edge, width + edge), ylim=(height + edge, -edge), xticks=[], yticks=[])
    axes.set_title(title, fontsize=6.5, pad=3)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
