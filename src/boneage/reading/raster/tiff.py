"""From a page of a TIFF to one grey value a pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.ExifTags import Base as Tag

from boneage.errors import FilmError
from boneage.reading.accepted import Limits
from boneage.reading.raster.grey import DecodedImage, Grey, channels_differ, luminance, opacity
from boneage.reading.raster.headers import UPRIGHT, aspect_of_resolution
from boneage.reading.raster.tiff_decode import samples_of
from boneage.reading.raster.tiff_layout import JPEG, NUMBERS, Layout, damaged, layout_of, one_page
from boneage.reading.raster.tone_curve import (
    ToneCurve,
    curve_of_profile,
    curve_of_table,
    unread_curve,
)

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, CMYK, YCBCR, CIELAB = 0, 1, 2, 3, 5, 6, 8
ICCLAB, ITULAB = 9, 10
COLOURS: Mapping[int, int] = {
    **dict.fromkeys((WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE), 1),
    **dict.fromkeys((RGB, YCBCR, CIELAB, ICCLAB, ITULAB), 3),
    CMYK: 4,
}
"""Samples that a photometric interpretation needs; what is more is extra."""
ALPHA = 2
"""Extra samples of opacity. Of kind 1, the colours are multiplied with it already."""
MAX_TABLE_BITS = 16


def read_tiff(data: bytes, limits: Limits) -> DecodedImage:
    """Read the bytes of a TIFF; FilmError where they are not one whole image that is supported."""
    page = one_page(data)
    layout = layout_of(page, limits)
    interpretation = _interpretation(layout)
    in_ycbcr = interpretation == YCBCR and layout.compression == JPEG
    samples = samples_of(layout, in_ycbcr)
    if in_ycbcr:
        interpretation = RGB
    values, coloured = _grey(samples, interpretation, layout)
    alpha = _alpha(samples, interpretation, layout)
    orientation = page.number(Tag.Orientation, UPRIGHT)
    return DecodedImage(
        Grey(values, _white(samples, layout), alpha),
        bits=layout.bits,
        coloured=coloured,
        orientation=orientation if 1 <= orientation <= 8 else UPRIGHT,
        aspect=aspect_of_resolution(
            page.numbers(Tag.XResolution).tolist(), page.numbers(Tag.YResolution).tolist()
        ),
        curve=_curve(layout, interpretation),
    )


def _interpretation(layout: Layout) -> int:
    """Read the photometric interpretation; where none is stated, that of the number of samples."""
    page = layout.page
    usual = RGB if layout.samples >= 3 else BLACK_IS_ZERO
    stated = page.number(Tag.PhotometricInterpretation, usual)
    if stated not in COLOURS:
        what = NUMBERS["other_interpretations"].get(stated, f"photometric interpretation {stated}")
        raise FilmError(
            "unsupported_pixels",
            f"is a TIFF of {what}, which is not supported; export it in grey or RGB",
        )
    if layout.samples < COLOURS[stated]:
        raise damaged(f"{layout.samples} samples a pixel are too few for its colours")
    subsampled = page.numbers(Tag.YCbCrSubSampling).tolist() or [2, 2]
    unreadable = (
        (stated == YCBCR and layout.compression != JPEG and subsampled != [1, 1])
        or (stated == YCBCR and layout.compression == JPEG and layout.planes > 1)
        or (stated in {CMYK, YCBCR, CIELAB, ICCLAB, ITULAB} and layout.kind != "u")
        or (stated == CMYK and page.number(Tag.InkSet, 1) != 1)
        or (stated == PALETTE and (layout.kind != "u" or layout.bits > MAX_TABLE_BITS))
    )
    if unreadable:
        raise FilmError(
            "unsupported_pixels",
            "is a TIFF whose colours are stored in a rare way (photometric "
            f"interpretation {stated}), which is not supported; export it in grey or RGB",
        )
    return stated


def _white(samples: npt.NDArray[Any], layout: Layout) -> float | None:
    """Give the value of white; None for numbers of no stated range."""
    if layout.kind == "f":
        unit = samples.min() >= 0 and samples.max() <= 1
        return 1.0 if unit else None
    if layout.kind == "u" and layout.bits <= MAX_TABLE_BITS:
        return float(2**layout.bits - 1)
    return None


def _grey(
    samples: npt.NDArray[Any], interpretation: int, layout: Layout
) -> tuple[npt.NDArray[Any], bool]:
    """Take the luminance, and whether the image is coloured."""
    white = _white(samples, layout)
    if interpretation == PALETTE:
        colours = _palette(layout)[samples[..., 0]]
        grey = luminance(colours)
        if layout.bits < MAX_TABLE_BITS:  # of 16 bits, whatever the depth of the numbers
            grey = grey.astype(np.float32) * np.float32((white or 1) / 65_535)
        return grey, channels_differ(colours, 65_535.0)
    if interpretation == RGB:
        colours = samples[..., :3]
        return luminance(colours), channels_differ(colours, white)
    if interpretation == CMYK:
        full = np.float32(white or 1)
        colours = (full - samples[..., :3]) * (1 - samples[..., 3:4] / full)
        return luminance(colours), channels_differ(colours, white)
    first = samples[..., 0]
    if interpretation == WHITE_IS_ZERO:
        # Of values without a stated white, only the order matters.
        first = -first.astype(np.float64) if white is None else first.dtype.type(white) - first
    if interpretation in {YCBCR, CIELAB, ICCLAB, ITULAB}:
        middle = 0 if interpretation == CIELAB else 2 ** (layout.bits - 1)
        chroma = samples[..., 1:3].astype(np.uint16) - np.uint16(middle)
        signed = chroma.view(np.int16) if layout.bits > 8 else chroma.astype(np.uint8).view(np.int8)
        apart = np.abs(signed.astype(np.float32)).mean() / np.float32(white or 1)
        return first, bool(apart * 255 > 8)
    return first, False


def _palette(layout: Layout) -> npt.NDArray[np.uint16]:
    """Read the colours of a palette: shape (2 ** bits, 3), of 16 bits."""
    size = 2**layout.bits
    values = layout.page.numbers(Tag.ColorMap)
    if values.size < 3 * size:
        raise damaged(f"its palette has {values.size // 3} of {size} colours")
    colours = values[: 3 * size].reshape(3, size).T.astype(np.uint16)
    # Some programs write 8-bit colours where 16 bits are meant, or them times 256.
    if colours.max() < 256:
        colours = colours * np.uint16(257)
    elif not (colours % 256).any():
        colours = colours // 256 * np.uint16(257)
    return np.ascontiguousarray(colours)


def _alpha(
    samples: npt.NDArray[Any], interpretation: int, layout: Layout
) -> npt.NDArray[np.float32] | None:
    """Read how opaque each pixel is, 0 to 1; None where all are, or values hold it already."""
    first = COLOURS[interpretation]
    if layout.samples == first:
        return None
    kinds = layout.page.numbers(Tag.ExtraSamples)
    if not kinds.size and layout.samples == first + 1:
        kinds = np.array([ALPHA])  # programs that do not say mean this
    for index, kind in enumerate(kinds[: layout.samples - first]):
        if kind == ALPHA:
            values = samples[..., first + index]
            white = _white(samples, layout)
            return None if white is None else opacity(values, white)
    return None


def _curve(layout: Layout, interpretation: int) -> ToneCurve | None:
    """Read the curve of the grey levels, from a profile or a table."""
    page = layout.page
    profile = page.numbers(Tag.InterColorProfile).tobytes()
    if profile:
        return curve_of_profile(profile)
    if Tag.TransferFunction in page.entries and layout.bits <= MAX_TABLE_BITS:
        return curve_of_table(page.numbers(Tag.TransferFunction), 2**layout.bits)
    if Tag.GrayResponseCurve in page.entries and interpretation in {WHITE_IS_ZERO, BLACK_IS_ZERO}:
        return unread_curve("a grey response curve")
    return None
