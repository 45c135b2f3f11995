"""From the file of a DICOM image to the files of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, head_of
from boneage.apps.dicom_node.sameness import content_of
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Assessment
from boneage.domain.child import Child
from boneage.domain.radiograph import Radiograph
from boneage.errors import AgeError, BoneageError, OutputError, SexError, WeightsError
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.reports.dicom.source import read_source
from boneage.reports.dicom.writing import dicom_file
from boneage.reports.identity import fingerprint

CODES: Mapping[type[BoneageError], str] = {SexError: "sex", AgeError: "age", OutputError: "output"}


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
    """Read an image as it states itself, and write its answer.

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
    try:
        radiograph = read(_named(data, name))
        answer = with_clinical_findings(assessor.assess(radiograph), Child())
    except WeightsError:
        raise
    except BoneageError as error:
        code = getattr(error, "code", None) or CODES.get(type(error), "failed")
        raise Unanswerable(str(code), str(error)) from None
    except Exception as error:  # what it says may quote the patient
        raise _unexpected(error, name) from None
    files, unwritten = _written(answer, radiograph, data, name)
    if not files:
        reason = "; ".join(dict.fromkeys(unwritten.values()))
        months = f"{answer.age_months:.1f} months by the {answer.sex} standard"
        raise Unanswerable("output", f"{reason}; the bone age, which is not sent, is {months}")
    try:
        content = content_of(data, radiograph).digest
        return Answer(answer, fingerprint(radiograph), files, unwritten, content)
    except Exception as error:
        raise _unexpected(error, name) from None


def _written(
    answer: Assessment, radiograph: Radiograph, data: bytes, name: str
) -> tuple[dict[str, tuple[str, bytes]], dict[str, str]]:
    """Write each file by itself; say why one cannot be."""
    files: dict[str, tuple[str, bytes]] = {}
    unwritten: dict[str, str] = {}
    for kind in ANSWER_CLASSES:
        try:
            # Anew for each: a writer may have changed it before it failed.
            file = dicom_file(kind, answer, radiograph, read_source(_named(data, name)))
            files[kind] = head_of(file).sop_instance, file
        except BoneageError as error:
            unwritten[kind] = str(error)
        except Exception as error:
            unwritten[kind] = str(_unexpected(error, name))
    return files, unwritten


def _unexpected(error: Exception, name: str) -> Unanswerable:
    return Unanswerable("unexpected", f"unexpected {type(error).__name__} with the image {name!r}")


def _named(data: bytes, name: str) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file
