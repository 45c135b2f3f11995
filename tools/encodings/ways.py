"""What a way of writing an image is, what the ways do to its pixels, and images to write."""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import Sex
from boneage.synthetic import draw

Grey: TypeAlias = npt.NDArray[np.uint8]
"""An image as it is drawn from the data: 8-bit grey, bone bright, shape (height, width)."""
Array: TypeAlias = npt.NDArray[Any]
Writer: TypeAlias = Callable[[Grey], bytes]

TABLE = tomllib.loads(Path(__file__).with_name("ways.toml").read_text("utf-8"))
MARGIN = 0.06
"""Of the longer side: how wide a border around an image is."""
SEED = 20
"""Of the noise in margins and above the stored bits."""
HELD_OUT, SYNTHETIC = "held_out", "synthetic"
MONTHS_PER_YEAR = 12
DRAWN_HEIGHT, DRAWN_WIDTH = 800, 620
"""Of drawn hands: about those of the held-out images."""
DRAWN_YEARS = (2, 18)


@dataclass(frozen=True)
class Way:
    """One way of writing an image to a file that shows the same radiograph."""

    name: str
    suffix: str
    write: Writer
    lossy: bool = False
    """Whether the file holds other grey levels than the image, as lossy compression leaves."""
    resampled: bool = False
    """Whether the file holds another grid of pixels."""
    unreadable: str | None = None
    """Why a refusal is right; None: the file must be read."""


def ways(
    prefix: str,
    suffix: str,
    writers: Mapping[str, Writer],
    *,
    lossy: bool = False,
    resampled: bool = False,
    unreadable: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Way, ...]:
    """Make ways of one kind from their writers; ``unreadable`` may be refused, and says why."""
    return tuple(
        Way(f"{prefix}_{name}", suffix, write, lossy, resampled, unreadable.get(name))
        for name, write in writers.items()
    )


def deep(grey: Grey, bits: int) -> npt.NDArray[np.uint16]:
    """Spread 8 bits over 9 to 16: black stays 0, white becomes the highest value."""
    return (grey.astype(np.uint16) * np.uint16(257)) >> np.uint16(16 - bits)


def inverted(grey: Grey, bits: int) -> npt.NDArray[np.uint16]:
    """Spread an image over so many bits, white the lowest value."""
    return np.uint16(2**bits - 1) - deep(grey, bits)


def signed(grey: Grey, bits: int) -> npt.NDArray[np.int16]:
    """Spread an image over the signed numbers of so many bits."""
    return np.asarray(deep(grey, bits).astype(np.int32) - 2 ** (bits - 1), np.int16)


def stretched(grey: Grey, *, wider: float = 1.0, higher: float = 1.0) -> Grey:
    """Give an image more columns or rows, as a detector of narrower or lower pixels would."""
    height, width = grey.shape
    size = (round(width * wider), round(height * higher))
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.LANCZOS))


def bordered(pixels: Array, value: float) -> Array:
    """Put a border of one value around an image."""
    return np.pad(pixels, round(MARGIN * max(pixels.shape)), constant_values=value)


def rgb(grey: Array) -> Array:
    """Repeat a grey image in three channels, shape (height, width, 3)."""
    return np.stack([grey] * 3, axis=-1)


def ycbcr(grey: Grey) -> Array:
    """Convert to luminance and two colour differences, shape (height, width, 3)."""
    # Pillow's conversion would move a third of the grey levels by one.
    return np.stack([grey, *[np.full_like(grey, 128)] * 2], axis=-1)


def with_alpha(pixels: Array) -> Array:
    channels = pixels if pixels.ndim == 3 else pixels[..., np.newaxis]
    opaque = np.full((*channels.shape[:2], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    return np.concatenate([channels, opaque], axis=-1)


def shuffled_palette(grey: Grey) -> tuple[Grey, Grey]:
    """Number the grey levels anew, at random; also the level of each number, shape (256,)."""
    levels = np.random.default_rng(SEED).permutation(256).astype(np.uint8)
    return np.argsort(levels).astype(np.uint8)[grey], levels


def turned(grey: Array, orientation: int) -> Array:
    """Store an image so that a reader who obeys the orientation (EXIF, TIFF: 1 to 8) sees it."""
    return {
        1: grey,
        2: grey[:, ::-1],
        3: grey[::-1, ::-1],
        4: grey[::-1],
        5: grey.T,
        6: np.rot90(grey),
        7: grey[::-1, ::-1].T,
        8: np.rot90(grey, -1),
    }[orientation]


@dataclass(frozen=True)
class Source:
    """One image that can be loaded, and its child's sex."""

    name: str
    sex: Sex
    age_months: float
    path: Path | None = None
    """None: a hand is drawn from the age."""

    def load(self) -> Grey:
        if self.path is not None:
            with Image.open(self.path) as image:
                return np.asarray(image.convert("L"))
        film = draw(self.age_months, self.sex, height=DRAWN_HEIGHT, width=DRAWN_WIDTH)
        return np.rint(255 * film.radiograph.pixels).astype(np.uint8)


SHAPES: Mapping[str, Callable[[Grey], Grey]] = {
    "wide": partial(stretched, wider=1.2),
    "high": partial(stretched, higher=1.2),
    **{f"turned_{turn}": partial(turned, orientation=turn) for turn in range(2, 9)},
}
CHANNELS: Mapping[str, Callable[[Array], Array]] = {
    "rgb": rgb,
    "ycbcr": ycbcr,
    "alpha": with_alpha,
    "planes": lambda pixels: np.stack([pixels] * 3),
}


def stored(grey: Grey, pixels: str = "8") -> Array:
    """Make of an image the pixels that ``ways.toml`` describes."""
    values: Array = grey
    spread: Callable[[Grey, int], Array] = deep
    for word in pixels.split():
        if word in SHAPES:
            grey = values = SHAPES[word](grey)
        elif word in CHANNELS:
            values = CHANNELS[word](values)
        elif word == "8":
            values = 255 - grey if spread is inverted else grey
        elif word.isdigit():
            values = spread(grey, int(word))
        elif word.startswith("float"):
            values = (grey / np.float64(255)).astype(word)
        else:
            spread = inverted if word == "inverted" else signed
    return np.ascontiguousarray(values)


def tabled(group: str, write: Callable[..., bytes]) -> dict[str, Writer]:
    """Give the writers of a group of ``ways.toml``: ``write`` takes the image and the options."""
    return {name: partial(write, **options) for name, options in TABLE[group].items()}


def held_out(data: Path, count: int, seed: int) -> list[Source]:
    """Draw held-out images of useful resolution, as evenly over the years of age as they come."""
    films = load_films(data).select("detailed", "validation")
    chosen = _by_age(films, count, random.Random(seed))
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
