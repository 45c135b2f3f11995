"""Which changes make another image of one, and which do not."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from boneage.apps.dicom_node.assessing import content_of, is_duplicate
from tests.apps.dicom_node.drawn import film

FIRST = film(1)


def written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def compressed(syntax: str, **options: Any) -> bytes:
    dataset = dcmread(BytesIO(FIRST))
    dataset.compress(syntax, generate_instance_uid=False, **options)
    return written(dataset)


def implicit() -> bytes:
    dataset = dcmread(BytesIO(FIRST))
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return written(dataset)


def in_utf_8() -> bytes:
    return film(1, SpecificCharacterSet="ISO_IR 192")


def with_pixel(change: int) -> bytes:
    dataset = dcmread(BytesIO(FIRST))
    pixels = np.frombuffer(dataset.PixelData, np.uint16).copy()
    pixels[pixels.size // 2] += change
    dataset.PixelData = pixels.tobytes()
    return written(dataset)


def mirrored() -> bytes:
    dataset = dcmread(BytesIO(FIRST))
    dataset.PixelData = np.ascontiguousarray(dataset.pixel_array[:, ::-1]).tobytes()
    dataset.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    return written(dataset)


@pytest.mark.parametrize(
    "other",
    [
        compressed(RLELossless),
        compressed(JPEGLSLossless),
        compressed(JPEGLSNearLossless, jls_error=8),
        implicit(),
        in_utf_8(),
        film(1, InstanceCreationTime="101010", StudyTime="111111", AccessionNumber="7"),
        film(1, PatientName=f"{dcmread(BytesIO(FIRST)).PatientName}^"),
        film(1, StationName="A", InstitutionName="B", ImageComments="c"),
    ],
)
def test_the_same_image(other: bytes) -> None:
    first = content_of(FIRST)
    assert is_duplicate(content_of(other), [(first.digest, lambda: FIRST)])
    assert is_duplicate(content_of(other), [(None, lambda: FIRST)])


@pytest.mark.parametrize(
    "other",
    [
        with_pixel(1),
        mirrored(),
        film(1, PatientSex="F"),
        film(1, PatientBirthDate="20100101"),
        film(1, PatientID="another"),
        film(1, PatientName="Another^One"),
        film(1, StudyInstanceUID="1.2.3"),
        film(1, ImageLaterality="R"),
        film(1, PixelSpacing=[0.3, 0.3]),
    ],
)
def test_another_image(other: bytes) -> None:
    first = content_of(FIRST)
    assert not is_duplicate(content_of(other), [(first.digest, lambda: FIRST)])
    assert not is_duplicate(content_of(other), [(None, lambda: None)])


def test_what_was_lossless_is_known_when_its_file_is_gone() -> None:
    others = [(content_of(FIRST).digest, lambda: None)]
    assert is_duplicate(content_of(compressed(RLELossless)), others)
    assert dcmread(BytesIO(FIRST)).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
