"""Whose image is this? What a DICOM header says of the patient, for the worklist alone.

Never logged, never written to the history; the full identity is shown only where the visitor
switches it on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

from boneage.domain.radiograph import ImageMetadata
from boneage.reading.accepted import DICOM, kind_of
from boneage.reading.quiet import quiet

TAGS = ["PatientName", "PatientID", "AccessionNumber", "IssuerOfPatientID"]


@dataclass(frozen=True)
class PatientHeader:
    """What identifies a patient and a study; empty: not stated."""

    name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)

    @property
    def initials(self) -> str:
        """Of the family name and the given names: ``D. J.`` of ``Doe^Jane``."""
        parts = self.name.partition("=")[0].replace("^", " ").split()
        return " ".join(f"{part[0].upper()}." for part in parts[:3])

    @property
    def full_name(self) -> str:
        """As people write it."""
        return " ".join(self.name.partition("=")[0].replace("^", " ").split())

    @property
    def patient(self) -> tuple[str, str] | None:
        """Tells patients apart; None where no identifier is stated."""
        return (self.issuer, self.patient_id) if self.patient_id else None


NO_HEADER = PatientHeader()


def patient_header(data: bytes) -> PatientHeader:
    """Read it from a file; nothing where it is not DICOM, or states nothing readable."""
    try:
        if kind_of(data) != DICOM:
            return NO_HEADER
        with quiet():
            dataset = dcmread(
                BytesIO(data), stop_before_pixels=True, force=True, specific_tags=TAGS
            )
            texts = [_text(dataset, name) for name in TAGS]
    except Exception:
        return NO_HEADER
    name, patient_id, accession, issuer = texts
    return PatientHeader(name, patient_id, issuer, accession)


def _text(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    text = str(value) if isinstance(value, str | PersonName) else ""
    return "".join(sign for sign in text if sign.isprintable()).strip()


@dataclass(frozen=True)
class SamePatient:
    """How the images of one patient in the worklist go together."""

    images: int
    contradicts: tuple[str, ...]
    """What they state differently: ``sex``, ``birth date``, ``name``."""


def same_patients(
    stated: Sequence[tuple[str, PatientHeader, ImageMetadata]],
) -> Mapping[str, SamePatient]:
    """Find the images that state one patient, by their keys."""
    groups: dict[tuple[str, str], list[tuple[str, PatientHeader, ImageMetadata]]]
    groups = defaultdict(list)
    for one in stated:
        if one[1].patient is not None:
            groups[one[1].patient].append(one)
    found = {}
    for group in groups.values():
        if len(group) < 2:
            continue
        facts: dict[str, set[object]] = {
            "sex": {metadata.sex for _, _, metadata in group},
            "birth date": {metadata.birth_date for _, _, metadata in group},
            "name": {header.full_name.casefold() for _, header, _ in group},
        }
        contradicts = tuple(name for name, values in facts.items() if len(values - {None, ""}) > 1)
        for key, _, _ in group:
            found[key] = SamePatient(len(group), contradicts)
    return found
