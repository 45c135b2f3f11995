"""A contact sheet: one synthetic film under every change, as the program reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes

from boneage.domain.radiograph import Pixels, Sex
from boneage.evaluation.plotting import DPI, saved_figure
from boneage.evaluation.robustness.changes import QUALITY, Change
from boneage.imaging.perturbations import Grey
from boneage.reading import read
from boneage.synthetic import draw

COLUMNS = 7
CELL_INCHES = (1.35, 1.95)
CELL_PX = round(2 * max(CELL_INCHES) * DPI)
AGE_MONTHS, SEX = 120, Sex.FEMALE
"""The film of ``examples/synthetic_hand_girl_10y.png``."""
DETAIL_ROWS, DETAIL_COLS = (0.42, 0.54), (0.33, 0.49)
"""Where a change of the image quality shows: growth plates at the knuckles; shares of the film."""
PAPER = "#b9cfe0"
"""Around the films, so that black and white borders show as such."""


def example_film() -> Grey:
    """Draw the example, 8-bit grey, shape (1500, 1150)."""
    return np.rint(draw(AGE_MONTHS, SEX).radiograph.pixels * 255).astype(np.uint8)


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
