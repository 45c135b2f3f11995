"""DICOM: what the stored values are, and what is to be shown of them.

Where a curve is stated, the stored values are made by its inverse, so that a reader who
applies it sees the image again, and one who does not sees another.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from pydicom.dataset import Dataset

from tools.encodings.dicom import (
    PADDING_LIMIT,
    PADDING_VALUE,
    DicomTable,
    dataset,
    dicom_ways,
    in_groups,
    monochrome1,
    set_pixels,
    table,
    with_element,
    with_overlay,
)
from tools.encodings.ways import (
    SEED,
    Array,
    Grey,
    Way,
    bordered,
    deep,
    inverted,
    rgb,
    shuffled_palette,
    signed,
    ycbcr,
)

Elements: TypeAlias = dict[str, Any]
WHITE_12, WHITE_16 = 4095, 65_535
RAMP_12 = np.arange(4096, dtype=np.uint16)
STEEP_12 = RAMP_12 * np.uint16(16)
"""From 12 bits to 16."""
FALLING_12 = RAMP_12[::-1] * np.uint16(16)
EIGHT_12 = RAMP_12 >> np.uint16(4)
"""From 12 bits to 8."""
SIGMOID: Elements = {"WindowCenter": "8192", "WindowWidth": "5200", "VOILUTFunction": "SIGMOID"}
"""A curve on which 14 bits hold 256 grey levels, each of its own."""
FRAME_VOI = "FrameVOILUTSequence"
PALETTE_COLOURS = (0x00281101, 0x00281102, 0x00281103), (0x00281201, 0x00281202, 0x00281203)
"""Descriptors and data, of red, green and blue."""


# Bits, sign and alignment


def _shifted(values: Array, bits: int, high_bit: int, below: int = 0) -> Dataset:
    """Store values so that their highest bit is ``high_bit``."""
    left = np.uint16(high_bit + 1 - bits)
    return dataset((values << left) | np.uint16(below), bits, HighBit=high_bit)


def _noise_above(grey: Grey) -> Dataset:
    noise = np.random.default_rng(SEED).integers(0, 16, grey.shape, np.uint16)
    return dataset(deep(grey, 12) | (noise << np.uint16(12)), 12)


def _overlay_above(grey: Grey) -> Dataset:
    """A graphic in bit 12, as overlays were stored once (retired, PS3.5 8.1.2)."""
    values = deep(grey, 12)
    height, width = grey.shape
    values[height // 20 : height // 10, width // 10 : width // 2] |= np.uint16(1 << 12)
    return with_overlay(dataset(values, 12), bits=16, bit=12)


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


# Padding, and single pixels that are wrong


def _padding_range(stored: Array, low: int, high: int, vr: str) -> Dataset:
    wide = bordered(stored.astype(np.int32), low)
    around = bordered(np.zeros(stored.shape, np.uint8), 1).astype(bool)
    wide[around] = np.random.default_rng(SEED).integers(low, high + 1, int(around.sum()))
    ds = with_element(dataset(wide.astype(stored.dtype), 16), PADDING_VALUE, vr, low)
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


STORED: DicomTable = {
    "8_of_16": lambda g: dataset(g.astype(np.uint16), 8),
    "16_of_32": lambda g: dataset(deep(g, 16).astype(np.uint32), 16),
    "high_bit_11_of_10": lambda g: _shifted(deep(g, 10), 10, 11),
    "high_bit_13_of_12": lambda g: _shifted(deep(g, 12), 12, 13),
    "high_bit_13_of_12_noise_below": lambda g: _shifted(deep(g, 12), 12, 13, below=3),
    "left_aligned_12": lambda g: _shifted(deep(g, 12), 12, 15),
    "left_aligned_10": lambda g: _shifted(deep(g, 10), 10, 15),
    "left_aligned_8": lambda g: _shifted(deep(g, 8), 8, 15),
    "left_aligned_not_stated": lambda g: dataset(deep(g, 12) << np.uint16(4), 12),
    "noise_above_the_bits": _noise_above,
    "overlay_above_the_bits": _overlay_above,
    "signed_8": lambda g: dataset((g.astype(np.int16) - 128).astype(np.int8), 8),
    "signed_12_not_extended": lambda g: dataset(
        signed(g, 12).view(np.uint16) & np.uint16(0xFFF), 12, PixelRepresentation=1
    ),
    "packed_12": _packed_12,
    "float": _floating,
    "padding_of_unknown_vr": lambda g: with_element(
        dataset(bordered(signed(g, 12), -22_000), 16), PADDING_VALUE, "UN", b"\x10\xaa"
    ),
    "padding_range": lambda g: _padding_range(deep(g, 12), 60_000, 61_000, "US"),
    "padding_range_signed": lambda g: _padding_range(signed(g, 12), -9_000, -8_000, "SS"),
    "hot_pixels": lambda g: _with_spots(deep(g, 10), 4095, 12, 9),
    "one_hot_pixel": lambda g: _with_spots(deep(g, 12), 65_535, 16, 1),
    "dead_pixels": lambda g: _with_spots(deep(g, 12) + np.uint16(8000), 0, 14, 20),
    "dead_column": _dead_column,
}
UNREADABLE = {
    "packed_12": "DICOM allows 12 bits allocated no longer (PS3.5 8.1.1)",
    "float": "floating-point pixels are parametric maps, not radiographs",
}


# Rescaling, windows and lookup tables


def _rooted(grey: Grey) -> Array:
    """Make 12-bit values whose square is the image."""
    return np.asarray(np.rint(WHITE_12 * np.sqrt(grey / 255)), np.uint16)


def _squares(white: int, **more: Any) -> Dataset:
    """Map 12-bit values to their squares, of which ``white`` is the highest."""
    return table(np.rint(white * (RAMP_12 / WHITE_12) ** 2).astype(np.uint16), **more)


def _sigmoid(grey: Grey, **elements: Any) -> Dataset:
    """Store 14-bit values that the sigmoid window maps to the image."""
    shown = (grey + 0.5) / 256
    stored = 8192 + 5200 / 4 * np.log(shown / (1 - shown))
    return dataset(np.clip(np.rint(stored), 0, 2**14 - 1).astype(np.uint16), 14, **elements)


def _modality(stored: Array, item: Dataset) -> Dataset:
    item.ModalityLUTType = "US"
    return dataset(stored, 12, ModalityLUTSequence=[item])


def _voi(stored: Array, *items: Dataset, bits: int = 12, **elements: Any) -> Dataset:
    return dataset(stored, bits, VOILUTSequence=list(items), **elements)


def _signed_curve(grey: Grey, descriptor: str) -> Dataset:
    """A curve over signed values, its first one stored as a signed or an unsigned number."""
    stored = (_rooted(grey).astype(np.int32) - 2048).astype(np.int16)
    first = -2048 if descriptor == "SS" else 2**16 - 2048
    return _voi(stored, _squares(WHITE_12, first=first, bits=12, descriptor=descriptor))


# Colour


def _palette(indices: Array, bits: int, levels: Array) -> Dataset:
    ds = dataset(indices, bits, PhotometricInterpretation="PALETTE COLOR")
    for descriptor, data in zip(*PALETTE_COLOURS, strict=True):
        size = 8 * levels.dtype.itemsize
        with_element(ds, descriptor, "US", [len(levels) % 2**16, 0, size])
        with_element(ds, data, "OW", levels.tobytes())
    return ds


def _shuffled(grey: Grey, *, wide: bool) -> Dataset:
    indices, levels = shuffled_palette(grey)
    return _palette(indices, 8, levels.astype(np.uint16) * np.uint16(257) if wide else levels)


def _in_planes(colours: Array, **elements: Any) -> Dataset:
    size = colours.dtype.itemsize
    ds = dataset(colours, 8 * size, PlanarConfiguration=1, **elements)
    set_pixels(ds, np.ascontiguousarray(np.moveaxis(colours, -1, 0)).tobytes(), size)
    return ds


def _ybr_422(grey: Grey) -> Dataset:
    """Two luminances and one pair of differences for every two pixels (PS3.3 C.7.6.3.1.2)."""
    grey = grey[:, : grey.shape[1] // 2 * 2]
    ds = dataset(ycbcr(grey), 8, PhotometricInterpretation="YBR_FULL_422")
    neutral = np.full((grey.shape[0], grey.shape[1] // 2), 128, np.uint8)
    values = np.stack([grey[:, ::2], grey[:, 1::2], neutral, neutral], axis=-1)
    set_pixels(ds, values.tobytes(), 1)
    return ds


SHOWN: DicomTable = {
    # Rescaling and modality lookup tables
    "modality_lut": lambda g: _modality(deep(g, 12), table(STEEP_12)),
    "modality_lut_inverting": lambda g: _modality(inverted(g, 12), table(FALLING_12)),
    "modality_lut_curve": lambda g: _modality(_rooted(g), _squares(WHITE_16)),
    "modality_lut_signed": lambda g: _modality(
        signed(g, 12), table(STEEP_12, first=-2048, descriptor="SS")
    ),
    # Windows
    "window_sigmoid": lambda g: _sigmoid(g, **SIGMOID),
    "window_in_shared_groups": lambda g: _sigmoid(g, **in_groups(FRAME_VOI, **SIGMOID)),
    "window_in_frame_groups": lambda g: _sigmoid(g, **in_groups(FRAME_VOI, each=True, **SIGMOID)),
    # VOI lookup tables
    "voi_lut": lambda g: _voi(deep(g, 12), table(RAMP_12, bits=12)),
    "voi_lut_14_of_16": lambda g: _voi(deep(g, 12), table(RAMP_12 * np.uint16(4))),
    "voi_lut_10_of_16": lambda g: _voi(deep(g, 12), table(RAMP_12 >> np.uint16(2))),
    "voi_lut_8_in_words": lambda g: _voi(deep(g, 12), table(EIGHT_12, bits=8)),
    "voi_lut_8_in_bytes": lambda g: _voi(deep(g, 12), table(EIGHT_12.astype(np.uint8), bits=8)),
    "voi_lut_12_called_8": lambda g: _voi(deep(g, 12), table(RAMP_12, bits=8)),
    "voi_lut_numbers": lambda g: _voi(deep(g, 12), table(RAMP_12, bits=12, data="US")),
    "voi_lut_curve": lambda g: _voi(_rooted(g), _squares(WHITE_12, bits=12)),
    "voi_lut_curve_14_of_16": lambda g: _voi(_rooted(g), _squares(16_383)),
    "voi_lut_first_negative": lambda g: _signed_curve(g, "SS"),
    "voi_lut_first_negative_as_us": lambda g: _signed_curve(g, "US"),
    "voi_lut_after_rescale": lambda g: _voi(
        deep(g, 12),
        table(RAMP_12, first=-1024, bits=12, descriptor="SS"),
        RescaleSlope="1",
        RescaleIntercept="-1024",
    ),
    "voi_lut_of_a_part": lambda g: _voi(
        np.rint(500 + 3000 * (g / 255)).astype(np.uint16),
        table(np.rint(np.linspace(0, WHITE_16, 3001)).astype(np.uint16), first=500),
    ),
    "voi_lut_65536": lambda g: _voi(deep(g, 16), table(np.arange(2**16, dtype=np.uint16)), bits=16),
    "voi_luts_several": lambda g: _voi(
        _rooted(g), _squares(WHITE_16), table(RAMP_12[::-1].copy(), bits=12)
    ),
    "voi_lut_in_groups": lambda g: dataset(
        _rooted(g), 12, **in_groups(FRAME_VOI, VOILUTSequence=[_squares(WHITE_16)])
    ),
    # Inversion
    "monochrome1_voi_lut": lambda g: monochrome1(g, VOILUTSequence=[table(RAMP_12, bits=12)]),
    # Colour
    "palette": lambda g: _shuffled(g, wide=True),
    "palette_8_bit": lambda g: _shuffled(g, wide=False),
    "palette_of_4096": lambda g: _palette(inverted(g, 12), 12, FALLING_12),
    "rgb_planar": lambda g: _in_planes(rgb(g)),
    "rgb_16_planar": lambda g: _in_planes(rgb(deep(g, 16))),
    "ybr_full_planar": lambda g: _in_planes(ycbcr(g), PhotometricInterpretation="YBR_FULL"),
    "ybr_full_422": _ybr_422,
}

WAYS: tuple[Way, ...] = (
    *dicom_ways(STORED | SHOWN, unreadable=UNREADABLE),
    *dicom_ways({"7_of_8": lambda g: dataset(g >> 1, 7)}, lossy=True),
)
