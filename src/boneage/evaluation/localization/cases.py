"""The regions of many films, measured several films at a time; which copy of each is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np

from boneage.datasets.films import Film, evenly
from boneage.datasets.labels import read_labels
from boneage.datasets.sources import METADATA
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Radiograph
from boneage.errors import BoneageError, DataError
from boneage.evaluation.accuracy.agreement import BANDS
from boneage.evaluation.cases import Split
from boneage.evaluation.localization.marks import Annotations, Shape
from boneage.evaluation.localization.measuring import (
    COLUMNS,
    FIGURES,
    RECTANGLES,
    TARGETS,
    RegionMeasurement,
    measure,
)
from boneage.evaluation.metrics import OVERALL, Estimate, means
from boneage.inference.assessor import Assessor
from boneage.inference.session import attempt
from boneage.reading import read
from boneage.storage.parallel import Journal, resumed

MarkedCopies: TypeAlias = Literal["detailed", "squeezed", "all"]
DETAILED, SQUEEZED = "detailed", "squeezed"
MOVED = "background-removed"
"""Such copies were cut and fitted anew: marks on the original do not lie on them."""
SAME_SHAPE = 0.02
"""A copy whose width to height differs by more from the original's was cut."""


@dataclass(frozen=True)
class MeasuredFilm:
    """One film and how well its regions lie on its anatomy."""

    film: Film
    source: str
    """Of its marks: ``"boxes"`` or ``"points"``."""
    readers: int
    """How many people marked it."""
    measured: RegionMeasurement

    @property
    def copy(self) -> str:
        """Which copy was analysed: ``"detailed"`` or ``"squeezed"``."""
        return kind_of(self.film)


def measure_films(
    assessor: Assessor,
    films: Sequence[Film],
    annotations: Annotations,
    journal: Journal | None = None,
    workers: int = 1,
) -> Iterator[MeasuredFilm | Failure]:
    """Find the regions of marked films with the attention network, and measure them, in order.

    What the journal holds is not measured again; failures are tried again. A WeightsError when the
    weights turn out unusable: then every film would fail.
    """

    def work(film: Film, noted: Any) -> MeasuredFilm | Failure:
        marks = annotations.marks[film.id]

        def measured() -> RegionMeasurement:
            radiograph = read_film(film)
            return measure(
                assessor.find_regions(radiograph),
                assessor.weights.manifest.plan,
                marks,
                annotations.proportions,
                (radiograph.height, radiograph.width),
            )

        found = RegionMeasurement(**noted) if noted else attempt(film.id, measured)
        if isinstance(found, Failure):
            return found
        return MeasuredFilm(film, annotations.source_of(film.id), len(marks), found)

    def note(result: MeasuredFilm | Failure) -> dict[str, Any] | None:
        return None if isinstance(result, Failure) else asdict(result.measured)

    return resumed(work, films, journal, workers, key=lambda film: film.id, to_record=note)


def kind_of(film: Film) -> str:
    """``"squeezed"`` or ``"detailed"``."""
    return SQUEEZED if film.squeezed else DETAILED


def films_to_measure(
    films: Iterable[Film],
    marked: Collection[str],
    unfit: Collection[str],
    copies: MarkedCopies,
    split: Split,
    limit: int | None = None,
) -> tuple[Film, ...]:
    """Choose one copy of every marked film; a DataError when none is left.

    ``marked`` are the ids that have marks, ``unfit`` those whose detailed copy does not fit them.
    ``copies`` are detailed ones only, squeezed ones only, or of every film the better one; a
    limited number of films is evenly spread over the ids in their order.
    """
    chosen: dict[str, Film] = {}
    for film in films:
        if film.id not in marked or split not in ("all", film.split):
            continue
        if film.squeezed:
            if copies != DETAILED:
                chosen.setdefault(film.id, film)
        elif copies != SQUEEZED and film.id not in unfit:
            chosen[film.id] = film
    if not chosen:
        raise DataError(f"no radiograph of the kind {copies!r} in the split {split!r} has marks")
    ordered = [chosen[name] for name in sorted(chosen, key=lambda name: (len(name), name))]
    return tuple(evenly(ordered, limit))


def true_shape(films: Iterable[Film]) -> Callable[[str], Shape | None]:
    """Make a function that gives the true (height, width) of a film by id.

    What no squeezed copy states is read from the film itself, once; None where there is no film
    or it cannot be read.
    """
    known: dict[str, Film] = {}
    for film in films:
        if film.shape or film.id not in known:
            known[film.id] = film

    @cache
    def shape_of(name: str) -> Shape | None:
        film = known.get(name)
        if film is None or film.shape:
            return film.shape if film else None
        try:
            radiograph = read(film.path)
        except BoneageError:
            return None
        return radiograph.height, radiograph.width

    return shape_of


def unfit_copies(data: Path) -> Mapping[str, str]:
    """Ids whose detailed copy does not lie where the original did, and why.

    ``films.csv`` states it; a data set without one has originals only.
    """
    table = data / METADATA
    if not table.is_file():
        return {}
    unfit = {}
    for row in read_labels(table, ("id", "film")).rows:
        cells = row.cells
        if not cells["film"]:
            continue
        if cells.get("film_processing") == MOVED:
            reason = "was fitted anew as its background was removed"
        elif _cut(cells):
            reason = "has another shape than the original"
        else:
            continue
        unfit[cells["id"]] = f"the detailed copy {reason}: marks do not fit"
    return unfit


def _cut(cells: Mapping[str, str]) -> bool:
    try:
        width, height, film_width, film_height = (
            float(cells[name])
            for name in ("original_width", "original_height", "film_width", "film_height")
        )
        return abs(film_width * height / (film_height * width) - 1) > SAME_SHAPE
    except (KeyError, ValueError, ZeroDivisionError):
        return False  # not stated


def read_film(film: Film) -> Radiograph:
    """Read a film; a squeezed copy gets its true shape back, for marks need right angles."""
    radiograph = film.radiograph()
    if film.shape is None:
        return radiograph
    height, width = film.shape
    scale = max(radiograph.height / height, radiograph.width / width)  # lose no pixel
    size = max(1, round(width * scale)), max(1, round(height * scale))
    pixels = cv2.resize(radiograph.pixels, size, interpolation=cv2.INTER_LINEAR)
    return replace(radiograph, pixels=pixels, pixel_aspect=1.0)


COVERED = 0.8
"""A target of which this share lies inside the crop counts as covered."""
WORST = 10
"""How many of the least covered films are named."""
AGE_BANDS = "age_band_years"
GROUPINGS: Mapping[str, Callable[[MeasuredFilm], str]] = {
    "source": lambda film: film.source,
    "copy": lambda film: film.copy,
    "sex": lambda film: str(film.film.sex),
    "split": lambda film: film.film.split,
    AGE_BANDS: lambda film: next(b.name for b in BANDS if b.holds(film.film.age_months)),
}
"""What gives the group of a film, such as ``"female"`` or the band ``"2-4"``."""


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
    for grouping, group_of in GROUPINGS.items():
        members: dict[str, list[MeasuredFilm]] = {}
        for film in films:
            members.setdefault(group_of(film), []).append(film)
        names = sorted(members, key=_natural)
        groups[grouping] = {name: summarise_group(members[name]) for name in names}
    return groups


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
