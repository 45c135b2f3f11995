"""Every way in which DICOM stores pixels gives the same film."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import jpeg_ls  # type: ignore[import-untyped]
import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames
from pydicom.uid import (
    JPEG2000,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from boneage import read
from boneage.reading import Limits
from boneage.reading.codestream import jpeg_2000_header, jpeg_header
from boneage.reading.dicom.decoding import PixelDescription, decode_frame, decode_rle
from tests.reading.conftest import Refused
from tests.reading.drawn import (
    DEEP,
    GREY,
    LOSSLESS,
    LOSSY,
    UNIT,
    codestream,
    dataset,
    dicom,
    encapsulated,
    in_syntax,
    raster,
    stretched,
    written,
)

TINY = Limits(min_side_px=2)
WORDS = DEEP * 16


def shipped(name: str) -> str:
    """A file of pydicom's own, from its wheel."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom ships no {name}")
    return str(path)


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize(("pixels", "bits"), [(DEEP, 12), (WORDS, 16)])
def test_lossless(syntax: str, pixels: Any, bits: int) -> None:
    film = read(in_syntax(syntax, pixels, bits))
    np.testing.assert_allclose(stretched(film.pixels), stretched(pixels), rtol=0, atol=1e-6)
    assert film.pixels.dtype == np.float32
    assert film.pixels.flags.c_contiguous
    assert film.metadata.format == f"DICOM ({LOSSLESS[syntax]})"
    assert film.metadata.bits == bits


@pytest.mark.parametrize("syntax", [key for key in LOSSLESS if key != ExplicitVRBigEndian])
def test_lossless_8_bit(syntax: str) -> None:
    film = read(in_syntax(syntax, GREY, 8))
    np.testing.assert_allclose(stretched(film.pixels), stretched(GREY), rtol=0, atol=1e-6)


@pytest.mark.parametrize("syntax", LOSSY)
def test_lossy(syntax: str) -> None:
    film = read(in_syntax(syntax))
    np.testing.assert_allclose(stretched(film.pixels), stretched(DEEP), rtol=0, atol=0.02)
    assert film.metadata.format == f"DICOM ({LOSSY[syntax]})"


def test_jpeg_baseline() -> None:
    film = read(in_syntax(JPEGBaseline8Bit, GREY, 8))
    np.testing.assert_allclose(stretched(film.pixels), stretched(GREY), rtol=0, atol=0.02)
    assert film.metadata.format == "DICOM (JPEG baseline)"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
@pytest.mark.parametrize("bits", [12, 16])
def test_signed(syntax: str, bits: int) -> None:
    signed = (DEEP.astype(np.int32) - 2_000).astype(np.int16)
    film = read(in_syntax(syntax, signed, bits))
    np.testing.assert_allclose(stretched(film.pixels), stretched(signed), rtol=0, atol=1e-6)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_signed_compressed(syntax: str) -> None:
    signed = (DEEP.astype(np.int32) - 2_000).astype(np.int16)
    film = read(in_syntax(syntax, signed, 16))
    np.testing.assert_allclose(stretched(film.pixels), stretched(signed), rtol=0, atol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_what_is_stored_above_the_pixel_is_no_pixel(syntax: str) -> None:
    overlay = DEEP.copy()
    overlay[50:60] |= 0x8000
    film = read(in_syntax(syntax, overlay, 12))
    np.testing.assert_allclose(stretched(film.pixels), stretched(DEEP), rtol=0, atol=1e-6)


def test_32_bit() -> None:
    wide = DEEP.astype(np.uint32) * 100_003
    film = read(dicom(wide, 32))
    np.testing.assert_allclose(stretched(film.pixels), stretched(wide), rtol=0, atol=1 / 2**15)


def test_1_bit() -> None:
    bits = GREY > 100
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    film = read(dicom(GREY, 1, BitsAllocated=1, PixelData=packed))
    np.testing.assert_array_equal(film.pixels, bits)


@pytest.mark.parametrize("planar", [0, 1])
def test_grey_stored_as_rgb(planar: int) -> None:
    colour = np.dstack([GREY] * 3)
    stored = colour if planar == 0 else np.moveaxis(colour, 2, 0)
    content = dicom(colour, 8, PlanarConfiguration=planar, PixelData=stored.tobytes())
    np.testing.assert_allclose(stretched(read(content).pixels), stretched(GREY), rtol=0, atol=1e-6)


LUMINANCES = ("YBR_FULL", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "RGB")


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("photometric", LUMINANCES)
@pytest.mark.parametrize("noise", [0, 2])
def test_luminance_is_the_grey(photometric: str, planar: int, noise: int) -> None:
    """Whatever a header calls it; colour differences of lossy files are never quite none."""
    random = np.random.default_rng(1)
    others = [random.integers(128 - noise, 129 + noise, GREY.shape, np.uint8) for _ in range(2)]
    colour = np.dstack([GREY, *others])
    stored = colour if planar == 0 else np.moveaxis(colour, 2, 0)
    elements = {"PhotometricInterpretation": photometric, "PlanarConfiguration": planar}
    content = dicom(colour, 8, **elements, PixelData=stored.tobytes())
    np.testing.assert_array_equal(read(content).pixels, UNIT)
    ds = dataset(colour, 8, PhotometricInterpretation="RGB")
    ds.compress(RLELossless, encoding_plugin="pydicom")
    ds.PhotometricInterpretation = photometric
    np.testing.assert_array_equal(read(written(ds)).pixels, UNIT)
    lossless = bytes(encode_array(colour, bits_stored=8, use_mct=False))
    ds = dataset(colour, 8, PhotometricInterpretation=photometric)
    np.testing.assert_array_equal(read(encapsulated(ds, JPEG2000Lossless, lossless)).pixels, UNIT)


@pytest.mark.parametrize("shared", [True, False])
def test_luminance_of_pixels_that_share_a_colour(shared: bool) -> None:
    middle = np.full_like(GREY, 128)
    values = np.dstack([GREY, middle, middle])
    ds = dataset(values, 8, PhotometricInterpretation="YBR_FULL_422")
    if shared:
        half = middle[:, ::2]
        ds.PixelData = np.dstack([GREY[:, ::2], GREY[:, 1::2], half, half]).tobytes()
    np.testing.assert_array_equal(read(written(ds)).pixels, UNIT)


def test_luminance_of_16_bits() -> None:
    middle = np.full_like(DEEP, 2_048)
    content = dicom(np.dstack([DEEP, middle, middle]), 12, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_array_equal(read(content).pixels, read(dicom()).pixels)


def test_colour_differences_are_colour(refused: Refused) -> None:
    middle = np.full_like(GREY, 128)
    values = np.dstack([GREY, middle, middle])
    values[50:60, 50:60, 1] = 90
    for photometric in ("YBR_FULL", "RGB"):
        refused(dicom(values, 8, PhotometricInterpretation=photometric), "colour")


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("kept", [{}, {"keep_rgb": True}])
def test_a_jpeg_is_what_it_is_as_a_file(colour: bool, kept: dict[str, bool]) -> None:
    """No decoder adds anything: the same data in DICOM and alone are one image."""
    grey = np.dstack([GREY] * 3) if colour else GREY
    frame = raster("JPEG", grey, quality=70, **kept)
    ds = dataset(grey, 8)
    if colour:
        ds.PhotometricInterpretation = "RGB" if kept else "YBR_FULL_422"
    content = encapsulated(ds, JPEGBaseline8Bit, frame)
    np.testing.assert_array_equal(read(content).pixels, read(frame).pixels)


@pytest.mark.parametrize("bits", [8, 12])
def test_near_lossless_adds_no_more_than_its_error(bits: int) -> None:
    stored = DEEP if bits == 12 else GREY
    frame = jpeg_ls.encode_buffer(stored.tobytes(), *stored.shape, 1, bits, 5, 0)
    pixels = read(encapsulated(dataset(stored, bits), JPEGLSNearLossless, bytes(frame))).pixels
    moved = pixels * (2**bits - 1) - stored
    assert np.abs(moved).max() <= 5 + 1e-3


def test_grey_stored_as_colour_rle() -> None:
    ds = dataset(np.dstack([GREY] * 3), 8)
    ds.compress(RLELossless, encoding_plugin="pydicom")
    np.testing.assert_array_equal(read(written(ds)).pixels, UNIT)


def test_elements_that_may_be_left_out() -> None:
    ds = dataset()
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "PixelRepresentation"):
        delattr(ds, keyword)
    np.testing.assert_allclose(
        stretched(read(written(ds)).pixels), stretched(DEEP), rtol=0, atol=1e-6
    )


def test_an_image_in_several_fragments() -> None:
    from pydicom.encaps import encapsulate  # noqa: PLC0415

    ds = dataset()
    frame = codestream(JPEG2000Lossless, DEEP, 12)
    ds.PixelData = encapsulate([frame], fragments_per_frame=4)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
    np.testing.assert_allclose(
        stretched(read(written(ds)).pixels), stretched(DEEP), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
        "MR_small_jpeg_ls_lossless.dcm",
        "MR_small_padded.dcm",
        "J2K_pixelrep_mismatch.dcm",
        "image_dfl.dcm",
    ],
)
@pytest.mark.filterwarnings("ignore:The pixel data is")
def test_real_files_agree_with_pydicom(name: str) -> None:
    ds = pydicom.dcmread(shipped(name))
    for keyword in ("WindowCenter", "WindowWidth"):  # theirs are of soft tissue
        if keyword in ds:
            delattr(ds, keyword)
    stored = ds.pixel_array.astype(float)
    padding = ds.get("PixelPaddingValue")
    inside = np.ones(stored.shape, bool) if padding is None else stored != padding
    low, high = stored[inside].min(), stored[inside].max()
    file = BytesIO()
    ds.save_as(file, enforce_file_format=True)
    pixels = read(file.getvalue(), limits=TINY).pixels
    expected = (stored[inside] - low) / (high - low)
    np.testing.assert_allclose(stretched(pixels[inside]), expected, atol=1e-4)


def test_a_real_12_bit_jpeg() -> None:
    """The values that DCMTK decodes, from pydicom's own tests."""
    content = Path(shipped("JPGExtended.dcm")).read_bytes()
    assert read(content).metadata.format == "DICOM (JPEG extended)"
    header = pydicom.dcmread(BytesIO(content))
    syntax = str(header.file_meta.TransferSyntaxUID)
    stated = PixelDescription(1024, 256, 1, 16, 12, 11, False, "MONOCHROME2", False)
    cells = decode_frame(header, syntax, stated)
    assert (cells.bits, cells.values[420, 140], cells.values[230, 120]) == (12, 244, 95)


def test_headers_of_compressed_images() -> None:
    header = jpeg_header(raster("JPEG"))
    assert header is not None
    assert (header.rows, header.columns, header.components, header.bits) == (200, 150, 1, 8)
    assert not header.lossless
    content = in_syntax(JPEGLosslessSV1)
    header = jpeg_header(content[content.index(b"\xff\xd8\xff") :])
    assert header is not None
    assert header.lossless
    ds = pydicom.dcmread(shipped("JPGExtended.dcm"))
    header = jpeg_header(next(generate_frames(ds.PixelData, number_of_frames=1)))
    assert header is not None
    assert header.bits == 12
    header = jpeg_2000_header(codestream(JPEG2000, DEEP, 12))
    assert header is not None
    assert (header.rows, header.columns, header.bits, header.signed) == (200, 150, 12, False)
    assert jpeg_header(b"\xff\xd8\xff\xd9") is None
    assert jpeg_2000_header(b"\xff\x4f\xff\x51") is None


def test_rle_that_is_none() -> None:
    for frame in (bytes(64), b"\x02" + bytes(63), b"\x01\0\0\0\x40\0\0\0".ljust(64, b"\0")):
        with pytest.raises(ValueError, match="RLE"):
            decode_rle(frame, (2, 2), 8)
