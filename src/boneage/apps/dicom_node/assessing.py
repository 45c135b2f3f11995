"""From the file of a DICOM image to the DICOM files of its assessment.

And whether two objects under one SOP Instance UID are the same image, however they are stored:
archives may resend an image in another transfer syntax, with other file meta information or with
elements of their own. Only what affects the result is compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import BytesIO

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import HTJ2K, JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from boneage.apps.dicom_node.sop_classes import RESULT_CLASSES, read_header
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.radiograph import Pixels, Radiograph
from boneage.errors import FilmError, OutputError
from boneage.inference.assessor import Assessor
from boneage.inference.session import assess_case, failure_of
from boneage.reading import read
from boneage.reading.quiet import quiet
from boneage.reading.source import NamedFile
from boneage.reports.dicom.source import read_source
from boneage.reports.exports import export
from boneage.reports.wording import full_bone_age_text

ENCODING_FIELDS = frozenset(("format", "bits", "in_colour"))
"""Metadata of how an image is stored; the pixels themselves are compared."""
IDENTITY_KEYWORDS = (
    "StudyInstanceUID",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
)
"""What a result repeats, and may have been corrected."""
LOSSY_SYNTAXES = frozenset(
    (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, HTJ2K)
)
"""Which may change pixels slightly."""
MEAN_CHANGE, BLOCK_CHANGE = 0.01, 0.03
"""Largest change by compression, of the mean and of a block's mean; pixels range from 0 to 1."""
BLOCKS = 64


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
    """Digest of the image's :class:`Content`."""


class NoResult(Exception):  # noqa: N818  an outcome
    """There is no result for an image: a code, and a sentence without anything of the patient."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def assess_film(assessor: Assessor, data: bytes, name: str) -> ImageResults:
    """Assess a DICOM image by the sex and dates that it states, and write the DICOM files.

    Each of the two files is written independently of the other. The name, which messages have,
    must not identify the child. Raises `NoResult` when there is no result, or none that can be
    sent: then the reason states the bone age; a `WeightsError` when no image would have a result.
    """
    session = assess_case(assessor, NamedFile(data, name))
    if isinstance(session.outcome, Failure):
        raise NoResult(session.outcome.code, session.outcome.message)
    result = session.outcome
    files: dict[str, tuple[str, bytes]] = {}
    unwritten: dict[str, str] = {}
    for kind in RESULT_CLASSES:
        try:
            file = export(session, f"dicom/{kind}").content
            files[kind] = read_header(file).sop_instance, file
        except Exception as error:
            unwritten[kind] = failure_of(name, error).message
    if not files:
        reason = "; ".join(dict.fromkeys(unwritten.values()))
        months = f"{full_bone_age_text(result)} by the {result.sex} standard"
        raise NoResult("output", f"{reason}; the bone age, which was not sent, is {months}")
    try:
        content = content_of(data, session.image).digest
    except Exception as error:  # its message may quote the patient
        raise NoResult("unexpected", failure_of(name, error).message) from None
    return ImageResults(result, session.fingerprint, files, unwritten, content)


@dataclass(frozen=True)
class Content:
    """The parts of an object that affect its result, and the patient it is stored under."""

    elements: str
    pixels: Pixels
    is_lossy: bool

    @property
    def digest(self) -> str:
        """A hash of both; with the pixels in it, the elements cannot be guessed."""
        pixels = hashlib.sha256(self.pixels.tobytes()).digest()
        shape = repr(self.pixels.shape).encode()
        return hashlib.sha256(self.elements.encode() + shape + pixels).hexdigest()

    def is_same(self, other: Content) -> bool:
        """Whether both give the same result; lossy compression may change pixels."""
        if self.elements != other.elements or self.pixels.shape != other.pixels.shape:
            return False
        if not (self.is_lossy or other.is_lossy):
            return bool(np.array_equal(self.pixels, other.pixels))
        change = cv2.absdiff(self.pixels, other.pixels)
        blocks = [
            cv2.resize(pixels, (BLOCKS, BLOCKS), interpolation=cv2.INTER_AREA)
            for pixels in (self.pixels, other.pixels)
        ]
        return bool(change.mean() <= MEAN_CHANGE and cv2.absdiff(*blocks).max() <= BLOCK_CHANGE)


def content_of(data: bytes, radiograph: Radiograph | None = None) -> Content:
    """What is compared of a DICOM file, decoded already or now; a `FilmError` when it cannot be."""
    radiograph = radiograph or read(BytesIO(data))
    metadata = radiograph.metadata
    elements = {
        field.name: getattr(metadata, field.name)
        for field in fields(metadata)
        if field.name not in ENCODING_FIELDS
    }
    elements |= {"aspect": radiograph.pixel_aspect, "exposed": radiograph.exposed}
    try:
        source = read_source(BytesIO(data))
        stated = (keyword for keyword in IDENTITY_KEYWORDS if keyword not in source.generated)
        elements |= {keyword: _plain(source, keyword) for keyword in stated}
    except (OutputError, FilmError):  # it has no study data to compare
        pass
    return Content(repr(sorted(elements.items())), radiograph.pixels, _is_lossy(data))


def is_duplicate(
    content: Content, others: Sequence[tuple[str | None, Callable[[], bytes | None]]]
) -> bool:
    """Whether an image is one of those already assessed under its UID.

    Each of the others is given by its digest, where known, and a function that reads its file,
    where that still exists.
    """
    if content.digest in {digest for digest, _ in others}:
        return True
    files = (read_file() for _, read_file in others)
    return any(content.is_same(content_of(file)) for file in files if file is not None)


def _plain(source: Dataset, keyword: str) -> str:
    """An element as text, without padding, which archives add and remove."""
    return str(source.get(keyword) or "").strip(" \0").rstrip("^")


def _is_lossy(data: bytes) -> bool:
    try:
        with quiet():
            dataset = dcmread(
                BytesIO(data),
                force=True,
                stop_before_pixels=True,
                specific_tags=["LossyImageCompression"],
            )
            syntax = dataset.file_meta.get("TransferSyntaxUID", "")
            return syntax in LOSSY_SYNTAXES or dataset.get("LossyImageCompression") == "01"
    except Exception:  # unknown: compared strictly
        return False
