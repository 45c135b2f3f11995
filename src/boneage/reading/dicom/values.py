"""The values of single DICOM elements, for reading them and for writing them again.

A value that makes no sense counts as absent; so do several where one is expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from boneage.domain.ages import age_in, date_in
from boneage.domain.radiograph import Sex
from boneage.storage.typed import shipped_toml

TABLES = shipped_toml("boneage.reading.dicom", "tables.toml")
SEXES = {"M": Sex.MALE, "MALE": Sex.MALE, "F": Sex.FEMALE, "FEMALE": Sex.FEMALE}
SEX_CODES = {Sex.MALE: "M", Sex.FEMALE: "F"}
OTHER_SEXES = frozenset(("O", "OTHER"))
NOT_STATED = re.compile(r"[\s0./:-]*|U|N|NA|N/A|NONE|NULL|UNK|UNKNOWN|ANON\w*", re.IGNORECASE)
"""Texts for unknown values."""
TIME = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(\.[0-9]{1,6})?)?)?")
UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
LONGEST_UID = 64
FUNCTIONAL_GROUPS = ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")
"""Enhanced objects (PS3.3, C.7.6.16) state of their frames what others state of the image."""


def numbers_of(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Read an element's numbers; none where it is absent or they make no sense."""
    try:
        value = dataset.get(keyword)
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        found = tuple(float(item) for item in values if item is not None)
    except Exception:  # a malformed value is no value
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """Read an element's first number, where it is a whole one."""
    found = numbers_of(dataset, keyword)
    return int(found[0]) if found and found[0] == int(found[0]) else None


def texts_of(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Read an element's different texts, without empty ones and surrounding spaces."""
    try:
        value = dataset.get(keyword)
        several = isinstance(value, MultiValue | list | tuple)
        texts = (str(item).strip(" \t\r\n\0") for item in (value if several else [value]))
        return tuple(dict.fromkeys(text for text in texts if text and value is not None))
    except Exception:  # a malformed value is no value
        return ()


def text_of(dataset: Dataset, keyword: str) -> str | None:
    """Read an element's text, or the first one of several."""
    return next(iter(texts_of(dataset, keyword)), None)


def only_text_of(dataset: Dataset, keyword: str) -> str | None:
    """Read an element's text; None where it has several that differ."""
    found = texts_of(dataset, keyword)
    return found[0] if len(found) == 1 else None


def is_stated(dataset: Dataset, keyword: str) -> bool:
    """Whether an element has a value other than a text for an unknown one."""
    return any(not NOT_STATED.fullmatch(text) for text in texts_of(dataset, keyword))


def date_of(dataset: Dataset, keyword: str) -> date | None:
    """Read a date: YYYYMMDD, or as old devices and converters write it."""
    return date_in(only_text_of(dataset, keyword) or "")


def time_of(dataset: Dataset, keyword: str) -> str | None:
    """Read a time of the day, with or without colons, as DICOM writes it: HHMMSS.FFFFFF."""
    found = TIME.fullmatch(only_text_of(dataset, keyword) or "")
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:  # 60: a leap second
        return None
    return "".join(part for part in found.groups() if part)


def sex_of(dataset: Dataset) -> Sex | None:
    return SEXES.get((only_text_of(dataset, "PatientSex") or "").upper())


def age_of(dataset: Dataset) -> float | None:
    """Read the patient's age, in months: a number with its unit, whole or not."""
    return age_in(only_text_of(dataset, "PatientAge") or "", months_alone=False)


def uid_of(dataset: Dataset, keyword: str) -> str | None:
    """Read a UID, without surrounding characters."""
    text = only_text_of(dataset, keyword) or ""
    return text if UID.fullmatch(text) and len(text) <= LONGEST_UID else None


def stating(dataset: Dataset, keyword: str, macro: str) -> Dataset:
    """Find which dataset has an element: itself, or else that macro of its functional groups."""
    if _has(dataset, keyword):
        return dataset
    for group in FUNCTIONAL_GROUPS:
        found = first_item(first_item(dataset, group), macro)
        if _has(found, keyword):
            return found
    return dataset


def _has(dataset: Dataset, keyword: str) -> bool:
    """Whether an element has a value, of a sequence an item; also one that makes no sense."""
    try:
        value = dataset.get(keyword)
        return value is not None and (not hasattr(value, "__len__") or len(value) > 0)
    except Exception:  # malformed, and there
        return True


def first_item(dataset: Dataset, keyword: str) -> Dataset:
    """Give a sequence's first item; an empty dataset where there is none."""
    try:
        items = dataset.get(keyword) or []
        item = items[0] if len(items) else None
    except Exception:  # a garbled sequence is none
        item = None
    return item if isinstance(item, Dataset) else Dataset()
