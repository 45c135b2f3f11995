"""A DICOMweb archive: which images a study has, and what goes in and out.

WADO-RS brings the images, STOW-RS takes the answers, and QIDO-RS says which images have
theirs already. What may be there and cannot be read is found as well, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pydicom.uid
from requests.auth import AuthBase

from boneage.apps.dicom_node.dicomweb_answers import (
    EVIDENCE,
    INSTANCES_IN_SERIES,
    MADE_BY,
    MODALITY,
    REFERENCED_SERIES,
    REFERENCED_SOPS,
    REFERENCED_UID,
    SERIES,
    SERIES_IN_STUDY,
    SOP_CLASS,
    SOP_INSTANCE,
    SOURCE_IMAGES,
    STUDY,
    ArchiveError,
    Row,
    items_of,
    number_of,
    uid_of,
    value_of,
)
from boneage.apps.dicom_node.dicomweb_http import Listing, StatusError, Web
from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, FILM_CLASSES, MANUFACTURER, head_of
from boneage.errors import FilmError

SECONDS = 60.0
ANSWER_MODALITIES = ("SR", "OT", "")
"""Of the structured report and the picture; a series may state none."""


@dataclass(frozen=True)
class Found:
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
class LeftOut:
    """What is in the archive, or may be, and is not read."""

    what: str
    why: str
    is_failure: bool = True
    """Whether an image may be among it; objects of other kinds are none."""


class Archive:
    """An archive that speaks DICOMweb.

    Parameters
    ----------
    url : str
        Of the service, without ``/studies``.
    auth : AuthBase, optional
    ca : Path, optional
        Who signed its certificate, in PEM; None: whom the system trusts.
    seconds : float
        How long it may be silent.

    Raises
    ------
    ArchiveError
        When the address is none.
    """

    def __init__(
        self,
        url: str,
        auth: AuthBase | None = None,
        ca: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._web = Web(url, auth, ca, seconds)
        self.url = self._web.url

    def images(self, study: str, series: str | None = None) -> Iterator[Found | LeftOut]:
        """Find the images of a study, and what of it cannot be read.

        Raises
        ------
        ArchiveError
            When the study is not there, or the archive does not answer.
        """
        base = f"studies/{study}"
        expected = 0 if series else self._series_of(study)
        try:
            listed = self._whole(base, "series", SERIES, expected)
        except StatusError as error:
            if error.status != 404:
                raise
            raise ArchiveError(
                f"the study {study} is not in the archive {self.url}, or that is no DICOMweb"
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

    def fetch(self, study: str, image: Found) -> bytes:
        """Bring an image, as a DICOM file, in the syntax that the archive keeps it in.

        Raises
        ------
        ArchiveError
            When it sends none, or another object than was asked for.
        """
        path = f"studies/{study}/series/{image.series}/instances/{image.instance}"
        for file in self._web.object(path):
            try:
                if head_of(file).sop_instance == image.instance:
                    return file
            except FilmError as error:
                raise ArchiveError(
                    f"what the archive {self.url} sends is damaged: {error}"
                ) from None
        raise ArchiveError(f"the archive {self.url} sends another object than was asked for")

    def store(self, study: str, uid: str, file: bytes) -> int | None:
        """Put an object into a study; when this returns the archive said that it has it.

        Returns
        -------
        int or None
            The archive's warning (PS3.18, I.2.2).

        Raises
        ------
        ArchiveError
            When the archive does not take it, or does not say that it did.
        """
        return self._web.store(f"studies/{study}", file, uid)

    def _series_of(self, study: str) -> int:
        """How many series the archive says that a study has; 0 where it does not say.

        Some archives give so many rows and no more, without a warning, whatever the offset.
        """
        try:
            rows = self._web.rows(f"studies?StudyInstanceUID={study}")
        except ArchiveError:
            return 0
        return max(
            (number_of(r, SERIES_IN_STUDY) for r in rows if uid_of(r, STUDY) == study), default=0
        )

    def _whole(self, base: str, what: str, tag: str, expected: int = 0) -> Listing:
        """List what is below an address; where pages give less than there is, ask otherwise.

        Metadata is not given in pages.
        """
        listed = self._web.listing(f"{base}/{what}", tag)
        if not listed.cut_short and len(listed.rows) + listed.unnamed >= expected:
            return listed
        try:
            rows = {uid_of(row, tag): row for row in self._web.rows(f"{base}/metadata")}
        except ArchiveError:
            rows = {}
        rows.pop("", None)
        whole = rows.keys() >= listed.rows.keys() and len(rows) + listed.unnamed >= expected
        return Listing({**rows, **listed.rows}, listed.unnamed, listed.cut_short and not whole)

    def _images_of(
        self, base: str, series: str, row: Row, answered: Mapping[str, set[str]]
    ) -> Iterator[Found | LeftOut]:
        if value_of(row, MODALITY) == "SR":
            return
        where = f"{base}/series/{series}"
        expected = number_of(row, INSTANCES_IN_SERIES)
        try:
            listed = self._whole(where, "instances", SOP_INSTANCE, expected)
        except ArchiveError as error:
            yield LeftOut(f"series {series}", str(error))
            return
        yield from _not_whole(listed, f"series {series}", "images", expected)
        others: Counter[str] = Counter()
        for uid, instance in listed.rows.items():
            if uid in answered[""]:
                continue
            sop_class = value_of(instance, SOP_CLASS) or self._class_of(f"{where}/instances/{uid}")
            if sop_class and sop_class not in FILM_CLASSES:
                others[sop_class] += 1
                continue
            kinds = frozenset(kind for kind in ANSWER_CLASSES if uid in answered[kind])
            yield Found(series, uid, kinds)
        if others:
            kinds_of = ", ".join(f"{count} {class_name(uid)}" for uid, count in others.items())
            why = f"objects of other kinds are not read: {kinds_of}"
            yield LeftOut(f"series {series}", why, is_failure=False)

    def _class_of(self, path: str) -> str:
        """Ask what a row does not say; empty where the archive does not know: the file does."""
        try:
            return next(
                (value_of(row, SOP_CLASS) for row in self._web.rows(f"{path}/metadata")), ""
            )
        except ArchiveError:
            return ""

    def _answered(self, base: str, rows: Mapping[str, Row]) -> dict[str, set[str]]:
        """Which images have an answer of each kind; under the empty name, our own objects."""
        answered: dict[str, set[str]] = {"": set(), **{kind: set() for kind in ANSWER_CLASSES}}
        for series, row in rows.items():
            if value_of(row, MODALITY) not in ANSWER_MODALITIES:
                continue
            for said in self._web.rows(f"{base}/series/{series}/metadata"):
                if value_of(said, MADE_BY) != MANUFACTURER:
                    continue
                for kind, sop_class in ANSWER_CLASSES.items():
                    if value_of(said, SOP_CLASS) == sop_class:
                        answered[""].add(value_of(said, SOP_INSTANCE))
                        answered[kind] |= set(_referenced(said))
        return answered


def _not_whole(listed: Listing, where: str, what: str, expected: int = 0) -> Iterator[LeftOut]:
    """Say what of a list is missing."""
    if listed.unnamed:
        why = f"{listed.unnamed} of its {what} have no UID in the archive's list; they are not read"
        yield LeftOut(where, why)
    if listed.cut_short:
        why = f"the archive has more {what} than the {len(listed.rows)} that it lists"
        yield LeftOut(where, f"{why}; the rest is not read")
    elif len(listed.rows) + listed.unnamed < expected:
        why = f"the archive states {expected} {what}, and lists {len(listed.rows)}"
        yield LeftOut(where, f"{why}; the rest is not read")


def class_name(sop_class: str) -> str:
    """Name a SOP class; its UID where it is none of DICOM's."""
    name = pydicom.uid.UID(sop_class).name
    return name if name != sop_class else f"SOP class {sop_class[:64]!r}"


def _referenced(said: Row) -> Iterator[str]:
    """Which objects an answer is about: of a picture its source, of a report its evidence."""
    for item in items_of(said, SOURCE_IMAGES):
        yield value_of(item, REFERENCED_UID)
    for study in items_of(said, EVIDENCE):
        for series in items_of(study, REFERENCED_SERIES):
            for item in items_of(series, REFERENCED_SOPS):
                yield value_of(item, REFERENCED_UID)
