"""The documents of one film: report, DICOM and FHIR, as the bytes of their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.reading.folders import DICOM_SUFFIX
from boneage.reports.fhir import observation
from boneage.reports.identity import NOBODY, Identity, fingerprint
from boneage.storage.files import as_json

if TYPE_CHECKING:
    from boneage.reports.dicom.source import SourceDataset
    from boneage.reports.pdf.writing import ReportForm

REPORT_SUFFIX, FHIR_SUFFIX = ".boneage.pdf", ".boneage.json"

Files: TypeAlias = Mapping[str, bytes]
"""The content of each file, by what stands after the film's name in that of the file."""


def report_files(
    answer: Assessment,
    radiograph: Radiograph,
    form: ReportForm,
    identity: Identity = NOBODY,
) -> Files:
    """Write the report as PDF: :func:`boneage.reports.pdf.writing.report`.

    Raises
    ------
    LanguageError
        When no words ship for the language.
    ModuleNotFoundError
        When the extra ``report`` is not installed.
    """
    from boneage.reports.pdf.writing import report  # noqa: PLC0415  needs the extra

    return {REPORT_SUFFIX: report(answer, radiograph, form, identity)}


def dicom_answers(answer: Assessment, radiograph: Radiograph, source: SourceDataset) -> Files:
    """Write picture and structured report: :func:`boneage.reports.dicom.writing.dicom_files`.

    Raises
    ------
    OutputError
        When what the film states of its patient and study makes no DICOM file.
    ModuleNotFoundError
        When the extra ``dicom`` is not installed.
    """
    from boneage.reports.dicom.writing import dicom_files  # noqa: PLC0415  needs the extra

    made = dicom_files(answer, radiograph, source)
    return {f".{kind}{DICOM_SUFFIX}": content for kind, content in made.items()}


def fhir_files(answer: Assessment, radiograph: Radiograph, identity: Identity = NOBODY) -> Files:
    """Write the FHIR observation as JSON: :func:`boneage.reports.fhir.observation`."""
    resource = observation(answer, fingerprint(radiograph), identity)
    return {FHIR_SUFFIX: as_json(resource).encode()}
