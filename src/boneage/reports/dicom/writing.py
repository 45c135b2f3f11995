"""An answer as DICOM files."""

from __future__ import annotations

from io import BytesIO

from pydicom.dataset import Dataset

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.errors import OutputError
from boneage.reading.quiet import quiet
from boneage.reports.dicom.capture import secondary_capture
from boneage.reports.dicom.source import SourceDataset
from boneage.reports.dicom.structured_report import structured_report
from boneage.reports.picture import draw

PICTURE, REPORT = "picture", "report"


def dicom_files(
    answer: Assessment, radiograph: Radiograph, source: SourceDataset
) -> dict[str, bytes]:
    """Write an answer as a secondary capture and a structured report.

    Parameters
    ----------
    answer : Assessment
    radiograph : Radiograph
        The film that was read.
    source : SourceDataset
        What its file states: :func:`boneage.reports.dicom.source.read_source`.

    Returns
    -------
    dict of bytes
        The files ``"picture"`` and ``"report"``. Each is a new instance in a new series of
        the film's study, with its patient, also when the same film was written before.

    Raises
    ------
    OutputError
        When what the film states of its patient and study makes no DICOM file.
    """
    return {kind: dicom_file(kind, answer, radiograph, source) for kind in (PICTURE, REPORT)}


def dicom_file(
    kind: str, answer: Assessment, radiograph: Radiograph, source: SourceDataset
) -> bytes:
    """Write one of the two files of an answer.

    Parameters
    ----------
    kind : str
        ``"picture"`` or ``"report"``.
    answer, radiograph, source
        As for :func:`dicom_files`.

    Raises
    ------
    OutputError
        When what the film states of its patient and study makes no DICOM file.
    """
    picture = draw(answer, radiograph) if kind == PICTURE else None
    try:
        with quiet():
            if picture is not None:
                return _written(secondary_capture(picture, answer, source))
            return _written(structured_report(answer, source))
    except Exception as error:
        # Not chained: what the libraries say may quote the patient.
        raise OutputError(
            f"{radiograph.name!r} states a patient or study that no DICOM file can be written "
            f"with ({type(error).__name__})"
        ) from None


def _written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
