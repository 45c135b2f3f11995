"""Stage 2: the trained attention finds the regions of every film that they are learned from."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.domain.geometry import Edges
from boneage.errors import BoneageError
from boneage.imaging.preparing import Placement, placement, put_on_canvas
from boneage.imaging.regions import Fractions, RegionPlan, find_regions, mirror_mean
from boneage.storage.printable import printable
from boneage.training.attention import equalised
from boneage.training.distributed.undistributed import own_copy, undistributed
from boneage.training.prepared import as_input
from boneage.training.profile import Profile
from boneage.training.progress import films_bar
from boneage.training.run import Run

BATCH = 16
COLUMNS = (
    "id",
    "region",
    "min_row",
    "min_col",
    "max_row",
    "max_col",
    "height",
    "width",
    "attention_found",
)


@dataclass(frozen=True)
class FoundRegion:
    """Where the attention put a region of one film, in pixels of what is analysed of the film."""

    film_id: str
    region: str
    edges: Edges
    film_size: tuple[int, int]
    """Height and width."""
    attention_found: bool


def plan_of(profile: Profile) -> RegionPlan:
    """The profile's region plan, with the fallback boxes every profile starts from."""
    spec = profile.regions
    return RegionPlan(
        names=spec.names,
        threshold=spec.threshold,
        peak_percentile=spec.peak_percentile,
        edge_cells=spec.edge_cells,
        blur_cells=spec.blur_cells,
        reach=spec.reach,
        follow=spec.follow,
        joined=spec.joined,
        carpal_mask=spec.carpal_mask,
        margin=spec.margin,
        square=spec.square,
        min_side=spec.min_side,
        exact=spec.exact,
        zooms=spec.zooms,
    )


def splits_of(profile: Profile, films: Films) -> tuple[str, ...]:
    """The splits whose films the later stages need the regions of."""
    return tuple(dict.fromkeys(("train", films.monitored, profile.fusion.fitted_on)))


def annotate(
    attention: keras.Model, profile: Profile, films: Films, run: Run
) -> dict[tuple[str, str], FoundRegion]:
    """Find the regions of all films that need them; resumes where an earlier run stopped.

    Returns
    -------
    dict
        By film id and region; films that cannot be read are named and left out.
    """
    path = run.folder / "regions" / "regions.csv"
    wanted = [
        film
        for split in splits_of(profile, films)
        for film in run.limited(films.select(profile.region_films, split))
    ]

    def find_missing() -> None:
        found = _read(path, profile.regions.names)
        known = {r.film_id for r in found}
        missing = [film for film in wanted if film.id not in known]
        if missing:
            print(f"finding the regions of {len(missing)} films")  # noqa: T201
            own = own_copy(attention)
            with undistributed():
                _annotate_missing(own, profile, missing, found, path, run)

    run.group.once(find_missing)
    return {(r.film_id, r.region): r for r in _read(path, profile.regions.names)}


def _annotate_missing(
    attention: keras.Model,
    profile: Profile,
    films: Sequence[Film],
    earlier: Iterable[FoundRegion],
    path: Path,
    run: Run,
) -> None:
    """Rewrite what an earlier run found, in case it was cut off in a line, and go on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    progress = films_bar(len(films))
    attend = keras_attention(attention, mirror=profile.fusion.flip_average)
    with path.open("w", newline="") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(r) for r in earlier)
        for start in range(0, len(films), BATCH):
            batch = films[start : start + BATCH]
            prepared = list(pool.map(lambda film: _prepare(film, profile, run), batch))
            rows = _look(batch, prepared, attend, profile)
            writer.writerows(_row(r) for r in rows)
            file.flush()
            progress.update(min(start + BATCH, len(films)))


Prepared = tuple[npt.NDArray[np.uint8], Placement, tuple[int, int]]


def _prepare(film: Film, profile: Profile, run: Run) -> Prepared | None:
    try:
        grey = equalised(film, profile)
    except BoneageError as error:
        if run.strict:
            raise
        print(printable(f"skipped {film.id}: {error}"))  # noqa: T201
        return None
    size = profile.attention.input
    place = placement(grey.shape[0], grey.shape[1], size, profile.preparation.fit)
    canvas = put_on_canvas(grey, size, place, profile.preparation)
    return canvas, place, (grey.shape[0], grey.shape[1])


def _look(
    films: Sequence[Film],
    prepared: Sequence[Prepared | None],
    attend: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]],
    profile: Profile,
) -> list[FoundRegion]:
    readable = [(film, p) for film, p in zip(films, prepared, strict=True) if p]
    if not readable:
        return []
    looks = find_regions(
        np.stack([p[0] for _, p in readable]),
        [p[1] for _, p in readable],
        [p[2] for _, p in readable],
        attend,
        plan_of(profile),
    )
    return [
        FoundRegion(film.id, look.region, look.edges or look.box.edges, size, look.attention_found)
        for (film, (_, _, size)), seen in zip(readable, looks, strict=True)
        for look in seen
    ]


def keras_attention(
    network: keras.Model, *, mirror: bool = False
) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
    """The attention network as ``find_regions`` wants it; ``mirror``: see ``mirror_mean``."""
    heat_map = keras.Model(network.inputs, network.output["heat_map"])

    def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        sex = np.zeros(len(canvases), dtype=np.int32)  # the heat map does not see it
        films = as_input(canvases)
        found: npt.NDArray[np.float32] = heat_map.predict_on_batch({"film": films, "sex": sex})
        if mirror:
            other = heat_map.predict_on_batch({"film": films[:, :, ::-1], "sex": sex})
            found = mirror_mean(found, other)
        return found

    return attend


def measured_fallback(found: Iterable[FoundRegion]) -> dict[str, Fractions]:
    """The median box of each region over the films where attention found it."""
    shares: dict[str, list[tuple[float, ...]]] = {}
    for r in found:
        if r.attention_found:
            height, width = r.film_size
            shares.setdefault(r.region, []).append(astuple(r.edges.scaled(1 / height, 1 / width)))
    medians = {region: np.median(rows, axis=0) for region, rows in shares.items()}
    return {
        region: (float(m[0]), float(m[1]), float(m[2]), float(m[3]))
        for region, m in medians.items()
    }


def _row(r: FoundRegion) -> tuple[object, ...]:
    corners = (f"{edge:.6g}" for edge in astuple(r.edges))
    return (r.film_id, r.region, *corners, *r.film_size, int(r.attention_found))


def _read(path: Path, names: Sequence[str]) -> list[FoundRegion]:
    """Read the films that were finished: those with a whole line for every region."""
    if not path.is_file():
        return []
    by_film: dict[str, list[FoundRegion]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if _is_whole(row):
                by_film.setdefault(row["id"], []).append(_parse(row))
    return [r for rows in by_film.values() if len(rows) == len(names) for r in rows]


def _is_whole(row: Mapping[str, str | None]) -> bool:
    return all(row.get(column) for column in COLUMNS)


def _parse(row: Mapping[str, str]) -> FoundRegion:
    edges = Edges(*(float(row[c]) for c in ("min_row", "min_col", "max_row", "max_col")))
    size = int(row["height"]), int(row["width"])
    return FoundRegion(row["id"], row["region"], edges, size, row["attention_found"] == "1")
