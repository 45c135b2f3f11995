"""The dataset of a DICOM image: the study, series and image that a result refers to.

Here, and only here, the name and identifiers of a patient are read: a DICOM result in the same
study repeats them, and nothing else does unless the user asks for it. Elements are parsed by
the functions of :mod:`boneage.reading`, and written in normal form.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from io import BytesIO
from uuid import UUID

from pydicom.charset import decode_element
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VM
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import PersonName, validate_value

from boneage.errors import FilmError, OutputError
from boneage.reading.accepted import DICOM, kind_of
from boneage.reading.dicom.metadata import times_of
from boneage.reading.dicom.parsing import parse_all
from boneage.reading.dicom.values import (
    OTHER_SEXES,
    SEX_CODES,
    age_of,
    date_of,
    only_text_of,
    sex_of,
    time_of,
    uid_of,
)
from boneage.reading.quiet import quiet
from boneage.reading.source import Source, load, naming
from boneage.reports.identity import Identity

NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
OF_A_STUDY = ("PatientID", "StudyDate", "AccessionNumber")
"""Distinguish studies where the study UID is invalid."""
DATES = ("PatientBirthDate", "StudyDate")
MAY_BE_EMPTY = ("PatientID", "PatientName", "AccessionNumber", "StudyID", "ReferringPhysicianName")
COPIED_UNCHECKED = frozenset((*NEEDED, *MAY_BE_EMPTY))
"""Copied even where invalid, such as too long: the archive identifies the study by them."""
LAST_GROUP = 0x0040
"""Of the elements that a result may copy; those of the pixels have higher groups."""
LONGEST_AGE = 999
UTF_8 = "ISO_IR 192"

# Its messages about odd names quote them.
logging.getLogger("highdicom").setLevel(logging.CRITICAL + 1)


class SourceDataset(Dataset):
    """The elements of a DICOM image that a result repeats, and which UIDs had to be generated."""

    generated: tuple[str, ...] = ()
    """Keywords of the UIDs that are missing from the image, or invalid there."""

    @property
    def comment(self) -> str | None:
        """A sentence about the generated UIDs; None where there are none."""
        if not self.generated:
            return None
        new = "a new one was" if len(self.generated) == 1 else "new ones were"
        return (
            f"The file states no valid {' and no valid '.join(self.generated)}: {new} generated, "
            "so that an archive may not show this result with the image."
        )


def read_source(film: Source) -> SourceDataset:
    """Read what a DICOM image states, without its pixels.

    Raises an `OutputError` when the file is not DICOM, or does not state its kind of image; and a
    `FilmError` when it cannot be read at all.

    The dataset has every element that a result in the same study needs, empty where it is missing
    or invalid in the image; texts are decoded. Missing UIDs are generated, always the same ones
    for the same image.
    """
    data, name = load(film)
    try:
        with naming(name), quiet():
            if kind_of(data) != DICOM:
                raise OutputError(
                    f"{name!r} is not a DICOM file, so it has no study for a DICOM result to join; "
                    "give the image as DICOM"
                )
            return _normalised(parse_all(data).dataset, name, sha256(data).hexdigest())
    except (OutputError, FilmError):
        raise
    except Exception as error:
        # Not chained: pydicom's message may quote the patient.
        raise OutputError(
            f"the study data of {name!r} cannot be read ({type(error).__name__})"
        ) from None


def derived_uid(*sources: str) -> str:
    """Derive a UID that is always the same for the same texts, and does not reveal them.

    Of the root for UUIDs (PS3.5, B.2), which needs no registration.
    """
    digest = sha256("\0".join(sources).encode()).digest()
    return f"2.25.{UUID(bytes=digest[:16], version=5).int}"


def identity_of(dataset: SourceDataset, pseudonym: str | None = None) -> Identity:
    """Give who the child is, as the image states it; None for what is invalid."""
    times = times_of(dataset)
    return Identity(
        pseudonym=pseudonym,
        name=_display_name(dataset.PatientName),
        patient_id=str(dataset.PatientID or "").strip() or None,
        birth_date=times.birth_date,
        study_date=times.study_date,
        study_uid=None
        if "StudyInstanceUID" in dataset.generated
        else str(dataset.StudyInstanceUID),
    )


def _display_name(name: PersonName | str) -> str | None:
    """Give a name as people write it, with the one in the child's own script, if there is one."""
    written = PersonName(name)
    parts = (written.alphabetic, written.ideographic)
    words = [" ".join(str(part).replace("^", " ").split()) for part in parts]
    found = [part for part in words if part]
    return (found[0] + "".join(f" ({part})" for part in found[1:])) if found else None


def _normalised(stated: Dataset, name: str, digest: str) -> SourceDataset:
    """Give a dataset of the valid elements, in the form that DICOM prescribes."""
    dataset = SourceDataset()
    generated = []
    for tag in sorted(stated.keys()):
        if tag.group <= LAST_GROUP and not tag.is_private and tag.element:
            element = _valid_element(stated, tag)
            if element is not None:
                dataset.add(element)
    for keyword in NEEDED:
        uid = uid_of(stated, keyword)
        if uid is None and keyword.startswith("SOP"):
            uid = uid_of(stated.file_meta, f"MediaStorage{keyword}")
        if uid is None and keyword == "SOPClassUID":
            which = f"no valid {keyword}" if stated.get(keyword) else f"no {keyword}"
            raise OutputError(f"{name!r} states {which}, so a DICOM result cannot refer to it")
        if uid is None:
            uid = _generated_uid(stated, keyword, digest)
            generated.append(keyword)
        setattr(dataset, keyword, uid)
    dataset.generated = tuple(generated)
    for keyword in MAY_BE_EMPTY:
        if dataset.get(keyword) is None:
            setattr(dataset, keyword, "")
    for keyword in DATES:
        found = date_of(stated, keyword)
        setattr(dataset, keyword, found.isoformat().replace("-", "") if found else "")
    dataset.StudyTime = time_of(stated, "StudyTime") or ""
    dataset.PatientSex = _sex(stated)
    dataset.PatientAge = _age(stated)
    dataset.SpecificCharacterSet = UTF_8
    return dataset


def _generated_uid(stated: Dataset, keyword: str, digest: str) -> str:
    """Derive a UID: the same for all images that state the same study, or for the same file."""
    text = only_text_of(stated, keyword) or ""
    if text and keyword != "SOPInstanceUID":
        sources = [keyword, text, *(only_text_of(stated, other) or "" for other in OF_A_STUDY)]
    else:
        sources = [keyword, digest]
    return derived_uid(*sources)


def _sex(stated: Dataset) -> str:
    sex = sex_of(stated)
    if sex is not None:
        return SEX_CODES[sex]
    return "O" if (only_text_of(stated, "PatientSex") or "").upper() in OTHER_SEXES else ""


def _age(stated: Dataset) -> str:
    """Give the age as DICOM has it, in whole years where it is one of whole years."""
    months = age_of(stated)
    if not months or months % 1 or months > 12 * LONGEST_AGE:
        text = only_text_of(stated, "PatientAge") or ""
        return text if months and _is_valid("AS", text) else ""
    whole_years = not months % 12 and "Y" in (only_text_of(stated, "PatientAge") or "").upper()
    number, unit = (months / 12, "Y") if whole_years else (months, "M")
    return f"{number:03.0f}{unit}" if number <= LONGEST_AGE else ""


def _valid_element(stated: Dataset, tag: int) -> DataElement | None:
    """Give an element that can be written, its texts decoded; None where it is invalid."""
    try:
        element = stated[tag]
        decode_element(element, list(stated.original_character_set))
        one = Dataset()
        one.SpecificCharacterSet = UTF_8
        one.add(element)
        one.save_as(BytesIO(), implicit_vr=False, little_endian=True)
        values = element.value if isinstance(element.value, MultiValue) else [element.value]
        if len(values) > 1 and dictionary_VM(tag) == "1":
            return None
        texts = (str(value) for value in values if isinstance(value, str | PersonName))
        if any(ord(sign) < ord(" ") and sign not in "\t\r\n" for text in texts for sign in text):
            return None  # control characters, which no name or identifier has
        valid = all(_is_valid(element.VR, value) for value in values if isinstance(value, str))
    except Exception:  # an unreadable element is not copied
        return None
    return element if valid or element.keyword in COPIED_UNCHECKED else None


def _is_valid(vr: str, value: str) -> bool:
    try:
        validate_value(vr, value, RAISE)
    except ValueError:
        return False
    return True
