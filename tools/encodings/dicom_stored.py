"""DICOM: bits, sign, alignment, padding, and single pixels that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from tools.encodings.dicom_files import (
    PADDING_LIMIT,
    PADDING_VALUE,
    content,
    dataset,
    set_pixels,
    with_element,
)
from tools.encodings.ways import SEED, Array, Grey, Way, deep

MARGIN = 0.06
"""Of the longer side: how wide the padding around an image is."""


def dicom_way(name: str, make: Callable[[Grey], Dataset], **flags: Any) -> Way:
    """Make a way of a function that gives a dataset."""
    return Way(f"dicom_{name}", ".dcm", lambda grey: content(make(grey)), **flags)


def signed(grey: Grey, bits: int) -> npt.NDArray[np.int16]:
    """Spread an image over the signed numbers of so many bits."""
    return np.asarray(deep(grey, bits).astype(np.int32) - 2 ** (bits - 1), np.int16)


def padded(stored: Array, value: float) -> Array:
    """Surround stored values by one value."""
    return np.pad(stored, round(MARGIN * max(stored.shape)), constant_values=value)


def _shifted(grey: Grey, bits: int, high_bit: int, below: int = 0) -> Dataset:
    """Store the values so that their highest bit is ``high_bit``."""
    left = np.uint16(high_bit + 1 - bits)
    values = (deep(grey, bits) << left) | np.uint16(below)
    return dataset(values, bits, HighBit=high_bit)


def _noise_above(grey: Grey) -> Dataset:
    noise = np.random.default_rng(SEED).integers(0, 16, grey.shape, np.uint16)
    return dataset(deep(grey, 12) | (noise << np.uint16(12)), 12)


def _overlay_above(grey: Grey) -> Dataset:
    """A graphic in bit 12, as overlays were stored once (retired, PS3.5 8.1.2)."""
    values = deep(grey, 12)
    height, width = grey.shape
    values[height // 20 : height // 10, width // 10 : width // 2] |= np.uint16(1 << 12)
    ds = dataset(values, 12)
    for tag, vr, value in (
        (0x60000010, "US", height),
        (0x60000011, "US", width),
        (0x60000040, "CS", "G"),
        (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 16),
        (0x60000102, "US", 12),
    ):
        with_element(ds, tag, vr, value)
    return ds


def _packed_12(grey: Grey) -> Dataset:
    """Two values in three bytes, as ACR-NEMA allowed."""
    values = deep(grey, 12)
    pairs = np.resize(np.append(values.ravel(), 0), (values.size + 1) // 2 * 2).astype(np.uint32)
    first, second = pairs[::2], pairs[1::2]
    words = first | (second << np.uint32(12))
    octets = np.stack([words & 255, (words >> 8) & 255, words >> 16], axis=-1).astype(np.uint8)
    ds = dataset(values, 12, BitsAllocated=12)
    set_pixels(ds, octets.tobytes(), 2)
    return ds


def _floating(grey: Grey) -> Dataset:
    ds = dataset(grey, 8, PixelData=None, BitsAllocated=32, BitsStored=None, HighBit=None)
    del ds.PixelRepresentation
    ds.FloatPixelData = (grey / np.float32(255)).astype("<f4").tobytes()
    return ds


def _with_padding(
    stored: Array, bits: int, value: int, vr: str, stated: Any = None, **elements: Any
) -> Dataset:
    ds = dataset(padded(stored, value), bits, **elements)
    return with_element(ds, PADDING_VALUE, vr, value if stated is None else stated)


def _padding_range(grey: Grey, low: int, high: int, kind: type[np.integer[Any]]) -> Dataset:
    vr = "SS" if np.dtype(kind).kind == "i" else "US"
    stored = padded((signed(grey, 12) if vr == "SS" else deep(grey, 12)).astype(np.int32), low)
    around = padded(np.zeros(grey.shape, np.uint8), 1).astype(bool)
    stored[around] = np.random.default_rng(SEED).integers(low, high + 1, int(around.sum()))
    ds = with_element(dataset(stored.astype(kind), 16), PADDING_VALUE, vr, low)
    return with_element(ds, PADDING_LIMIT, vr, high)


def _with_spots(stored: Array, value: int, bits: int, count: int) -> Dataset:
    """Scatter single pixels of one value."""
    random = np.random.default_rng(SEED)
    height, width = stored.shape
    stored[random.integers(0, height, count), random.integers(0, width, count)] = value
    return dataset(stored, bits)


def _dead_column(grey: Grey) -> Dataset:
    stored = deep(grey, 12) + np.uint16(1000)
    stored[:, grey.shape[1] // 5] = 0
    return dataset(stored, 13)


def _white_is_zero(grey: Grey, bits: int) -> Array:
    return np.uint16(2**bits - 1) - deep(grey, bits)


WAYS: tuple[Way, ...] = (
    dicom_way("8_of_8", lambda grey: dataset(grey, 8)),
    dicom_way("7_of_8", lambda grey: dataset(grey >> 1, 7), lossy=True),
    dicom_way("8_of_16", lambda grey: dataset(grey.astype(np.uint16), 8)),
    dicom_way("10_of_16", lambda grey: dataset(deep(grey, 10), 10)),
    dicom_way("12_of_16", lambda grey: dataset(deep(grey, 12), 12)),
    dicom_way("14_of_16", lambda grey: dataset(deep(grey, 14), 14)),
    dicom_way("16_of_16", lambda grey: dataset(deep(grey, 16), 16)),
    dicom_way("16_of_32", lambda grey: dataset(deep(grey, 16).astype(np.uint32), 16)),
    dicom_way("10_values_in_12", lambda grey: dataset(deep(grey, 10), 12)),
    dicom_way("12_values_in_16", lambda grey: dataset(deep(grey, 12), 16)),
    dicom_way("high_bit_11_of_10", lambda grey: _shifted(grey, 10, 11)),
    dicom_way("high_bit_13_of_12", lambda grey: _shifted(grey, 12, 13)),
    dicom_way("high_bit_13_of_12_noise_below", lambda grey: _shifted(grey, 12, 13, below=3)),
    dicom_way("left_aligned_12", lambda grey: _shifted(grey, 12, 15)),
    dicom_way("left_aligned_10", lambda grey: _shifted(grey, 10, 15)),
    dicom_way("left_aligned_8", lambda grey: _shifted(grey.astype(np.uint8), 8, 15)),
    dicom_way("left_aligned_not_stated", lambda grey: dataset(deep(grey, 12) << np.uint16(4), 12)),
    dicom_way("noise_above_the_bits", _noise_above),
    dicom_way("overlay_above_the_bits", _overlay_above),
    dicom_way("bits_stored_10_for_12", lambda grey: dataset(deep(grey, 12), 10)),
    dicom_way("bits_stored_12_for_16", lambda grey: dataset(deep(grey, 16), 12)),
    dicom_way("bits_stored_8_for_10", lambda grey: dataset(deep(grey, 10), 8)),
    dicom_way("high_bit_missing", lambda grey: dataset(deep(grey, 12), 12, HighBit=None)),
    dicom_way("signed_12", lambda grey: dataset(signed(grey, 12), 12)),
    dicom_way("signed_16", lambda grey: dataset(signed(grey, 16), 16)),
    dicom_way("signed_8", lambda grey: dataset((grey.astype(np.int16) - 128).astype(np.int8), 8)),
    dicom_way(
        "signed_12_not_extended",
        lambda grey: dataset(
            signed(grey, 12).view(np.uint16) & np.uint16(0xFFF), 12, PixelRepresentation=1
        ),
    ),
    dicom_way(
        "unsigned_12_called_signed", lambda grey: dataset(deep(grey, 12), 12, PixelRepresentation=1)
    ),
    dicom_way(
        "unsigned_16_called_signed", lambda grey: dataset(deep(grey, 16), 16, PixelRepresentation=1)
    ),
    dicom_way(
        "signed_12_called_unsigned",
        lambda grey: dataset(signed(grey, 12), 12, PixelRepresentation=0),
    ),
    dicom_way(
        "signed_16_called_unsigned",
        lambda grey: dataset(signed(grey, 16), 16, PixelRepresentation=0),
    ),
    dicom_way(
        "signed_12_of_16_called_unsigned",
        lambda grey: dataset(signed(grey, 12), 16, PixelRepresentation=0),
    ),
    dicom_way(
        "packed_12", _packed_12, unreadable="DICOM allows 12 bits allocated no longer (PS3.5 8.1.1)"
    ),
    dicom_way(
        "float", _floating, unreadable="floating-point pixels are parametric maps, not radiographs"
    ),
    dicom_way("padding_black", lambda grey: _with_padding(deep(grey, 12), 12, 0, "US")),
    dicom_way("padding_white", lambda grey: _with_padding(deep(grey, 12), 12, 4095, "US")),
    dicom_way("padding_above", lambda grey: _with_padding(deep(grey, 12), 16, 60_000, "US")),
    dicom_way("padding_below", lambda grey: _with_padding(signed(grey, 12), 16, -22_000, "SS")),
    dicom_way(
        "padding_in_other_vr",
        lambda grey: _with_padding(signed(grey, 12), 16, -22_000, "US", -22_000 & 0xFFFF),
    ),
    dicom_way(
        "padding_unsigned_in_ss",
        lambda grey: _with_padding(deep(grey, 12), 16, 60_000, "SS", 60_000 - 65_536),
    ),
    dicom_way(
        "padding_of_unknown_vr",
        lambda grey: _with_padding(
            signed(grey, 12), 16, -22_000, "UN", (-22_000 & 0xFFFF).to_bytes(2, "little")
        ),
    ),
    dicom_way("padding_range", lambda grey: _padding_range(grey, 60_000, 61_000, np.uint16)),
    dicom_way("padding_range_signed", lambda grey: _padding_range(grey, -9_000, -8_000, np.int16)),
    dicom_way(
        "padding_also_bone",
        lambda grey: with_element(dataset(deep(grey, 12), 12), PADDING_VALUE, "US", 4095),
    ),
    dicom_way(
        "monochrome1_padding_zero",
        lambda grey: with_element(
            dataset(_white_is_zero(grey, 12), 12, PhotometricInterpretation="MONOCHROME1"),
            PADDING_VALUE,
            "US",
            0,
        ),
    ),
    dicom_way(
        "monochrome1_padding_around",
        lambda grey: _with_padding(
            _white_is_zero(grey, 12), 12, 0, "US", PhotometricInterpretation="MONOCHROME1"
        ),
    ),
    dicom_way("hot_pixels", lambda grey: _with_spots(deep(grey, 10), 4095, 12, 9)),
    dicom_way("one_hot_pixel", lambda grey: _with_spots(deep(grey, 12), 65_535, 16, 1)),
    dicom_way("dead_pixels", lambda grey: _with_spots(deep(grey, 12) + np.uint16(8000), 0, 14, 20)),
    dicom_way("dead_column", _dead_column),
)
