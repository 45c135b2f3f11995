"""Bits, sign and byte order that the header is wrong about: one image, however it is stored."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from boneage import Radiograph, read
from boneage.domain.findings import Severity
from boneage.reading.dicom.stored_values import Cells, Coding, resolve_coding, stated_coding
from tests.conftest import drawn_hand
from tests.reading.drawn import codestream, dataset, dicom, encapsulated, stretched, written

HAND = drawn_hand(480, 360, top=4_000, floor=100)
"""12 bits in 16."""
WIDE = drawn_hand(480, 360, top=64_000, floor=1_600)
BELOW = (HAND.astype(np.int32) - 2_000).astype(np.int16)
rng = np.random.default_rng(3)
NOISE = rng.integers(0, 16, HAND.shape, np.uint16)


def image(content: bytes | Dataset) -> Radiograph:
    return read(content if isinstance(content, bytes) else written(content))


def shows_the_hand(film: Radiograph, precision: float = 1e-5) -> None:
    np.testing.assert_allclose(stretched(film.pixels), stretched(HAND), rtol=0, atol=precision)


def corrected(film: Radiograph) -> bool:
    assert {note.severity for note in film.notes} <= {Severity.NOTE}
    return "stored_values" in {note.code for note in film.notes}


def with_overlay(bit: int) -> npt.NDArray[np.uint16]:
    cells = HAND.copy()
    cells[30:60:7, 20:200] |= np.uint16(1 << bit)
    return cells


def packed_in_12_bits(cells: npt.NDArray[np.uint16]) -> bytes:
    first, second = cells.ravel()[::2], cells.ravel()[1::2]
    three = np.stack([first & 255, first >> 8 | (second & 15) << 4, second >> 4], axis=1)
    return three.astype(np.uint8).tobytes()


SOUND: dict[str, bytes] = {
    "as it should be": dicom(HAND),
    "more bits stated": dicom(HAND, 16),
    "left-aligned": dicom(HAND << 4, 12, HighBit=15),
    "left-aligned, other bits below": dicom(HAND << 4 | NOISE, 12, HighBit=15),
    "left-aligned, signed": dicom((BELOW << 4).view(np.int16), 12, HighBit=15),
    "other bits above": dicom(HAND | NOISE << 12),
    "overlay in the next bit": dicom(with_overlay(12)),
    "overlay in the highest bit": dicom(with_overlay(15)),
    "impossible high bit": dicom(HAND, 12, HighBit=99),
    "low high bit": dicom(HAND, 12, HighBit=0),
    "32 bits": dicom(HAND.astype(np.uint32), 12),
    "signed": dicom(BELOW, 12),
}
WRONG: dict[str, bytes] = {
    "fewer bits stated": dicom(HAND, 10),
    "8 bits stated": dicom(HAND, 8),
    "right-aligned, high bit 15": dicom(HAND, 12, HighBit=15),
    "left-aligned, high bit 11": dicom(HAND << 4, 12),
    "noise above, 16 bits stated": dicom(HAND | NOISE << 12, 16),
    "unsigned called signed": dicom(HAND, 12, PixelRepresentation=1),
    "signed called unsigned": dicom(BELOW.view(np.uint16), 12),
    "signed called unsigned, 16 bits": dicom(BELOW.view(np.uint16), 16),
    "signed called unsigned, no bits above": dicom(BELOW.view(np.uint16) & 0xFFF, 12),
    "fewer bits stated, signed": dicom(BELOW, 10),
    "12 bits allocated, 16 there": dicom(HAND, 12, BitsAllocated=12),
    "8 bits allocated, 16 there": dicom(HAND, 12, BitsAllocated=8),
    "other byte order": dicom(HAND.byteswap(), 12),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_what_is_stated_rightly_needs_no_note(content: bytes) -> None:
    film = image(content)
    shows_the_hand(film)
    assert not film.notes


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_stated_wrongly_is_corrected_with_a_note(content: bytes) -> None:
    film = image(content)
    shows_the_hand(film)
    assert corrected(film)


def test_a_note_names_both_readings() -> None:
    (note,) = image(WRONG["unsigned called signed"]).notes
    assert "stated as signed numbers of 12 bits" in note.message
    assert "unsigned numbers of 12 bits" in note.message


@pytest.mark.parametrize("bits", [8, 16])
def test_unsigned_called_signed_in_other_depths(bits: int) -> None:
    cells = WIDE if bits == 16 else (WIDE >> 8).astype(np.uint8)
    film = image(dicom(cells, bits, PixelRepresentation=1))
    np.testing.assert_allclose(stretched(film.pixels), stretched(cells), rtol=0, atol=1e-5)
    assert corrected(film)


def test_8_bits_of_which_16_are_allocated() -> None:
    grey = (HAND >> 4).astype(np.uint8)
    film = image(dicom(grey, 8, BitsAllocated=16))
    np.testing.assert_allclose(stretched(film.pixels), stretched(grey), rtol=0, atol=1e-5)
    assert corrected(film)


def test_two_pixels_in_three_bytes() -> None:
    ds = dataset(HAND, 12, BitsAllocated=12, PixelData=packed_in_12_bits(HAND))
    film = image(ds)
    shows_the_hand(film)
    assert not film.notes


@pytest.mark.parametrize("vr", ["OB", "OW"])
def test_8_bits_big_endian(vr: str) -> None:
    grey = (HAND >> 4).astype(np.uint8)
    ds = dataset(grey, 8)
    ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    if vr == "OW":
        ds.PixelData = np.frombuffer(ds.PixelData, np.uint16).byteswap().tobytes()
    ds["PixelData"].VR = vr
    file = BytesIO()
    ds.save_as(file, implicit_vr=False, little_endian=False, enforce_file_format=True)
    film = image(file.getvalue())
    np.testing.assert_allclose(stretched(film.pixels), stretched(grey), rtol=0, atol=1e-6)


def jpeg_2000(pixels: npt.NDArray[Any], bits: int, **header: Any) -> bytes:
    frame = bytes(encode_array(pixels, bits_stored=bits))
    stated = header.pop("stated", bits)
    return encapsulated(dataset(pixels, stated, **header), JPEG2000Lossless, frame)


def jpeg_ls(pixels: npt.NDArray[Any], bits: int, **header: Any) -> bytes:
    frame = codestream(JPEGLSLossless, pixels, bits)
    stated = header.pop("stated", bits)
    return encapsulated(dataset(pixels, stated, **header), JPEGLSLossless, frame)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (jpeg_2000(BELOW, 12, PixelRepresentation=0), True),
        (jpeg_2000(HAND, 12, PixelRepresentation=1), True),
        (jpeg_2000(BELOW.view(np.uint16) & 0xFFF, 12, PixelRepresentation=1), True),
        (jpeg_2000(HAND, 12, stated=10), True),
        (jpeg_2000(HAND, 12, stated=16), False),
        (jpeg_2000(HAND, 16, stated=12), False),
        (jpeg_ls(HAND, 12, stated=8), True),
        (jpeg_ls(HAND, 16, stated=12), False),
        (jpeg_ls(HAND, 12, stated=16, PixelRepresentation=1), True),
        (jpeg_ls(BELOW, 16), False),
    ],
)
def test_the_compressed_image_is_right_about_itself(content: bytes, note: bool) -> None:
    film = image(content)
    shows_the_hand(film)
    assert corrected(film) == note


@pytest.mark.parametrize("stated", [{"BitsStored": 10, "HighBit": 9}, {"PixelRepresentation": 1}])
def test_run_length_encoded(stated: dict[str, int]) -> None:
    ds = dataset(HAND, 12)
    ds.compress(RLELossless, encoding_plugin="pydicom")
    for keyword, value in stated.items():
        setattr(ds, keyword, value)
    film = image(ds)
    shows_the_hand(film)
    assert corrected(film)


def dark_hand(brightest: int) -> npt.NDArray[np.uint16]:
    """A hand in the darker half of 12 bits, but for a little bone that grows brighter slowly."""
    dark = HAND // 3
    rows, columns = np.mgrid[-240:240, -180:180]
    bone = np.clip(brightest - 12 * np.hypot(rows, columns), 0, None)
    return np.asarray(np.maximum(dark, bone), np.uint16)


@pytest.mark.parametrize("offset", [0, 2_048])
@pytest.mark.parametrize("brightest", [2_150, 2_300])
def test_a_little_bone_that_wraps_around_is_found(brightest: int, offset: int) -> None:
    hand = dark_hand(brightest)
    assert 0 < (hand >= 2_048).mean() < 0.01
    numbers = hand.astype(np.int32) - offset
    wrong = dicom(numbers.astype(np.uint16) & 0xFFF, 12, PixelRepresentation=int(offset == 0))
    film = read(wrong)
    np.testing.assert_allclose(stretched(film.pixels), stretched(hand), rtol=0, atol=1e-5)
    assert corrected(film)


@pytest.mark.parametrize("signed", [0, 1])
def test_print_on_black_is_no_wrap(signed: int) -> None:
    hand = HAND // 3
    hand[:40] = 0
    hand[10:12, 20:60:7] = 4_095
    hand[10:12, 21:60:7] = rng.integers(3_900, 4_095, (2, 6))
    film = read(dicom((hand - np.uint16(2_048 * signed)) & 0xFFF, 12, PixelRepresentation=signed))
    np.testing.assert_allclose(stretched(film.pixels), stretched(hand), rtol=0, atol=1e-5)
    assert not film.notes


def test_the_bits_below_a_pixel_are_no_other_depth() -> None:
    """However rough an image is, it is not the zeros below it."""
    cells = rng.integers(0, 256, HAND.shape).astype(np.uint16) << 8
    found = resolve_coding(Cells(cells, 16), Coding(8, signed=False, shift=8), None, signed=False)
    np.testing.assert_array_equal(found.values, cells >> 8)


def test_the_depth_that_was_found_is_a_fact() -> None:
    assert image(WRONG["fewer bits stated"]).metadata.bits == 12


def test_what_no_reading_explains_is_warned_of() -> None:
    noise = rng.integers(0, 4_096, (300, 200), np.uint16)
    (note,) = image(dicom(noise, 12)).notes
    assert (note.code, note.severity) == ("stored_values_doubtful", Severity.WARNING)
    assert note.measured is not None


@given(bits=st.integers(1, 16), shift=st.integers(0, 15), signed=st.booleans())
def test_a_reading_is_what_python_computes(bits: int, shift: int, signed: bool) -> None:
    shift = min(shift, 16 - bits)
    cells = np.array([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x1234, 0xABCD], np.uint16)
    expected = [(int(cell) >> shift) % 2**bits for cell in cells]
    if signed:
        expected = [value - 2**bits if value >= 2 ** (bits - 1) else value for value in expected]
    assert Coding(bits, signed, shift).of(cells).tolist() == expected


def test_an_image_of_padding_alone_is_read() -> None:
    cells = Cells(HAND, 16)
    stated = stated_coding(cells, 12, 11, signed=False)
    found = resolve_coding(cells, stated, np.zeros(HAND.shape, np.bool_), signed=False)
    assert found.coding == stated
