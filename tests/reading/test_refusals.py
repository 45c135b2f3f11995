"""Each fault has a code and a sentence of its own."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from boneage import read
from boneage.reading import Limits
from tests.reading.conftest import Refused
from tests.reading.drawn import (
    DEEP,
    GREY,
    STRUCTURED_REPORT,
    UNIT,
    codestream,
    dataset,
    dicom,
    encapsulated,
    encoded,
    in_syntax,
    raster,
    written,
)

WHOLE = {
    "PNG": raster("PNG"),
    "JPEG": raster("JPEG"),
    "TIFF": raster("TIFF"),
    "compressed TIFF": raster("TIFF", compression="tiff_lzw"),
    "WEBP": raster("WEBP"),
    "BMP": raster("BMP"),
    "DICOM": dicom(),
    "JPEG 2000": in_syntax(JPEG2000Lossless),
    "RLE": in_syntax(RLELossless),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_file_that_is_cut_off(refused: Refused, tmp_path: Path, kind: str, part: float) -> None:
    content = WHOLE[kind][: int(len(WHOLE[kind]) * part)]
    path = tmp_path / "hand.film"
    path.write_bytes(content)
    message = str(refused(path, "truncated"))
    assert "'hand.film'" in message
    assert "cut off" in message


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_file_that_is_cut_off_in_its_header(refused: Refused, kind: str) -> None:
    for length in (4, 9, 20, 40):
        refused(WHOLE[kind][:length], "truncated")


def test_png_without_its_last_byte(refused: Refused) -> None:
    refused(WHOLE["PNG"][:-1], "truncated")


def test_damaged(refused: Refused) -> None:
    for kind in ("PNG", "compressed TIFF"):
        content = bytearray(WHOLE[kind])
        middle = len(content) // 2
        content[middle : middle + 200] = bytes(200)
        assert "damaged" in str(refused(bytes(content), "damaged"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animated(refused: Refused, kind: str) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert "animated" in str(refused(content, "animated"))


def test_several_pages(refused: Refused) -> None:
    pages = [Image.fromarray(GREY)] * 3
    content = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert "3 pages" in str(refused(content, "several_pages"))


def test_several_frames(refused: Refused) -> None:
    content = dicom(NumberOfFrames=2, PixelData=DEEP.tobytes() * 2)
    assert "2 frames" in str(refused(content, "several_frames"))


def test_a_structured_report(refused: Refused) -> None:
    ds = dataset(SOPClassUID=STRUCTURED_REPORT, Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(ds, keyword)
    assert "Basic Text SR Storage" in str(refused(written(ds), "no_pixels"))
    ds = dataset()
    del ds.PixelData
    refused(written(ds), "no_pixels")
    refused(dicom(PixelData=b""), "no_pixels")


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_dicom(refused: Refused, photometric: str) -> None:
    colour = np.dstack([GREY, GREY // 2, GREY // 3])
    message = str(refused(dicom(colour, 8, PhotometricInterpretation=photometric), "colour"))
    assert photometric in message


def test_palette_dicom(refused: Refused) -> None:
    ramp = (np.arange(256) * 257).astype("<u2").tobytes()
    tables: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = ramp
    np.testing.assert_array_equal(read(dicom(GREY, 8, **tables)).pixels, UNIT)
    tables["BluePaletteColorLookupTableData"] = ramp[::-1]
    refused(dicom(GREY, 8, **tables), "colour")
    del tables["BluePaletteColorLookupTableData"]
    refused(dicom(GREY, 8, **tables), "colour")


@pytest.mark.parametrize("level", [0, 77, 255])
def test_constant(refused: Refused, level: int) -> None:
    flat = np.full((200, 200), level, np.uint8)
    for content in (raster("PNG", flat), raster("JPEG", flat), dicom(flat, 8)):
        assert f"is blank: every pixel has the value {level}" in str(refused(content, "constant"))
    refused(raster("TIFF", flat.astype(np.float32)), "constant")


@pytest.mark.parametrize("shape", [(127, 300), (300, 127), (1, 1)])
def test_too_small(refused: Refused, shape: tuple[int, int]) -> None:
    pixels = np.resize(GREY, shape)
    for content in (raster("PNG", pixels), raster("TIFF", pixels), dicom(pixels, 8)):
        message = str(refused(content, "too_small"))
        assert f"{shape[1]} x {shape[0]} px" in message
        assert "128 px" in message


def test_just_large_enough() -> None:
    assert read(raster("PNG", GREY[:128, :128])).pixels.shape == (128, 128)
    small = Limits(min_side_px=64)
    assert read(raster("PNG", GREY[:64, :64]), limits=small).pixels.shape == (64, 64)


def png_of(width: int, height: int) -> bytes:
    """A PNG that states a size, with next to no pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def patched(content: bytes, place: int, replacement: bytes) -> bytes:
    return content[:place] + replacement + content[place + len(replacement) :]


def huge() -> dict[str, bytes]:
    jpeg = raster("JPEG")
    frame = jpeg.index(b"\xff\xc0") + 5
    tiff = raster("TIFF")
    width, height = (tiff.index(struct.pack("<HHI", tag, 4, 1)) + 8 for tag in (256, 257))
    tiff = patched(patched(tiff, width, struct.pack("<I", 60_000)), height, b"\x60\xea\0\0")
    extended = b"VP8X" + struct.pack("<IB", 10, 0) + b"\0\0\0" + b"\xff\xff\x3f" * 2
    body = b"WEBP" + extended + raster("WEBP")[12:]
    return {
        "PNG": png_of(60_000, 60_000),
        "widest PNG": png_of(2**31 - 1, 2**31 - 1),
        "JPEG": patched(jpeg, frame, struct.pack(">HH", 60_000, 60_000)),
        "TIFF": tiff,
        "BMP": patched(raster("BMP"), 18, struct.pack("<ii", 60_000, 60_000)),
        "WEBP": b"RIFF" + struct.pack("<I", len(body)) + body,
        "DICOM": dicom(Rows=60_000, Columns=60_000),
        "compressed DICOM": encapsulated(
            dataset(Rows=60_000, Columns=60_000),
            JPEGLSLossless,
            codestream(JPEGLSLossless, DEEP, 12),
        ),
    }


@pytest.mark.parametrize("kind", huge())
def test_far_too_large_is_refused_before_decoding(refused: Refused, kind: str) -> None:
    import tracemalloc  # noqa: PLC0415

    content = huge()[kind]
    tracemalloc.start()
    try:
        message = str(refused(content, "too_large"))
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert "up to 100 megapixels" in message


def test_the_largest_size_can_be_chosen(refused: Refused) -> None:
    assert "0.02 megapixels" in str(refused(WHOLE["PNG"], "too_large", Limits(max_px=20_000)))
    read(WHOLE["PNG"], limits=Limits(max_px=30_000))


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless, JPEG2000Lossless])
def test_a_compressed_image_of_another_size_than_stated(refused: Refused, syntax: str) -> None:
    pixels, bits = (GREY, 8) if syntax == JPEGBaseline8Bit else (DEEP, 12)
    ds = dataset(pixels, bits, Rows=160)
    message = str(refused(encapsulated(ds, syntax, codestream(syntax, pixels, bits)), "damaged"))
    assert "states 150 x 160 px of 1 sample" in message
    assert "150 x 200 px of 1 sample" in message


def test_an_rle_image_that_unpacks_to_more_than_stated_is_cut() -> None:
    ds = dataset()
    ds.compress(RLELossless, encoding_plugin="pydicom")
    ds.Rows = 160
    assert read(written(ds)).pixels.shape == (160, 150)


def test_a_deflated_dataset_may_not_explode(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boneage.reading.dicom.syntax.MAX_FILE_BYTES", 10_000)
    refused(in_syntax("1.2.840.10008.1.2.1.99"), "too_many_bytes")


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_deflated_dataset_that_is_cut_off(refused: Refused, kept: float) -> None:
    content = in_syntax("1.2.840.10008.1.2.1.99")
    refused(content[: int(len(content) * kept)], "truncated")


def test_a_compression_that_is_not_read(refused: Refused) -> None:
    content = encapsulated(dataset(), "1.2.840.10008.1.2.4.100", b"\0\0\1\xb3")
    assert "MPEG2" in str(refused(content, "unsupported_compression"))


def test_a_dataset_that_states_another_compression(refused: Refused) -> None:
    content = encapsulated(dataset(), RLELossless, b"no image of any kind")
    content = content.replace(b"1.2.840.10008.1.2.5\0", b"1.2.840.10008.1.2.1\0")
    assert "not stored as stated" in str(refused(content, "damaged"))


def test_pixels_of_another_kind(refused: Refused) -> None:
    assert "64 bits" in str(refused(dicom(DEEP.astype(np.uint64), 64), "unsupported_pixels"))
    ds = dataset(UNIT_PIXELS, 32)
    del ds.PixelData
    ds.FloatPixelData = UNIT_PIXELS.tobytes()
    assert "floating-point" in str(refused(written(ds), "unsupported_pixels"))


UNIT_PIXELS = (GREY / 255).astype(np.float32)


def test_a_dicom_image_without_a_size(refused: Refused) -> None:
    ds = dataset()
    del ds.Rows
    assert "no Rows" in str(refused(written(ds), "damaged"))


def test_a_lossless_jpeg_outside_dicom_is_named(refused: Refused) -> None:
    content = in_syntax("1.2.840.10008.1.2.4.70")
    jpeg = content[content.index(b"\xff\xd8\xff") :]
    assert "lossless JPEG" in str(refused(jpeg, "unsupported_format"))


@pytest.mark.parametrize(("place", "value"), [(28, 2), (28, 64), (30, 4), (30, 5)])
def test_a_bmp_of_a_rare_kind_is_named(refused: Refused, place: int, value: int) -> None:
    content = patched(raster("BMP"), place, struct.pack("<H", value))
    message = str(refused(content, "unsupported_format"))
    assert "is not supported" in message
    assert str(value) in message


def test_a_refusal_leaves_nothing_behind(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "hand.png"
    path.write_bytes(WHOLE["PNG"][:500])
    refused(path, "truncated")
    assert [item.name for item in tmp_path.iterdir()] == ["hand.png"]
    file = io.BytesIO(WHOLE["PNG"][:500])
    refused(file, "truncated")
    assert not file.closed
