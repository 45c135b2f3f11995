"""What networks are trained on: whole hands, prepared as for answering, and their perturbed copies.

Copies are perturbed before the preparation, whose contrast stretch and CLAHE magnify
what is faint: noise added to a prepared image would not be the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from boneage.datasets.films import Film
from boneage.domain.radiograph import Pixels
from boneage.imaging.collimation import analysed, exposed_field
from boneage.imaging.perturbations import coarsened, exposed, jpeg_compressed, smoothed, with_noise
from boneage.imaging.preparing import (
    Canvas,
    Placement,
    normalise_contrast,
    placement,
    put_on_canvas,
)
from boneage.training.image_cache import CachedImages, cache_images
from boneage.training.profile import Degradation, Profile, Size, plain
from boneage.training.run import Run

SHARE = 0.5
"""Of the perturbed copies that each change is made to."""


def prepare_whole(
    films: tuple[Film, ...], profile: Profile, size: Size, run: Run, label: str
) -> CachedImages:
    """Prepare whole hands at one size, once a run."""
    recipe = {
        "whole": list(size),
        "preparation": plain(profile.preparation),
        **perturbation_recipe(films, profile),
    }
    return cache_images(
        films,
        lambda film: draw_whole(film, profile, size),
        recipe,
        run.images,
        label=label,
        strict=run.strict,
        group=run.group,
    )


def draw_whole(film: Film, profile: Profile, size: Size) -> Canvas:
    """Prepare a whole hand for the attention network."""
    return placed(normalised_film(film, profile), profile, size)[0]


def placed(grey: Canvas, profile: Profile, size: Size) -> tuple[Canvas, Placement]:
    """Put a film whose contrast is normalised on a canvas of this size; and its place there."""
    place = placement(grey.shape[0], grey.shape[1], size, profile.preparation.fit)
    return put_on_canvas(grey, size, place, profile.preparation), place


def normalised_film(film: Film, profile: Profile) -> Canvas:
    """Bring a film to what is analysed of it, with its contrast normalised.

    A perturbed copy is perturbed in between.
    """
    radiograph = film.radiograph()
    pixels = analysed(radiograph, exposed_field(radiograph))
    if film.perturbed:
        pixels = perturbed(pixels, profile.degradation, random_of(film, profile.seed))
    return normalise_contrast(pixels, profile.preparation)


def perturbation_recipe(films: Iterable[Film], profile: Profile) -> dict[str, object]:
    """What perturbed copies among the films are made by; nothing where there are none."""
    if not any(film.perturbed for film in films):
        return {}
    return {"degradation": plain(profile.degradation), "seed": profile.seed}


def with_perturbed_copies(films: Iterable[Film], spec: Degradation) -> tuple[Film, ...]:
    """The films, and after each one of useful resolution its perturbed copies."""
    found: list[Film] = []
    for film in films:
        found.append(film)
        if not film.squeezed:
            found += [replace(film, perturbed=number + 1) for number in range(spec.copies)]
    return tuple(found)


def perturbed(pixels: Pixels, spec: Degradation, random: np.random.Generator) -> Pixels:
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
