"""Prepared images in one array file, so that no epoch decodes a film again."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, FilmKind
from boneage.errors import BoneageError, DataError
from boneage.storage.files import atomically
from boneage.training.distributed.group import ALONE, Group

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
    films: Sequence[Film],
    draw: Callable[[Film], Image],
    recipe: object,
    folder: Path,
    *,
    label: str,
    strict: bool = False,
    group: Group = ALONE,
) -> CachedImages:
    """Draw the image of every film once, or find what an earlier run has drawn of the same files.

    Parameters
    ----------
    draw : callable
        From a film to its image; every image has the same shape.
    recipe : object
        JSON-able description of what ``draw`` does; another recipe, other files.
    label : str
        For the progress bar and the name of the array file in ``folder``.
    strict : bool
        Stop at the first broken film instead of naming and skipping it.
    group : Group
        Its first process draws, into a folder that all of them see.
    """
    if not films:
        raise DataError(f"there are no images for {label}")
    recipe = {"form": FORM, "drawn": recipe}
    named = [[str(film.path), film.perturbed, *_state_of(film.path)] for film in films]
    digest = hashlib.sha256(json.dumps([recipe, named], sort_keys=True).encode()).hexdigest()
    path = folder / f"{label.replace(' ', '-')}-{digest[:12]}.npy"
    index = path.with_suffix(".json")

    def draw_missing() -> None:
        if not (path.is_file() and index.is_file()):
            _draw_all(films, draw, path, index, label=label, strict=strict)

    group.once(draw_missing)
    record = json.loads(index.read_text("utf-8"))
    if strict and record["skipped"]:
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
    *,
    label: str,
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
    with atomically(index) as file:
        file.write(json.dumps({"kept": drawn, "skipped": skipped}).encode())
