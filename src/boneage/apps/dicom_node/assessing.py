"""From the file of a DICOM image to the DICOM files of its assessment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boneage.apps.dicom_node.duplicates import content_of
from boneage.apps.dicom_node.sop_classes import RESULT_CLASSES, read_header
from boneage.domain.assessment import Assessment, Failure
from boneage.inference.assessor import Assessor, failure_of
from boneage.inference.session import Session, assess_case
from boneage.reading.source import NamedFile
from boneage.reports.exports import export
from boneage.reports.wording import EN


@dataclass(frozen=True)
class ImageResults:
    """An assessment, and its DICOM files."""

    assessment: Assessment
    fingerprint: str
    """Of the image's pixels."""
    files: Mapping[str, tuple[str, bytes]]
    """SOP Instance UID and file, by kind: ``"picture"``, ``"report"``, or both."""
    unwritten: Mapping[str, str] = field(default_factory=dict)
    """Why one of the two could not be written, by kind."""
    content: str = ""
    """Digest of the image content (:mod:`boneage.apps.dicom_node.duplicates`)."""


class NoResult(Exception):  # noqa: N818  an outcome
    """There is no result for an image.

    Parameters
    ----------
    code : str
        A stable short word.
    reason : str
        One sentence, without anything of the patient.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def assess_film(assessor: Assessor, data: bytes, name: str) -> ImageResults:
    """Assess an image by the sex and dates that it states, and write the DICOM files.

    Each of the two files is written independently of the other.

    Parameters
    ----------
    assessor : Assessor
    data : bytes
        A DICOM file.
    name : str
        Its name in messages; nothing that identifies the child.

    Raises
    ------
    NoResult
        When there is no result, or none that can be sent; in the latter case the reason
        states the bone age.
    WeightsError
        When the weights cannot be used: no image would have a result.
    """
    session = assess_case(assessor, NamedFile(data, name))
    if isinstance(session.outcome, Failure):
        raise NoResult(session.outcome.code, session.outcome.message)
    result = session.outcome
    files, unwritten = _dicom_files(session, name)
    if not files:
        reason = "; ".join(dict.fromkeys(unwritten.values()))
        months = f"{EN.months(result.age_months)} by the {result.sex} standard"
        raise NoResult("output", f"{reason}; the bone age, which was not sent, is {months}")
    try:
        content = content_of(data, session.image).digest
    except Exception as error:  # its message may quote the patient
        raise NoResult("unexpected", failure_of(name, error).message) from None
    return ImageResults(result, session.fingerprint, files, unwritten, content)


def _dicom_files(
    session: Session, name: str
) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
    """Write each file independently; give the files, and why one could not be written."""
    files: dict[str, tuple[str, bytes]] = {}
    unwritten: dict[str, str] = {}
    for kind in RESULT_CLASSES:
        try:
            file = export(session, f"dicom/{kind}").content
            files[kind] = read_header(file).sop_instance, file
        except Exception as error:
            unwritten[kind] = failure_of(name, error).message
    return files, unwritten
