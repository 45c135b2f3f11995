"""Report, DICOM and FHIR of one answer, made when somebody asks for them."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from boneage.apps.dashboard.answers import Answer
from boneage.errors import BoneageError
from boneage.extras import what_to_install
from boneage.i18n.words import ENGLISH
from boneage.reading.kinds import DICOM, kind_of
from boneage.reports.documents import Files, dicom_answers, fhir_files, report_files
from boneage.reports.identity import Identity

ZIP_SUFFIX = ".boneage.zip"
FHIR_TYPE = "application/fhir+json"
TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".json": FHIR_TYPE,
    ".zip": "application/zip",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wishes:
    """How the documents are to be."""

    paper: str = "a4"
    language: str = ENGLISH
    pseudonym: str | None = None
    """All that they say of who the child is, but for DICOM, which says what the film does."""
    weights_date: str | None = None


@dataclass(frozen=True)
class Made:
    """A file to save."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """What browsers call this kind of file."""
        return TYPES[PurePath(self.name).suffix]


@dataclass(frozen=True)
class NotMade:
    """Why there is no file, in a sentence."""

    message: str


def report_of(answer: Answer, wishes: Wishes) -> Files:
    """The report that ``boneage assess --report`` writes."""
    from boneage.reports.pdf.writing import ReportForm  # noqa: PLC0415  needs the extra

    form = ReportForm(wishes.paper, wishes.language, wishes.weights_date)
    identity = Identity(wishes.pseudonym)
    return report_files(answer.assessment, answer.film.radiograph(), form, identity)


def fhir_of(answer: Answer, wishes: Wishes) -> Files:
    """The observation that ``boneage assess --fhir`` writes."""
    identity = Identity(wishes.pseudonym)
    return fhir_files(answer.assessment, answer.film.radiograph(), identity)


def dicom_of(answer: Answer, _wishes: Wishes) -> Files:
    """The two files that ``boneage assess --dicom-out`` writes."""
    import highdicom  # noqa: F401, PLC0415  before the film is read once more

    from boneage.reports.dicom.source import read_source  # noqa: PLC0415  needs the extra

    source = read_source(answer.film.file())
    return dicom_answers(answer.assessment, answer.film.radiograph(), source)


Maker = Callable[[Answer, Wishes], Files]


@dataclass(eq=False)
class Order:
    """A document that was asked for, and the file once it is made."""

    maker: Maker
    answer: Answer
    wishes: Wishes
    found: Made | NotMade | None = None

    def is_for(self, answer: Answer, wishes: Wishes) -> bool:
        """Whether it is of this very answer, and as wished now."""
        return self.answer is answer and self.wishes == wishes


def made(maker: Maker, answer: Answer, wishes: Wishes) -> Made | NotMade:
    """Make one document; several files go into a zip archive."""
    try:
        files = maker(answer, wishes)
    except ModuleNotFoundError as error:
        return NotMade(f"{what_to_install(error)}.")
    except BoneageError as error:
        return NotMade(f"{str(error)[:1].upper()}{str(error)[1:]}.")
    except Exception as error:  # the answer stands without it
        # Neither logged nor shown in full: what it says may quote the patient.
        logger.error("unexpected %s while a document was made", type(error).__name__)
        return NotMade(f"Unexpected {type(error).__name__}.")
    stem = PurePath(answer.film.name).stem or "film"
    if len(files) > 1:
        return Made(f"{stem}{ZIP_SUFFIX}", _zipped(stem, files))
    ((suffix, content),) = files.items()
    return Made(f"{stem}{suffix}", content)


def is_dicom(answer: Answer) -> bool:
    """Whether the film has a study that a DICOM answer could join."""
    return kind_of(answer.film.data, answer.film.name) == DICOM


def _zipped(stem: str, files: Files) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix, content in files.items():
            archive.writestr(f"{stem}{suffix}", content)
    return file.getvalue()
