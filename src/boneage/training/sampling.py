"""Which films come in an epoch, where not each of them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film

SMOOTHED_MONTHS = 9.0
"""Standard deviation by which the distribution of the ages is smoothed: labels are heaped."""
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
    weights: npt.NDArray[np.float64] | None = field(default=None)
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

    Parameters
    ----------
    films : sequence of Film
    evened : float
        0 to 1: the power of the density that is divided by.

    Returns
    -------
    array, shape (films,)
        Mean 1.
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
