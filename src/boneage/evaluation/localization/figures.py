"""The figures of the ruler: no pixel of a film, outlines and numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Polygon as Patch
from matplotlib.ticker import PercentFormatter

from boneage.domain.assessment import CARPAL, METACARPAL
from boneage.evaluation.drawing import ACCENT, BOTH, FEMALE, LIGHT, MALE, new_figure, save
from boneage.evaluation.localization.anatomical_target import CARPUS, METACARPALS
from boneage.evaluation.localization.ruler import ALL_METACARPALS, CARPUS_FROM_POINTS, REGION_OF
from boneage.evaluation.localization.run import Ruled
from boneage.evaluation.localization.summary import COVERED, Groups, GroupSummary
from boneage.evaluation.metrics import OVERALL, Estimate

NAMES: Mapping[str, str] = {
    CARPUS: "Carpus (boxes)",
    CARPUS_FROM_POINTS: "Carpus (from points)",
    ALL_METACARPALS: "Metacarpals 1–5",
}
COLOURS: Mapping[str, str] = {CARPUS: MALE, CARPUS_FROM_POINTS: ACCENT, ALL_METACARPALS: FEMALE}
COVERED_LINE: Mapping[str, Any] = {"color": BOTH, "linewidth": 0.8, "linestyle": ":"}
STEPS = [step / 20 for step in range(21)]
Array: TypeAlias = npt.NDArray[np.float64]
FAINT = 60
"""Outlines drawn one by one; more would only be a smear."""


def coverage(path: Path, films: Sequence[Ruled]) -> None:
    """Draw how many films have how much of each target inside, for crop and bare box."""
    targets = [name for name in NAMES if any(name in film.measured.figures for film in films)]
    figure, panels = new_figure(1, len(targets), width=3.1 * len(targets), height=3.3)
    for panel, target in zip(panels, targets, strict=True):
        values = [
            film.measured.figures[target] for film in films if target in film.measured.figures
        ]
        _histogram(panel, [one["crop_coverage"] for one in values], "crop", COLOURS[target])
        _histogram(panel, [one["box_coverage"] for one in values], "bare attention box", BOTH)
        panel.axvline(COVERED, **COVERED_LINE)
        panel.set(
            title=f"{NAMES[target]}, n = {len(values)}",
            xlim=(0, 1),
            xlabel="Share of the target inside",
        )
        panel.xaxis.set_major_formatter(PercentFormatter(1))
        panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        panel.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize="small", frameon=False
        )
    panels[0].set_ylabel("Share of films")
    save(figure, path)


def _histogram(panel: Axes, inside: Sequence[float], label: str, colour: str) -> None:
    filled = label == "crop"
    panel.hist(
        inside,
        bins=STEPS,
        weights=[1 / len(inside)] * len(inside),
        label=f"{label}, mean {np.mean(inside):.0%}",
        histtype="stepfilled" if filled else "step",
        color=colour,
        alpha=0.75 if filled else 1.0,
        linewidth=1.2,
    )


def by_age(path: Path, groups: Groups) -> None:
    """Draw mean coverage by the crop in each two-year band, with intervals and counts."""
    bands = groups["age_band_years"]
    figure, panels = new_figure(2, 1, width=7.0, height=5.4)
    targets = [name for name in NAMES if name in groups[OVERALL][OVERALL].targets]
    for place, target in enumerate(targets):
        shift = (place - (len(targets) - 1) / 2) * 0.16
        _points(panels[0], bands, target, shift)
    panels[0].axhline(COVERED, **COVERED_LINE)
    panels[0].set(ylabel="Mean share inside the crop", ylim=(0, 1.02))
    panels[0].yaxis.set_major_formatter(PercentFormatter(1))
    panels[0].legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, fontsize="small", frameon=False
    )
    width = 0.8 / len(targets)
    for place, target in enumerate(targets):
        heights = [_count(group, target) for group in bands.values()]
        x = np.arange(len(bands)) + (place - (len(targets) - 1) / 2) * width
        bars = panels[1].bar(x, heights, width, color=COLOURS[target])
        panels[1].bar_label(bars, fontsize=6, labels=[str(n) if n else "" for n in heights])
    panels[1].set(ylabel="Films", xlabel="Bone age on the label (years)")
    for panel in panels:
        panel.set_xticks(range(len(bands)), [name.replace("-", "–") for name in bands])
        panel.set_xlim(-0.6, len(bands) - 0.4)
    save(figure, path)


def by_metacarpal(path: Path, groups: Groups) -> None:
    """Draw mean coverage of each metacarpal, by crop and bare box."""
    figure, (panel,) = new_figure(width=5.2, height=3.4)
    summary = groups[OVERALL][OVERALL].targets
    for shift, rectangle, colour, label in (
        (-0.12, "crop", FEMALE, "crop"),
        (0.12, "box", BOTH, "bare attention box"),
    ):
        estimates = [getattr(summary[name], rectangle)["coverage"] for name in METACARPALS]
        _error_bars(panel, np.arange(1, 6) + shift, estimates, colour, label)
    panel.axhline(COVERED, **COVERED_LINE)
    panel.set(ylim=(0, 1.02), ylabel="Mean share inside", xlim=(0.5, 5.5))
    panel.set_xticks(range(1, 6), ["1 (thumb)", "2", "3", "4", "5 (little)"])
    panel.set_xlabel(f"Metacarpal (n = {summary[ALL_METACARPALS].count} films)")
    panel.yaxis.set_major_formatter(PercentFormatter(1))
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False)
    save(figure, path)


def in_hand(path: Path, films: Sequence[Ruled]) -> None:
    """Draw mean crops and mean targets in the hand's own axes."""
    figure, panels = new_figure(1, 2, width=7.4, height=5.6)
    shown = [films[i] for i in np.linspace(0, len(films) - 1, min(FAINT, len(films))).astype(int)]
    for panel, region, target in zip(
        panels, (CARPAL, METACARPAL), (CARPUS, ALL_METACARPALS), strict=True
    ):
        for film in shown:
            _draw(panel, np.array(film.measured.outlines[region]), LIGHT, 0.5, alpha=0.5)
        for name in (CARPUS, *METACARPALS):
            mean = _mean(films, name)
            if mean is not None:
                _draw(panel, mean, BOTH, 1.2, fill=LIGHT if REGION_OF[name] == region else None)
        crop = _mean(films, region)
        if crop is not None:
            _draw(panel, crop, COLOURS[target], 2.4)
            panel.plot([], [], color=COLOURS[target], linewidth=2.4, label=f"mean {region} crop")
        _draw_axis(panel)
        panel.set(
            title=f"{region.capitalize()} crop",
            aspect="equal",
            xlim=(1.15, -1.15),
            ylim=(-0.9, 1.9),
            xlabel="Across the hand (thumb side on the left)",
        )
    panels[0].set_ylabel("Along the hand (wrist to third MCP joint = 1)")
    panels[1].plot([], [], color=LIGHT, label=f"crops of {len(shown)} single films")
    panels[1].plot([], [], color=BOTH, linewidth=1.2, label="mean targets; grey: this crop's own")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small", frameon=False)
    figure.suptitle(f"Mean of {len(films)} films, each hand turned upright", fontsize="medium")
    save(figure, path)


def _draw_axis(panel: Axes) -> None:
    panel.plot([0, 0], [0, 1], "o-", color=BOTH, markersize=3, linewidth=0.8)
    panel.annotate("wrist", (0, 0), (4, -3), textcoords="offset points", va="top", fontsize=7)
    panel.annotate("third MCP joint", (0, 1), (4, 3), textcoords="offset points", fontsize=7)


def _points(panel: Axes, bands: Mapping[str, GroupSummary], target: str, shift: float) -> None:
    held = [
        (x, group.targets[target])
        for x, group in enumerate(bands.values())
        if target in group.targets
    ]
    places = np.array([x + shift for x, _ in held])
    estimates = [summary.crop["coverage"] for _, summary in held]
    _error_bars(panel, places, estimates, COLOURS[target], NAMES[target])


def _error_bars(
    panel: Axes, places: npt.NDArray[Any], estimates: Sequence[Estimate], colour: str, label: str
) -> None:
    values = np.array([one.value for one in estimates], dtype=np.float64)
    ends = np.array([[one.low, one.high] for one in estimates], dtype=np.float64).T
    lengths = np.nan_to_num(np.abs(ends - values))  # a single film has no interval
    panel.errorbar(
        places, values, lengths, fmt="o", markersize=4, capsize=2, color=colour, label=label
    )


def _count(group: GroupSummary, target: str) -> int:
    return group.targets[target].count if target in group.targets else 0


def _mean(films: Sequence[Ruled], name: str) -> Array | None:
    outlines = [film.measured.outlines[name] for film in films if name in film.measured.outlines]
    return np.mean(outlines, axis=0) if outlines else None


def _draw(
    panel: Axes,
    outline: Array,
    colour: str,
    width: float,
    *,
    fill: str | None = None,
    alpha: float = 1.0,
) -> None:
    """Corners come as (along, across); the plot has across to the left and along upwards."""
    panel.add_patch(
        Patch(
            outline[:, ::-1],
            closed=True,
            edgecolor=colour,
            facecolor=fill or "none",
            linewidth=width,
            alpha=alpha,
        )
    )
