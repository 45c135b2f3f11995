"""Uploaded files, taken in or rejected."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boneage
from boneage.apps.dashboard import uploads
from boneage.apps.dashboard.uploads import (
    ADVICE,
    DEFAULT_ADVICE,
    SHOWN_PX,
    CaseTable,
    RejectedFile,
    UploadedImage,
    file_problem,
    read_upload,
)
from boneage.reports.wording import EN
from tests.apps.dashboard.conftest import admitted, refused

READING = Path(boneage.__file__).parent / "reading"
NEVER_FROM_BYTES = {"missing", "folder", "permission"}


def test_a_film_is_shown_whole_and_not_kept_as_pixels(film: UploadedImage) -> None:
    assert (film.height, film.width) == (480, 360)
    with Image.open(BytesIO(film.preview)) as preview:
        assert preview.size == (SHOWN_PX * 360 // 480, SHOWN_PX)
    assert film.radiograph().name == "hand.png"


def test_the_content_counts_not_the_name(dicom: bytes) -> None:
    assert admitted("a", "odd.txt", dicom).metadata.format.startswith("DICOM")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("notes.txt", b"The hand was fine.", "is text"),
        ("empty.dcm", b"", "empty"),
        ("report.pdf", b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_film_is_rejected_with_its_name_and_advice(
    name: str, data: bytes, expected: str
) -> None:
    rejected = refused(name, data)
    assert name in rejected.message
    assert expected in rejected.message
    assert rejected.message.endswith(".")
    assert file_problem(rejected, EN)[1]


def test_a_film_that_is_cut_off(dicom: bytes) -> None:
    assert "cut off" in refused("hand.dcm", dicom[: len(dicom) // 2]).message


def test_even_a_fault_of_the_reader_is_a_sentence(
    png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(uploads, "read", fail)
    rejected = refused("hand.png", png)
    assert "unexpected MemoryError" in rejected.message
    assert file_problem(rejected, EN)[1] == DEFAULT_ADVICE


def test_every_reason_has_its_advice() -> None:
    source = "".join(path.read_text("utf-8") for path in READING.rglob("*.py"))
    codes = set(re.findall(r'FilmError\(\s*"([a-z_]+)"', source)) - NEVER_FROM_BYTES
    assert len(codes) > 10
    assert codes <= set(ADVICE)


def test_a_photograph_is_named_before_anything_is_read() -> None:
    rows, cols = np.mgrid[0:300, 0:400]
    colours = np.stack([rows % 256, cols % 256, (rows + cols) % 256], axis=2).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(colours).save(file, "JPEG")
    found = admitted("a", "holiday.jpg", file.getvalue()).findings
    assert [finding.code for finding in found] == ["in_colour"]


def test_only_stated_information_is_listed(
    film: UploadedImage, stating_film: UploadedImage
) -> None:
    assert dict(film.information(EN)) == {"Format": "PNG, 8 bit", "Size": "360 × 480 pixels"}
    stated = dict(stating_film.information(EN))
    assert (stated["Sex"], stated["Age"], stated["Side"]) == ("female", "10 years 0 months", "left")
    assert stated["Study date"] == "2020-01-01"


def test_an_archive_is_opened_file_by_file(png: bytes, dicom: bytes) -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("morning/DICOMDIR", b"an index")
        archive.writestr("morning/IM0001", dicom)
        archive.writestr("__MACOSX/._IM0001", b"junk")
        archive.writestr("morning/hand.png", png)
        archive.writestr("morning/notes.txt", b"words")
        archive.writestr("cases.csv", "path,sex,age\nIM0001,m,11y\n")
    found = list(read_upload("z", "morning.zip", file.getvalue()))
    kinds = [type(one) for one in found]
    assert kinds == [UploadedImage, UploadedImage, RejectedFile, CaseTable]
    assert len({getattr(one, "key", one) for one in found}) == 4
    broken = file.getvalue()[:-30]
    assert isinstance(next(read_upload("z", "morning.zip", broken)), RejectedFile)


@pytest.mark.parametrize("data", [b"", b"name,age\nx,1\n"])
def test_a_table_that_is_none_is_rejected(data: bytes) -> None:
    assert refused("cases.csv", data).code == "table"


def test_large_files_are_held_compressed() -> None:
    file = BytesIO()
    pixels = np.tile(np.linspace(0, 255, 1500).astype(np.uint8), (1500, 1))
    Image.fromarray(pixels).save(file, "BMP")
    film = admitted("a", "hand.bmp", file.getvalue())
    film.held.pack()
    assert len(film.held) < len(file.getvalue()) / 2
    assert film.data == file.getvalue()
