"""Curves of grey levels that a file states are followed, or warned of."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from boneage import read
from boneage.domain.findings import Severity
from tests.reading.drawn import DEEP, GREY, UNIT, encoded, profile, raster, tiff
from tests.reading.test_raster import with_chunks

WORDS = DEEP.astype(np.uint16) * 16
KINDS = ("PNG", "JPEG", "TIFF", "WEBP")


def encoded_srgb(light: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def curv(*values: int) -> bytes:
    return b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *values)


def para(formula: int, *values: float) -> bytes:
    numbers = [round(value * 65_536) for value in values]
    return b"para" + struct.pack(f">IHH{len(numbers)}i", 0, formula, 0, *numbers)


def applied(content: bytes, expected: npt.NDArray[Any], tolerance: float = 1e-5) -> None:
    film = read(content)
    np.testing.assert_allclose(film.pixels, expected, rtol=0, atol=tolerance)
    assert [(note.code, note.severity) for note in film.notes] == [
        ("grey_curve_applied", Severity.NOTE)
    ]


def left(content: bytes, expected: npt.NDArray[Any] = UNIT, tolerance: float = 1e-6) -> None:
    film = read(content)
    np.testing.assert_allclose(film.pixels, expected, rtol=0, atol=tolerance)
    assert film.notes == ()


def warned(content: bytes) -> str:
    film = read(content)
    np.testing.assert_allclose(film.pixels, UNIT, rtol=0, atol=0.03)
    (note,) = film.notes
    assert (note.code, note.severity) == ("grey_curve_ignored", Severity.WARNING)
    return note.message


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


@pytest.mark.parametrize("value", [20_000, 55_556, 100_000, 220_000])
def test_the_gamma_of_a_png(value: int) -> None:
    exponent = 100_000 / (value * 2.2)
    applied(with_chunks(raster("PNG"), gamma(value)), UNIT**exponent)
    applied(with_chunks(raster("PNG", WORDS), gamma(value)), (WORDS / 65_535) ** exponent)
    colour = raster("PNG", np.dstack([GREY] * 3))
    applied(with_chunks(colour, gamma(value)), UNIT**exponent)


def test_the_usual_gamma_changes_nothing() -> None:
    for value in (45_455, 45_000, 47_000):
        left(with_chunks(raster("PNG"), gamma(value)))
    linear = gamma(100_000)
    left(with_chunks(raster("PNG"), linear, (b"sRGB", b"\0")))
    left(with_chunks(raster("PNG"), linear, (b"cICP", b"\1\x0d\0\1")))
    left(with_chunks(encoded(Image.fromarray(GREY), "PNG", icc_profile=profile(curv(563))), linear))


def test_a_gamma_that_makes_no_sense_is_warned_of() -> None:
    assert "gamma of 0.0001" in warned(with_chunks(raster("PNG"), gamma(10)))


def test_alpha_is_no_grey_level() -> None:
    alpha = np.full_like(GREY, 255)
    alpha[:50] = 51
    content = with_chunks(raster("PNG", np.dstack([GREY, alpha])), gamma(100_000))
    applied(content, UNIT ** (1 / 2.2) * (alpha / 255))


def test_transfer_characteristics_of_a_png() -> None:
    applied(with_chunks(raster("PNG"), (b"cICP", b"\1\x08\0\1")), UNIT ** (1 / 2.2))
    assert "characteristics 16" in warned(with_chunks(raster("PNG"), (b"cICP", b"\1\x10\0\1")))


@pytest.mark.parametrize(
    "curve", [curv(), curv(256), curv(0, 65_535), para(0, 1.0), para(3, 1.0, 1, 0, 1, 0)]
)
@pytest.mark.parametrize("space", [b"GRAY", b"RGB "])
@pytest.mark.parametrize("kind", KINDS)
def test_a_linear_profile(curve: bytes, space: bytes, kind: str) -> None:
    image = Image.fromarray(GREY if space == b"GRAY" else np.dstack([GREY] * 3))
    by_kind: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}
    options = by_kind.get(kind, {})
    content = encoded(image, kind, icc_profile=profile(curve, space), **options)
    applied(content, encoded_srgb(UNIT.astype(np.float64)), 0.03 if kind == "JPEG" else 1e-5)


@pytest.mark.parametrize(
    ("curve", "power"),
    [
        (curv(461), 461 / 256),
        (para(1, 1.8, 1, 0), 1.8),
        (para(2, 1.8, 1, 0, 0), 1.8),
        (para(4, 1.8, 1, 0, 0, 0, 0, 0), 1.8),
    ],
)
def test_a_profile_of_another_gamma(curve: bytes, power: float) -> None:
    content = encoded(Image.fromarray(WORDS), "PNG", icc_profile=profile(curve))
    applied(content, encoded_srgb((WORDS / 65_535) ** power), 1e-4)


@pytest.mark.parametrize(
    "curve", [curv(563), para(0, 2.2), para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)]
)
def test_profiles_of_displays_change_nothing(curve: bytes) -> None:
    for kind in ("PNG", "TIFF"):
        left(encoded(Image.fromarray(GREY), kind, icc_profile=profile(curve)))


def test_the_profile_of_srgb_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    left(encoded(Image.fromarray(np.dstack([GREY] * 3)), "PNG", icc_profile=srgb))


@pytest.mark.parametrize(
    "content",
    [profile(curv(65_535, 0)), profile(b"what" + bytes(20)), profile(curv(1, 2, 3))[:-3], b"icc"],
    ids=["falling", "unknown", "cut off", "none"],
)
def test_profiles_that_cannot_be_followed_are_warned_of(content: bytes) -> None:
    left_as_it_is = encoded(Image.fromarray(GREY), "TIFF", icc_profile=content)
    if content == b"icc":
        left(left_as_it_is)  # of no colour space that a film could have
    else:
        assert "ICC profile" in warned(left_as_it_is)


def test_a_transfer_function() -> None:
    for pixels, white in ((GREY, 255), (WORDS, 65_535)):
        light = np.linspace(0, 65_535, white + 1).round().astype(np.uint16)
        usual = ((np.arange(white + 1) / white) ** 2.2 * 65_535).round().astype(np.uint16)
        tag = {"photometric": "minisblack"}
        linear = tiff(pixels, extratags=[(301, "H", len(light), light, True)], **tag)
        applied(linear, (pixels / white) ** (1 / 2.2))
        left(tiff(pixels, extratags=[(301, "H", len(usual), usual, True)], **tag), pixels / white)
    short = tiff(GREY, photometric="minisblack", extratags=[(301, "H", 3, (0, 1, 2), True)])
    assert "transfer function" in warned(short)


def test_a_grey_response_curve_is_warned_of() -> None:
    tags = [(291, "H", 256, np.arange(256, dtype=np.uint16), True)]
    assert "grey response curve" in warned(tiff(GREY, photometric="minisblack", extratags=tags))


def test_a_curve_for_numbers_of_no_range_is_warned_of() -> None:
    content = encoded(Image.fromarray(GREY * np.float32(100)), "TIFF", icc_profile=profile(curv()))
    (note,) = read(content).notes
    assert note.code == "grey_curve_ignored"
