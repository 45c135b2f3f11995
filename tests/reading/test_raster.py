"""Pixel values of PNG, JPEG, TIFF, WebP and BMP."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from boneage import read
from tests.reading.conftest import Refused
from tests.reading.drawn import DEEP, GREY, HEIGHT, UNIT, WIDTH, encoded, raster

RNG = np.random.default_rng(7)
COLOUR = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
LUMINANCE = COLOUR.astype(np.float64) @ (0.299, 0.587, 0.114) / 255
WORDS = (DEEP.astype(np.uint16) * 16) + 3
KINDS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")


def by_opencv(suffix: str, pixels: npt.NDArray[Any]) -> bytes:
    done, content = cv2.imencode(suffix, pixels)
    assert done
    return bytes(content.tobytes())


def with_chunks(png: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Put chunks behind the head of a PNG."""
    written = b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return png[:33] + written + png[33:]


def close(content: bytes, expected: npt.NDArray[Any], levels: float = 0.0) -> None:
    pixels = read(content).pixels
    assert pixels.dtype == np.float32
    assert pixels.flags.c_contiguous
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    np.testing.assert_allclose(pixels, expected, rtol=0, atol=levels / 255 + 2e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_grey(kind: str) -> None:
    content = raster(kind, GREY, **({"quality": 98} if kind == "JPEG" else {}))
    close(content, UNIT, levels=3 if kind == "JPEG" else 0)
    metadata = read(content).metadata
    assert metadata.format.upper() == kind
    assert metadata.bits == 8
    assert (metadata.sex, metadata.modality, metadata.chronological_age_months) == (None,) * 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP"])
def test_grey_stored_as_colour_stays_what_it_is(kind: str) -> None:
    close(raster(kind, np.dstack([GREY] * 3)), UNIT)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP"])
def test_colour_becomes_luminance(kind: str) -> None:
    close(raster(kind, COLOUR), LUMINANCE, levels=0.6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit(kind: str) -> None:
    content = raster(kind, WORDS)
    close(content, WORDS / 65_535)
    assert read(content).metadata.bits == 16


def test_16_bit_big_endian_tiff() -> None:
    image = Image.frombytes("I;16B", (WIDTH, HEIGHT), WORDS.astype(">u2").tobytes())
    close(encoded(image, "TIFF"), WORDS / 65_535)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_16_bit_colour_keeps_its_depth(suffix: str) -> None:
    content = by_opencv(suffix, np.dstack([WORDS] * 3))
    close(content, WORDS / 65_535)
    assert read(content).metadata.bits == 16
    colour = (COLOUR.astype(np.uint16) << 8) + 77
    expected = colour.astype(np.float64) @ (0.299, 0.587, 0.114) / 65_535
    close(by_opencv(suffix, colour[..., ::-1]), expected, levels=0.01)


def test_16_bit_alpha() -> None:
    alpha = np.full_like(WORDS, 65_535)
    alpha[:50] = 0
    content = by_opencv(".png", np.dstack([WORDS, WORDS, WORDS, alpha]))
    close(content, np.where(alpha > 0, WORDS / 65_535, 0))


def test_signed_and_32_bit_tiff_by_their_own_range() -> None:
    close(raster("TIFF", DEEP.astype(np.int32) - 2_000), (DEEP - 100) / (DEEP.max() - 100), 0.2)


@pytest.mark.parametrize("scale", [1.0, 4_095.0])
def test_float_tiff(scale: float) -> None:
    values = (UNIT * scale).astype(np.float32)
    expected = UNIT if scale == 1 else (UNIT - UNIT.min()) / (UNIT.max() - UNIT.min())
    content = raster("TIFF", values)
    close(content, expected)
    assert read(content).metadata.bits == 32


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_float_tiff_with_no_number(refused: Refused, wrong: float) -> None:
    values = UNIT.copy()
    values[3, 4:6] = wrong
    assert "has 2 pixels that are NaN or infinite" in str(
        refused(raster("TIFF", values), "not_finite")
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_with_white_zero(dtype: Any) -> None:
    pixels = GREY if dtype == np.uint8 else WORDS
    content = bytearray(raster("TIFF", pixels))
    # Change the tag "photometric interpretation" to WhiteIsZero.
    entry = struct.pack("<HHI", 262, 3, 1)
    place = content.index(entry)
    content[place + 8 : place + 12] = struct.pack("<I", 0)
    close(bytes(content), 1 - pixels / np.iinfo(dtype).max)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("pixels", [GREY, WORDS])
def test_compressed_tiff(pixels: npt.NDArray[Any], compression: str) -> None:
    content = raster("TIFF", pixels, compression=compression)
    close(content, pixels / np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_1_bit(kind: str) -> None:
    content = encoded(Image.fromarray(GREY > 100), kind)
    close(content, GREY > 100)
    if kind == "PNG":
        assert read(content).metadata.bits == 1


def test_palette() -> None:
    image = Image.fromarray(255 - GREY)
    image.putpalette([255 - level for level in range(256) for _ in range(3)])
    for kind in ("PNG", "TIFF", "BMP"):
        close(encoded(image, kind), UNIT)


def test_palette_with_a_transparent_entry() -> None:
    image = Image.fromarray(GREY)
    image.putpalette([level for level in range(256) for _ in range(3)])
    level = int(GREY.max())
    close(encoded(image, "PNG", transparency=level), np.where(level == GREY, 0, UNIT))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha(kind: str) -> None:
    alpha = np.full_like(GREY, 255)
    opaque = np.dstack([GREY, GREY, GREY, alpha])
    close(raster(kind, opaque), UNIT)
    alpha[:20], alpha[20:40] = 0, 128
    expected = UNIT * alpha / 255
    close(raster(kind, np.dstack([GREY, GREY, GREY, alpha]), **_exact(kind)), expected)


def _exact(kind: str) -> dict[str, Any]:
    return {"exact": True} if kind == "WEBP" else {}


def test_grey_with_alpha() -> None:
    alpha = np.full_like(GREY, 255)
    close(raster("PNG", np.dstack([GREY, alpha])), UNIT)
    alpha[100:] = 0
    close(raster("PNG", np.dstack([GREY, alpha])), np.where(alpha > 0, UNIT, 0))


def test_a_transparent_grey_level_is_black() -> None:
    level = int(GREY.max())
    content = encoded(Image.fromarray(GREY), "PNG", transparency=level)
    close(content, np.where(level == GREY, 0, UNIT))
    top = int(WORDS.max())
    content = encoded(Image.fromarray(WORDS), "PNG", transparency=top)
    close(content, np.where(top == WORDS, 0, WORDS / 65_535))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str) -> None:
    image = Image.fromarray(np.dstack([GREY * 0, GREY * 0, GREY * 0, 255 - GREY]), "CMYK")
    content = encoded(image, kind, **({"quality": 98} if kind == "JPEG" else {}))
    close(content, UNIT, levels=4 if kind == "JPEG" else 0)


@pytest.mark.parametrize("mode", ["RGB", "YCbCr"])
def test_colour_jpeg(mode: str) -> None:
    image = Image.fromarray(np.dstack([GREY] * 3)).convert(mode)
    close(encoded(image, "JPEG", quality=98), UNIT, levels=4)


def test_progressive_jpeg() -> None:
    content = raster("JPEG", progressive=True)
    np.testing.assert_allclose(read(content).pixels, read(raster("JPEG")).pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = raster(kind, exif=exif)
    with Image.open(io.BytesIO(content)) as image:
        turned = ImageOps.exif_transpose(image)
        assert turned is not None
        expected = np.asarray(turned.convert("L"))
    assert expected.shape == ((HEIGHT, WIDTH) if orientation < 5 else (WIDTH, HEIGHT))
    close(content, expected / 255)


def png(bits: int, colour: int, rows: npt.NDArray[np.uint8], *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of rows of bytes."""
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour, 0, 0, 0)
    written = with_chunks(bytes(33), (b"IHDR", head), *chunks, (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + written[33:]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_with_a_transparent_level(bits: int) -> None:
    levels = GREY >> (8 - bits)
    apart = (levels[..., np.newaxis] >> np.arange(bits - 1, -1, -1)) & 1
    rows = np.packbits(apart.reshape(HEIGHT, -1), axis=1)
    seen = levels / (2**bits - 1)
    close(png(bits, 0, rows), seen)
    if bits > 1:
        hidden = int(levels.max())
        content = png(bits, 0, rows, (b"tRNS", struct.pack(">H", hidden)))
        close(content, np.where(levels == hidden, 0, seen))


@pytest.mark.parametrize("opaque", [True, False])
def test_16_bit_grey_with_alpha(opaque: bool) -> None:
    alpha = np.full_like(WORDS, 65_535)
    if not opaque:
        alpha[:50], alpha[50:90] = 0, 30_000
    pairs = np.dstack([WORDS, alpha]).astype(">u2").view(np.uint8).reshape(HEIGHT, -1)
    content = png(16, 4, pairs)
    close(content, WORDS / 65_535 * (alpha / 65_535))
    assert read(content).metadata.bits == 16


def test_16_bit_colour_with_a_transparent_one() -> None:
    top = int(WORDS.max())
    rows = np.dstack([WORDS] * 3).astype(">u2").view(np.uint8).reshape(HEIGHT, -1)
    content = png(16, 2, rows, (b"tRNS", struct.pack(">HHH", top, top, top)))
    close(content, np.where(top == WORDS, 0, WORDS / 65_535))


def test_what_opencv_decodes_otherwise_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    content = by_opencv(".png", np.dstack([WORDS] * 3))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: np.dstack([WORDS + 256] * 3))
    close(content, (WORDS >> 8) / 255)
    assert read(content).metadata.bits == 8


def test_an_alpha_channel_that_no_program_filled() -> None:
    close(raster("PNG", np.dstack([GREY, GREY * 0])), UNIT)


def test_exif_orientation_of_16_bit_colour() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = by_opencv(".png", np.dstack([WORDS] * 3))
    close(with_chunks(plain, (b"eXIf", exif.tobytes()[6:])), np.rot90(WORDS, -1) / 65_535)


def test_a_senseless_orientation_is_none() -> None:
    exif = Image.Exif()
    exif[0x0112] = 99
    close(raster("PNG", exif=exif), UNIT)


def test_a_thumbnail_page_is_no_second_film() -> None:
    small = Image.fromarray(GREY[::4, ::4])
    pages = [Image.fromarray(GREY), small]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    close(file.getvalue(), UNIT)


def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(raster("PNG"))
    before = path.stat()
    read(path)
    assert path.read_bytes() == raster("PNG")
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_grey_stored_as_colour_is_not_in_colour() -> None:
    grey = np.repeat(GREY[..., np.newaxis], 3, axis=2)
    blue = grey * np.array([0, 0, 1], np.uint8)
    assert not read(raster("PNG")).metadata.in_colour
    for kind in ("PNG", "JPEG", "TIFF"):
        assert not read(raster(kind, grey)).metadata.in_colour
        assert read(raster(kind, blue)).metadata.in_colour
