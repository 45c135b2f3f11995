"""The content decides what a file is, not its name."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from boneage import read
from tests.reading.conftest import Refused
from tests.reading.drawn import bare, dicom, encoded, raster

FORMATS = {
    "PNG": raster("PNG"),
    "JPEG": raster("JPEG"),
    "TIFF": raster("TIFF"),
    "WebP": raster("WEBP"),
    "BMP": raster("BMP"),
    "DICOM (uncompressed)": dicom(),
}


def a_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hand.png", raster("PNG"))
    return file.getvalue()


@pytest.mark.parametrize("name", ["film.png", "film.jpg", "film.dcm", "film.txt", "film"])
@pytest.mark.parametrize("kind", FORMATS)
def test_the_name_does_not_matter(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / name).write_bytes(FORMATS[kind])
    assert read(tmp_path / name).metadata.format == kind


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"patient,age\n1,12\n", "text"),
        ("Größe, 手\n".encode(), "text"),
        ("Größe".encode("utf-16"), "text"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html></html>", "a web page (HTML)"),
        (b"\n <html><body>404</body></html>", "a web page (HTML)"),
        (b'<?xml version="1.0"?><svg/>', "an XML document"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (a_zip(), "a ZIP archive, or an office document"),
        (gzip.compress(b"hand", mtime=0), "a gzip archive"),
        (b"\x93NUMPY\x01\x00", "a NumPy file"),
        (b"\x00\x00\x00\x18ftypmp42", "a video"),
        (b"BM, said the text", "text"),
        (b"\x00\x01\x02\x03" * 50, "not an image: it begins with the bytes 00 01 02 03"),
    ],
)
def test_what_is_no_image_is_named(
    refused: Refused, tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "hand.png"
    path.write_bytes(content)
    message = str(refused(path, "not_an_image"))
    assert "'hand.png' is " + what in message
    assert "PNG, JPEG, TIFF, WebP, BMP or DICOM" in message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (encoded(Image.new("L", (200, 200)), "GIF"), "a GIF"),
        (encoded(Image.new("L", (200, 200)), "JPEG2000"), "a JPEG 2000 image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "a HEIC image"),
        (b"8BPS\x00\x01", "a Photoshop file"),
    ],
)
def test_other_pictures_are_named(refused: Refused, content: bytes, what: str) -> None:
    assert what in str(refused(content, "unsupported_format"))


@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
def test_a_dicom_dataset_without_preamble_is_dicom(implicit: bool, little: bool) -> None:
    content = bare(implicit, little)
    assert content[128:132] != b"DICM"
    film = read(content)
    assert film.metadata.format.startswith("DICOM (uncompressed")
    assert film.metadata.modality == "CR"


def test_a_dicom_file_that_is_a_tiff_too_is_dicom() -> None:
    content = raster("TIFF")[:128].ljust(128, b"\0") + dicom()[128:]
    assert read(content).metadata.format == "DICOM (uncompressed)"
