"""The metadata of a DICOM image. Names, identifiers and free text are not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset

from boneage.domain.ages import MONTHS_PER_UNIT, OLDEST_MONTHS, months_between
from boneage.domain.findings import Finding
from boneage.domain.radiograph import SYNTHETIC, ImageMetadata
from boneage.domain.reported import completed
from boneage.reading.dicom.laterality import side_of
from boneage.reading.dicom.values import (
    OTHER_SEXES,
    age_of,
    date_of,
    is_stated,
    numbers_of,
    only_text_of,
    sex_of,
    text_of,
    texts_of,
    time_of,
)

YES_OR_NO = {"YES": True, "NO": False}
CODE = re.compile(r"[A-Za-z0-9 _-]{1,16}")
"""A code string (PS3.5, 6.2), also in small letters. Anything longer is free text."""
AGE_AT_LEAST = re.compile(r"[-+]?[0-9.,]{1,8} ?[A-Za-z]{0,6}")
"""What may be quoted of an age that is not understood: anything else may be a text."""
STUDY_DATES = ("StudyDate", "AcquisitionDate", "ContentDate", "SeriesDate")
"""Where the day of the image may be stated, the right place first."""
SLACK_MONTHS = 1.5
"""By how much, beyond half its unit, a stated age may differ from the one by the dates."""


@dataclass(frozen=True)
class Times:
    """The dates and the age of a dataset, and findings on them."""

    birth_date: date | None
    study_date: date | None
    age_months: float | None
    findings: tuple[Finding, ...]


def metadata_of(
    dataset: Dataset, stored_as: str, bits: int, notes: tuple[Finding, ...] = ()
) -> ImageMetadata:
    """Collect the metadata; None for what is absent or makes no sense. ``notes`` are of parsing."""
    times, side = times_of(dataset), side_of(dataset)
    return ImageMetadata(
        format=stored_as,
        bits=bits,
        sex=sex_of(dataset),
        birth_date=times.birth_date,
        study_date=times.study_date,
        chronological_age_months=times.age_months,
        laterality=side.laterality,
        pixel_spacing_mm=_spacing(dataset),
        body_part=_code(dataset, "BodyPartExamined"),
        modality=_code(dataset, "Modality"),
        burned_in_annotation=YES_OR_NO.get((text_of(dataset, "BurnedInAnnotation") or "").upper()),
        synthetic=text_of(dataset, "SeriesDescription") == SYNTHETIC,
        findings=(*notes, *_of_sex(dataset), *times.findings, *side.findings),
    )


def _of_sex(dataset: Dataset) -> Iterator[Finding]:
    texts = texts_of(dataset, "PatientSex")
    if len(texts) == 1 and texts[0].upper() in OTHER_SEXES:
        message = "The file states a sex other than male or female."
        yield Finding.note("other_sex", message)
    elif len(texts) == 1 and sex_of(dataset) is None and is_stated(dataset, "PatientSex"):
        message = "The file states a sex that is not recognised; check the child's sex."
        yield Finding.warning("sex_not_understood", message)


def times_of(dataset: Dataset) -> Times:
    """Determine the age at the image: by its dates, if they give a possible one, else as stated."""
    birth, stated = date_of(dataset, "PatientBirthDate"), age_of(dataset)
    where = next((key for key in STUDY_DATES if date_of(dataset, key) is not None), None)
    study = None if where is None else date_of(dataset, where)
    findings = list(_not_understood(dataset))
    by_dates = None
    if birth is not None and study is not None:
        by_dates, finding = _age_between(birth, study)
        findings += [finding] if finding else []
    if stated is not None and not 0 < stated <= OLDEST_MONTHS:
        text = only_text_of(dataset, "PatientAge")
        message = f"The file states the patient age {text!r}, a placeholder; it was not used."
        findings.append(Finding.warning("placeholder_age", message))
        stated = None
    elif stated is not None and by_dates is not None and _differ(dataset, stated, by_dates):
        message = (
            f"The file states an age of {_words(stated)}, but its dates give {_words(by_dates)}, "
            "which was used; check which is right."
        )
        findings.append(Finding.warning("ages_differ", message, stated))
    if birth is not None and where not in {None, "StudyDate"}:
        place = {"AcquisitionDate": "acquisition", "ContentDate": "content"}.get(where or "")
        message = f"The file states no study date; its {place or 'series'} date was used."
        findings.append(Finding.note("study_date_elsewhere", message))
    return Times(birth, study, stated if by_dates is None else by_dates, tuple(findings))


def _age_between(birth: date, study: date) -> tuple[float | None, Finding | None]:
    months = months_between(birth, study)
    if 0 < months <= OLDEST_MONTHS:
        return months, None
    if months < 0:
        message = (
            "The file states a birth date after its study date; no age was calculated from them."
        )
        return None, Finding.warning("birth_after_study", message)
    which = "is more than a hundred years ago" if months else "is the study date"
    message = f"The birth date of the file {which}: a placeholder; no age was calculated from it."
    return None, Finding.warning("placeholder_age", message)


def _differ(dataset: Dataset, stated: float, by_dates: float) -> bool:
    """Whether an age in whole units is not that of the dates, however it was rounded."""
    unit = (only_text_of(dataset, "PatientAge") or "M").upper().rstrip(" .")
    months = 12.0 if "Y" in unit else MONTHS_PER_UNIT.get(unit[-1:], 1.0)
    slack = months / 2 + SLACK_MONTHS
    return not stated - slack <= by_dates <= stated + months + slack


def _words(months: float) -> str:
    years, rest = completed(months)
    return f"{years} years {rest} months" if years else f"{months:.1f} months"


def _not_understood(dataset: Dataset) -> Iterator[Finding]:
    """Report what is stated and not understood; dates are not quoted."""
    for keyword, what in (("PatientBirthDate", "birth date"), ("StudyDate", "study date")):
        several = len(texts_of(dataset, keyword)) > 1
        if is_stated(dataset, keyword) and not several and date_of(dataset, keyword) is None:
            message = f"The file states a {what} that is not recognised; it was not used."
            yield Finding.warning("date_not_understood", message)
    if only_text_of(dataset, "StudyTime") and time_of(dataset, "StudyTime") is None:
        message = "The file states a study time that is not recognised; it is left out of results."
        yield Finding.note("time_not_understood", message)
    age = only_text_of(dataset, "PatientAge")
    if age is not None and is_stated(dataset, "PatientAge") and age_of(dataset) is None:
        quoted = f" {age!r}" if AGE_AT_LEAST.fullmatch(age) else ""
        message = f"The file states a patient age{quoted} that is not recognised; it was not used."
        yield Finding.warning("age_not_understood", message)


def _spacing(dataset: Dataset) -> tuple[float, float] | None:
    """At the patient, where calibrated, else at the detector."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = numbers_of(dataset, keyword)
        if len(spacing) == 2 and min(spacing) > 0:
            return spacing[0], spacing[1]
    return None


def _code(dataset: Dataset, keyword: str) -> str | None:
    text = only_text_of(dataset, keyword)
    return text if text and CODE.fullmatch(text) else None
