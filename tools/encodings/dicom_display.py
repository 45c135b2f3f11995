"""DICOM: rescaling, lookup tables, windows, photometric interpretations and colour.

Where a curve is stated, the stored values are made by its inverse, so that a reader who
applies it sees the image again, and one who does not sees another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from tools.encodings.dicom_files import dataset, groups, macro, set_pixels, table, with_element
from tools.encodings.dicom_stored import dicom_way, signed
from tools.encodings.ways import Array, Grey, Way, deep, rgb, shuffled_palette

WHITE_12, WHITE_16 = 4095, 65_535
RAMP_12 = np.arange(4096, dtype=np.uint16)
SIGMOID = {"WindowCenter": "8192", "WindowWidth": "5200", "VOILUTFunction": "SIGMOID"}
"""A curve on which 14 bits hold 256 grey levels, each of its own."""
PALETTE_COLOURS = (0x00281101, 0x00281102, 0x00281103), (0x00281201, 0x00281202, 0x00281203)
"""Descriptors and data, of red, green and blue."""


def _twelve(grey: Grey, **elements: Any) -> Dataset:
    return dataset(deep(grey, 12), 12, **elements)


def _inverted(grey: Grey, bits: int = 12, **elements: Any) -> Dataset:
    return dataset(np.uint16(2**bits - 1) - deep(grey, bits), bits, **elements)


def _through_sigmoid(grey: Grey) -> npt.NDArray[np.uint16]:
    """Store 14-bit values that the sigmoid window maps to the image."""
    shown = (grey + 0.5) / 256
    stored = 8192 + 5200 / 4 * np.log(shown / (1 - shown))
    return np.asarray(np.clip(np.rint(stored), 0, 2**14 - 1), np.uint16)


def _rooted(grey: Grey) -> npt.NDArray[np.uint16]:
    """Store 12-bit values whose square is the image."""
    return np.asarray(np.rint(WHITE_12 * np.sqrt(grey / 255)), np.uint16)


def _squares(white: int) -> npt.NDArray[np.uint16]:
    """Map 12-bit values to their squares, of which ``white`` is the highest."""
    return np.rint(white * (RAMP_12 / WHITE_12) ** 2).astype(np.uint16)


def _window(grey: Grey, centre: str | list[str], width: str | list[str], **more: Any) -> Dataset:
    return _twelve(grey, WindowCenter=centre, WindowWidth=width, **more)


def _modality(stored: Array, item: Dataset, bits: int = 12) -> Dataset:
    item.ModalityLUTType = "US"
    return dataset(stored, bits, ModalityLUTSequence=[item])


def _voi(stored: Array, *items: Dataset, bits: int = 12, **elements: Any) -> Dataset:
    return dataset(stored, bits, VOILUTSequence=list(items), **elements)


def _signed_curve(grey: Grey, descriptor: str) -> Dataset:
    """A curve over signed values, its first one stored as a signed or an unsigned number."""
    stored = (_rooted(grey).astype(np.int32) - 2048).astype(np.int16)
    first = -2048 if descriptor == "SS" else 2**16 - 2048
    return _voi(stored, table(_squares(WHITE_12), first=first, bits=12, descriptor=descriptor))


def _in_groups(ds: Dataset, keyword: str, **macros: Dataset) -> Dataset:
    ds.NumberOfFrames = 1
    setattr(ds, keyword, groups(**macros))
    return ds


def _palette(indices: Array, bits: int, levels: Array, entry_bits: int) -> Dataset:
    ds = dataset(indices, bits, PhotometricInterpretation="PALETTE COLOR")
    packed = levels.astype("<u1" if entry_bits == 8 else "<u2").tobytes()
    for descriptor, data in zip(*PALETTE_COLOURS, strict=True):
        with_element(ds, descriptor, "US", [len(levels) % 2**16, 0, entry_bits])
        with_element(ds, data, "OW", packed)
    return ds


def _shuffled(grey: Grey, entry_bits: int) -> Dataset:
    indices, levels = shuffled_palette(grey)
    wide: Array = levels if entry_bits == 8 else levels.astype(np.uint16) * np.uint16(257)
    return _palette(indices, 8, wide, entry_bits)


def _in_planes(colours: Array, **elements: Any) -> Dataset:
    ds = dataset(colours, 8 * colours.dtype.itemsize, PlanarConfiguration=1, **elements)
    planes = np.ascontiguousarray(np.moveaxis(colours, -1, 0))
    set_pixels(ds, planes.tobytes(), colours.dtype.itemsize)
    return ds


def ycbcr(grey: Grey) -> Array:
    """Convert to luminance and two colour differences, shape (height, width, 3)."""
    # Pillow's conversion would move a third of the grey levels by one.
    return np.stack([grey, *[np.full_like(grey, 128)] * 2], axis=-1)


def _ybr_422(grey: Grey) -> Dataset:
    """Two luminances and one pair of differences for every two pixels (PS3.3 C.7.6.3.1.2)."""
    grey = grey[:, : grey.shape[1] // 2 * 2]
    ds = dataset(ycbcr(grey), 8, PhotometricInterpretation="YBR_FULL_422")
    neutral = np.full((grey.shape[0], grey.shape[1] // 2), 128, np.uint8)
    values = np.stack([grey[:, ::2], grey[:, 1::2], neutral, neutral], axis=-1)
    set_pixels(ds, values.tobytes(), 1)
    return ds


WAYS: tuple[Way, ...] = (
    # Rescaling and modality lookup tables
    dicom_way("rescale", lambda grey: _twelve(grey, RescaleSlope="0.5", RescaleIntercept="-100")),
    dicom_way(
        "rescale_large", lambda grey: _twelve(grey, RescaleSlope="16", RescaleIntercept="-1024")
    ),
    dicom_way(
        "rescale_negative", lambda grey: _inverted(grey, RescaleSlope="-1", RescaleIntercept="4095")
    ),
    dicom_way(
        "rescale_negative_window",
        lambda grey: _inverted(
            grey,
            RescaleSlope="-1",
            RescaleIntercept="4095",
            WindowCenter="2048",
            WindowWidth="4096",
        ),
    ),
    dicom_way("rescale_zero", lambda grey: _twelve(grey, RescaleSlope="0", RescaleIntercept="0")),
    dicom_way(
        "rescale_in_groups",
        lambda grey: _in_groups(
            _inverted(grey),
            "SharedFunctionalGroupsSequence",
            PixelValueTransformationSequence=macro(
                RescaleSlope="-1", RescaleIntercept="4095", RescaleType="US"
            ),
        ),
    ),
    dicom_way(
        "modality_lut", lambda grey: _modality(deep(grey, 12), table(RAMP_12 * np.uint16(16)))
    ),
    dicom_way(
        "modality_lut_inverting",
        lambda grey: _modality(
            np.uint16(4095) - deep(grey, 12), table(RAMP_12[::-1] * np.uint16(16))
        ),
    ),
    dicom_way(
        "modality_lut_curve", lambda grey: _modality(_rooted(grey), table(_squares(WHITE_16)))
    ),
    dicom_way(
        "modality_lut_signed",
        lambda grey: _modality(
            signed(grey, 12), table(RAMP_12 * np.uint16(16), first=-2048, descriptor="SS")
        ),
    ),
    # Windows
    dicom_way("window_exact", lambda grey: _window(grey, "2048", "4096")),
    dicom_way(
        "window_linear_exact",
        lambda grey: _window(grey, "2047.5", "4095", VOILUTFunction="LINEAR_EXACT"),
    ),
    dicom_way("window_far_wider", lambda grey: _window(grey, "32768", "65536")),
    dicom_way("window_wider_below", lambda grey: _window(grey, "-4096", "20000")),
    dicom_way(
        "windows_several",
        lambda grey: _window(grey, ["2048", "600", "3500"], ["4096", "200", "100"]),
    ),
    dicom_way("window_beside_all_values", lambda grey: _window(grey, "-30000", "100")),
    dicom_way("window_of_no_width", lambda grey: _window(grey, "2048", "0")),
    dicom_way(
        "window_rescaled",
        lambda grey: _window(grey, "924", "2048", RescaleSlope="0.5", RescaleIntercept="-100"),
    ),
    dicom_way(
        "window_signed",
        lambda grey: dataset(signed(grey, 12), 12, WindowCenter="0", WindowWidth="4096"),
    ),
    dicom_way("window_sigmoid", lambda grey: dataset(_through_sigmoid(grey), 14, **SIGMOID)),
    dicom_way(
        "window_in_shared_groups",
        lambda grey: _in_groups(
            dataset(_through_sigmoid(grey), 14),
            "SharedFunctionalGroupsSequence",
            FrameVOILUTSequence=macro(**SIGMOID),
        ),
    ),
    dicom_way(
        "window_in_frame_groups",
        lambda grey: _in_groups(
            dataset(_through_sigmoid(grey), 14),
            "PerFrameFunctionalGroupsSequence",
            FrameVOILUTSequence=macro(**SIGMOID),
        ),
    ),
    # VOI lookup tables
    dicom_way("voi_lut", lambda grey: _voi(deep(grey, 12), table(RAMP_12, bits=12))),
    dicom_way("voi_lut_14_of_16", lambda grey: _voi(deep(grey, 12), table(RAMP_12 * np.uint16(4)))),
    dicom_way(
        "voi_lut_10_of_16", lambda grey: _voi(deep(grey, 12), table(RAMP_12 >> np.uint16(2)))
    ),
    dicom_way(
        "voi_lut_8_in_words",
        lambda grey: _voi(deep(grey, 12), table(RAMP_12 >> np.uint16(4), bits=8)),
    ),
    dicom_way(
        "voi_lut_8_in_bytes",
        lambda grey: _voi(
            deep(grey, 12), table((RAMP_12 >> np.uint16(4)).astype(np.uint8), bits=8)
        ),
    ),
    dicom_way("voi_lut_12_called_8", lambda grey: _voi(deep(grey, 12), table(RAMP_12, bits=8))),
    dicom_way(
        "voi_lut_numbers", lambda grey: _voi(deep(grey, 12), table(RAMP_12, bits=12, data="US"))
    ),
    dicom_way(
        "voi_lut_curve", lambda grey: _voi(_rooted(grey), table(_squares(WHITE_12), bits=12))
    ),
    dicom_way("voi_lut_curve_14_of_16", lambda grey: _voi(_rooted(grey), table(_squares(16_383)))),
    dicom_way("voi_lut_first_negative", lambda grey: _signed_curve(grey, "SS")),
    dicom_way("voi_lut_first_negative_as_us", lambda grey: _signed_curve(grey, "US")),
    dicom_way(
        "voi_lut_after_rescale",
        lambda grey: _voi(
            deep(grey, 12),
            table(RAMP_12, first=-1024, bits=12, descriptor="SS"),
            RescaleSlope="1",
            RescaleIntercept="-1024",
        ),
    ),
    dicom_way(
        "voi_lut_of_a_part",
        lambda grey: _voi(
            np.rint(500 + 3000 * (grey / 255)).astype(np.uint16),
            table(np.rint(np.linspace(0, WHITE_16, 3001)).astype(np.uint16), first=500),
        ),
    ),
    dicom_way(
        "voi_lut_65536",
        lambda grey: _voi(deep(grey, 16), table(np.arange(2**16, dtype=np.uint16)), bits=16),
    ),
    dicom_way(
        "voi_luts_several",
        lambda grey: _voi(
            _rooted(grey), table(_squares(WHITE_16)), table(RAMP_12[::-1].copy(), bits=12)
        ),
    ),
    dicom_way(
        "voi_lut_in_groups",
        lambda grey: _in_groups(
            dataset(_rooted(grey), 12),
            "SharedFunctionalGroupsSequence",
            FrameVOILUTSequence=macro(VOILUTSequence=[table(_squares(WHITE_16))]),
        ),
    ),
    # Inversion
    dicom_way(
        "monochrome1_8",
        lambda grey: dataset(255 - grey, 8, PhotometricInterpretation="MONOCHROME1"),
    ),
    dicom_way(
        "monochrome1_12", lambda grey: _inverted(grey, PhotometricInterpretation="MONOCHROME1")
    ),
    dicom_way(
        "monochrome1_window",
        lambda grey: _inverted(
            grey, PhotometricInterpretation="MONOCHROME1", WindowCenter="2048", WindowWidth="4096"
        ),
    ),
    dicom_way(
        "monochrome1_values_of_12_in_16",
        lambda grey: dataset(
            np.uint16(4095) - deep(grey, 12), 16, PhotometricInterpretation="MONOCHROME1"
        ),
    ),
    dicom_way(
        "monochrome1_voi_lut",
        lambda grey: _inverted(
            grey,
            PhotometricInterpretation="MONOCHROME1",
            VOILUTSequence=[table(RAMP_12, bits=12)],
        ),
    ),
    dicom_way(
        "monochrome1_inverse",
        lambda grey: _inverted(
            grey, PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE"
        ),
    ),
    dicom_way("monochrome2_inverse", lambda grey: _inverted(grey, PresentationLUTShape="INVERSE")),
    dicom_way("monochrome2_identity", lambda grey: _twelve(grey, PresentationLUTShape="IDENTITY")),
    # Colour
    dicom_way("palette", lambda grey: _shuffled(grey, 16)),
    dicom_way("palette_8_bit", lambda grey: _shuffled(grey, 8)),
    dicom_way(
        "palette_of_4096",
        lambda grey: _palette(
            np.uint16(4095) - deep(grey, 12), 12, RAMP_12[::-1] * np.uint16(16), 16
        ),
    ),
    dicom_way("rgb", lambda grey: dataset(rgb(grey), 8)),
    dicom_way("rgb_16", lambda grey: dataset(rgb(deep(grey, 16)), 16)),
    dicom_way("rgb_planar", lambda grey: _in_planes(rgb(grey))),
    dicom_way("rgb_16_planar", lambda grey: _in_planes(rgb(deep(grey, 16)))),
    dicom_way(
        "ybr_full", lambda grey: dataset(ycbcr(grey), 8, PhotometricInterpretation="YBR_FULL")
    ),
    dicom_way(
        "ybr_full_planar",
        lambda grey: _in_planes(ycbcr(grey), PhotometricInterpretation="YBR_FULL"),
    ),
    dicom_way("ybr_full_422", _ybr_422),
)
