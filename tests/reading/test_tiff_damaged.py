"""TIFFs that contradict themselves, or mean harm: refused at once, in little memory."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from boneage import read
from boneage.errors import FilmError
from tests.reading.conftest import Refused
from tests.reading.drawn import GREY, UNIT, tiff

PLAIN = tiff(GREY, photometric="minisblack", rowsperstrip=50)
PACKED = tiff(GREY, photometric="minisblack", rowsperstrip=50, compression="adobe_deflate")
BIG = tiff(GREY, photometric="minisblack", rowsperstrip=50, bigtiff=True)
JPEG = tiff(GREY, photometric="minisblack", rowsperstrip=64, compression="jpeg")


@contextmanager
def cheap(megabytes: float = 20.0, seconds: float = 2.0) -> Iterator[None]:
    tracemalloc.start()
    start = time.process_time()
    try:
        yield
        assert time.process_time() - start < seconds
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
    finally:
        tracemalloc.stop()


def entry(content: bytes, tag: int) -> int:
    """Where the entry of a tag begins."""
    first: int = struct.unpack_from("<I", content, 4)[0]
    (count,) = struct.unpack_from("<H", content, first)
    places: list[int] = [first + 2 + 12 * index for index in range(count)]
    return next(place for place in places if content[place : place + 2] == struct.pack("<H", tag))


def changed(content: bytes, tag: int, *values: int, count: int | None = None) -> bytes:
    """Overwrite the values of a tag where they are, or its count."""
    result = bytearray(content)
    place = entry(content, tag)
    _, kind, old, where = struct.unpack_from("<HHII", content, place)
    size = {3: 2, 4: 4}[kind]
    where = where if old * size > 4 else place + 8
    for index, value in enumerate(values):
        struct.pack_into("<H" if size == 2 else "<I", result, where + index * size, value)
    if count is not None:
        struct.pack_into("<I", result, place + 4, count)
    return bytes(result)


@pytest.mark.parametrize(
    "content", [PLAIN, PACKED, BIG, JPEG], ids=["plain", "packed", "big", "jpeg"]
)
def test_cut_off_anywhere(content: bytes) -> None:
    for size in (*range(8, 400, 7), *range(400, len(content) - 1, 997), len(content) - 9):
        with pytest.raises(FilmError) as caught, cheap():
            read(content[:size])
        assert caught.value.code in {"truncated", "damaged"}, size


def test_a_circle_of_pages_ends(refused: Refused) -> None:
    content = bytearray(PLAIN)
    (first,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, first)
    struct.pack_into("<I", content, first + 2 + 12 * count, first)
    assert np.array_equal(read(bytes(content)).pixels, UNIT)
    # Each page half a page further, so that none is met twice.
    body = (
        b"II*\0"
        + struct.pack("<I", 8)
        + b"".join(
            struct.pack("<HHHIII", 1, 256, 4, 1, 200, 8 + 18 * (page + 1)) for page in range(5_000)
        )
    )
    with cheap():
        refused(body + struct.pack("<HI", 0, 0), "several_pages")


def test_a_page_of_very_many_tags(refused: Refused) -> None:
    body = b"II*\0" + struct.pack("<IH", 8, 65_535) + bytes(12 * 65_535 + 4)
    with cheap():
        assert "65535 tags" in str(refused(body, "damaged"))


def test_a_file_of_no_page(refused: Refused) -> None:
    assert "without an image" in str(refused(b"II*\0" + bytes(100), "damaged"))
    refused(b"II*\0\xff\xff\xff\xff" + bytes(100), "truncated")
    refused(b"II+\0\x08\0\0\0" + b"\xff" * 8 + bytes(100), "truncated")


@pytest.mark.parametrize("tag", [273, 279])
def test_a_count_that_is_far_too_large(refused: Refused, tag: int) -> None:
    with cheap():
        refused(changed(PACKED, tag, count=2**32 - 1), "truncated")


def test_strips_that_are_missing(refused: Refused) -> None:
    assert "lists 3 of its 4 strips" in str(refused(changed(PLAIN, 273, count=3), "damaged"))
    for content, tag in ((PLAIN, 273), (PACKED, 273), (PACKED, 279)):
        assert "missing" in str(refused(changed(content, tag, 0), "damaged"))


def test_strips_outside_the_file(refused: Refused) -> None:
    for content in (PLAIN, PACKED, JPEG):
        refused(changed(content, 273, 2**31), "truncated")
        refused(changed(content, 273, len(content) - 3), "truncated")


def test_strips_that_are_shorter_than_their_pixels(refused: Refused) -> None:
    assert "too short" in str(refused(changed(PLAIN, 279, 100), "damaged"))
    (size,) = struct.unpack_from(
        "<I", PACKED, struct.unpack_from("<I", PACKED, entry(PACKED, 279) + 8)[0]
    )
    refused(changed(PACKED, 279, size // 2), "damaged")


def test_sizes_of_uncompressed_strips_may_be_left_out() -> None:
    unknown = bytearray(PLAIN)
    struct.pack_into("<H", unknown, entry(PLAIN, 279), 65_000)
    assert np.array_equal(read(bytes(unknown)).pixels, UNIT)


def test_strips_stored_in_any_order() -> None:
    (where,) = struct.unpack_from("<I", PLAIN, entry(PLAIN, 273) + 8)
    offsets = struct.unpack_from("<4I", PLAIN, where)
    strips = [PLAIN[start : start + 50 * GREY.shape[1]] for start in offsets]
    content = bytearray(PLAIN)
    for index, strip in enumerate(reversed(strips)):
        content[offsets[index] : offsets[index] + len(strip)] = strip
    turned = changed(bytes(content), 273, *reversed(offsets))
    assert np.array_equal(read(turned).pixels, UNIT)


@pytest.mark.parametrize("content", [PLAIN, PACKED, JPEG], ids=["plain", "packed", "jpeg"])
def test_a_small_file_of_very_many_pixels(refused: Refused, content: bytes) -> None:
    wide = changed(changed(content, 256, 60_000), 257, 60_000)
    with cheap():
        refused(wide, "too_large")
    with cheap():
        assert "damaged" in str(refused(changed(content, 256, 60_000), "damaged"))


def test_tiles_of_enormous_size(refused: Refused) -> None:
    content = tiff(GREY, photometric="minisblack", tile=(256, 256), compression="lzw")
    huge = (
        changed(content, 322, 65_520)
        if struct.unpack_from("<H", content, entry(content, 322) + 2)[0] == 3
        else changed(content, 322, 2**32 - 16)
    )
    huge = changed(huge, 323, 65_520)
    with cheap():
        refused(huge, "too_large")
    for tag in (322, 323):
        assert "tiles are" in str(refused(changed(content, tag, 0), "damaged"))


def test_a_jpeg_strip_of_another_size(refused: Refused) -> None:
    """Libtiff leaves the rest of such a strip unfilled."""
    small = tiff(GREY[:32], photometric="minisblack", rowsperstrip=32, compression="jpeg")
    start = small.index(b"\xff\xd8", 8)
    (where,) = struct.unpack_from("<I", JPEG, entry(JPEG, 273) + 8)
    (place,) = struct.unpack_from("<I", JPEG, where)
    content = bytearray(JPEG)
    content[place : place + len(small) - start] = small[start:]
    message = str(refused(bytes(content), "damaged"))
    assert "a JPEG of 150 x 32 px" in message
    assert "150 x 64 px" in message


def test_jpeg_that_is_none(refused: Refused) -> None:
    (where,) = struct.unpack_from("<I", JPEG, entry(JPEG, 273) + 8)
    (place,) = struct.unpack_from("<I", JPEG, where)
    content = bytearray(JPEG)
    content[place : place + 100] = bytes(100)
    refused(bytes(content), "damaged")


def test_a_palette_that_is_too_short(refused: Refused) -> None:
    levels = np.stack([np.arange(256, dtype=np.uint16)] * 3)
    content: Any = tiff(GREY, photometric="palette", colormap=levels)
    assert "85 of 256 colours" in str(refused(changed(content, 320, count=256), "damaged"))
