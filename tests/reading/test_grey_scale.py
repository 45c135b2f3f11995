"""Numbers from black to white: an image reads alike, and exactly, in whatever depth."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage import read
from boneage.domain.findings import Severity
from tests.reading.drawn import DEEP, GREY, UNIT, dicom, raster, stretched

DARK = GREY // 3
SPREADS = {
    "shifted": lambda grey, bits: grey.astype(np.uint16) << np.uint16(bits - 8),
    "repeated": lambda grey, bits: (
        (grey.astype(np.uint16) * np.uint16(257)) >> np.uint16(16 - bits)
    ),
    "rounded": lambda grey, bits: np.rint(grey / 255 * (2**bits - 1)).astype(np.uint16),
    "cut": lambda grey, bits: (grey / 255 * (2**bits - 1)).astype(np.uint16),
}


def pixels_of(stored: npt.NDArray[Any], bits: int, **elements: Any) -> npt.NDArray[np.float32]:
    return read(dicom(stored, bits, **elements)).pixels


@pytest.mark.parametrize("grey", [GREY, DARK, np.clip(GREY, 7, 200)])
def test_8_bits_are_those_of_a_png(grey: npt.NDArray[np.uint8]) -> None:
    expected = read(raster("PNG", grey)).pixels
    np.testing.assert_array_equal(pixels_of(grey, 8), expected)
    np.testing.assert_array_equal(pixels_of(grey.astype(np.uint16), 8), expected)
    np.testing.assert_array_equal(pixels_of((grey ^ np.uint8(128)).view(np.int8), 8), expected)
    inverse = pixels_of(255 - grey, 8, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(inverse, expected)


def test_16_bits_are_those_of_a_png() -> None:
    stored = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(pixels_of(stored, 16), read(raster("PNG", stored)).pixels)


def test_print_on_a_dark_image_is_not_clipped() -> None:
    grey = DARK // 2
    grey[5:15, 20:60] = 255
    np.testing.assert_array_equal(pixels_of(grey, 8), read(raster("PNG", grey)).pixels)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("way", list(SPREADS))
def test_8_bits_that_were_spread_are_those_of_a_png(way: str, bits: int) -> None:
    stored = SPREADS[way](GREY, bits)
    window = {"WindowCenter": str(2 ** (bits - 1)), "WindowWidth": str(2**bits)}
    moved = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
    for pixels in (
        pixels_of(stored, bits),
        pixels_of(stored, 16, **window),
        pixels_of((stored.astype(np.int32) - 2 ** (bits - 1)).astype(np.int16), bits),
        pixels_of(stored + np.uint16(1_024), 16, **moved) if bits < 16 else pixels_of(stored, 16),
    ):
        exact = way != "shifted"
        found, expected = (pixels, UNIT) if exact else (stretched(pixels), stretched(GREY))
        np.testing.assert_allclose(found, expected, rtol=0, atol=0 if exact else 1e-6)


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("way", ["repeated", "rounded", "cut"])
@pytest.mark.parametrize("offset", [8_000, -1_024, 37])
def test_8_bits_that_were_spread_and_moved_are_evenly_apart(
    way: str, bits: int, offset: int
) -> None:
    stored = (SPREADS[way](np.clip(GREY, 9, 250), bits).astype(np.int32) + offset).astype(np.int16)
    pixels = pixels_of(stored, 16)
    steps = np.unique(pixels) * 255
    np.testing.assert_allclose(steps, np.rint(steps), rtol=0, atol=1e-4)
    np.testing.assert_allclose(
        stretched(pixels), stretched(np.clip(GREY, 9, 250)), rtol=0, atol=1e-6
    )


def test_more_than_8_bits_are_not_rounded() -> None:
    pixels = pixels_of(DEEP, 12)
    np.testing.assert_array_equal(pixels, (DEEP / 4_095).astype(np.float32))
    coarse = DEEP // 12 * 12
    assert len(np.unique(coarse)) > 256
    np.testing.assert_array_equal(pixels_of(coarse, 12), (coarse / 4_095).astype(np.float32))


@pytest.mark.parametrize("deep", [False, True])
def test_a_few_hot_pixels_set_no_depth_and_are_mended(deep: bool) -> None:
    grey = np.tile(GREY, (2, 2))
    stored = np.tile(DEEP >> 2, (2, 2)) if deep else SPREADS["repeated"](grey, 10)
    expected = pixels_of(stored, 12)
    stored[3:5, 3:5] = 4_095
    stored[100, 77] = 4_095
    film = read(dicom(stored, 12))
    hot = stored == 4_095
    np.testing.assert_array_equal(film.pixels[~hot], expected[~hot])
    np.testing.assert_allclose(film.pixels[hot], expected[hot], rtol=0, atol=0.05)
    (note,) = film.notes
    assert (note.code, note.severity, note.measured) == ("stray_pixels", Severity.NOTE, 5)


def test_dead_pixels_are_mended() -> None:
    stored = np.tile(DEEP, (2, 2)) + np.uint16(8_000)
    expected = pixels_of(stored, 14)
    stored[50, 60] = 0
    film = read(dicom(stored, 14, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_allclose(film.pixels, 1 - expected, rtol=0, atol=0.05)
    assert [note.code for note in film.notes] == ["stray_pixels"]


def test_print_is_not_stray() -> None:
    stored = np.tile(DEEP, (2, 2)) // 8
    stored[10:14, 10:110] = 4_095
    film = read(dicom(stored, 12))
    assert (film.pixels[10:14, 10:110] == 1).all()
    assert not film.notes


def test_two_numbers_are_two_greys() -> None:
    stored = (GREY > 100).astype(np.uint16)
    np.testing.assert_array_equal(stretched(pixels_of(stored, 16)), stored)


def test_high_numbers_of_32_bits_keep_their_differences() -> None:
    stored = DEEP.astype(np.uint32) + np.uint32(2**31)
    np.testing.assert_allclose(pixels_of(stored, 32), stretched(DEEP), rtol=0, atol=1e-6)
