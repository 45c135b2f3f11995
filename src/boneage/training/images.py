"""What networks are trained on: images prepared once, as for answering, and perturbed copies.

They are cached in array files, so that no epoch decodes a film again. Copies are perturbed
before the preparation, whose contrast stretch and CLAHE magnify what is faint: noise added to a
prepared image would not be the same.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, FilmKind
from boneage.domain.radiograph import Pixels
from boneage.errors import BoneageError, DataError
from boneage.imaging import preparing
from boneage.imaging.collimation import analysed, exposed_field
from boneage.imaging.perturbations import coarsened, exposed, jpeg_compressed, smoothed, with_noise
from boneage.storage.files import digest_of, write_text
from boneage.storage.printable import printable
from boneage.training.profile import PerturbationSettings, Profile, Size, plain
from boneage.training.run import Run

FORM = 2
"""Of how images are prepared; raised when code, not a recipe, makes them otherwise, so that
none that an earlier version left in a folder are taken for the new ones."""

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CachedImages:
    """Images of one size with their labels, all arrays in the same order."""

    films: tuple[Film, ...]
    images: npt.NDArray[np.uint8]
    """Shape (films, rows, columns); memory-mapped."""
    skipped: tuple[str, ...] = ()
    """A sentence for each film that could not be read."""

    @property
    def ages_months(self) -> npt.NDArray[np.float32]:
        """Labels."""
        return np.array([film.age_months for film in self.films], dtype=np.float32)

    @property
    def sex_codes(self) -> npt.NDArray[np.int32]:
        """1 male, 0 female."""
        return np.array([film.sex.code for film in self.films], dtype=np.int32)

    @property
    def inputs(self) -> dict[str, npt.NDArray[Any]]:
        """What an image network takes."""
        return {"film": self.images, "sex": self.sex_codes}

    def report_skipped(self) -> None:
        """Name and count the films that could not be read."""
        for sentence in self.skipped:
            print(printable(f"skipped {sentence}"))  # noqa: T201  progress of a long command
        if self.skipped:
            print(f"{len(self.skipped)} images skipped")  # noqa: T201

    def of_kind(self, kind: FilmKind) -> CachedImages:
        """Those of useful resolution, where the kind is ``detailed``; they come first."""
        if kind != "detailed":
            return self
        count = sum(not film.squeezed for film in self.films)
        return replace(self, films=self.films[:count], images=self.images[:count])


def films_bar(total: int) -> keras.utils.Progbar:
    """Make a bar for films; in a log file, where a bar cannot move, one line at the end."""
    return keras.utils.Progbar(total, unit_name="film", verbose=1 if sys.stdout.isatty() else 2)


def cache_images(
    films: Sequence[Film], draw: Callable[[Film], Image], recipe: object, run: Run, label: str
) -> CachedImages:
    """Draw the image of every film once, or find what an earlier run has drawn of the same files.

    ``draw`` gives images of one shape; ``recipe`` is a JSON-able description of what it does:
    another recipe, other files. ``label`` names the progress bar and the array file. The first
    process of the run's group draws, into a folder that all of them see.
    """
    if not films:
        raise DataError(f"there are no images for {label}")
    recipe = {"form": FORM, "drawn": recipe}
    named = [[str(film.path), film.perturbed, *_state_of(film.path)] for film in films]
    digest = digest_of([recipe, named])[:12]
    path = run.images / f"{label.replace(' ', '-')}-{digest}.npy"
    index = path.with_suffix(".json")

    def draw_missing() -> None:
        if not (path.is_file() and index.is_file()):
            _draw_all(films, draw, path, index, label, strict=run.strict)

    run.group.once(draw_missing)
    record = json.loads(index.read_text("utf-8"))
    if run.strict and record["skipped"]:
        raise DataError(record["skipped"][0])
    drawn = tuple(films[i] for i in record["kept"])
    images = np.load(path, mmap_mode="r")[: len(drawn)]
    return CachedImages(drawn, images, tuple(record["skipped"]))


def _state_of(path: Path) -> tuple[int, ...]:
    """Size and time of a file, by which another one in its place is known."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns


def _draw_all(
    films: Sequence[Film],
    draw: Callable[[Film], Image],
    path: Path,
    index: Path,
    label: str,
    *,
    strict: bool,
) -> None:
    """Fill the array file beside its final name, so that a kill leaves nothing half done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npy")
    images: np.memmap[Any, np.dtype[np.uint8]] | None = None
    drawn: list[int] = []
    skipped: list[str] = []
    progress = films_bar(len(films))
    print(f"preparing {label}")  # noqa: T201  progress of a long command

    def attempt(film: Film) -> Image | str:
        try:
            return draw(film)
        except BoneageError as error:
            if strict:
                raise
            return f"{film.id}: {error}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for i, image in enumerate(pool.map(attempt, films)):
            if isinstance(image, str):
                skipped.append(image)
            else:
                if images is None:
                    shape = (len(films), *image.shape)
                    images = np.lib.format.open_memmap(unfinished, "w+", np.uint8, shape)
                images[len(drawn)] = image
                drawn.append(i)
            progress.update(i + 1)
    if images is None:
        raise DataError(f"none of the {len(films)} images for {label} can be read: {skipped[0]}")
    images.flush()
    unfinished.replace(path)
    write_text(index, json.dumps({"kept": drawn, "skipped": skipped}))


SHARE = 0.5
"""Of the perturbed copies that each change is made to."""


def prepare_whole(
    films: tuple[Film, ...], profile: Profile, size: Size, run: Run, label: str
) -> CachedImages:
    """Prepare whole hands at one size, once a run."""
    recipe = image_recipe(films, profile, whole=list(size))
    return cache_images(films, lambda film: draw_whole(film, profile, size), recipe, run, label)


def image_recipe(films: Iterable[Film], profile: Profile, **made_of: object) -> dict[str, object]:
    """What images are made of: this, the preparation, and what perturbs copies among the films."""
    recipe = {**made_of, "preparation": plain(profile.preparation)}
    if any(film.perturbed for film in films):
        recipe |= {"degradation": plain(profile.degradation), "seed": profile.seed}
    return recipe


def draw_whole(film: Film, profile: Profile, size: Size) -> preparing.Canvas:
    """Prepare a whole hand for the attention network."""
    return placed(normalised_film(film, profile), profile, size)[0]


def placed(
    grey: preparing.Canvas, profile: Profile, size: Size
) -> tuple[preparing.Canvas, preparing.Placement]:
    """Put a film whose contrast is normalised on a canvas of this size; and its place there."""
    place = preparing.placement(grey.shape[0], grey.shape[1], size, profile.preparation.fit)
    return preparing.put_on_canvas(grey, size, place, profile.preparation), place


def normalised_film(film: Film, profile: Profile) -> preparing.Canvas:
    """Bring a film to what is analysed of it, with its contrast normalised.

    A perturbed copy is perturbed in between.
    """
    radiograph = film.radiograph()
    pixels = analysed(radiograph, exposed_field(radiograph))
    if film.perturbed:
        pixels = perturbed(pixels, profile.degradation, random_of(film, profile.seed))
    return preparing.normalise_contrast(pixels, profile.preparation)


def with_perturbed_copies(films: Iterable[Film], spec: PerturbationSettings) -> tuple[Film, ...]:
    """The films, and after each one of useful resolution its perturbed copies."""
    found: list[Film] = []
    for film in films:
        found.append(film)
        if not film.squeezed:
            found += [replace(film, perturbed=number + 1) for number in range(spec.copies)]
    return tuple(found)


def perturbed(pixels: Pixels, spec: PerturbationSettings, random: np.random.Generator) -> Pixels:
    """Perturb an image of greys from 0 to 1; ``random`` draws which changes, and how strong."""
    applied = random.random(5) < SHARE
    changed = pixels
    if applied[0] and spec.exposure:
        changed = exposed(changed, *random.uniform(-spec.exposure, spec.exposure, 2))
    if applied[1] and spec.blur:
        changed = smoothed(changed, max(random.uniform(0, spec.blur) * max(pixels.shape), 0.1))
    if applied[2] and spec.shrink:
        changed = coarsened(changed, 1 - random.uniform(0, spec.shrink))
    if applied[3] and spec.noise:
        changed = with_noise(changed, random.uniform(0, spec.noise), random)
    clipped: Pixels = np.clip(changed, 0.0, 1.0).astype(np.float32)
    if applied[4] and spec.jpeg:
        quality = max(1, round(100 - random.uniform(0, spec.jpeg)))
        clipped = jpeg_compressed(np.rint(clipped * 255).astype(np.uint8), quality)
    return clipped


def random_of(film: Film, seed: int) -> np.random.Generator:
    """The same draws for the same copy of a film, whatever films come with it."""
    return np.random.default_rng([seed, film.perturbed, *film.id.encode()])
