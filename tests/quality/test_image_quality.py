"""Measures move as what they measure."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.radiograph import Pixels, Sex
from boneage.imaging.perturbations import blurred, brightened, contrasted, noisy
from boneage.quality.image_quality import ImageQuality, grey_levels, measure
from boneage.synthetic.film import draw

HAND = (draw(120.0, Sex.FEMALE).radiograph.pixels[::3, ::3] * 255).astype(np.uint8)


def as_film(grey: np.ndarray) -> Pixels:
    return np.asarray(grey.astype(np.float32) / 255)


def quality_of(film: Pixels) -> ImageQuality:
    return measure(film, grey_levels(film))


PLAIN = quality_of(as_film(HAND))


def test_noise_is_measured_as_a_share_of_the_contrast() -> None:
    rng = np.random.default_rng(2)
    film = as_film(contrasted(noisy(HAND, 0.1, rng), 0.5))
    quality = quality_of(film)
    # Half of the film is air, where noise is clipped at black.
    low, high = np.percentile(film, (1, 99))
    assert quality.noise * (high - low) == pytest.approx(0.045, rel=0.25)
    assert PLAIN.noise < quality.noise / 3


def test_blur_takes_the_fine_detail() -> None:
    assert quality_of(as_film(blurred(HAND, 0.01))).sharpness < PLAIN.sharpness / 2


def test_grey_levels_are_counted_whatever_their_scale() -> None:
    few = (HAND // 16).astype(np.float32)
    assert grey_levels(few) in range(8, 17)
    assert grey_levels(few * 4096 + 700) == grey_levels(few)
    assert quality_of(as_film(HAND)).contrast == PLAIN.contrast
    dark = as_film(HAND) / np.float32(64)
    assert quality_of(dark).contrast == pytest.approx(PLAIN.contrast)


def test_contrast_and_white() -> None:
    assert quality_of(as_film(contrasted(HAND, 0.25))).contrast == pytest.approx(
        PLAIN.contrast / 4, rel=0.1
    )
    assert quality_of(as_film(brightened(HAND, 0.4))).white > PLAIN.white + 0.01


def test_turning_changes_nothing() -> None:
    turned = quality_of(np.ascontiguousarray(np.rot90(as_film(HAND))))
    assert turned.sharpness == pytest.approx(PLAIN.sharpness, rel=0.02)
    assert turned.noise == pytest.approx(PLAIN.noise, rel=0.05, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 900), (900, 1)])
def test_odd_films_are_measured(shape: tuple[int, int]) -> None:
    for film in (np.zeros(shape, np.float32), np.ones(shape, np.float32)):
        quality = quality_of(film)
        assert quality.contrast == 0
        assert np.isfinite([quality.noise, quality.sharpness, quality.white]).all()
