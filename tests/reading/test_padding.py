"""What fills the rectangle around an image, in whichever way it is stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage import Radiograph, read
from boneage.domain.geometry import Box
from tests.conftest import drawn_hand
from tests.reading.drawn import dataset, dicom, stretched, written

HAND = drawn_hand(480, 360, top=4_000, floor=100)
BELOW = (HAND.astype(np.int32) - 1_000).astype(np.int16)
EDGE = 24
INSIDE = (slice(EDGE, -EDGE), slice(EDGE, -EDGE))
VALUE, LIMIT = 0x00280120, 0x00280121


def bordered(pixels: npt.NDArray[Any], value: int) -> npt.NDArray[Any]:
    padded = np.full_like(pixels, value)
    padded[INSIDE] = pixels[INSIDE]
    return padded


def film(
    pixels: npt.NDArray[Any], bits: int, *stated: tuple[int, str, int | bytes], **elements: Any
) -> Radiograph:
    ds = dataset(pixels, bits, **elements)
    for tag, vr, value in stated:
        ds.add_new(tag, vr, value)
    return read(written(ds))


def is_apart(found: Radiograph, shown: npt.NDArray[Any]) -> None:
    """The padding is black, and sets no range."""
    np.testing.assert_allclose(stretched(found.pixels[INSIDE]), shown, rtol=0, atol=1e-5)
    around = found.pixels.copy()
    around[INSIDE] = 0
    assert not around.any()


@pytest.mark.parametrize(
    ("pixels", "bits", "stated"),
    [
        (bordered(HAND, 0), 12, [(VALUE, "US", 0)]),
        (bordered(HAND, 4_095), 12, [(VALUE, "US", 4_095)]),
        (bordered(HAND, 65_535), 12, [(VALUE, "US", 65_535)]),
        (bordered(HAND, 65_535), 16, [(VALUE, "SS", -1)]),
        (bordered(BELOW, -22_000), 16, [(VALUE, "SS", -22_000)]),
        (bordered(BELOW, -22_000), 16, [(VALUE, "US", 43_536)]),
        (bordered(BELOW, -2_000), 13, [(VALUE, "US", 63_536)]),
        (bordered(BELOW, -2_000), 16, [(VALUE, "UN", (63_536).to_bytes(2, "little"))]),
        (bordered(BELOW, -1_700), 16, [(VALUE, "SS", -2_000), (LIMIT, "SS", -1_500)]),
        (bordered(BELOW, -1_700), 16, [(VALUE, "US", 63_536), (LIMIT, "US", 64_036)]),
        (bordered(BELOW, -1_700), 16, [(VALUE, "SS", -1_500), (LIMIT, "SS", -2_000)]),
    ],
)
def test_padding_in_whichever_value_representation(
    pixels: npt.NDArray[Any], bits: int, stated: list[tuple[int, str, int | bytes]]
) -> None:
    is_apart(film(pixels, bits, *stated), stretched(HAND[INSIDE]))


def test_padding_of_left_aligned_values() -> None:
    found = film(bordered(HAND << 4, 4_095 << 4), 12, (VALUE, "US", 4_095), HighBit=15)
    is_apart(found, stretched(HAND[INSIDE]))


def test_padding_and_the_wrong_sign() -> None:
    found = film(bordered(HAND, 0), 12, (VALUE, "US", 0), PixelRepresentation=1)
    is_apart(found, stretched(HAND[INSIDE]))
    assert [note.code for note in found.notes] == ["stored_values"]


@pytest.mark.parametrize(("pixels", "value"), [(BELOW, -22_000), (HAND, 60_000), (HAND, 9_000)])
@pytest.mark.parametrize("stated", [True, False])
def test_padding_far_from_the_image_is_no_part_of_what_was_exposed(
    pixels: npt.NDArray[Any], value: int, stated: bool
) -> None:
    around = (VALUE, "SS" if value < 0 else "US", value)
    found = film(bordered(pixels, value), 16, *([around] if stated else []))
    assert found.exposed == Box(EDGE, EDGE, 480 - EDGE, 360 - EDGE)


def test_black_that_is_called_padding_may_have_been_exposed() -> None:
    assert film(bordered(HAND, 0), 12, (VALUE, "US", 0)).exposed is None


def test_padding_and_a_shutter() -> None:
    shutter = {"ShutterLeftVerticalEdge": 1, "ShutterRightVerticalEdge": 200}
    found = film(
        bordered(HAND, 60_000), 16, (VALUE, "US", 60_000), ShutterShape="RECTANGULAR", **shutter
    )
    assert found.exposed == Box(EDGE, EDGE, 480 - EDGE, 200)


def test_bone_of_the_value_of_padding_stays_bone() -> None:
    reversed_hand = 4_000 - HAND  # the brightest bone is 0
    bone = reversed_hand == 0
    assert bone.any()
    found = film(
        bordered(reversed_hand, 0),
        12,
        (VALUE, "US", 0),
        PhotometricInterpretation="MONOCHROME1",
    )
    assert (found.pixels[bone] == found.pixels.max()).all()
    assert not found.pixels[0].any()


def test_bone_that_reaches_the_border_stays_bone() -> None:
    reversed_hand = 4_000 - HAND
    reversed_hand[-100:, 150:210] = 0
    found = film(reversed_hand, 12, (VALUE, "US", 0), PhotometricInterpretation="MONOCHROME1")
    assert (found.pixels[-100:, 150:210] == found.pixels.max()).all()


def test_padding_within_the_image_sets_no_range() -> None:
    pixels = bordered(BELOW, -22_000)
    pixels[200, 100:250] = -22_000
    found = film(pixels, 16, (VALUE, "SS", -22_000))
    shown = stretched(HAND[INSIDE])
    rows = np.delete(found.pixels[INSIDE], 200 - EDGE, axis=0)
    np.testing.assert_allclose(
        stretched(rows), np.delete(shown, 200 - EDGE, axis=0), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("value", "pixels"), [(-22_000, BELOW), (30_000, BELOW), (60_000, HAND)])
def test_padding_that_is_not_stated(value: int, pixels: npt.NDArray[Any]) -> None:
    found = film(bordered(pixels, value), 16)
    is_apart(found, stretched(HAND[INSIDE]))
    assert [note.code for note in found.notes] == ["padding_not_stated"]


def test_black_around_an_image_is_no_padding() -> None:
    found = film(bordered(HAND, 0), 12)
    np.testing.assert_allclose(
        stretched(found.pixels), stretched(bordered(HAND, 0)), rtol=0, atol=1e-5
    )
    assert not found.notes


@pytest.mark.parametrize("value", [77_777, "x", None])
def test_a_padding_that_makes_no_sense(value: Any) -> None:
    ds = dataset(HAND, 12)
    ds.add_new(VALUE, "LO" if isinstance(value, str) else "UL", value)
    np.testing.assert_allclose(
        stretched(read(written(ds)).pixels), stretched(HAND), rtol=0, atol=1e-5
    )


def test_an_image_that_is_all_padding() -> None:
    pixels = np.where(HAND > 1_000, HAND, 0).astype(np.uint16)
    found = read(dicom(pixels, 12, PixelPaddingValue=0, PixelPaddingRangeLimit=4_095))
    np.testing.assert_allclose(stretched(found.pixels), stretched(pixels), rtol=0, atol=1e-5)
