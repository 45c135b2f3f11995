"""From a film and what is said with it to an answer, and from that to its documents."""

from __future__ import annotations

import io
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from PIL import Image

from boneage.apps.service.form import Film, Wishes
from boneage.apps.service.problems import Problem, problem_of
from boneage.apps.service.store import Kept
from boneage.clinical.interpreting import with_clinical_findings
from boneage.errors import BoneageError, LevelError
from boneage.extras import what_to_install
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.reading.folders import DICOM_SUFFIX
from boneage.reading.kinds import DICOM, kind_of
from boneage.reports.documents import (
    FHIR_SUFFIX,
    REPORT_SUFFIX,
    dicom_answers,
    fhir_files,
    report_files,
)
from boneage.reports.identity import Identity, fingerprint
from boneage.reports.picture import draw
from boneage.reports.record import Record, record

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """A file of an answer, under a name that says nothing."""

    content: bytes
    media_type: str
    name: str


def read_film(assessor: Assessor, film: Film, wishes: Wishes, owner: str) -> Kept:
    """Read a film as ``boneage assess`` does.

    Raises
    ------
    Problem
        When there is no answer, whatever the reason.
    """
    start = time.perf_counter()
    try:
        if wishes.level is not None:
            _check_level(assessor, wishes.level)
        radiograph = read(film.file())
        answer = assessor.assess(radiograph, wishes.sex, force=wishes.force)
        if wishes.level is not None:
            answer = replace(answer, interval=assessor.certainty.around(answer, wishes.level))
        answer = with_clinical_findings(answer, wishes.child)
    except BoneageError as error:
        raise problem_of(error) from None
    except Exception as error:  # what it says may quote the patient
        raise unexpected(error) from None
    answer = replace(answer, seconds=time.perf_counter() - start)
    return Kept(film, wishes, answer, fingerprint(radiograph), owner)


def _check_level(assessor: Assessor, level: float) -> None:
    model = assessor.certainty.model
    if model is None:
        name = assessor.weights.manifest.name
        raise LevelError(f"the weights {name!r} state no interval, so none of level {level:g}")
    model.check(level)


def unexpected(error: Exception) -> Problem:
    """Say that the program erred, and only the kind of the error."""
    name = type(error).__name__
    logger.error("unexpected %s", name)
    return Problem(500, "unexpected", f"unexpected {name}")


def record_of(kept: Kept, expires: datetime) -> Record:
    """The record of ``boneage assess --json``, and where the documents are."""
    links = {"self": f"/v1/assessments/{kept.id}"}
    names = ["picture", "report", "fhir"]
    if kind_of(kept.film.data, kept.film.name) == DICOM:
        names += ["dicom/picture", "dicom/report"]
    links |= {name.replace("/", "_"): f"{links['self']}/{name}" for name in names}
    plain: dict[str, Any] = {**record(kept.assessment), "id": kept.id}
    return {**plain, "expires": expires.isoformat(timespec="seconds"), "links": links}


def picture_of(kept: Kept) -> Document:
    """The picture that ``boneage assess --picture`` draws."""
    file = io.BytesIO()
    drawn = draw(kept.assessment, read(kept.film.file()))
    Image.fromarray(drawn).save(file, "PNG")
    return Document(file.getvalue(), "image/png", "boneage.png")


def report_of(kept: Kept, weights_date: str | None) -> Document:
    """The report that ``boneage assess --report`` writes."""
    from boneage.reports.pdf.writing import ReportForm  # noqa: PLC0415  needs the extra

    wishes = kept.wishes
    form = ReportForm(wishes.paper, wishes.language, weights_date)
    identity = Identity(wishes.pseudonym)
    files = report_files(kept.assessment, read(kept.film.file()), form, identity)
    return Document(files[REPORT_SUFFIX], "application/pdf", "boneage.pdf")


def fhir_of(kept: Kept) -> Document:
    """The observation that ``boneage assess --fhir`` writes."""
    identity = Identity(kept.wishes.pseudonym)
    files = fhir_files(kept.assessment, read(kept.film.file()), identity)
    return Document(files[FHIR_SUFFIX], "application/fhir+json", "boneage.json")


def dicom_of(kept: Kept, kind: str) -> Document:
    """One of the two files that ``boneage assess --dicom-out`` writes."""
    import highdicom  # noqa: F401, PLC0415  needs the extra, before the film is read

    from boneage.reports.dicom.source import read_source  # noqa: PLC0415

    source = read_source(kept.film.file())
    files = dicom_answers(kept.assessment, read(kept.film.file()), source)
    content = files[f".{kind}{DICOM_SUFFIX}"]
    return Document(content, "application/dicom", f"boneage-{kind}.dcm")


def missing_extra(error: ModuleNotFoundError) -> Problem:
    """Say which extra the server lacks."""
    return Problem(501, "not_installed", what_to_install(error))
