"""The batches that a network is trained and validated on, and which films come in an epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.inference.weights import MONTHS_SCALE
from boneage.training.distributed.group import ALONE, ProcessGroup

SMOOTHED_MONTHS = 9.0
"""Standard deviation by which the distribution of ages is smoothed, because of age heaping."""
MOST_TIMES = 4.0
"""A film comes at most this many times as often as the mean film: few films that come very
often are learned by heart."""


@dataclass(frozen=True)
class Sampling:
    """Draws the films of an epoch."""

    always: npt.NDArray[np.bool_]
    """Shape (films,): those that come in every epoch."""
    times: int = 1
    """How often each of these comes."""
    others: int = 0
    """How many of the rest come, drawn anew every epoch; 0 for all."""
    weights: npt.NDArray[np.float64] | None = None
    """Shape (films,), mean 1: how often a film comes, on average; None: all alike."""

    def draw(self, random: np.random.Generator) -> npt.NDArray[np.intp]:
        """Places of the films of one epoch, in random order."""
        rest = np.flatnonzero(~self.always)
        if 0 < self.others < len(rest):
            rest = random.choice(rest, self.others, replace=False)
        places = np.concatenate([np.repeat(np.flatnonzero(self.always), self.times), rest])
        if self.weights is not None:
            places = _by_weight(places, self.weights[places], random)
        return random.permutation(places)


def _by_weight(
    places: npt.NDArray[np.intp], weights: npt.NDArray[np.float64], random: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw as many places as there are, systematically: each comes about as often as it weighs."""
    order = random.permutation(len(places))  # or neighbours would come together or not at all
    places, weights = places[order], weights[order]
    edges = np.cumsum(weights) * (len(places) / weights.sum())
    marks = np.arange(len(places)) + random.random()
    return places[np.minimum(np.searchsorted(edges, marks), len(places) - 1)]


def evening_weights(films: Sequence[Film], evened: float) -> npt.NDArray[np.float64]:
    """How often each film should come so that the ages of each sex come more evenly.

    ``evened``, 0 to 1, is the power of the density that is divided by. Shape (films,), mean 1.
    """
    ages = np.array([film.age_months for film in films])
    codes = np.array([film.sex.code for film in films])
    density = np.empty(len(films))
    for code in np.unique(codes):
        of_sex = codes == code
        values, places, counts = np.unique(ages[of_sex], return_inverse=True, return_counts=True)
        kernel = np.exp(-0.5 * ((values[:, None] - values) / SMOOTHED_MONTHS) ** 2)
        density[of_sex] = (kernel @ counts)[places]
    weights = density**-evened
    for _ in range(8):  # what is cut off raises the others: a few rounds settle it
        weights = np.minimum(weights / weights.mean(), MOST_TIMES)
    evened_out: npt.NDArray[np.float64] = weights / weights.mean()
    return evened_out


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled batches, the same for the same seed and epoch, also after a restart.

    ``inputs`` has one array an input of the network, films first; images, uint8 of shape
    (films, rows, columns), are given as float32 with a channel. ``ages_months`` is of shape
    (films,). Without a ``seed``, every film comes in order, as validation needs it; with a
    ``sampling`` it says which come in an epoch.

    ``seconds`` counts the time spent making batches. Keras makes them while the network works on
    earlier ones, so the network has waited at most this long. Each process of a group is given
    its part of every batch; where there are several devices, an incomplete last one is filled up
    with films of weight 0, and one that cannot be split evenly is a GroupError.
    """

    def __init__(
        self,
        inputs: Mapping[str, npt.NDArray[Any]],
        ages_months: npt.NDArray[np.float32],
        batch: int,
        *,
        seed: int | None = None,
        sampling: Sampling | None = None,
        group: ProcessGroup = ALONE,
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
