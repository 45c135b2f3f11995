"""Text that is burnt into a film."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from boneage.datasets.films import load_films
from boneage.domain.radiograph import Pixels
from boneage.imaging.preparing import reduced
from boneage.inference.assessor import Assessor
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.reading import read

HEIGHT, WIDTH = 900, 700
NAME = "MEIERANNA"


def film(grey: float = 0.2) -> Pixels:
    """A ground that gets brighter to the right, as a film's does."""
    return np.tile(np.linspace(grey, grey + 0.2, WIDTH, dtype=np.float32), (HEIGHT, 1))


def written(
    pixels: Pixels, text: str, *, height: int = 20, ink: int = 255, at: tuple[int, int] = (40, 30)
) -> Pixels:
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    ImageDraw.Draw(image).text(at, text, font=ImageFont.load_default(height), fill=ink)
    return np.asarray(image, np.float32) / np.float32(255)


@pytest.mark.parametrize("height", [14, 20, 32])
@pytest.mark.parametrize(("ink", "ground"), [(255, 0.1), (0, 0.7)])
def test_the_letters_of_a_name_are_counted(height: int, ink: int, ground: float) -> None:
    found = letters_in_a_row(written(film(ground), NAME, height=height, ink=ink))
    assert len(NAME) - 2 <= found <= 1.5 * len(NAME), "two may touch, one may fall apart"


def test_a_space_does_not_end_a_row() -> None:
    assert letters_in_a_row(written(film(), "12 03 2011", height=24)) == 8


def test_the_size_of_a_film_does_not_matter() -> None:
    small = written(film(), NAME)
    large = cv2.resize(small, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    assert letters_in_a_row(large) == pytest.approx(letters_in_a_row(small), abs=1)


def test_letters_that_make_no_line_are_no_text() -> None:
    pixels = film()
    for place, letter in enumerate(NAME):
        pixels = written(pixels, letter, at=(60 + 60 * place, 80 * (place + 1)))
    assert letters_in_a_row(pixels) <= 2


def test_a_lead_letter_is_no_text() -> None:
    assert letters_in_a_row(written(film(), "L", height=60)) <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3000, 2)])
def test_nothing_is_found_where_there_is_nothing(shape: tuple[int, int]) -> None:
    assert letters_in_a_row(np.full(shape, 0.5, np.float32)) == 0


def test_noise_is_no_text() -> None:
    noise = np.random.default_rng(0).random((HEIGHT, WIDTH), np.float32)
    assert letters_in_a_row(noise) < 8


@pytest.mark.films
def test_there_is_a_warning_of_a_name_on_a_real_film(bundled: Path, real_films: Path) -> None:
    films = load_films(real_films).select("detailed", "train")
    assessor = Assessor(bundled)
    of_text = []
    for one in films[:: len(films) // 8]:
        plain = read(one.path)
        named = written(plain.pixels, "SMITH JOHN 2011", height=plain.height // 40)
        for pixels in (plain.pixels, named):
            radiograph = type(plain)(pixels, plain.metadata, plain.name)
            answer = assessor.assess(radiograph, one.sex, force=True)
            of_text.append("burnt_in_text" in {finding.code for finding in answer.findings})
    assert sum(of_text[::2]) <= 1
    assert sum(of_text[1::2]) >= len(of_text) // 2 - 1


def test_a_large_film_may_be_reduced_before() -> None:
    """The limit was set on films that were looked at as they are."""
    large = cv2.resize(written(film(), NAME), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    pixels: Pixels = large.clip(0, 1)
    assert letters_in_a_row(reduced(pixels)) == pytest.approx(letters_in_a_row(pixels), abs=1)
