"""Stage 2: the trained attention finds the regions of every film, and they are cut out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.domain.assessment import RegionDetection
from boneage.domain.geometry import Edges
from boneage.errors import BoneageError, DataError
from boneage.imaging.preparing import Placement
from boneage.imaging.regions import Attend, Fractions, crop, find_regions, mirror_mean
from boneage.storage.delimited import csv_text
from boneage.storage.files import write_text
from boneage.storage.parallel import Journal
from boneage.storage.printable import printable
from boneage.training import images
from boneage.training.batches import as_input
from boneage.training.distributed.group import local_copy, undistributed
from boneage.training.profile import Profile, plain
from boneage.training.run import Run

BATCH = 16
TABLE, JOURNAL = "regions/regions.csv", "regions/regions.jsonl"
"""In the folder of a run."""
COLUMNS = (
    *("id", "region", "min_row", "min_col", "max_row", "max_col"),
    *("height", "width", "attention_found"),
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

    @classmethod
    def of(cls, film_id: str, size: tuple[int, int], found: RegionDetection) -> FoundRegion:
        """Take what ``find_regions`` found."""
        edges = found.edges or found.box.edges
        return cls(film_id, found.region, edges, size, found.attention_found)

    @classmethod
    def of_row(cls, film_id: str, row: Sequence[str]) -> FoundRegion:
        """Read a row of the table, without the film's id."""
        edges, size = Edges(*map(float, row[1:5])), (int(row[5]), int(row[6]))
        return cls(film_id, row[0], edges, size, row[7] == "1")

    @property
    def row(self) -> list[str]:
        """The same."""
        edges = (f"{edge:.6g}" for edge in astuple(self.edges))
        return [self.region, *edges, *map(str, self.film_size), str(int(self.attention_found))]


FoundRegions = Mapping[tuple[str, str], FoundRegion]
"""By film id and region."""


def splits_of(profile: Profile, films: Films) -> tuple[str, ...]:
    """The splits whose films the later stages need the regions of."""
    return tuple(dict.fromkeys(("train", films.monitored, profile.fusion.fitted_on)))


def find_all_regions(
    attention: keras.Model, profile: Profile, films: Films, run: Run
) -> dict[tuple[str, str], FoundRegion]:
    """Find the regions of the films that they are learned from, each film once a run.

    ``regions.csv`` lists them, by film id and region. A film that cannot be read is
    reported and left out.
    """
    journal_path = run.folder / JOURNAL
    wanted = [
        film
        for split in splits_of(profile, films)
        for film in run.limited(films.select(profile.region_films, split))
    ]

    def find_missing() -> None:
        with Journal(journal_path, {}) as journal:
            missing = [film for film in wanted if film.id not in journal.done]
            if missing:
                print(f"finding the regions of {len(missing)} images")  # noqa: T201
                own = local_copy(attention)
                with undistributed():
                    _find(own, profile, missing, journal, run)
            rows = ((film, *row) for film, regions in journal.done.items() for row in regions)
            write_text(run.folder / TABLE, csv_text([COLUMNS, *rows], end="\r\n"))

    run.group.once(find_missing)
    done = Journal(journal_path, {}).done
    found = [FoundRegion.of_row(film, row) for film, rows in done.items() for row in rows]
    return {(each.film_id, each.region): each for each in found}


def _find(
    attention: keras.Model, profile: Profile, films: Sequence[Film], journal: Journal, run: Run
) -> None:
    progress, plan = images.films_bar(len(films)), profile.regions.plan
    attend = keras_attention(attention, mirror=profile.fusion.flip_average)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(films), BATCH):
            batch = films[start : start + BATCH]
            prepared = pool.map(lambda film: _prepare(film, profile, run), batch)
            readable = [(f.id, *p) for f, p in zip(batch, prepared, strict=True) if p]
            if readable:
                ids, canvases, places, sizes = zip(*readable, strict=True)
                detected = find_regions(np.stack(canvases), places, sizes, attend, plan)
                for film, size, regions in zip(ids, sizes, detected, strict=True):
                    found = (FoundRegion.of(film, size, region) for region in regions)
                    journal.add(film, [region.row for region in found])
            progress.update(start + len(batch))


PreparedFilm = tuple[npt.NDArray[np.uint8], Placement, tuple[int, int]]
"""What the attention network takes, the film's place on it, and the film's size."""


def _prepare(film: Film, profile: Profile, run: Run) -> PreparedFilm | None:
    try:
        grey = images.normalised_film(film, profile)
    except BoneageError as error:
        if run.strict:
            raise
        print(printable(f"skipped {film.id}: {error}"))  # noqa: T201
        return None
    return *images.placed(grey, profile, profile.attention.input), (grey.shape[0], grey.shape[1])


def keras_attention(network: keras.Model, *, mirror: bool = False) -> Attend:
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
    for each in found:
        if each.attention_found:
            height, width = each.film_size
            edges = each.edges.scaled(1 / height, 1 / width)
            shares.setdefault(each.region, []).append(astuple(edges))
    medians = {region: np.median(rows, axis=0).tolist() for region, rows in shares.items()}
    return {region: (m[0], m[1], m[2], m[3]) for region, m in medians.items()}


@dataclass(frozen=True)
class CachedCrops:
    """The crops of all regions of some films, in the order of the profile's regions."""

    crops: images.CachedImages
    """Images of shape (films, regions, rows, columns)."""
    names: tuple[str, ...]

    @property
    def detailed(self) -> CachedCrops:
        """Those of films of useful resolution."""
        return replace(self, crops=self.crops.of_kind("detailed"))

    def of(self, region: str) -> images.CachedImages:
        """One region's crops."""
        return replace(self.crops, images=self.crops.images[:, self.names.index(region)])


def prepare_crops(
    films: Films, split: str, found: FoundRegions, profile: Profile, run: Run
) -> CachedCrops:
    """Cut every region from every film of a split that regions are learned from, once a run.

    Films without regions, which could not be read, are left out.
    """
    names = profile.regions.names
    chosen = tuple(
        film
        for film in run.limited(films.select(profile.region_films, split))
        if all((film.id, name) in found for name in names)
    )
    if not chosen:
        raise DataError(f"the regions of no {split} image were found")
    # The boxes belong to the recipe: another attention, other crops.
    boxes = [plain(found[film.id, name].edges) for film in chosen for name in names]
    if split == "train":
        chosen = images.with_perturbed_copies(chosen, profile.degradation)
    made_of = {"crops": list(profile.region.input), "regions": plain(profile.regions)}
    recipe = images.image_recipe(chosen, profile, boxes=boxes, **made_of)
    label = f"crops of the {split} films"
    crops = images.cache_images(
        chosen, lambda film: draw_crops(film, found, profile), recipe, run, label
    )
    return CachedCrops(crops, names)


def draw_crops(film: Film, found: FoundRegions, profile: Profile) -> npt.NDArray[np.uint8]:
    """Cut all regions of a film at full resolution: shape (regions, rows, columns)."""
    grey = images.normalised_film(film, profile)
    plan, preparation = profile.regions.plan, profile.preparation
    edges = [found[film.id, name].edges for name in profile.regions.names]
    return np.stack([crop(grey, each, plan, profile.region.input, preparation) for each in edges])
