"""Ages, sexes, splits and problems of a labelled data set, before anything is trained on it.

How old and of which sex the films are, how the ages spread, how the splits compare, which
age bands are sparse, whether ages heap, and which copies of the films there are. A
z-score is (age − mean) / standard deviation, over all labels together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.datasets.labels import Problem
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.agreement import BANDS, OLDEST_YEARS, Band

BIN_MONTHS = 12
BIN_Z = 0.25
Z_LIMIT = 3.0
"""Ages beyond this many standard deviations are outliers."""
SPARSE_FILMS = 250
"""A two-year band with fewer films of a sex is sparse: a mean over n films is
uncertain by 1/√n of their spread, 6 % at 250."""

AGE_HEAPING_SHARE = 0.25
"""Half of the films on at most this share of the ages: of evenly spread labels half of
the films need half of the ages."""


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


@dataclass(frozen=True)
class BandFilms:
    """The films of a two-year band of bone age."""

    band: Band
    counts: Mapping[Sex, int]
    ages: Statistics | None
    """None where there are no films."""

    @property
    def count(self) -> int:
        """Films of both sexes."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class SparseAges:
    """Two-year bands side by side, in each of which a sex has few films."""

    sex: Sex
    low_years: int
    high_years: int
    films: int
    share: float
    """Of the films of that sex, 0 to 1."""

    @property
    def words(self) -> str:
        """Which ages, such as "under 4 years"."""
        if self.low_years == 0 and self.high_years == OLDEST_YEARS:
            return "of every age"
        if self.low_years == 0:
            return f"under {self.high_years} years"
        if self.high_years == OLDEST_YEARS:
            return f"of {self.low_years} years and over"
        return f"of {self.low_years} to {self.high_years} years"


@dataclass(frozen=True)
class AgeHeaping:
    """The fewest ages that half of the films of a sex bear."""

    sex: Sex
    ages_months: tuple[float, ...]
    """The commonest first."""
    distinct: int
    """How many different ages the sex has in all."""

    @property
    def is_age_heaping(self) -> bool:
        """Whether the labels use few ages, as is usual for readings by an atlas."""
        return len(self.ages_months) <= AGE_HEAPING_SHARE * self.distinct


@dataclass(frozen=True)
class CopyCounts:
    """Which copies of the films are at hand."""

    detailed: int
    """Films of useful resolution."""
    squeezed_only: int
    """Films of which there is only a squeezed copy."""
    heights: Statistics | None
    """Pixels of the originals, where the data set states them."""
    widths: Statistics | None


@dataclass(frozen=True)
class Analysis:
    """The whole analysis of a data set."""

    name: str
    dataset: Dataset
    by_split: Mapping[str, Statistics]
    ages_by_split: Mapping[str, tuple[int, ...]]
    """Films in each bin of ``dataset.ages``."""
    bands: tuple[BandFilms, ...]
    """From 0 to 20 years, empty ones too."""
    sparse: tuple[SparseAges, ...]
    """By sex, the youngest first; of the sexes that occur."""
    heaping: tuple[AgeHeaping, ...]
    """By sex; of the sexes that occur."""
    copies: CopyCounts


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


def analyse_in_full(found: Films, name: str) -> Analysis:
    """Analyse a data set, called by a ``name``, of at least one film; copies count once."""
    films, dataset = one_copy_each(found), analyse(found)
    by_split: dict[str, list[float]] = {split: [] for split in sorted(dataset.splits)}
    for film in films:
        by_split[film.split].append(film.age_months)
    bands = tuple(_band(band, films) for band in BANDS)
    return Analysis(
        name=name,
        dataset=dataset,
        by_split={split: statistics_of(ages) for split, ages in by_split.items()},
        ages_by_split={split: _in_bins(ages, dataset) for split, ages in by_split.items()},
        bands=bands,
        sparse=tuple(sparse for sex in dataset.by_sex for sparse in _sparse(sex, bands)),
        heaping=tuple(_heaping(sex, films) for sex in dataset.by_sex),
        copies=_copies(found, films),
    )


def _band(band: Band, films: Sequence[Film]) -> BandFilms:
    held = [film for film in films if band.holds(film.age_months)]
    counts = {sex: sum(film.sex is sex for film in held) for sex in Sex}
    ages = statistics_of([film.age_months for film in held]) if held else None
    return BandFilms(band, counts, ages)


def _in_bins(ages: Sequence[float], dataset: Dataset) -> tuple[int, ...]:
    counts = Counter(int(age // BIN_MONTHS) for age in ages)
    return tuple(counts[int(b.low // BIN_MONTHS)] for b in dataset.ages)


def _sparse(sex: Sex, bands: Sequence[BandFilms]) -> list[SparseAges]:
    """Runs of sparse bands."""
    total = sum(band.counts[sex] for band in bands)
    found = []
    for sparse, run in groupby(bands, lambda band: band.counts[sex] < SPARSE_FILMS):
        neighbours = list(run)
        if sparse:
            films = sum(band.counts[sex] for band in neighbours)
            ends = neighbours[0].band.low, neighbours[-1].band.high
            found.append(SparseAges(sex, *ends, films, films / total))
    return found


def _heaping(sex: Sex, films: Sequence[Film]) -> AgeHeaping:
    counts = Counter(film.age_months for film in films if film.sex is sex)
    commonest = sorted(counts, key=lambda age: (-counts[age], age))
    reached = accumulate(counts[age] for age in commonest)
    needed = next(place for place, n in enumerate(reached, 1) if 2 * n >= counts.total())
    return AgeHeaping(sex, tuple(commonest[:needed]), len(commonest))


def _copies(found: Films, films: Sequence[Film]) -> CopyCounts:
    detailed = len({film.id for film in found.films if not film.squeezed})
    shapes = [film.shape for film in found.films if film.shape is not None]
    heights, widths = (
        statistics_of([shape[side] for shape in shapes]) if shapes else None for side in (0, 1)
    )
    return CopyCounts(detailed, len(films) - detailed, heights, widths)
