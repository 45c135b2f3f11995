"""What the ruler says of many films together: means with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from boneage.evaluation.accuracy.bands import BANDS
from boneage.evaluation.localization.ruler import FIGURES, RECTANGLES, TARGETS
from boneage.evaluation.localization.run import Ruled
from boneage.evaluation.metrics import OVERALL, Estimate, Vector, estimate

COVERED = 0.8
"""A target of which this share lies inside the crop counts as covered."""
WORST = 10
"""How many of the least covered films are named."""
GROUPINGS = ("source", "copy", "sex", "split", "age_band_years")


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


Groups = Mapping[str, Mapping[str, GroupSummary]]
"""By grouping and group; the grouping ``"overall"`` has one group, ``"overall"``."""


def summarise(films: Sequence[Ruled]) -> Groups:
    """Sum up all films, and each group of them by itself; at least one film."""
    groups = {OVERALL: {OVERALL: summarise_group(films)}}
    for grouping in GROUPINGS:
        members: dict[str, list[Ruled]] = {}
        for film in films:
            members.setdefault(group_of(film, grouping), []).append(film)
        names = sorted(members, key=_natural)
        groups[grouping] = {name: summarise_group(members[name]) for name in names}
    return groups


def group_of(film: Ruled, grouping: str) -> str:
    """The group of a film, such as ``"female"`` or the band ``"2-4"``."""
    if grouping == "age_band_years":
        return next(band.name for band in BANDS if band.holds(film.film.age_months))
    values: Mapping[str, str] = {
        "source": film.source,
        "copy": film.copy,
        "sex": film.film.sex.value,
        "split": film.film.split,
    }
    return values[grouping]


def summarise_group(films: Sequence[Ruled]) -> GroupSummary:
    """Sum up films, at least one."""
    measured = [film.measured for film in films]
    regions = list(measured[0].found)
    order, offset, *found = means(
        np.array([one.in_order for one in measured], dtype=np.float64),
        np.array([one.distal_offset for one in measured]),
        *(np.array([one.found[name] for one in measured], dtype=np.float64) for name in regions),
    )
    targets = {}
    for target in TARGETS:
        having = [one.figures[target] for one in measured if target in one.figures]
        if having:
            targets[target] = _summarise_target(having)
    return GroupSummary(len(films), order, offset, dict(zip(regions, found, strict=True)), targets)


def _summarise_target(films: Sequence[Mapping[str, float]]) -> TargetSummary:
    names = [f"{rectangle}_{figure}" for rectangle in RECTANGLES for figure in FIGURES]
    columns = {name: np.array([film[name] for film in films]) for name in (*names, "tight_iou")}
    columns["covered"] = (columns["crop_coverage"] >= COVERED).astype(np.float64)
    found = dict(zip(columns, means(*columns.values()), strict=True))
    crop, box = (
        {figure: found[f"{rectangle}_{figure}"] for figure in FIGURES} for rectangle in RECTANGLES
    )
    return TargetSummary(len(films), crop, box, found["covered"], found["tight_iou"])


def means(*columns: Vector) -> list[Estimate]:
    """Means of values of the same films, each with its interval."""
    return estimate(_means, *columns)


def _means(*samples: Vector) -> Vector:
    return np.stack([sample.mean(axis=0) for sample in samples])


def worst(films: Sequence[Ruled], target: str, count: int = WORST) -> list[Ruled]:
    """The films whose crop covers least of a target, the worst first."""
    having = [film for film in films if target in film.measured.figures]
    return sorted(having, key=lambda film: film.measured.figures[target]["crop_coverage"])[:count]


def _natural(name: str) -> tuple[int, str]:
    low = name.partition("-")[0]
    return (int(low) if low.isdigit() else 0, name)
