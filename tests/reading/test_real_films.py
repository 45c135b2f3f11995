"""Real films, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boneage import read
from boneage.reading import Limits

HOW_MANY = 25


def some(folder: Path) -> list[Path]:
    found = sorted(
        path for path in folder.rglob("*") if path.suffix in {".jpg", ".jpeg", ".png", ".webp"}
    )
    if not found:
        pytest.skip(f"no films in {folder}")
    return found[:: max(1, len(found) // HOW_MANY)]


def agrees_with_pillow(path: Path, limits: Limits) -> None:
    film = read(path, limits=limits)
    assert film.name == path.name
    with Image.open(path) as image:
        expected = np.asarray(image.convert("L")) / 255
    np.testing.assert_allclose(film.pixels, expected, rtol=0, atol=1e-6)


@pytest.mark.films
def test_half_scale_films(real_films: Path) -> None:
    for path in some(real_films / "half-scale"):
        agrees_with_pillow(path, Limits())


@pytest.mark.films
def test_squeezed_films(real_films: Path) -> None:
    for path in some(real_films / "squeezed"):
        agrees_with_pillow(path, Limits())
