"""Perturbations that training and fits depend on: a seed gives the same image for ever."""

from __future__ import annotations

import numpy as np
import pytest

from boneage.domain.radiograph import Pixels
from boneage.imaging.perturbations import tilted, tilted_on_black, with_text
from boneage.training.fit_quality.pictures import resaved, two_hands
from boneage.training.images import perturbed
from boneage.training.profile import PerturbationSettings

WORST = PerturbationSettings(copies=1, exposure=0.3, blur=0.01, shrink=0.7, noise=0.1, jpeg=90)
ROWS, COLS = np.mgrid[:96, :80]
HAND: Pixels = (0.5 + 0.4 * np.sin(ROWS / 5) * np.cos(COLS / 7)).astype(np.float32)


def random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("made", "shape", "mean", "deviation"),
    [
        # As all versions have made them; another codec or interpolation moves the last digits.
        (perturbed(HAND, WORST, random(0)), (96, 80), 0.49969, 0.20418),
        (perturbed(HAND, WORST, random(1)), (96, 80), 0.49969, 0.19586),
        (perturbed(HAND, WORST, random(2)), (96, 80), 0.32039, 0.2117),
        (perturbed(HAND, WORST, random(3)), (96, 80), 0.48743, 0.18839),
        (resaved(HAND, random(0)), (481, 453), 0.50014, 0.17567),
        (resaved(HAND, random(1)), (640, 550), 0.30902, 0.2817),
        (resaved(HAND, random(2)), (564, 564), 0.49926, 0.2046),
        (resaved(HAND, random(3)), (385, 333), 0.49896, 0.19601),
        (tilted(HAND, 13.0), (96, 80), 0.50012, 0.19483),
        (tilted_on_black(HAND, 13.0), (112, 100), 0.34283, 0.28017),
        (with_text(HAND, random(0)), (96, 80), 0.50699, 0.1999),
        (with_text(HAND, random(1)), (96, 80), 0.50893, 0.201),
        (with_text(HAND, random(2)), (96, 80), 0.50529, 0.20002),
        (two_hands(HAND, HAND[:60], random(1)), (60, 130), 0.49966, 0.19833),
    ],
)
def test_a_seed_gives_what_it_always_gave(
    made: Pixels, shape: tuple[int, int], mean: float, deviation: float
) -> None:
    assert made.shape == shape
    assert made.dtype == np.float32
    assert (made.mean(), made.std()) == pytest.approx((mean, deviation), abs=2e-4)
