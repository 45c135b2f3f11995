"""What is measured on many films together: means with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boneage.evaluation.accuracy.bands import BANDS
from boneage.evaluation.localization.cases import MeasuredFilm
from boneage.evaluation.localization.measuring import COLUMNS, FIGURES, RECTANGLES, TARGETS
from boneage.evaluation.metrics import OVERALL, Estimate, means

COVERED = 0.8
"""A target of which this share lies inside the crop counts as covered."""
WORST = 10
"""How many of the least covered films are named."""
AGE_BANDS = "age_band_years"
GROUPINGS = ("source", "copy", "sex", "split", AGE_BANDS)


@dataclass(frozen=True)
class TargetSummary:
    """One target in a group of films that have it; means."""

    count: int
    crop: Mapping[str, Estimate]
    """By figure: coverage, iou, excess, area_ratio."""
    box: Mapping[str, Estimate]
    covered: Estimate
    """Share of films whose crop covers ``COVERED`` of the target or more."""
    tight_iou: Estimate


@dataclass(frozen=True)
class GroupSummary:
    """A group of films."""

    count: int
    in_order: Estimate
    """Share of films whose metacarpal crop lies distal of the carpal one."""
    distal_offset: Estimate
    attention_found: Mapping[str, Estimate]
    """Share of films in which the attention stood out, by region."""
    targets: Mapping[str, TargetSummary]


Groups: TypeAlias = Mapping[str, Mapping[str, GroupSummary]]
"""By grouping and group; the grouping ``"overall"`` has one group, ``"overall"``."""


def summarise_groups(films: Sequence[MeasuredFilm]) -> Groups:
    """Sum up all films, and each group of them by itself; at least one film."""
    groups = {OVERALL: {OVERALL: summarise_group(films)}}
    for grouping in GROUPINGS:
        members: dict[str, list[MeasuredFilm]] = {}
        for film in films:
            members.setdefault(group_of(film, grouping), []).append(film)
        names = sorted(members, key=_natural)
        groups[grouping] = {name: summarise_group(members[name]) for name in names}
    return groups


def group_of(film: MeasuredFilm, grouping: str) -> str:
    """The group of a film, such as ``"female"`` or the band ``"2-4"``."""
    if grouping == AGE_BANDS:
        return next(band.name for band in BANDS if band.holds(film.film.age_months))
    return str(getattr(film if grouping in ("source", "copy") else film.film, grouping))


def summarise_group(films: Sequence[MeasuredFilm]) -> GroupSummary:
    """Sum up films, at least one."""
    measured = [film.measured for film in films]
    regions = list(measured[0].found)
    order, offset, *found = means(
        [one.in_order for one in measured],
        [one.distal_offset for one in measured],
        *([one.found[name] for one in measured] for name in regions),
    )
    having = {
        target: [one.figures[target] for one in measured if target in one.figures]
        for target in TARGETS
    }
    targets = {target: _summarise_target(some) for target, some in having.items() if some}
    return GroupSummary(len(films), order, offset, dict(zip(regions, found, strict=True)), targets)


def _summarise_target(films: Sequence[Mapping[str, float]]) -> TargetSummary:
    columns = {name: np.array([film[name] for film in films]) for name in (*COLUMNS, "tight_iou")}
    columns["covered"] = columns["crop_coverage"] >= COVERED
    found = dict(zip(columns, means(*columns.values()), strict=True))
    crop, box = (
        {figure: found[f"{rectangle}_{figure}"] for figure in FIGURES} for rectangle in RECTANGLES
    )
    return TargetSummary(len(films), crop, box, found["covered"], found["tight_iou"])


def worst(films: Sequence[MeasuredFilm], target: str) -> list[MeasuredFilm]:
    """The ``WORST`` films, whose crop covers least of a target, the worst first."""
    having = [film for film in films if target in film.measured.figures]
    return sorted(having, key=lambda film: film.measured.figures[target]["crop_coverage"])[:WORST]


def _natural(name: str) -> tuple[int, str]:
    low = name.partition("-")[0]
    return (int(low) if low.isdigit() else 0, name)
