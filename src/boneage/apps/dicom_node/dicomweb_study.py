"""A study of a DICOMweb archive: its images are assessed, the results stored into it.

WADO-RS gives the images, STOW-RS stores the results, and QIDO-RS lists which images have
results already. What may be there and cannot be assessed is reported as well, with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pydicom.uid

from boneage.apps.dicom_node.assessing import ImageResults, NoResult, assess_film
from boneage.apps.dicom_node.dicomweb_http import DicomWebClient, Listing, StatusError
from boneage.apps.dicom_node.dicomweb_replies import (
    ArchiveError,
    Row,
    items_of,
    number_of,
    uid_of,
    value_of,
)
from boneage.apps.dicom_node.sop_classes import (
    FILM_CLASSES,
    MANUFACTURER,
    RESULT_CLASSES,
    read_header,
)
from boneage.errors import FilmError
from boneage.inference.assessor import Assessor

RESULT_MODALITIES = ("SR", "OT", "")
"""Of the structured report and the picture; the modality of a series may be missing."""


@dataclass(frozen=True)
class ArchivedImage:
    """An image in the archive, and which results it has."""

    series: str
    instance: str
    existing: frozenset[str] = frozenset()
    """Of ``"picture"`` and ``"report"``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The results that it does not have."""
        return tuple(kind for kind in RESULT_CLASSES if kind not in self.existing)


@dataclass(frozen=True)
class SkippedContent:
    """What is, or may be, in the archive and is not assessed."""

    what: str
    why: str
    is_failure: bool = True
    """Whether an image may be among it; False for objects of other kinds."""


class Archive(DicomWebClient):
    """A DICOMweb archive with studies of radiographs and of results."""

    def images(
        self, study: str, series: str | None = None
    ) -> Iterator[ArchivedImage | SkippedContent]:
        """Find the images of a study, and what of it cannot be assessed."""
        base = f"studies/{study}"
        expected = 0 if series else self._series_of(study)
        try:
            listed = self._complete_listing(base, "series", "SeriesInstanceUID", expected)
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
            yield from _incompleteness(listed, f"study {study}", "series", expected)
        results = self._results(base, listed.rows)
        for uid in chosen:
            yield from self._images_of(base, uid, listed.rows[uid], results)

    def fetch(self, study: str, image: ArchivedImage) -> bytes:
        """Fetch an image, as a DICOM file, in the syntax in which the archive stores it."""
        path = f"studies/{study}/series/{image.series}/instances/{image.instance}"
        for file in self.objects(path):
            try:
                if read_header(file).sop_instance == image.instance:
                    return file
            except FilmError as error:
                raise ArchiveError(
                    f"the reply of the archive {self.url} is damaged: {error}"
                ) from None
        raise ArchiveError(f"the archive {self.url} sends another object than the one requested")

    def _series_of(self, study: str) -> int:
        """The number of series that the archive states for a study; 0 where it states none.

        Some archives truncate lists without a warning, whatever the offset.
        """
        stated = (
            number_of(row, "NumberOfStudyRelatedSeries")
            for row in self._rows_if_given(f"studies?StudyInstanceUID={study}")
            if uid_of(row, "StudyInstanceUID") == study
        )
        return max(stated, default=0)

    def _complete_listing(self, base: str, what: str, keyword: str, expected: int = 0) -> Listing:
        """List what is below an address; where the pages are incomplete, by its metadata.

        Metadata is not paged.
        """
        listed = self.listing(f"{base}/{what}", keyword)
        if not listed.cut_short and len(listed.rows) + listed.unnamed >= expected:
            return listed
        rows = {uid_of(row, keyword): row for row in self._rows_if_given(f"{base}/metadata")}
        rows.pop("", None)
        whole = rows.keys() >= listed.rows.keys() and len(rows) + listed.unnamed >= expected
        return Listing({**rows, **listed.rows}, listed.unnamed, listed.cut_short and not whole)

    def _images_of(
        self, base: str, series: str, row: Row, results: Mapping[str, set[str]]
    ) -> Iterator[ArchivedImage | SkippedContent]:
        if value_of(row, "Modality") == "SR":
            return
        where = f"{base}/series/{series}"
        expected = number_of(row, "NumberOfSeriesRelatedInstances")
        try:
            listed = self._complete_listing(where, "instances", "SOPInstanceUID", expected)
        except ArchiveError as error:
            yield SkippedContent(f"series {series}", str(error))
            return
        yield from _incompleteness(listed, f"series {series}", "images", expected)
        others: Counter[str] = Counter()
        for uid, instance in listed.rows.items():
            if uid in results[""]:
                continue
            sop_class = value_of(instance, "SOPClassUID")
            if not sop_class:  # where it is not in the metadata either, the file states it
                rows = self._rows_if_given(f"{where}/instances/{uid}/metadata")
                sop_class = value_of(rows[0], "SOPClassUID") if rows else ""
            if sop_class and sop_class not in FILM_CLASSES:
                others[sop_class] += 1
                continue
            kinds = frozenset(kind for kind in RESULT_CLASSES if uid in results[kind])
            yield ArchivedImage(series, uid, kinds)
        if others:
            kinds_of = ", ".join(f"{count} {class_name(uid)}" for uid, count in others.items())
            why = f"objects of other kinds are not assessed: {kinds_of}"
            yield SkippedContent(f"series {series}", why, is_failure=False)

    def _rows_if_given(self, path: str) -> list[Row]:
        with suppress(ArchiveError):
            return self.rows(path)
        return []

    def _results(self, base: str, rows: Mapping[str, Row]) -> dict[str, set[str]]:
        """The images with a result, by its kind; under the empty name, the results themselves."""
        results: dict[str, set[str]] = {"": set(), **{kind: set() for kind in RESULT_CLASSES}}
        for series, row in rows.items():
            if value_of(row, "Modality") not in RESULT_MODALITIES:
                continue
            for result in self.rows(f"{base}/series/{series}/metadata"):
                if value_of(result, "Manufacturer") != MANUFACTURER:
                    continue
                for kind, sop_class in RESULT_CLASSES.items():
                    if value_of(result, "SOPClassUID") == sop_class:
                        results[""].add(value_of(result, "SOPInstanceUID"))
                        results[kind] |= set(_referenced(result))
        return results


def _incompleteness(
    listed: Listing, where: str, what: str, expected: int = 0
) -> Iterator[SkippedContent]:
    """Report what is missing from a list."""
    if listed.unnamed:
        why = f"the archive lists {listed.unnamed} {what} without a UID"
        why += "; they are not assessed"
        yield SkippedContent(where, why)
    if listed.cut_short:
        why = f"the archive has more {what} than the {len(listed.rows)} that it lists"
        yield SkippedContent(where, f"{why}; the rest is not assessed")
    elif len(listed.rows) + listed.unnamed < expected:
        why = f"the archive states {expected} {what}, and lists {len(listed.rows)}"
        yield SkippedContent(where, f"{why}; the rest is not assessed")


def class_name(sop_class: str) -> str:
    """Name a SOP class; its UID where it is none of DICOM's."""
    name = pydicom.uid.UID(sop_class).name
    return name if name != sop_class else f"SOP class {sop_class[:64]!r}"


def _referenced(result: Row) -> Iterator[str]:
    """The objects that a result refers to: the source of a picture, the evidence of a report."""
    for item in items_of(result, "SourceImageSequence"):
        yield value_of(item, "ReferencedSOPInstanceUID")
    for study in items_of(result, "CurrentRequestedProcedureEvidenceSequence"):
        for series in items_of(study, "ReferencedSeriesSequence"):
            for item in items_of(series, "ReferencedSOPSequence"):
                yield value_of(item, "ReferencedSOPInstanceUID")


@dataclass(frozen=True)
class StudyResult:
    """The outcome of one image, or of what could not be listed."""

    what: str
    """Such as ``"image 1.2.3"``."""
    results: ImageResults | None = None
    """None where there are none, or nothing was to do."""
    problem: str | None = None
    stored: tuple[str, ...] = ()
    """The results that the archive stored, with its warnings."""
    note: str | None = None


def assess_study(
    archive: Archive,
    assessor: Callable[[], Assessor],
    study: str,
    series: str | None = None,
    *,
    again: bool = False,
    dry_run: bool = False,
) -> Iterator[StudyResult]:
    """Assess the images of a study, and store the results into it.

    Raises an `ArchiveError` when the study cannot be listed; a problem of one image is in its
    result.

    Study and series are instance UIDs; without a series, every image of the study is assessed;
    those that have results only with ``again``. ``dry_run`` stores nothing. The assessor is opened
    when the first image needs it.
    """
    for found in archive.images(study, series):
        if isinstance(found, SkippedContent):
            problem, note = (found.why, None) if found.is_failure else (None, found.why)
            yield StudyResult(found.what, problem=problem, note=note)
            continue
        missing = tuple(RESULT_CLASSES) if again else found.missing
        yield (
            _assess_image(archive, study, found, assessor, missing, dry_run=dry_run)
            if missing
            else StudyResult(f"image {found.instance}")
        )


def _assess_image(
    archive: Archive,
    study: str,
    image: ArchivedImage,
    assessor: Callable[[], Assessor],
    missing: tuple[str, ...],
    *,
    dry_run: bool,
) -> StudyResult:
    """Assess an image, and store the results that are missing."""
    what = f"image {image.instance}"
    try:
        file = archive.fetch(study, image)
        head = read_header(file)
        if head.is_own:
            return StudyResult(what, note="it is a result of boneage")
        if not head.is_film:
            kind = class_name(head.sop_class)
            return StudyResult(what, problem=f"this kind of object is not assessed: {kind}")
        results = assess_film(assessor(), file, "the image")
    except (NoResult, ArchiveError) as error:
        return StudyResult(what, problem=str(error))
    problems, stored = [], []
    for kind in missing:
        if kind not in results.files:
            problems.append(f"there is no {kind}: {results.unwritten[kind]}")
        elif not dry_run:
            try:
                warning = archive.store(study, *results.files[kind])
            except ArchiveError as error:
                problems.append(f"the {kind} was not stored: {error}")
            else:
                warned = "" if warning is None else f" (the archive warns: 0x{warning:04X})"
                stored.append(f"{kind}{warned}")
    return StudyResult(what, results, "; ".join(problems) or None, tuple(stored))
