"""From the file of a DICOM image to the files of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, head_of
from boneage.apps.dicom_node.sameness import content_of
from boneage.domain.assessment import Assessment, Failure
from boneage.inference.assessor import Assessor, failure_of
from boneage.inference.session import Session, assess_case
from boneage.reading.source import NamedFile
from boneage.reports.exports import export


@dataclass(frozen=True)
class Answer:
    """An assessment, and its DICOM files."""

    assessment: Assessment
    fingerprint: str
    """Of the image."""
    files: Mapping[str, tuple[str, bytes]]
    """SOP Instance UID and file, by kind: ``"picture"`` and ``"report"``; one at least."""
    unwritten: Mapping[str, str] = field(default_factory=dict)
    """Why one of the two could not be written, by kind."""
    content: str = ""
    """A hash of what decided the answer (:mod:`boneage.apps.dicom_node.sameness`)."""


class Unanswerable(Exception):  # noqa: N818  an outcome
    """An image that gets no answer.

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


def answer_film(assessor: Assessor, data: bytes, name: str) -> Answer:
    """Assess an image as it states itself, and write its answer.

    What one of the two files cannot be written for does not keep the other back.

    Parameters
    ----------
    assessor : Assessor
    data : bytes
        A DICOM file.
    name : str
        What to call it; nothing that says who the child is.

    Raises
    ------
    Unanswerable
        When there is no answer, or none that can be sent, whatever the reason; then the
        reason gives the bone age all the same.
    WeightsError
        When the weights cannot be used: no image would have an answer.
    """
    session = assess_case(assessor, NamedFile(data, name))
    if isinstance(session.outcome, Failure):
        raise Unanswerable(session.outcome.code, session.outcome.message)
    answer = session.outcome
    files, unwritten = _written(session, name)
    if not files:
        reason = "; ".join(dict.fromkeys(unwritten.values()))
        months = f"{answer.age_months:.1f} months by the {answer.sex} standard"
        raise Unanswerable("output", f"{reason}; the bone age, which is not sent, is {months}")
    try:
        content = content_of(data, session.image).digest
    except Exception as error:  # what it says may quote the patient
        raise Unanswerable("unexpected", failure_of(name, error).message) from None
    return Answer(answer, session.fingerprint, files, unwritten, content)


def _written(session: Session, name: str) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
    """Write each file by itself; say why one cannot be."""
    files: dict[str, tuple[str, bytes]] = {}
    unwritten: dict[str, str] = {}
    for kind in ANSWER_CLASSES:
        try:
            file = export(session, f"dicom/{kind}").content
            files[kind] = head_of(file).sop_instance, file
        except Exception as error:
            unwritten[kind] = failure_of(name, error).message
    return files, unwritten
