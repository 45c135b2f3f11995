"""The film's own dataset: the study, series and image that an answer refers to.

Here, and only here, the name and identifiers of a patient are read: an answer
in the same study carries them on, and nothing else does unless it is asked to.
"""

from __future__ import annotations

import logging
import re
from datetime import date
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset

from boneage.errors import OutputError
from boneage.reading.kinds import DICOM, kind_of
from boneage.reading.quiet import quiet
from boneage.reading.source import Source, load
from boneage.writing.identity import Identity

NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
DATES = ("PatientBirthDate", "StudyDate")
MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientSex", "AccessionNumber", "StudyID", "StudyTime"),
    "ReferringPhysicianName",
)
SEXES = ("M", "F", "O", "")
UTF_8 = "ISO_IR 192"

# What it says of odd names quotes them.
logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)


def read_source(film: Source) -> Dataset:
    """Read what a DICOM film states, but for its pixels.

    Returns
    -------
    Dataset
        With every element that an answer in the same study needs, empty where the
        film does not state it; texts are decoded.

    Raises
    ------
    OutputError
        When the film is no DICOM file, or does not say which study it belongs to.
    FilmError
        When it cannot be read at all.
    """
    data, name = load(film)
    if kind_of(data, name) != DICOM:
        raise OutputError(
            f"{name!r} is no DICOM file, so that it has no study which a DICOM answer could join; "
            "give the film as DICOM"
        )
    try:
        with quiet():
            dataset = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
            dataset.decode()
            _complete(dataset, name)
    except OutputError:
        raise
    except Exception as error:
        # Not chained: what pydicom says may quote the patient.
        raise OutputError(
            f"what {name!r} states of its study cannot be read ({type(error).__name__})"
        ) from None
    return dataset


def identity_of(dataset: Dataset, pseudonym: str | None = None) -> Identity:
    """Give who the child is, as the film states it; what makes no sense is None."""
    return Identity(
        pseudonym=pseudonym,
        name=" ".join(str(dataset.PatientName).replace("^", " ").split()) or None,
        patient_id=str(dataset.PatientID or "") or None,
        birth_date=_date(dataset, "PatientBirthDate"),
        study_date=_date(dataset, "StudyDate"),
        study_uid=str(dataset.StudyInstanceUID),
    )


def _complete(dataset: Dataset, name: str) -> None:
    for keyword in NEEDED:
        if not dataset.get(keyword):
            raise OutputError(
                f"{name!r} states no {keyword}, so that a DICOM answer cannot refer to it"
            )
    for keyword in MAY_BE_EMPTY:
        if dataset.get(keyword) is None:
            setattr(dataset, keyword, "")
    for keyword in DATES:
        if _date(dataset, keyword) is None:
            setattr(dataset, keyword, "")
    if dataset.PatientSex not in SEXES:
        dataset.PatientSex = ""
    dataset.SpecificCharacterSet = UTF_8


def _date(dataset: Dataset, keyword: str) -> date | None:
    text = str(dataset.get(keyword) or "")
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
