"""The one list of exports."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.errors import OutputError
from boneage.inference.session import Session
from boneage.reports.exports import FHIR, FORMATS, PICTURE, REPORT, export, identity_in, save


@pytest.fixture
def session(answer: Assessment, radiograph: Radiograph) -> Session:
    return Session(answer, radiograph, b"\x89PNG\r\n\x1a\n")


def test_each_format_is_known_by_its_name_and_suffix() -> None:
    assert list(FORMATS) == ["picture", "report", "fhir", "dicom/picture", "dicom/report"]
    assert all(name == one.name and one.text.endswith(".") for name, one in FORMATS.items())
    assert len({one.suffix for one in FORMATS.values()}) == len(FORMATS)


@pytest.mark.parametrize("name", [PICTURE, REPORT, FHIR])
def test_the_mark_distinguishes_images(session: Session, name: str, tmp_path: Path) -> None:
    if name == REPORT:
        pytest.importorskip("reportlab")
    made = export(session, name)
    assert made.mark.encode("ascii") in made.content
    assert (made.suffix, made.media_type) == (FORMATS[name].suffix, FORMATS[name].media_type)
    path = save(made, session, tmp_path)
    assert path.name == f"hand{made.suffix}"
    assert save(made, session, tmp_path) == path, "the same image replaces its file"
    other = replace(session, radiograph=replace(session.image, pixels=session.image.pixels[::-1]))
    assert save(export(other, name), other, tmp_path).name == f"hand-2{made.suffix}"
    assert save(made, session, tmp_path / "one").read_bytes() == made.content


def test_a_picture_is_a_png(session: Session) -> None:
    assert Image.open(BytesIO(export(session, PICTURE).content)).format == "PNG"


def test_an_image_without_a_study_has_no_dicom_and_no_identity(session: Session) -> None:
    pytest.importorskip("highdicom")
    for name, one in FORMATS.items():
        if one.of_dicom:
            with pytest.raises(OutputError, match="DICOM file"):
                export(session, name)
    with pytest.raises(OutputError):
        identity_in(session)


def test_a_library_that_is_missing_is_named_before_the_work(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "reportlab", None)
    with pytest.raises(ModuleNotFoundError) as raised:
        export(session, REPORT)
    assert raised.value.name == "reportlab"
