"""The images that are written: held-out ones drawn by age, or drawn hands."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
from PIL import Image

from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from tools.encodings.ways import Grey

HELD_OUT, SYNTHETIC = "held_out", "synthetic"
MONTHS_PER_YEAR = 12
DRAWN_HEIGHT, DRAWN_WIDTH = 800, 620
"""Of drawn hands: about those of the held-out images."""
DRAWN_YEARS = (2, 18)


@dataclass(frozen=True)
class Source:
    """One image that can be loaded, and its child's sex."""

    name: str
    sex: Sex
    age_months: float
    path: Path | None = None
    """None: a hand is drawn from the age."""

    def load(self) -> Grey:
        """Load the image, 8-bit grey, bone bright."""
        if self.path is not None:
            with Image.open(self.path) as image:
                return np.asarray(image.convert("L"))
        film = draw(self.age_months, self.sex, height=DRAWN_HEIGHT, width=DRAWN_WIDTH)
        return np.rint(255 * film.radiograph.pixels).astype(np.uint8)


def held_out(data: Path, count: int, seed: int) -> list[Source]:
    """Draw held-out images of useful resolution, as evenly over the years of age as they come."""
    films = load_films(data).select("detailed", "validation")
    chosen = _by_age(films, count, random.Random(seed))  # noqa: S311  no secret
    return [Source(film.id, film.sex, film.age_months, film.path) for film in chosen]


def synthetic(count: int) -> list[Source]:
    """Draw hands of children of both sexes, their ages spread evenly."""
    ages = np.linspace(*DRAWN_YEARS, count) if count > 1 else [10.0]
    return [
        Source(f"synthetic{number:03}", (Sex.FEMALE, Sex.MALE)[number % 2], MONTHS_PER_YEAR * age)
        for number, age in enumerate(ages)
    ]


def _by_age(films: Sequence[Film], count: int, draw: random.Random) -> list[Film]:
    """Take one film of every year of age in turn, until there are enough."""
    years: defaultdict[int, list[Film]] = defaultdict(list)
    for film in films:
        years[int(film.age_months // MONTHS_PER_YEAR)].append(film)
    for of_year in years.values():
        draw.shuffle(of_year)
    order = sorted(years)
    draw.shuffle(order)
    turns = chain.from_iterable(zip_longest(*(years[year] for year in order)))
    return list(islice((film for film in turns if film is not None), count))
