"""The ruler's page: what was measured, how to read it, and how the target was built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boneage.domain.assessment import Failure
from boneage.evaluation.localization import figures as ruler_figures
from boneage.evaluation.localization.anatomical_target import METACARPALS
from boneage.evaluation.localization.files import NAMED, RulerSetting
from boneage.evaluation.localization.proportions import in_words
from boneage.evaluation.localization.ruler import REGION_OF
from boneage.evaluation.localization.run import Ruled
from boneage.evaluation.localization.summary import (
    COVERED,
    Groups,
    GroupSummary,
    TargetSummary,
    worst,
)
from boneage.evaluation.metrics import LEVEL, OVERALL, Estimate
from boneage.evaluation.page import Picture, Section, write_page

PAGE, FIGURES = "ruler.html", "figures"
SHOWN_PROBLEMS = 40
LABELS = ruler_figures.NAMES
GROUP_NAMES: Mapping[str, str] = {
    "overall": "all",
    "source": "marks",
    "copy": "copy",
    "sex": "sex",
    "split": "split",
    "age_band_years": "years",
}
EXPLAINED = """\
The method finds its regions without any region ever having been marked: the attention of a \
network that learned nothing but the age. This page tells whether it finds the anatomy that the \
regions are named after, on films on which other people marked the bones. Their marks are only \
measured against; nothing was trained on them.

Coverage is the share of a target that lies inside the rectangle: 100% misses nothing. Excess is \
the share of the rectangle that is something else. IoU is the area in common over the area of \
both. Area ratio is the rectangle's area over the target's. The crop is what the region network \
is shown; the box is the bare attention, before its margin and squaring.

The metacarpals lie apart, so an upright rectangle holds much else however well it lies; the \
column "tightest IoU" gives the IoU of the tightest upright rectangle around the target, the most \
that a box which misses nothing can reach."""


def write_ruler_page(
    folder: Path,
    films: Sequence[Ruled],
    failures: Sequence[Failure],
    groups: Groups,
    setting: RulerSetting,
) -> None:
    """Draw the figures into ``figures/`` and write ``ruler.html``."""
    figures = folder / FIGURES
    ruler_figures.coverage(figures / "coverage.png", films)
    ruler_figures.by_age(figures / "coverage_by_age.png", groups)
    ruler_figures.by_metacarpal(figures / "coverage_by_metacarpal.png", groups)
    ruler_figures.in_hand(figures / "crops_in_hand.png", films)
    overall = groups[OVERALL][OVERALL]
    lead = (
        f"Weights {setting.weights.name} ({setting.weights.sha256[:12]}) on {len(films)} films of "
        f"{setting.data!r} (films: {setting.films}, split: {setting.split}), "
        f"{setting.day.isoformat()}. Brackets: bootstrap {LEVEL:.0%} interval."
    )
    sections = [
        Section("In short", in_short(overall)),
        Section("How to read this", EXPLAINED),
        Section("The crops: what the region networks see", table=_crop_table(overall)),
        Section("The bare boxes of the attention", table=_box_table(overall)),
        Section(
            "How much lies inside",
            f"The dotted line is {COVERED:.0%}.",
            pictures=[
                Picture(figures / "coverage.png", "Histograms of the share inside, by target.")
            ],
        ),
        Section(
            "By age",
            "Points are means over the films of a two-year band, bars their intervals; below, "
            "how many films stand behind each point.",
            _band_table(groups),
            [Picture(figures / "coverage_by_age.png", "Mean coverage by two-year band.")],
        ),
        Section(
            "By metacarpal",
            table=_metacarpal_table(overall),
            pictures=[
                Picture(figures / "coverage_by_metacarpal.png", "Mean coverage by metacarpal.")
            ],
        ),
        Section(
            "Where the crops lie in the hand",
            "Every hand is turned, mirrored and scaled so that its wrist point and its third MCP "
            "joint fall together. Drawn are outlines only.",
            pictures=[
                Picture(
                    figures / "crops_in_hand.png",
                    "Mean outlines of the crops and of the targets in the hand's own axes.",
                )
            ],
        ),
        Section("By group", table=_group_table(groups)),
        *(
            Section(
                f"Least covered: {LABELS[target]}",
                table=_worst_table(films, target),
            )
            for target in _named(overall)
        ),
        Section("How the target was built", "\n\n".join(in_words(setting.proportions))),
        Section("Left out", _left_out(setting, failures)),
    ]
    write_page(folder / PAGE, "Where the attention looks", lead, sections)


def in_short(overall: GroupSummary) -> str:
    """Say what a person wants first; one paragraph a target."""
    lines = []
    for target, summary in _named(overall).items():
        lines.append(
            f"{LABELS[target]}: {share(summary.crop['coverage'])} of it lies in the "
            f"{REGION_OF[target]} crop ({share(summary.box['coverage'])} in the bare box); "
            f"{COVERED:.0%} or more of it lies in the crop in {share(summary.covered)} of "
            f"{summary.count} films."
        )
    lines.append(
        f"The metacarpal crop lies distal of the carpal one in {share(overall.in_order)} "
        f"of {overall.count} films."
    )
    return "\n\n".join(lines)


def share(estimate: Estimate) -> str:
    """Such as ``"81% [79, 83]"``."""
    if estimate.value is None:
        return "–"
    value = f"{100 * estimate.value:.0f}%"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"


def _ratio(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{estimate.value:.1f}"


def _crop_table(overall: GroupSummary) -> list[list[str]]:
    header = ["Target", "Films", "Coverage", f"Films ≥ {COVERED:.0%}", "Excess", "Area ratio"]
    rows = [[*header, "IoU", "Tightest IoU"]]
    for target, summary in _named(overall).items():
        figures = summary.crop
        rows.append(
            [
                *(LABELS[target], str(summary.count)),
                *(share(figures["coverage"]), share(summary.covered), share(figures["excess"])),
                *(_ratio(figures["area_ratio"]), share(figures["iou"])),
                share(summary.tight_iou),
            ]
        )
    return rows


def _box_table(overall: GroupSummary) -> list[list[str]]:
    rows = [["Target", "Films", "Coverage", "Excess", "Area ratio", "IoU"]]
    for target, summary in _named(overall).items():
        figures = summary.box
        rows.append(
            [
                *(LABELS[target], str(summary.count)),
                *(share(figures["coverage"]), share(figures["excess"])),
                *(_ratio(figures["area_ratio"]), share(figures["iou"])),
            ]
        )
    return rows


def _named(overall: GroupSummary) -> dict[str, TargetSummary]:
    return {target: overall.targets[target] for target in NAMED if target in overall.targets}


def _metacarpal_table(overall: GroupSummary) -> list[list[str]]:
    rows = [["Metacarpal", "Films", "In the crop", f"Films ≥ {COVERED:.0%}", "In the bare box"]]
    for target in METACARPALS:
        summary = overall.targets[target]
        inside = share(summary.crop["coverage"]), share(summary.covered)
        rows.append([target[-1], str(summary.count), *inside, share(summary.box["coverage"])])
    return rows


def _band_table(groups: Groups) -> list[list[str]]:
    targets = list(_named(groups[OVERALL][OVERALL]))
    rows = [["Years", *(f"{LABELS[target]}, n" for target in targets), "In order"]]
    for band, group in groups["age_band_years"].items():
        cells = [_with_count(group.targets.get(target)) for target in targets]
        rows.append([band.replace("-", "–"), *cells, share(group.in_order)])
    return rows


def _group_table(groups: Groups) -> list[list[str]]:
    targets = list(_named(groups[OVERALL][OVERALL]))
    rows = [["Films", *(f"{LABELS[target]}, n" for target in targets), "In order"]]
    for grouping, members in groups.items():
        if grouping == "age_band_years":
            continue
        for name, group in members.items():
            cells = [_with_count(group.targets.get(target)) for target in targets]
            label = "all" if grouping == OVERALL else f"{GROUP_NAMES[grouping]}: {name}"
            rows.append([label, *cells, share(group.in_order)])
    return rows


def _with_count(summary: TargetSummary | None) -> str:
    return "–" if summary is None else f"{share(summary.crop['coverage'])}, {summary.count}"


def _worst_table(films: Sequence[Ruled], target: str) -> list[list[str]]:
    rows = [["Film", "Age (months)", "Copy", "Coverage", "Attention", "In order"]]
    for film in worst(films, target):
        measured = film.measured
        rows.append(
            [
                film.film.id,
                f"{film.film.age_months:g}",
                film.copy,
                f"{100 * measured.figures[target]['crop_coverage']:.0f}%",
                "found" if measured.found[REGION_OF[target]] else "fallback",
                "yes" if measured.in_order else "no",
            ]
        )
    return rows


def _left_out(setting: RulerSetting, failures: Sequence[Failure]) -> str:
    lines = [*setting.left_out, *(f"{one.film}: {one.message}" for one in failures)]
    if not lines:
        return "Nothing."
    rest = len(lines) - SHOWN_PROBLEMS
    more = [f"And {rest} more, in ruler.json."] if rest > 0 else []
    return "\n\n".join([*lines[:SHOWN_PROBLEMS], *more])
