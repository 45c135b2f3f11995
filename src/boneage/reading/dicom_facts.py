"""What a DICOM dataset states of its film. Names, identifiers and free text are not read."""

from __future__ import annotations

import re
from datetime import date

from pydicom.dataset import Dataset

from boneage.ages import DAYS_PER_MONTH, months_between
from boneage.radiograph import Facts, Sex
from boneage.reading.dicom_parsing import numbers_of, text_of

MONTHS_PER_UNIT = {"D": 1 / DAYS_PER_MONTH, "W": 7 / DAYS_PER_MONTH, "M": 1.0, "Y": 12.0}
OLDEST_MONTHS = 130 * 12
"""Nobody has lived longer; such dates stand in for others."""
SEXES = {"M": Sex.MALE, "F": Sex.FEMALE}
YES_OR_NO = {"YES": True, "NO": False}
CODE = re.compile(r"[A-Za-z0-9 _-]{1,16}")
"""A code string (PS3.5, 6.2), small letters forgiven. Anything longer is free text."""


def facts_of(dataset: Dataset, stored_as: str, bits: int) -> Facts:
    """Collect the facts; what is absent or makes no sense is None."""
    birth_date = _date(dataset, "PatientBirthDate")
    study_date = _date(dataset, "StudyDate")
    age_months = _age_between(birth_date, study_date)
    return Facts(
        format=stored_as,
        bits=bits,
        sex=SEXES.get((text_of(dataset, "PatientSex") or "").upper()),
        birth_date=birth_date,
        study_date=study_date,
        chronological_age_months=_stated_age(dataset) if age_months is None else age_months,
        laterality=_laterality(dataset),
        pixel_spacing_mm=_spacing(dataset),
        body_part=_code(dataset, "BodyPartExamined"),
        modality=_code(dataset, "Modality"),
        burned_in_annotation=YES_OR_NO.get((text_of(dataset, "BurnedInAnnotation") or "").upper()),
    )


def _date(dataset: Dataset, keyword: str) -> date | None:
    """Read a date as YYYYMMDD or, as old devices write, YYYY.MM.DD."""
    text = (text_of(dataset, keyword) or "").replace(".", "")
    if not re.fullmatch(r"[0-9]{8}", text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _age_between(birth_date: date | None, study_date: date | None) -> float | None:
    if birth_date is None or study_date is None:
        return None
    return _plausible(months_between(birth_date, study_date))


def _stated_age(dataset: Dataset) -> float | None:
    match = re.fullmatch(r"([0-9]{1,3})([DWMY])", (text_of(dataset, "PatientAge") or "").upper())
    return _plausible(int(match[1]) * MONTHS_PER_UNIT[match[2]]) if match else None


def _plausible(months: float) -> float | None:
    return months if 0 <= months <= OLDEST_MONTHS else None


def _laterality(dataset: Dataset) -> str | None:
    """Of the image, else of the series."""
    for keyword in ("ImageLaterality", "Laterality"):
        side = (text_of(dataset, keyword) or "").upper()
        if side in {"L", "R"}:
            return side
    return None


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    """At the patient, where calibrated, else at the detector."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = numbers_of(dataset, keyword)
        if len(spacing) == 2 and min(spacing) > 0:
            return spacing[0], spacing[1]
    return None


def _code(dataset: Dataset, keyword: str) -> str | None:
    text = text_of(dataset, keyword)
    return text if text and CODE.fullmatch(text) else None
