"""Prepared images in one array file, so that no epoch decodes a film again."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, FilmKind
from boneage.errors import BoneageError, DataError
from boneage.inference.weights import MONTHS_SCALE
from boneage.training.distributed.group import ALONE, Group
from boneage.training.progress import films_bar
from boneage.training.sampling import Sampling

FORM = 2
"""Of how images are prepared; raised when code, not a recipe, makes them otherwise, so that
none that lie in a folder from before are taken for the new ones."""


@dataclass(frozen=True)
class PreparedFilms:
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

    def of_kind(self, kind: FilmKind) -> PreparedFilms:
        """Those of useful resolution, where the kind is ``detailed``; they come first."""
        if kind != "detailed":
            return self
        count = sum(not film.squeezed for film in self.films)
        return replace(self, films=self.films[:count], images=self.images[:count])

    @property
    def inputs(self) -> dict[str, npt.NDArray[Any]]:
        """What an image network takes."""
        return {"film": self.images, "sex": self.sex_codes}

    @property
    def sex_codes(self) -> npt.NDArray[np.int32]:
        """1 male, 0 female."""
        return np.array([film.sex.code for film in self.films], dtype=np.int32)


def prepare_films(
    films: Sequence[Film],
    draw: Callable[[Film], npt.NDArray[np.uint8]],
    recipe: object,
    folder: Path,
    *,
    label: str,
    strict: bool = False,
    group: Group = ALONE,
) -> PreparedFilms:
    """Draw every film once, or find what an earlier run has drawn of the same files.

    Parameters
    ----------
    films : sequence of Film
    draw : callable
        From a film to its image; every image has the same shape.
    recipe : object
        JSON-able description of what ``draw`` does; another recipe, other files.
    folder : Path
        Where the array file is kept.
    label : str
        For the progress bar and the file's name.
    strict : bool
        Stop at the first broken film instead of naming and skipping it.
    group : Group
        Its first process draws, into a folder that all of them see.
    """
    if not films:
        raise DataError(f"there are no films for {label}")
    recipe = {"form": FORM, "drawn": recipe}
    named = [[str(film.path), film.spoilt, *_state_of(film.path)] for film in films]
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
    kept = tuple(films[i] for i in record["kept"])
    images = np.load(path, mmap_mode="r")[: len(kept)]
    return PreparedFilms(kept, images, tuple(record["skipped"]))


def _state_of(path: Path) -> tuple[int, ...]:
    """Size and time of a file, by which one that was put in its place is told from it."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns


def _draw_all(
    films: Sequence[Film],
    draw: Callable[[Film], npt.NDArray[np.uint8]],
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
    kept: list[int] = []
    skipped: list[str] = []
    progress = films_bar(len(films))
    print(f"preparing {label}")  # noqa: T201  progress of a long command

    def attempt(film: Film) -> npt.NDArray[np.uint8] | str:
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
                images[len(kept)] = image
                kept.append(i)
            progress.update(i + 1)
    if images is None:
        raise DataError(f"none of the {len(films)} films for {label} can be read: {skipped[0]}")
    images.flush()
    unfinished.replace(path)
    half = index.with_suffix(".unfinished")
    half.write_text(json.dumps({"kept": kept, "skipped": skipped}), "utf-8")
    half.replace(index)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches, the same for the same seed and epoch, also after a restart.

    ``seconds`` counts the time spent making batches. Keras makes them while
    the network works on earlier ones, so the network has waited at most this
    long.

    Parameters
    ----------
    inputs : mapping of str to array
        One array an input of the network, films first. Images, uint8 of shape
        (films, rows, columns), are given as float32 with a channel.
    ages_months : array, shape (films,)
    batch : int
    seed : int, optional
        None: in order, every film, as validation needs it.
    sampling : Sampling, optional
        Which films come in an epoch of training; None: each of them once.
    group : Group
        Each of its processes is given its part of every batch. Where there are several
        devices, an incomplete last batch is filled up with films of weight 0.

    Raises
    ------
    GroupError
        When a batch cannot be split evenly over the devices.
    """

    def __init__(
        self,
        inputs: Mapping[str, npt.NDArray[Any]],
        ages_months: npt.NDArray[np.float32],
        batch: int,
        *,
        seed: int | None = None,
        sampling: Sampling | None = None,
        group: Group = ALONE,
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.films = len(ages_months)
        self.group = group
        self.batch = group.even(batch, self.films, filled_up=seed is None)
        self.seed = seed
        self.sampling = sampling
        self.epoch = 0
        self.seconds = 0.0
        self._scaled_ages = ages_months / MONTHS_SCALE
        self.shuffle()

    def shuffle(self) -> None:
        """Order the films for ``epoch``."""
        self._order = self._order_of(self.epoch)
        self.count = len(self._order)

    def _order_of(self, epoch: int) -> npt.NDArray[np.intp]:
        """Places of the films of an epoch."""
        if self.seed is None:
            return np.arange(self.films)
        random = np.random.default_rng([self.seed, epoch])
        return self.sampling.draw(random) if self.sampling else random.permutation(self.films)

    def sample(self, films: int) -> Iterator[dict[str, npt.NDArray[Any]]]:
        """Inputs of whole batches of about so many films, as the first epoch has them."""
        order = self._order_of(0)
        for start in range(0, max(min(films, len(order)) - self.batch, 0) + 1, self.batch):
            rows = np.sort(order[start : start + self.batch])
            yield {name: as_input(a[rows]) for name, a in self.inputs.items()}

    def __len__(self) -> int:
        """Batches an epoch; in training an incomplete last one is left out."""
        if self.seed is None:
            return math.ceil(self.count / self.batch)
        return self.count // self.batch

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Inputs and scaled ages of one batch; with weights where one is filled up."""
        start = time.perf_counter()
        rows = np.sort(self._order[index * self.batch : (index + 1) * self.batch])
        part = self.group.part(np.resize(rows, self.batch) if self._filled_up else rows)
        inputs = {name: as_input(a[part]) for name, a in self.inputs.items()}
        weights = (self.group.part(self._weights(len(rows))),) if self._filled_up else ()
        self.seconds += time.perf_counter() - start
        return inputs, self._scaled_ages[part], *weights

    @property
    def _filled_up(self) -> bool:
        """Whether a batch has too few films to be split evenly."""
        return len(self) * self.batch > self.count and self.group.devices > 1

    def _weights(self, real: int) -> npt.NDArray[np.float32]:
        """Shape (batch,): 0 for what fills up; for films, what makes the epoch's mean theirs."""
        weight = len(self) * self.batch / self.count
        return np.where(np.arange(self.batch) < real, weight, 0.0).astype(np.float32)

    def on_epoch_end(self) -> None:
        """Shuffle anew."""
        self.epoch += 1
        self.shuffle()


def as_input(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give images their channel and numbers as Keras takes them; leave the rest."""
    if values.dtype == np.uint8:
        return values[..., np.newaxis].astype(np.float32)
    return values
