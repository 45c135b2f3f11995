"""Results as files: tables and pictures of many images, reports of one."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome
from boneage.domain.assessment import Assessment, Failure
from boneage.errors import BoneageError
from boneage.extras import what_to_install
from boneage.inference.session import failure_of
from boneage.reports.exports import FORMATS, PICTURE, ReportOptions, export
from boneage.reports.record import batch, record
from boneage.reports.table import row, write_table

ZIP_SUFFIX, ZIP_TYPE = ".boneage.zip", "application/zip"


@dataclass(frozen=True)
class DownloadFile:
    """A file to save."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class DownloadFailure:
    """Why there is no file, in a sentence."""

    message: str


@dataclass(eq=False)
class ExportRequest:
    """Requested exports, and their file once it is written."""

    key: str
    """Of the image."""
    names: Sequence[str]
    assessment: Assessment
    options: ReportOptions
    download: DownloadFile | DownloadFailure | None = None

    def matches(self, assessment: Assessment, options: ReportOptions) -> bool:
        """Whether it is for this assessment and these options."""
        return self.assessment is assessment and self.options == options


def csv_of(outcomes: Sequence[Outcome]) -> bytes:
    """The table that ``boneage assess --csv`` writes."""
    file = BytesIO()
    write_table(file, [row(_without_pictures(outcome)) for outcome in outcomes])
    return file.getvalue()


def json_of(outcomes: Sequence[Outcome]) -> bytes:
    """The document that ``boneage assess --json`` prints."""
    return batch([record(_without_pictures(outcome)) for outcome in outcomes]).encode()


def pictures_of(outcomes: Sequence[Outcome]) -> bytes:
    """The pictures that ``boneage assess --picture`` draws, in one zip archive."""
    analysed = (outcome for outcome in outcomes if isinstance(outcome, AnalysedImage))
    pictures = ((one, export(one.session(), PICTURE)) for one in analysed)
    files = ((one.image.stem, picture.suffix, picture.content) for one, picture in pictures)
    return _zipped(files, zipfile.ZIP_STORED)  # PNG is compressed already


def make_file(name: str, analysed: AnalysedImage, options: ReportOptions) -> bytes:
    """Write one export of an image, which is decoded again."""
    return export(analysed.session(), name, options).content


def make_download(
    names: Sequence[str], analysed: AnalysedImage, options: ReportOptions
) -> DownloadFile | DownloadFailure:
    """Write exports of an image, which is decoded again; several go into a ZIP archive."""
    try:
        for name in names:
            FORMATS[name].require()
        session = analysed.session()
        exports = [export(session, name, options) for name in names]
    except ModuleNotFoundError as error:
        return DownloadFailure(f"{what_to_install(error)}.")
    except Exception as error:  # the assessment is valid without it
        # The message of an unexpected error may quote the patient.
        known = isinstance(error, BoneageError)
        message = str(error) if known else failure_of("", error).message
        return DownloadFailure(f"{message[:1].upper()}{message[1:]}.")
    stem = analysed.image.stem
    if len(exports) == 1:
        (only,) = exports
        return DownloadFile(f"{stem}{only.suffix}", only.content, only.media_type)
    content = _zipped((stem, one.suffix, one.content) for one in exports)
    return DownloadFile(f"{stem}{ZIP_SUFFIX}", content, ZIP_TYPE)


def _without_pictures(outcome: Outcome) -> Assessment | Failure:
    return outcome if isinstance(outcome, Failure) else outcome.assessment


def _zipped(
    files: Iterable[tuple[str, str, bytes]], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Put files of a stem and a suffix into an archive; a stem used twice gets a number."""
    file, taken = BytesIO(), set[str]()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for stem, suffix, content in files:
            name, number = f"{stem}{suffix}", 1
            while name in taken:
                number += 1
                name = f"{stem}-{number}{suffix}"
            taken.add(name)
            archive.writestr(name, content)
    return file.getvalue()
