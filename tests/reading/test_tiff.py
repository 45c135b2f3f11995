"""Every layout of TIFF: the very values that were written, or the true reason why not."""

from __future__ import annotations

import struct
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage import read
from tests.reading.conftest import Refused
from tests.reading.drawn import DEEP, GREY, UNIT, stretched, tiff

Options = dict[str, Any]
WORDS = DEEP.astype(np.uint16) * 16 + 3
WORD_UNIT = WORDS / 65_535
BLACK = np.zeros_like(GREY)
ALPHA = np.full_like(GREY, 255)
ALPHA[:20], ALPHA[20:40] = 0, 128

GREYS: Options = {"photometric": "minisblack"}
RGB: Options = {"photometric": "rgb", "planarconfig": "contig"}
PLANAR: Options = {"photometric": "rgb", "planarconfig": "separate"}
HEADS: tuple[Options, ...] = tuple(
    {"byteorder": order, "bigtiff": big} for order in "<>" for big in (False, True)
)
GRIDS: tuple[Options, ...] = (
    {},
    {"rowsperstrip": 7},
    {"rowsperstrip": 200},
    {"tile": (64, 48)},
    {"tile": (256, 256)},
)
PACKINGS: tuple[Options, ...] = (
    {},
    *({"compression": name} for name in ("lzw", "adobe_deflate", "deflate", "packbits")),
    {"compression": "zstd"},
    *({"compression": name, "predictor": True} for name in ("lzw", "adobe_deflate", "zstd")),
)


def exact(content: bytes, expected: npt.NDArray[Any], tolerance: float = 2e-7) -> None:
    pixels = read(content).pixels
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("packing", PACKINGS, ids=str)
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_grey_and_rgb_of_8_and_16_bits(grid: Options, packing: Options) -> None:
    for head in HEADS if not packing else (HEADS[0], HEADS[-1]):
        options = {**head, **grid, **packing}
        for pixels, expected in ((GREY, UNIT), (WORDS, WORD_UNIT)):
            exact(tiff(pixels, **GREYS, **options), expected)
            exact(tiff(np.dstack([pixels] * 3), **RGB, **options), expected)
            exact(tiff(np.stack([pixels] * 3), **PLANAR, **options), expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_planes_are_distinguished(grid: Options, order: str) -> None:
    planes = np.stack([WORDS, WORDS // 2, WORDS // 5])
    expected = np.tensordot((0.299, 0.587, 0.114), planes / 65_535, 1)
    for packing in ({}, {"compression": "lzw", "predictor": True}):
        content = tiff(planes, **PLANAR, **grid, **packing, byteorder=order)
        exact(content, expected, 2 / 65_535)
        assert read(content).metadata.in_colour


@pytest.mark.parametrize("kind", ["u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_wide_signed_and_floating_numbers(grid: Options, kind: str) -> None:
    dtype = np.dtype(kind)
    values = DEEP // 20 - 100 if kind == "i1" else DEEP.astype(np.int64) * 3
    values = (values - 500 if dtype.kind == "i" and kind != "i1" else values).astype(dtype)
    packings: tuple[Options, ...] = (
        {},
        {"compression": "lzw"},
        {"compression": "adobe_deflate", "predictor": True},
    )
    for head, packing in product((HEADS[0], HEADS[-1]), packings):
        if packing.get("predictor") and kind[1] == "8" and dtype.kind != "f":
            continue  # tifffile does not write them
        exact(tiff(values, **GREYS, **head, **grid, **packing), stretched(values), 1e-6)
    assert read(tiff(values, **GREYS)).metadata.bits == dtype.itemsize * 8


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floats_from_0_to_1_are_what_they_are(kind: str) -> None:
    values = (0.2 + UNIT / 2).astype(kind)
    exact(tiff(values, **GREYS), values)
    exact(tiff(values, photometric="miniswhite"), 1 - values.astype(np.float64), 1e-3)


@pytest.mark.parametrize("bits", range(1, 16))
def test_samples_that_are_no_whole_bytes(bits: int) -> None:
    values = WORDS >> (16 - bits) if bits > 8 else GREY >> (8 - bits)
    if bits == 8:
        return
    white = 2**bits - 1
    for big, grid in product((False, True), GRIDS):  # tifffile packs those of big endian wrongly
        content = tiff(values, **GREYS, bigtiff=big, **grid, bitspersample=bits)
        exact(content, values / white)
    colour = tiff(np.dstack([values] * 3), **RGB, bitspersample=bits)
    exact(colour, values / white)
    assert read(colour).metadata.bits == bits


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize(("pixels", "white"), [(GREY, 255), (WORDS, 65_535)])
def test_alpha(pixels: npt.NDArray[Any], white: int, planes: str) -> None:
    alpha = ALPHA.astype(pixels.dtype) * (white // 255)
    seen = pixels / white * (ALPHA / 255)
    axis = -1 if planes == "contig" else 0
    for grid, colours in product(GRIDS, (1, 3)):

        def written(values: Any, kinds: list[str], more: int = 1) -> bytes:
            samples = [values] * colours + [alpha] * more  # noqa: B023
            interpretation = "minisblack" if colours == 1 else "rgb"  # noqa: B023
            return tiff(
                np.stack(samples, axis),
                photometric=interpretation,
                planarconfig=planes,
                extrasamples=kinds,
                **grid,  # noqa: B023
            )

        exact(written(pixels, ["unassalpha"]), seen)
        exact(written(pixels, ["unspecified", "unassalpha"], 2), seen)
        exact(written(pixels, ["unspecified"]), pixels / white)
        multiplied = (seen * white).round().astype(pixels.dtype)
        exact(written(multiplied, ["assocalpha"]), multiplied / white)


def test_an_empty_alpha_channel_hides_nothing() -> None:
    exact(tiff(np.dstack([GREY, BLACK]), **GREYS, extrasamples=["unassalpha"]), UNIT)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_other_colours(grid: Options) -> None:
    exact(tiff(255 - GREY, photometric="miniswhite", **grid), UNIT)
    exact(tiff(65_535 - WORDS, photometric="miniswhite", **grid), WORD_UNIT)
    inks = np.dstack([BLACK, BLACK, BLACK, 255 - GREY])
    exact(tiff(inks, photometric="separated", **grid), UNIT, 1e-6)
    lightness = tiff(np.dstack([GREY, BLACK, BLACK]), photometric="cielab", **grid)
    exact(lightness, UNIT)
    assert not read(lightness).metadata.in_colour
    assert read(tiff(np.dstack([GREY, BLACK + 90, BLACK]), photometric="cielab")).metadata.in_colour


@pytest.mark.parametrize("scale", [1, 256, 257])
def test_palettes(scale: int) -> None:
    levels = np.stack([np.arange(255, -1, -1, dtype=np.uint16) * scale] * 3)
    exact(tiff(GREY, photometric="palette", colormap=levels), 1 - UNIT, 1e-6)


@pytest.mark.parametrize("grid", [{}, {"rowsperstrip": 64}, {"tile": (64, 48)}], ids=str)
def test_jpeg_within(grid: Options) -> None:
    colour = np.dstack([GREY] * 3)
    jpeg: Options = {"compression": "jpeg", "compressionargs": {"level": 95}, **grid}
    exact(tiff(GREY, **GREYS, **jpeg), UNIT, 0.03)
    exact(tiff(255 - GREY, photometric="miniswhite", **jpeg), UNIT, 0.03)
    exact(tiff(np.stack([GREY] * 3), **PLANAR, **jpeg), UNIT, 0.03)
    for subsampling in ((1, 1), (2, 1), (2, 2)):
        exact(tiff(colour, photometric="rgb", subsampling=subsampling, **jpeg), UNIT, 0.03)
    as_rgb = {**jpeg, "compressionargs": {"level": 95, "outcolorspace": "rgb"}}
    exact(tiff(colour, photometric="rgb", **as_rgb), UNIT, 0.03)
    inks = np.dstack([BLACK, BLACK, BLACK, 255 - GREY])
    exact(tiff(inks, photometric="separated", **jpeg), UNIT, 0.03)


def test_jpeg_of_a_colour_keeps_its_hue() -> None:
    colour = np.dstack([GREY // 4, GREY // 2, GREY])
    expected = (colour / 255) @ (0.299, 0.587, 0.114)
    for subsampling in ((1, 1), (2, 2)):
        content = tiff(colour, photometric="rgb", compression="jpeg", subsampling=subsampling)
        exact(content, expected, 0.03)
        assert read(content).metadata.in_colour


def test_reversed_bits() -> None:
    mirrored = np.array([int(f"{level:08b}"[::-1], 2) for level in range(256)], np.uint8)
    content = tiff(mirrored[GREY], **GREYS, extratags=[(65_000, "H", 1, 2, True)])
    exact(with_tag(content, 65_000, 266), UNIT)


def with_tag(content: bytes, tag: int, other: int) -> bytes:
    """Let a tag, of type SHORT and one value, be another one."""
    written = struct.pack("<HHI", tag, 3, 1)
    assert content.count(written) == 1
    return content.replace(written, struct.pack("<HHI", other, 3, 1))


def test_lzma() -> None:
    exact(tiff(WORDS, **GREYS, compression="lzma"), WORD_UNIT)


def test_a_tiff_that_states_no_photometric_interpretation() -> None:
    for pixels, options in ((GREY, GREYS), (np.dstack([GREY] * 3), RGB)):
        exact(with_tag(tiff(pixels, **options), 262, 65_000), UNIT)


@pytest.mark.parametrize("kind", [1, 4, 5])
@pytest.mark.parametrize("first", [False, True])
def test_a_preview_or_mask_is_no_second_film(kind: int, first: bool) -> None:
    film: Options = {"data": WORDS, **GREYS}
    copy: Options = {"data": GREY[::2, ::2] > 100, "subfiletype": kind, **GREYS}
    pages = (copy, film) if first else (film, copy)
    exact(tiff(*pages), WORD_UNIT)


def test_a_preview_below_the_page_is_no_second_film() -> None:
    film: Options = {"data": WORDS, **GREYS, "subifds": 1}
    exact(tiff(film, {"data": GREY[::4, ::4], "subfiletype": 1, **GREYS}), WORD_UNIT)


def test_a_film_below_its_preview() -> None:
    preview: Options = {"data": GREY[::4, ::4], "subfiletype": 1, **GREYS, "subifds": 1}
    exact(tiff(preview, {"data": WORDS, **GREYS}), WORD_UNIT)


def test_several_pages(refused: Refused) -> None:
    assert "2 pages" in str(refused(tiff(GREY, GREY, **GREYS), "several_pages"))
    volume = np.stack([GREY] * 16)
    content = tiff(volume, volumetric=True, tile=(16, 64, 64), **GREYS)
    assert "16 pages" in str(refused(content, "several_pages"))


@pytest.mark.parametrize("compression", ["jpeg2000", "jpegxl", "jpegxr", "png", "lerc"])
def test_a_compression_that_is_not_read_is_named(refused: Refused, compression: str) -> None:
    message = str(refused(tiff(GREY, compression=compression, **GREYS), "unsupported_compression"))
    assert "compression" in message
    assert "damaged" not in message
    assert "LZW or Deflate" in message


MOSAIC: Options = {
    "extratags": [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
}


@pytest.mark.parametrize(
    ("pixels", "options", "reason"),
    [
        (GREY.astype(np.complex64), GREYS, "complex numbers"),
        (WORDS, {"photometric": 32844}, "logarithmic luminance"),
        (WORDS, {"photometric": "cfa", **MOSAIC}, "mosaic of a camera"),
        (np.dstack([GREY] * 9), {**GREYS, "planarconfig": "contig"}, "9 samples a pixel"),
        (np.dstack([UNIT] * 4), {"photometric": "separated"}, "rare way"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pixels_that_are_not_read_are_named(
    refused: Refused, pixels: npt.NDArray[Any], options: Options, reason: str
) -> None:
    content = tiff(pixels, **options)
    message = str(refused(content, "unsupported_pixels"))
    assert reason in message
    assert "not supported" in message


def test_12_bit_and_lossless_jpeg_are_named(refused: Refused) -> None:
    twelve = tiff(WORDS >> 4, compression="jpeg", bitspersample=12, **GREYS)
    assert "12 bits" in str(refused(twelve, "unsupported_compression"))


@pytest.mark.parametrize(
    ("tag", "value", "reason"),
    [
        (262, 4711, "photometric interpretation 4711"),
        (262, 4, "a transparency mask alone"),
        (258, 24, "24 bits a sample"),
        (258, 128, "128 bits a sample"),
        (339, 9, "sample format 9"),
        (277, 1_000, "1000 samples a pixel"),
    ],
)
def test_numbers_that_are_not_known_are_quoted(
    refused: Refused, tag: int, value: int, reason: str
) -> None:
    content = bytearray(tiff(UNIT if tag == 339 else GREY, **GREYS))
    place = content.index(struct.pack("<HHI", tag, 3, 1)) + 8
    struct.pack_into("<H", content, place, value)
    assert reason in str(refused(bytes(content), "unsupported_pixels"))
