"""A study of a DICOMweb archive: its images, read and answered into it.

WADO-RS brings the images, STOW-RS takes the answers, and QIDO-RS says which images have
theirs already. What may be there and cannot be read is found as well, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pydicom.uid

from boneage.apps.dicom_node.answering import ImageAnswer, Unanswerable, answer_film
from boneage.apps.dicom_node.dicomweb_http import DicomWebClient, Listing, StatusError
from boneage.apps.dicom_node.dicomweb_replies import (
    ArchiveError,
    Row,
    items_of,
    number_of,
    uid_of,
    value_of,
)
from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, FILM_CLASSES, MANUFACTURER, head_of
from boneage.errors import FilmError
from boneage.inference.assessor import Assessor

ANSWER_MODALITIES = ("SR", "OT", "")
"""Of the structured report and the picture; a series may state none."""


@dataclass(frozen=True)
class ArchivedImage:
    """An image in the archive, and which answers it has."""

    series: str
    instance: str
    answered: frozenset[str] = frozenset()
    """Of ``"picture"`` and ``"report"``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The answers that it does not have."""
        return tuple(kind for kind in ANSWER_CLASSES if kind not in self.answered)


@dataclass(frozen=True)
class UnreadContent:
    """What is in the archive, or may be, and is not read."""

    what: str
    why: str
    is_failure: bool = True
    """Whether an image may be among it; objects of other kinds are none."""


class Archive(DicomWebClient):
    """A DICOMweb archive with studies of radiographs and of answers."""

    def images(
        self, study: str, series: str | None = None
    ) -> Iterator[ArchivedImage | UnreadContent]:
        """Find the images of a study, and what of it cannot be read."""
        base = f"studies/{study}"
        expected = 0 if series else self._series_of(study)
        try:
            listed = self._whole(base, "series", "SeriesInstanceUID", expected)
        except StatusError as error:
            if error.status != 404:
                raise
            raise ArchiveError(
                f"the study {study} is not in the archive {self.url}, or that is not DICOMweb"
            ) from None
        chosen = [uid for uid in listed.rows if series in {None, uid}]
        if not chosen and not (listed.unnamed or listed.cut_short):
            where = f"the series {series}" if series and listed.rows else f"the study {study}"
            raise ArchiveError(f"{where} is not in the archive {self.url}")
        if series is None or not chosen:
            yield from _not_whole(listed, f"study {study}", "series", expected)
        answered = self._answered(base, listed.rows)
        for uid in chosen:
            yield from self._images_of(base, uid, listed.rows[uid], answered)

    def fetch(self, study: str, image: ArchivedImage) -> bytes:
        """Bring an image, as a DICOM file, in the syntax in which the archive has it."""
        path = f"studies/{study}/series/{image.series}/instances/{image.instance}"
        for file in self.objects(path):
            try:
                if head_of(file).sop_instance == image.instance:
                    return file
            except FilmError as error:
                raise ArchiveError(
                    f"what the archive {self.url} sends is damaged: {error}"
                ) from None
        raise ArchiveError(f"the archive {self.url} sends another object than was asked for")

    def _series_of(self, study: str) -> int:
        """How many series the archive says that a study has; 0 where it does not say.

        Some archives give so many rows and no more, without a warning, whatever the offset.
        """
        stated = (
            number_of(row, "NumberOfStudyRelatedSeries")
            for row in self._rows_if_given(f"studies?StudyInstanceUID={study}")
            if uid_of(row, "StudyInstanceUID") == study
        )
        return max(stated, default=0)

    def _whole(self, base: str, what: str, keyword: str, expected: int = 0) -> Listing:
        """List what is below an address; where pages give less than there is, ask otherwise.

        Metadata is not given in pages.
        """
        listed = self.listing(f"{base}/{what}", keyword)
        if not listed.cut_short and len(listed.rows) + listed.unnamed >= expected:
            return listed
        rows = {uid_of(row, keyword): row for row in self._rows_if_given(f"{base}/metadata")}
        rows.pop("", None)
        whole = rows.keys() >= listed.rows.keys() and len(rows) + listed.unnamed >= expected
        return Listing({**rows, **listed.rows}, listed.unnamed, listed.cut_short and not whole)

    def _images_of(
        self, base: str, series: str, row: Row, answered: Mapping[str, set[str]]
    ) -> Iterator[ArchivedImage | UnreadContent]:
        if value_of(row, "Modality") == "SR":
            return
        where = f"{base}/series/{series}"
        expected = number_of(row, "NumberOfSeriesRelatedInstances")
        try:
            listed = self._whole(where, "instances", "SOPInstanceUID", expected)
        except ArchiveError as error:
            yield UnreadContent(f"series {series}", str(error))
            return
        yield from _not_whole(listed, f"series {series}", "images", expected)
        others: Counter[str] = Counter()
        for uid, instance in listed.rows.items():
            if uid in answered[""]:
                continue
            sop_class = value_of(instance, "SOPClassUID")
            if not sop_class:  # where the archive does not know either, the file does
                rows = self._rows_if_given(f"{where}/instances/{uid}/metadata")
                sop_class = value_of(rows[0], "SOPClassUID") if rows else ""
            if sop_class and sop_class not in FILM_CLASSES:
                others[sop_class] += 1
                continue
            kinds = frozenset(kind for kind in ANSWER_CLASSES if uid in answered[kind])
            yield ArchivedImage(series, uid, kinds)
        if others:
            kinds_of = ", ".join(f"{count} {class_name(uid)}" for uid, count in others.items())
            why = f"objects of other kinds are not read: {kinds_of}"
            yield UnreadContent(f"series {series}", why, is_failure=False)

    def _rows_if_given(self, path: str) -> list[Row]:
        with suppress(ArchiveError):
            return self.rows(path)
        return []

    def _answered(self, base: str, rows: Mapping[str, Row]) -> dict[str, set[str]]:
        """Which images have an answer of each kind; under the empty name, our own objects."""
        answered: dict[str, set[str]] = {"": set(), **{kind: set() for kind in ANSWER_CLASSES}}
        for series, row in rows.items():
            if value_of(row, "Modality") not in ANSWER_MODALITIES:
                continue
            for made in self.rows(f"{base}/series/{series}/metadata"):
                if value_of(made, "Manufacturer") != MANUFACTURER:
                    continue
                for kind, sop_class in ANSWER_CLASSES.items():
                    if value_of(made, "SOPClassUID") == sop_class:
                        answered[""].add(value_of(made, "SOPInstanceUID"))
                        answered[kind] |= set(_referenced(made))
        return answered


def _not_whole(
    listed: Listing, where: str, what: str, expected: int = 0
) -> Iterator[UnreadContent]:
    """Say what of a list is missing."""
    if listed.unnamed:
        why = f"{listed.unnamed} of its {what} have no UID in the archive's list; they are not read"
        yield UnreadContent(where, why)
    if listed.cut_short:
        why = f"the archive has more {what} than the {len(listed.rows)} that it lists"
        yield UnreadContent(where, f"{why}; the rest is not read")
    elif len(listed.rows) + listed.unnamed < expected:
        why = f"the archive states {expected} {what}, and lists {len(listed.rows)}"
        yield UnreadContent(where, f"{why}; the rest is not read")


def class_name(sop_class: str) -> str:
    """Name a SOP class; its UID where it is none of DICOM's."""
    name = pydicom.uid.UID(sop_class).name
    return name if name != sop_class else f"SOP class {sop_class[:64]!r}"


def _referenced(made: Row) -> Iterator[str]:
    """Which objects an answer is about: of a picture its source, of a report its evidence."""
    for item in items_of(made, "SourceImageSequence"):
        yield value_of(item, "ReferencedSOPInstanceUID")
    for study in items_of(made, "CurrentRequestedProcedureEvidenceSequence"):
        for series in items_of(study, "ReferencedSeriesSequence"):
            for item in items_of(series, "ReferencedSOPSequence"):
                yield value_of(item, "ReferencedSOPInstanceUID")


@dataclass(frozen=True)
class StudyResult:
    """What became of one image, or of what could not be looked up."""

    what: str
    """Such as ``"image 1.2.3"``."""
    answer: ImageAnswer | None = None
    """None where there is none, or nothing was to do."""
    problem: str | None = None
    stored: tuple[str, ...] = ()
    """The answers that the archive took, with its warnings."""
    note: str | None = None


def answer_study(
    archive: Archive,
    assessor: Callable[[], Assessor],
    study: str,
    series: str | None = None,
    *,
    again: bool = False,
    dry_run: bool = False,
) -> Iterator[StudyResult]:
    """Read the images of a study, and put the answers into it.

    Parameters
    ----------
    archive : Archive
    assessor : callable
        Opens the assessor, when the first image needs it.
    study, series : str
        Instance UIDs; without a series, every image of the study.
    again : bool
        Answer images that have answers, too.
    dry_run : bool
        Store nothing.

    Raises
    ------
    ArchiveError
        When the study cannot be looked up; what fails with one image is said of it.
    """
    for found in archive.images(study, series):
        if isinstance(found, UnreadContent):
            problem, note = (found.why, None) if found.is_failure else (None, found.why)
            yield StudyResult(found.what, problem=problem, note=note)
            continue
        missing = tuple(ANSWER_CLASSES) if again else found.missing
        yield (
            _answer_image(archive, study, found, assessor, missing, dry_run=dry_run)
            if missing
            else StudyResult(f"image {found.instance}")
        )


def _answer_image(
    archive: Archive,
    study: str,
    image: ArchivedImage,
    assessor: Callable[[], Assessor],
    missing: tuple[str, ...],
    *,
    dry_run: bool,
) -> StudyResult:
    """Read an image, and store the answers that are missing."""
    what = f"image {image.instance}"
    try:
        file = archive.fetch(study, image)
        head = head_of(file)
        if head.is_own:
            return StudyResult(what, note="it is a result of boneage")
        if not head.is_film:
            kind = class_name(head.sop_class)
            return StudyResult(what, problem=f"it is not an image that is read, but {kind}")
        answer = answer_film(assessor(), file, "the image")
    except (Unanswerable, ArchiveError) as error:
        return StudyResult(what, problem=str(error))
    problems, stored = [], []
    for kind in missing:
        if kind not in answer.files:
            problems.append(f"there is no {kind}: {answer.unwritten[kind]}")
        elif not dry_run:
            try:
                warning = archive.store(study, *answer.files[kind])
            except ArchiveError as error:
                problems.append(f"the {kind} is not stored: {error}")
            else:
                warned = "" if warning is None else f" (the archive warns: 0x{warning:04X})"
                stored.append(f"{kind}{warned}")
    return StudyResult(what, answer, "; ".join(problems) or None, tuple(stored))
