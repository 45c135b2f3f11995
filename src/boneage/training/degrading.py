"""Spoilt copies of training films: noise, JPEG blocks, blur, exposure, as real films have them.

They are made before the preparation, whose contrast stretch and CLAHE magnify
what is faint: noise added to a prepared film would not be the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.domain.radiograph import Pixels
from boneage.training.profile import Degradation

SHARE = 0.5
"""Of the copies that each change is made to."""


def with_spoilt(films: Iterable[Film], spec: Degradation) -> tuple[Film, ...]:
    """The films, and after each one of useful resolution its spoilt copies."""
    found: list[Film] = []
    for film in films:
        found.append(film)
        if not film.squeezed:
            found += [replace(film, spoilt=number + 1) for number in range(spec.copies)]
    return tuple(found)


def degrade(pixels: Pixels, spec: Degradation, random: np.random.Generator) -> Pixels:
    """Spoil a film.

    Parameters
    ----------
    pixels : float32 array, shape (height, width)
        0 to 1.
    spec : Degradation
        The worst that may happen.
    random : numpy.random.Generator
        Draws which changes are made, each to half of the films, and how strong.

    Returns
    -------
    float32 array, shape (height, width)
        0 to 1.
    """
    does = random.random(5) < SHARE
    spoilt = pixels
    if does[0] and spec.exposure:
        gain, offset = random.uniform(-spec.exposure, spec.exposure, 2)
        spoilt = (spoilt - 0.5) * np.float32(1 + gain) + np.float32(0.5 + offset)
    if does[1] and spec.blur:
        sd = random.uniform(0, spec.blur) * max(pixels.shape)
        spoilt = cv2.GaussianBlur(spoilt, (0, 0), max(sd, 0.1), borderType=cv2.BORDER_REPLICATE)
    if does[2] and spec.shrink:
        spoilt = _shrunk(spoilt, 1 - random.uniform(0, spec.shrink))
    if does[3] and spec.noise:
        sd = random.uniform(0, spec.noise)
        spoilt = spoilt + random.standard_normal(pixels.shape, np.float32) * np.float32(sd)
    clipped: Pixels = np.clip(spoilt, 0.0, 1.0).astype(np.float32)
    if does[4] and spec.jpeg:
        clipped = _compressed(clipped, round(100 - random.uniform(0, spec.jpeg)))
    return clipped


def random_of(film: Film, seed: int) -> np.random.Generator:
    """The same draws for the same copy of a film, whatever films come with it."""
    return np.random.default_rng([seed, film.spoilt, *film.id.encode()])


def _shrunk(pixels: Pixels, factor: float) -> Pixels:
    height, width = pixels.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    grown: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return grown


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    grey: npt.NDArray[np.uint8] = np.rint(pixels * 255).astype(np.uint8)
    _, written = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, max(1, quality)])
    read = np.asarray(cv2.imdecode(written, cv2.IMREAD_GRAYSCALE), np.float32)
    again: Pixels = read / np.float32(255)
    return again
