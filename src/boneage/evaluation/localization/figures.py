"""The figures of the localization: no pixel of a film, outlines and numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon as Patch
from matplotlib.ticker import PercentFormatter

from boneage.domain.assessment import CARPAL, METACARPAL
from boneage.evaluation.localization.anatomical_target import CARPUS, METACARPALS, Array
from boneage.evaluation.localization.cases import AGE_BANDS, COVERED, Groups, MeasuredFilm
from boneage.evaluation.localization.measuring import ALL_METACARPALS, CARPUS_FROM_POINTS, REGION_OF
from boneage.evaluation.metrics import OVERALL
from boneage.evaluation.plotting import (
    ACCENT,
    BOTH,
    FEMALE,
    LIGHT,
    MALE,
    legend_above,
    plot_estimates,
    saved_figure,
)

NAMES: Mapping[str, str] = {
    CARPUS: "Carpus (boxes)",
    CARPUS_FROM_POINTS: "Carpus (from points)",
    ALL_METACARPALS: "Metacarpals 1–5",
}
COLOURS: Mapping[str, str] = {CARPUS: MALE, CARPUS_FROM_POINTS: ACCENT, ALL_METACARPALS: FEMALE}
RECTANGLE_NAMES = {"crop": "crop", "box": "bare attention box"}
COVERED_LINE: Mapping[str, Any] = {"color": BOTH, "linewidth": 0.8, "linestyle": ":"}
STEPS = [step / 20 for step in range(21)]
FAINT = 60
"""Outlines drawn one by one; more would only be a smear."""


def draw_coverage(path: Path, films: Sequence[MeasuredFilm]) -> None:
    """Draw how many films have how much of each target inside, for crop and bare box."""
    figures = [film.measured.figures for film in films]
    targets = [name for name in NAMES if any(name in found for found in figures)]
    with saved_figure(path, 1, len(targets), width=3.1 * len(targets), height=3.3) as (_, panels):
        for panel, target in zip(panels, targets, strict=True):
            values = [found[target] for found in figures if target in found]
            for rectangle, style in (
                ("crop", {"histtype": "stepfilled", "color": COLOURS[target], "alpha": 0.75}),
                ("box", {"histtype": "step", "color": BOTH}),
            ):
                inside = [one[f"{rectangle}_coverage"] for one in values]
                label = f"{RECTANGLE_NAMES[rectangle]}, mean {100 * np.mean(inside):.0f} %"
                weights = [1 / len(inside)] * len(inside)
                panel.hist(inside, STEPS, weights=weights, label=label, linewidth=1.2, **style)
            panel.axvline(COVERED, **COVERED_LINE)
            panel.set(title=f"{NAMES[target]}, n = {len(values)}", xlim=(0, 1))
            panel.set_xlabel("Share of the target inside")
            panel.xaxis.set_major_formatter(PercentFormatter(1))
            panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
        panels[0].set_ylabel("Share of radiographs")


def draw_by_age(path: Path, groups: Groups) -> None:
    """Draw mean coverage by the crop in each two-year band, with intervals and counts."""
    bands = groups[AGE_BANDS]
    targets = [name for name in NAMES if name in groups[OVERALL][OVERALL].targets]
    width = 0.8 / len(targets)
    with saved_figure(path, 2, 1, width=7.0, height=5.4) as (_, (means, counts)):
        for place, target in enumerate(targets):
            aside = place - (len(targets) - 1) / 2
            having = {
                x: group.targets[target]
                for x, group in enumerate(bands.values())
                if target in group.targets
            }
            found = [summary.crop["coverage"] for summary in having.values()]
            x = [band + 0.16 * aside for band in having]
            plot_estimates(means, x, found, COLOURS[target], NAMES[target], ms=4, capsize=2)
            x = [band + width * aside for band in having]
            heights = [summary.count for summary in having.values()]
            bars = counts.bar(x, heights, width, color=COLOURS[target])
            counts.bar_label(bars, fontsize=6)
        means.axhline(COVERED, **COVERED_LINE)
        means.set(ylabel="Mean share inside the crop", ylim=(0, 1.02))
        means.yaxis.set_major_formatter(PercentFormatter(1))
        legend_above(means, columns=3)
        counts.set(ylabel="Radiographs", xlabel="Bone age on the label (years)")
        for panel in (means, counts):
            panel.set_xticks(range(len(bands)), [name.replace("-", "–") for name in bands])
            panel.set_xlim(-0.6, len(bands) - 0.4)


def draw_by_metacarpal(path: Path, groups: Groups) -> None:
    """Draw mean coverage of each metacarpal, by crop and bare box."""
    summary = groups[OVERALL][OVERALL].targets
    with saved_figure(path, width=5.2, height=3.4) as (_, (panel,)):
        for aside, rectangle, colour in ((-0.12, "crop", FEMALE), (0.12, "box", BOTH)):
            found = [getattr(summary[name], rectangle)["coverage"] for name in METACARPALS]
            x = [number + aside for number in range(1, 6)]
            plot_estimates(panel, x, found, colour, RECTANGLE_NAMES[rectangle], ms=4, capsize=2)
        panel.axhline(COVERED, **COVERED_LINE)
        panel.set(ylim=(0, 1.02), ylabel="Mean share inside", xlim=(0.5, 5.5))
        panel.set_xticks(range(1, 6), ["1 (thumb)", "2", "3", "4", "5 (little)"])
        panel.set_xlabel(f"Metacarpal (n = {summary[ALL_METACARPALS].count} radiographs)")
        panel.yaxis.set_major_formatter(PercentFormatter(1))
        legend_above(panel, columns=2)


def draw_in_hand(path: Path, films: Sequence[MeasuredFilm]) -> None:
    """Draw mean crops and mean targets in the hand's own axes."""
    outlines = [film.measured.outlines for film in films]
    some = np.linspace(0, len(films) - 1, min(FAINT, len(films))).astype(int)
    with saved_figure(path, 1, 2, width=7.4, height=5.6) as (figure, panels):
        for panel, region, target in zip(
            panels, (CARPAL, METACARPAL), (CARPUS, ALL_METACARPALS), strict=True
        ):
            for place in some:
                crop = np.array(outlines[place][region])
                _draw_outline(panel, crop, edgecolor=LIGHT, linewidth=0.5, alpha=0.5)
            for name in (CARPUS, *METACARPALS):
                known = [found[name] for found in outlines if name in found]
                if known:
                    fill = LIGHT if REGION_OF[name] == region else "none"
                    mean = np.mean(known, axis=0)
                    _draw_outline(panel, mean, edgecolor=BOTH, linewidth=1.2, facecolor=fill)
            mean = np.mean([found[region] for found in outlines], axis=0)
            _draw_outline(panel, mean, edgecolor=COLOURS[target], linewidth=2.4)
            panel.plot([], [], color=COLOURS[target], linewidth=2.4, label=f"mean {region} crop")
            panel.plot([0, 0], [0, 1], "o-", color=BOTH, markersize=3, linewidth=0.8)
            style: Any = {"textcoords": "offset points", "fontsize": 7}
            panel.annotate("wrist", (0, 0), (4, -3), va="top", **style)
            panel.annotate("third MCP joint", (0, 1), (4, 3), **style)
            panel.set(title=f"{region.capitalize()} crop", aspect="equal")
            panel.set(xlim=(1.15, -1.15), ylim=(-0.9, 1.9))
            panel.set_xlabel("Across the hand (thumb side on the left)")
        panels[0].set_ylabel("Along the hand (wrist to third MCP joint = 1)")
        panels[1].plot([], [], color=LIGHT, label=f"crops of {len(some)} single radiographs")
        label = "mean targets; grey: this crop's own"
        panels[1].plot([], [], color=BOTH, linewidth=1.2, label=label)
        figure.legend(loc="outside lower center", ncols=2)
        figure.suptitle(f"Mean of {len(films)} radiographs, each hand turned upright")


def _draw_outline(panel: Axes, outline: Array, *, facecolor: str = "none", **style: Any) -> None:
    """Corners come as (along, across); the plot has across to the left and along upwards."""
    panel.add_patch(Patch(outline[:, ::-1], closed=True, facecolor=facecolor, **style))
