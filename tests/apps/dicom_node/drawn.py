"""Drawn films as DICOM, as many as a test wants: a few hands, each film with its own UIDs."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.uid import generate_uid

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom

HANDS = ((120.0, Sex.FEMALE), (150.0, Sex.MALE))
"""The weights that ship take both for hands, which not every drawn one is."""


@cache
def hand(place: int) -> bytes:
    """The file of one of the hands."""
    age_months, sex = HANDS[place]
    file = BytesIO()
    write_dicom(draw(age_months, sex, height=600, width=460, seed=place), file)
    return file.getvalue()


def film(number: int, **elements: Any) -> bytes:
    """A film of its own study: other UIDs, and a changed pixel.

    ``elements`` replace what the dataset states; None takes an element out.
    """
    dataset = dcmread(BytesIO(hand(number % len(HANDS))))
    pixels = bytearray(dataset.PixelData)
    pixels[0:2] = (number % 4096).to_bytes(2, "little")
    dataset.PixelData = bytes(pixels)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=["tests.node", keyword, str(number)]))
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def uid_of(file: bytes) -> str:
    """Its SOP Instance UID."""
    return str(dcmread(BytesIO(file), stop_before_pixels=True).SOPInstanceUID)
