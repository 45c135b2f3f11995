"""No reader lets through what the memory held before: another child's film, in a service.

Each film is read in two processes whose memory is filled with another byte
before it is given out (``MALLOC_PERTURB_`` of the GNU C library; cleared memory
stays cleared). OpenCV 5.0 gives a different film in each for a planar TIFF of
16 bits, which is how this was found.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.reading.drawn import DEEP, GREY, UNIT, encoded, raster, tiff

WORDS = DEEP.astype(np.uint16) * 16
COLOUR = np.dstack([GREY, GREY // 2, GREY // 3])
ALPHA = np.tile(np.arange(GREY.shape[1], dtype=np.uint8), (GREY.shape[0], 1))


def films() -> Iterator[tuple[str, bytes]]:
    """One film of each path through the readers, whole and spoilt."""
    words = np.dstack([WORDS, WORDS // 2, WORDS // 3])
    alpha = ALPHA.astype(np.uint16) * 257
    for kind in ("PNG", "JPEG", "TIFF", "WEBP", "BMP"):
        yield f"{kind} grey", raster(kind)
        yield f"{kind} colour", raster(kind, COLOUR)
    for kind in ("PNG", "TIFF", "WEBP", "BMP"):
        yield f"{kind} alpha", raster(kind, np.dstack([COLOUR, ALPHA]))
    for kind in ("PNG", "TIFF", "BMP"):
        yield f"{kind} palette", encoded(Image.fromarray(COLOUR).quantize(64), kind)
        yield f"{kind} 1 bit", encoded(Image.fromarray(GREY > 100), kind)
    yield "JPEG progressive", raster("JPEG", COLOUR, progressive=True)
    yield "JPEG CMYK", encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG")
    yield "WebP lossy", raster("WEBP", COLOUR, lossless=False)
    yield "PNG 16", raster("PNG", WORDS)
    yield "PNG RGB 16", cv2.imencode(".png", words)[1].tobytes()
    yield "PNG RGBA 16", cv2.imencode(".png", np.dstack([words, alpha]))[1].tobytes()
    for packing in (None, "lzw", "adobe_deflate", "packbits", "zstd", "jpeg"):
        for grid in ({}, {"rowsperstrip": 7 if packing != "jpeg" else 16}, {"tile": (64, 48)}):
            options = {"compression": packing, **grid}
            name = f"TIFF {packing} {grid}"
            yield f"{name} grey", tiff(GREY, photometric="minisblack", **options)
            yield f"{name} RGB", tiff(COLOUR, photometric="rgb", **options)
            planes = np.ascontiguousarray(np.moveaxis(COLOUR, 2, 0))
            planar = {"photometric": "rgb", "planarconfig": "separate", **options}
            yield f"{name} planar", tiff(planes, **planar)
            if packing == "jpeg":
                continue
            yield f"{name} RGB 16", tiff(words, photometric="rgb", **options)
            deep = np.ascontiguousarray(np.moveaxis(words, 2, 0))
            yield f"{name} planar 16", tiff(deep, **planar, byteorder=">")
            with_alpha = {"photometric": "minisblack", "extrasamples": ["unassalpha"], **options}
            yield (
                f"{name} LA 16",
                tiff(np.dstack([WORDS, alpha]), planarconfig="contig", **with_alpha),
            )
            yield f"{name} float", tiff(UNIT, photometric="minisblack", **options)
    yield "TIFF 10 bits", tiff(WORDS >> 6, photometric="minisblack", bitspersample=10)


def damaged(content: bytes) -> Iterator[bytes]:
    """Make holes in the pixels: refused, or filled with what is no memory."""
    middle = len(content) // 2
    for hole in (b"\0", b"\xff", b"\x55"):
        yield content[:middle] + hole * 64 + content[middle + 64 :]


READ_ALL = """
import hashlib, sys
from pathlib import Path
from boneage.errors import FilmError
from boneage.reading import read
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, hashlib.sha256(read(path.read_bytes()).pixels.tobytes()).hexdigest())
    except FilmError as error:
        print(path.name, error.code)
"""


def read_in_memory_of(byte: int, folder: Path) -> list[str]:
    """Read all films of a folder in a process whose memory is filled with a byte first."""
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder)],
        env={**os.environ, "MALLOC_PERTURB_": str(byte)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")
def test_the_same_film_whatever_the_memory_held(tmp_path: Path) -> None:
    names = []
    for number, (name, content) in enumerate(films()):
        names.append(name)
        (tmp_path / f"{number:03} whole").write_bytes(content)
        for index, holed in enumerate(damaged(content)):
            (tmp_path / f"{number:03} {index}").write_bytes(holed)
    first, second = (read_in_memory_of(byte, tmp_path) for byte in (0x59, 0xA6))
    apart = {names[int(line[:3])] for line in set(first) ^ set(second)}
    assert not apart
    unread = {names[int(line[:3])] for line in first if "whole" in line and len(line) < 64}
    assert not unread
