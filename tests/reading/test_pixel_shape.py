"""The height of a pixel over its width, as every format states it."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boneage import read
from tests.reading.drawn import GREY, encoded, raster, tiff
from tests.reading.test_raster import with_chunks

IMAGE = Image.fromarray(GREY)


def aspect(content: bytes) -> float:
    return round(read(content).pixel_aspect, 4)


def turned(**values: Any) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.update({int(tag[1:]): value for tag, value in values.items()})
    return exif


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_what_states_nothing_has_square_pixels(kind: str) -> None:
    assert aspect(raster(kind)) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_a_resolution(kind: str) -> None:
    assert aspect(encoded(IMAGE, kind, dpi=(300, 300))) == 1
    assert aspect(encoded(IMAGE, kind, dpi=(200, 100))) == pytest.approx(2, abs=0.001)
    assert aspect(encoded(IMAGE, kind, dpi=(100, 200))) == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("unit", [0, 1, 2])
def test_the_density_of_jfif(unit: int) -> None:
    plain = raster("JPEG")
    place = plain.index(b"JFIF") + 7
    content = plain[:place] + struct.pack(">BHH", unit, 3, 2) + plain[place + 5 :]
    assert aspect(content) == 1.5


@pytest.mark.parametrize("unit", [0, 1])
def test_the_pixels_of_png(unit: int) -> None:
    chunk = b"pHYs", struct.pack(">IIB", 4_000, 5_000, unit)
    assert aspect(with_chunks(raster("PNG"), chunk)) == 0.8


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_the_resolution_of_tiff(unit: int) -> None:
    options = {"photometric": "minisblack", "resolutionunit": unit}
    assert aspect(tiff(GREY, resolution=(150, 100), **options)) == 1.5


def test_the_resolution_of_exif() -> None:
    exif = Image.Exif()
    exif.update({282: 144.0, 283: 72.0, 296: 2})
    assert aspect(raster("WEBP", exif=exif)) == 2
    plain = raster("JPEG", exif=exif)
    assert aspect(plain) == 1  # JFIF says so
    start = plain.index(b"\xff\xe0")
    assert aspect(plain[:start] + plain[start + 18 :]) == 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_it_is_turned_with_the_film(kind: str) -> None:
    film = read(encoded(IMAGE, kind, dpi=(200, 100), exif=turned()))
    assert film.pixels.shape == GREY.shape[::-1]
    assert film.pixel_aspect == pytest.approx(0.5, abs=0.001)
    assert read(raster("WEBP", exif=turned(_282=144.0, _283=72.0))).pixel_aspect == 0.5


@pytest.mark.parametrize("across_down", [(0, 100), (100, 0), (0, 0), (1, 4), (4_000, 1)])
def test_what_is_no_shape_of_pixels_is_ignored(across_down: tuple[int, int]) -> None:
    across, down = across_down
    chunk = b"pHYs", struct.pack(">IIB", across, down, 1)
    assert aspect(with_chunks(raster("PNG"), chunk)) == 1
    tags = [(282, "2I", 1, (across, 1), True), (283, "2I", 1, (down, 1), True)]
    assert aspect(tiff(GREY, photometric="minisblack", extratags=tags)) == 1
    bmp = bytearray(raster("BMP"))
    struct.pack_into("<ii", bmp, 38, across, down)
    assert aspect(bytes(bmp)) == 1
    assert np.array_equal(read(bytes(bmp)).pixels, read(raster("BMP")).pixels)
