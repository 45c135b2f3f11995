"""The regions of many films, measured several films at a time; which copy of each is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2

from boneage.datasets.films import Film, evenly
from boneage.datasets.labels import read_labels
from boneage.datasets.sources import METADATA
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Radiograph
from boneage.errors import BoneageError, DataError
from boneage.evaluation.cases import Split
from boneage.evaluation.localization.marks import Annotations, Shape
from boneage.evaluation.localization.measuring import RegionMeasurement, measure
from boneage.inference.assessor import Assessor, attempt
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
    """Find the regions of marked films with the attention network, and measure them.

    What the journal holds is not measured again; failures are tried again.
    Results come in the films' order.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
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

    ``marked`` are the ids that have marks, ``unfit`` those whose detailed copy
    does not fit them. ``copies`` are detailed ones only, squeezed ones only, or
    of every film the better one; a limited number of films is evenly spread
    over the ids in their order.
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

    What no squeezed copy states is read from the film itself, once; None where
    there is no film or it cannot be read.
    """
    stated: dict[str, Shape] = {}
    paths: dict[str, Path] = {}
    for film in films:
        if film.shape is None:
            paths[film.id] = film.path
        else:
            stated[film.id] = film.shape

    @cache
    def shape_of(name: str) -> Shape | None:
        if name in stated or name not in paths:
            return stated.get(name)
        try:
            radiograph = read(paths[name])
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
