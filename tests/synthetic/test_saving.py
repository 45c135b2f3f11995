"""The film as DICOM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO

import numpy as np
import pydicom
import pytest

from boneage.domain.assessment import Severity
from boneage.domain.radiograph import Sex
from boneage.quality.checks import findings_of
from boneage.reading import read
from boneage.synthetic.film import SyntheticFilm, write_dicom, write_png
from tests.quality.test_checks import GOOD
from tests.synthetic.conftest import Draw


@pytest.mark.parametrize(("sex", "code"), [(Sex.MALE, "M"), (Sex.FEMALE, "F")])
def test_a_reader_finds_a_synthetic_hand(drawn: Draw, sex: Sex, code: str) -> None:
    film = drawn(120, sex)
    file = BytesIO()
    write_dicom(film, file)
    file.seek(0)
    dataset = pydicom.dcmread(file)
    assert dataset.PatientName == "SYNTHETIC^HAND"
    assert dataset.PatientID == "SYNTHETIC"
    assert dataset.PatientSex == code
    assert (dataset.Modality, dataset.BodyPartExamined) == ("DX", "HAND")
    assert (dataset.ImageLaterality, dataset.ViewPosition) == ("L", "PA")
    assert dataset.BurnedInAnnotation == "NO"  # none that identifies a patient
    assert dataset.PatientAge == "120M"
    assert dataset.PatientBirthDate == "20100101"
    assert dataset.StudyDate == "20200101"
    assert (dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit) == (16, 12, 11)
    assert dataset.PhotometricInterpretation == "MONOCHROME2"
    spacing = tuple(float(side) for side in dataset.PixelSpacing)
    assert spacing == pytest.approx(film.radiograph.metadata.pixel_spacing_mm, abs=1e-6)
    stored = np.asarray(dataset.pixel_array / 4095, np.float64)
    np.testing.assert_allclose(stored, film.radiograph.pixels, atol=0.5 / 4095 + 1e-6)


def test_the_same_film_is_the_same_file(drawn: Draw) -> None:
    files = [BytesIO(), BytesIO()]
    for file in files:
        write_dicom(drawn(60, Sex.MALE), file)
    assert files[0].getvalue() == files[1].getvalue()


@pytest.mark.parametrize("write", [write_dicom, write_png])
def test_a_drawn_image_is_noted_as_one_and_not_warned_about(
    drawn: Draw, write: Callable[[SyntheticFilm, BinaryIO], None]
) -> None:
    file = BytesIO()
    write(drawn(120, Sex.FEMALE), file)
    metadata = read(file.getvalue()).metadata
    assert metadata.synthetic
    found = findings_of(metadata, Sex.FEMALE, measures=replace(GOOD, letters=9))
    assert {(one.code, one.severity) for one in found} == {("synthetic", Severity.NOTE)}
    other = replace(metadata, synthetic=False)
    real = findings_of(other, Sex.FEMALE, measures=replace(GOOD, letters=9))
    assert {one.code for one in real} == {"burnt_in_text"}
