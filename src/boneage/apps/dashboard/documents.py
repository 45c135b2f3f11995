"""Report, DICOM and FHIR of one answer, made when somebody asks for them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from boneage.apps.dashboard.answers import Answer
from boneage.errors import BoneageError
from boneage.extras import what_to_install
from boneage.inference.assessor import failure_of
from boneage.inference.session import Session
from boneage.reading.kinds import DICOM, kind_of
from boneage.reports.exports import FORMATS, Export, ReportOptions, export

ZIP_SUFFIX, ZIP_TYPE = ".boneage.zip", "application/zip"


@dataclass(frozen=True)
class Made:
    """A file to save."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class NotMade:
    """Why there is no file, in a sentence."""

    message: str


@dataclass(eq=False)
class Order:
    """The exports that were asked for, and the file once it is made."""

    names: Sequence[str]
    answer: Answer
    options: ReportOptions
    found: Made | NotMade | None = None

    def is_for(self, answer: Answer, options: ReportOptions) -> bool:
        """Whether it is of this very answer, and as wanted now."""
        return self.answer is answer and self.options == options


def made(names: Sequence[str], answer: Answer, options: ReportOptions) -> Made | NotMade:
    """Write exports of an answer, on its image, decoded anew; several go into a zip archive."""
    film = answer.film
    try:
        for name in names:
            FORMATS[name].require()
        session = Session(answer.assessment, film.radiograph(), film.data)
        exports = [export(session, name, options) for name in names]
    except ModuleNotFoundError as error:
        return NotMade(f"{what_to_install(error)}.")
    except Exception as error:  # the answer stands without it
        said = str(error) if isinstance(error, BoneageError) else failure_of("", error).message
        return NotMade(f"{said[:1].upper()}{said[1:]}.")
    stem = PurePath(film.name).stem or "film"
    if len(exports) > 1:
        return Made(f"{stem}{ZIP_SUFFIX}", _zipped(stem, exports), ZIP_TYPE)
    (only,) = exports
    return Made(f"{stem}{only.suffix}", only.content, only.media_type)


def is_dicom(answer: Answer) -> bool:
    """Whether the film has a study that a DICOM answer could join."""
    return kind_of(answer.film.data, answer.film.name) == DICOM


def _zipped(stem: str, exports: Sequence[Export]) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in exports:
            archive.writestr(f"{stem}{one.suffix}", one.content)
    return file.getvalue()
