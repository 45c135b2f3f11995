"""From the file of a DICOM film to the files of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from boneage.assessment import Assessment
from boneage.assessor import Assessor
from boneage.clinical.child import Child
from boneage.clinical.interpreting import with_clinical_findings
from boneage.errors import AgeError, BoneageError, OutputError, SexError, WeightsError
from boneage.node.kinds import head_of
from boneage.reading import read
from boneage.writing.dicom.source import read_source
from boneage.writing.dicom.writing import dicom_files
from boneage.writing.fingerprint import fingerprint

CODES: Mapping[type[BoneageError], str] = {SexError: "sex", AgeError: "age", OutputError: "output"}


@dataclass(frozen=True)
class Answer:
    """An assessment, and its two DICOM files."""

    assessment: Assessment
    fingerprint: str
    """Of the film."""
    files: Mapping[str, tuple[str, bytes]]
    """SOP Instance UID and file, by kind: ``"picture"`` and ``"report"``."""


class Unanswerable(Exception):  # noqa: N818  an outcome
    """A film that gets no answer.

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
    """Read a film as it states itself, and write its answer.

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
        When there is no answer, whatever the reason.
    WeightsError
        When the weights cannot be used: no film would have an answer.
    """
    try:
        radiograph = read(_named(data, name))
        source = read_source(_named(data, name))
        answer = with_clinical_findings(assessor.assess(radiograph), Child())
        made = dicom_files(answer, radiograph, source)
        files = {kind: (head_of(file).sop_instance, file) for kind, file in made.items()}
        return Answer(answer, fingerprint(radiograph), files)
    except WeightsError:
        raise
    except BoneageError as error:
        code = getattr(error, "code", None) or CODES.get(type(error), "failed")
        raise Unanswerable(str(code), str(error)) from None
    except Exception as error:  # what it says may quote the patient
        kind = type(error).__name__
        raise Unanswerable("unexpected", f"unexpected {kind} with the film {name!r}") from None


def _named(data: bytes, name: str) -> BytesIO:
    file = BytesIO(data)
    file.name = name
    return file
