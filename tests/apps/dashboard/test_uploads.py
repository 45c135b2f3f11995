"""Uploaded files, taken in or rejected."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boneage
from boneage.apps.dashboard import uploads
from boneage.apps.dashboard.uploads import ADVICE, DEFAULT_ADVICE, SHOWN_PX, UploadedImage
from tests.apps.dashboard.conftest import admitted, refused

READING = Path(boneage.__file__).parent / "reading"
NEVER_FROM_BYTES = {"missing", "folder", "permission"}


def test_a_film_is_shown_whole_and_not_kept_as_pixels(film: UploadedImage) -> None:
    assert (film.height, film.width) == (480, 360)
    assert film.shown.shape == (SHOWN_PX, SHOWN_PX * 360 // 480, 3)
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
    assert rejected.advice


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
    assert rejected.advice == DEFAULT_ADVICE


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
    assert dict(film.information()) == {"Format": "PNG, 8 bit", "Size": "360 × 480 pixels"}
    stated = dict(stating_film.information())
    assert (stated["Sex"], stated["Age"], stated["Side"]) == ("female", "10.0 years", "left")
    assert stated["Study date"] == "2020-01-01"
