"""What a labelled data set holds: how old, of which sex, how spread, what is wrong with it.

The analysis that every data set is given before anything is trained on it. A
z-score is (age − mean) / standard deviation, over all labels together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.datasets.problems import Problem
from boneage.domain.radiograph import Sex

BIN_MONTHS = 12
BIN_Z = 0.25
Z_LIMIT = 3.0
"""Ages beyond this many standard deviations are looked at one by one."""


@dataclass(frozen=True)
class Statistics:
    """Of ages in months; the standard deviation is the sample's (n − 1)."""

    count: int
    mean: float
    median: float
    standard_deviation: float
    least: float
    most: float


@dataclass(frozen=True)
class Bin:
    """How many films of each sex lie from ``low`` up to, but not at, ``high``."""

    low: float
    high: float
    counts: Mapping[Sex, int]

    @property
    def count(self) -> int:
        """Films of both sexes."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Outlier:
    """A film whose age lies far from the others."""

    film: str
    sex: Sex
    age_months: float
    z: float


@dataclass(frozen=True)
class Dataset:
    """The analysis of a folder of labelled films."""

    overall: Statistics
    by_sex: Mapping[Sex, Statistics]
    """Of the sexes that occur."""
    splits: Mapping[str, int]
    ages: tuple[Bin, ...]
    z_scores: tuple[Bin, ...]
    z_range: tuple[float, float]
    outliers: tuple[Outlier, ...]
    """Beyond ±3, the farthest first."""
    problems: tuple[Problem, ...]
    """Labels that are missing, double or wrong, and films that are not there."""


def analyse(found: Films) -> Dataset:
    """Analyse the labelled films of a folder; a film of several copies counts once."""
    films = one_copy_each(found)
    ages = np.array([film.age_months for film in films])
    overall = statistics_of(ages)
    spread = overall.standard_deviation or 1.0  # all of one age: every z is 0
    z_scores = (ages - overall.mean) / spread
    outliers = [
        Outlier(film.id, film.sex, film.age_months, float(z))
        for film, z in zip(films, z_scores, strict=True)
        if abs(z) > Z_LIMIT
    ]
    of_sex = {sex: [film.age_months for film in films if film.sex is sex] for sex in Sex}
    return Dataset(
        overall=overall,
        by_sex={sex: statistics_of(found) for sex, found in of_sex.items() if found},
        splits=dict(Counter(film.split for film in films)),
        ages=histogram(films, ages, BIN_MONTHS),
        z_scores=histogram(films, z_scores, BIN_Z),
        z_range=(float(z_scores.min()), float(z_scores.max())),
        outliers=tuple(sorted(outliers, key=lambda outlier: -abs(outlier.z))),
        problems=found.problems,
    )


def one_copy_each(found: Films) -> list[Film]:
    """One copy of every film: the last, which is the better one."""
    return list({film.id: film for film in found.films}.values())


def statistics_of(ages: Sequence[float] | npt.NDArray[np.float64]) -> Statistics:
    """Describe ages in months; of one age alone the standard deviation is 0."""
    values = np.asarray(ages, dtype=np.float64)
    return Statistics(
        count=values.size,
        mean=float(values.mean()),
        median=float(np.median(values)),
        standard_deviation=float(values.std(ddof=1)) if values.size > 1 else 0.0,
        least=float(values.min()),
        most=float(values.max()),
    )


def histogram(
    films: Sequence[Film], values: npt.NDArray[np.float64], width: float
) -> tuple[Bin, ...]:
    """Count films of each sex in bins of one width, empty ones between them too."""
    places = np.floor(values / width).astype(int)
    counts = Counter((int(place), film.sex) for place, film in zip(places, films, strict=True))
    return tuple(
        Bin(place * width, (place + 1) * width, {sex: counts[place, sex] for sex in Sex})
        for place in range(int(places.min()), int(places.max()) + 1)
    )
