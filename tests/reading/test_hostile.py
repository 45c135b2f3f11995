"""Whatever bytes are given: a film or a FilmError, nothing else."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from boneage import Radiograph, read
from boneage.errors import FilmError
from boneage.reading import Limits
from tests.reading.drawn import BY_GDCM, GREY, LOSSLESS, LOSSY, UNIT, in_syntax, raster

TINY = Limits(min_side_px=2)
RASTER = [
    raster("PNG"),
    raster("PNG", (GREY.astype(np.uint16) << 8)),
    raster("PNG", np.dstack([GREY] * 3)),
    raster("JPEG"),
    raster("TIFF"),
    raster("TIFF", compression="tiff_lzw"),
    raster("TIFF", UNIT),
    raster("WEBP"),
    raster("BMP"),
]
DICOM = [in_syntax(syntax) for syntax in (*LOSSLESS, *LOSSY) if syntax not in BY_GDCM]
DICOM.append(in_syntax("1.2.840.10008.1.2.4.50", GREY, 8))
SLOW = [in_syntax(syntax) for syntax in BY_GDCM]


def survives(content: bytes) -> None:
    try:
        film = read(content, limits=TINY)
    except FilmError as error:
        assert error.code
        assert str(error)
        return
    assert isinstance(film, Radiograph)
    assert film.pixels.dtype == np.float32
    assert np.isfinite(film.pixels).all()
    assert film.pixels.min() >= 0
    assert film.pixels.max() <= 1


# Most of a file is pixels; what the decoders must survive is in its head.
places = st.one_of(st.floats(0, 1), st.floats(0, 0.05))
changes = st.lists(st.tuples(places, st.binary(min_size=1, max_size=8)), min_size=1, max_size=6)


def mutated(content: bytes, changed: list[tuple[float, bytes]]) -> bytes:
    result = bytearray(content)
    for place, replacement in changed:
        start = int(place * (len(result) - 1))
        result[start : start + len(replacement)] = replacement
    return bytes(result)


lenient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@settings(lenient, max_examples=300)
@given(content=st.sampled_from(RASTER), changed=changes)
def test_mutated_raster(content: bytes, changed: list[tuple[float, bytes]]) -> None:
    survives(mutated(content, changed))


@pytest.mark.slow
@settings(lenient, max_examples=300)
@given(content=st.sampled_from(DICOM), changed=changes)
def test_mutated_dicom(content: bytes, changed: list[tuple[float, bytes]]) -> None:
    survives(mutated(content, changed))


@pytest.mark.slow
@settings(lenient, max_examples=25)
@given(content=st.sampled_from(SLOW), changed=changes)
def test_mutated_jpeg_for_gdcm(content: bytes, changed: list[tuple[float, bytes]]) -> None:
    survives(mutated(content, changed))


@settings(lenient, max_examples=200)
@given(content=st.sampled_from([*RASTER, *DICOM]), part=st.floats(0, 1))
def test_cut_off(content: bytes, part: float) -> None:
    survives(content[: int(part * len(content))])


@settings(lenient, max_examples=100)
@given(content=st.sampled_from([*RASTER, *DICOM]), head=st.integers(1, 400), rest=st.binary())
def test_a_head_with_something_else_behind(content: bytes, head: int, rest: bytes) -> None:
    survives(content[:head] + rest)


@settings(lenient, max_examples=100)
@given(st.binary(min_size=1))
def test_anything(content: bytes) -> None:
    survives(content)


def test_a_failure_of_gdcm_is_a_failure_of_its_file(capfd: pytest.CaptureFixture[str]) -> None:
    """On these bytes GDCM complains on its stderr, and may end its process."""
    content = bytearray(SLOW[0])
    start = content.index(b"\xff\xda") + 20
    content[start : start + 400] = b"\xff\xd8" * 200
    survives(bytes(content))
    assert capfd.readouterr().err == ""


def test_threads_read_the_same() -> None:
    contents = [*RASTER, *DICOM] * 4
    alone = [read(content).pixels for content in contents]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda content: read(content).pixels, contents))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_importing_boneage_loads_no_decoder() -> None:
    code = "import sys, boneage; print([m for m in ('pydicom', 'PIL', 'gdcm') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_thumbnail_takes_no_time() -> None:
    content = raster("PNG", GREY[:100, :100])
    best = 1.0
    for _ in range(20):
        start = time.perf_counter()
        read(content, limits=Limits(min_side_px=64))
        best = min(best, time.perf_counter() - start)
    assert best < 0.005  # measured: 0.0002
