"""A study of a DICOMweb archive, read and answered into it; what is not read is a result, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from boneage.apps.dicom_node.answering import Answer, Unanswerable, answer_film
from boneage.apps.dicom_node.dicomweb import Archive, Found, LeftOut, class_name
from boneage.apps.dicom_node.dicomweb_answers import ArchiveError
from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, head_of
from boneage.inference.assessor import Assessor


@dataclass(frozen=True)
class StudyResult:
    """What became of one image, or of what could not be looked up."""

    what: str
    """Such as ``"image 1.2.3"``."""
    answer: Answer | None = None
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
        if isinstance(found, LeftOut):
            why = found.why
            yield (
                StudyResult(found.what, problem=why)
                if found.is_failure
                else StudyResult(found.what, note=why)
            )
            continue
        missing = tuple(ANSWER_CLASSES) if again else found.missing
        answering = _Answering(archive, study, found)
        problem = answering.run(assessor, missing, dry_run=dry_run) if missing else None
        yield StudyResult(
            f"image {found.instance}",
            answering.answer,
            problem,
            tuple(answering.stored),
            answering.note,
        )


@dataclass
class _Answering:
    """One image on its way, and how far it came."""

    archive: Archive
    study: str
    image: Found
    answer: Answer | None = None
    stored: list[str] = field(default_factory=list)
    note: str | None = None

    def run(
        self, assessor: Callable[[], Assessor], missing: tuple[str, ...], *, dry_run: bool
    ) -> str | None:
        """Read the image and store what is missing; say what went wrong."""
        problems = []
        try:
            file = self.archive.fetch(self.study, self.image)
            head = head_of(file)
            if head.is_own:
                self.note = "it is an answer of boneage"
                return None
            if not head.is_film:
                return f"it is not an image that is read, but {class_name(head.sop_class)}"
            self.answer = answer_film(assessor(), file, "the image")
        except (Unanswerable, ArchiveError) as error:
            return str(error)
        for kind in missing:
            if kind not in self.answer.files:
                problems.append(f"there is no {kind}: {self.answer.unwritten[kind]}")
            elif not dry_run:
                try:
                    warning = self.archive.store(self.study, *self.answer.files[kind])
                except ArchiveError as error:
                    problems.append(f"the {kind} is not stored: {error}")
                else:
                    said = "" if warning is None else f" (the archive warns: 0x{warning:04X})"
                    self.stored.append(f"{kind}{said}")
        return "; ".join(problems) or None
