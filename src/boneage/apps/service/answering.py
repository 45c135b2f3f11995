"""From an image and its form to a stored answer, and from that to its exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from boneage.apps.service.form import RequestOptions, UploadedFilm
from boneage.apps.service.problems import problem_of
from boneage.apps.service.store import HeldAssessment
from boneage.domain.assessment import Failure
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session, assess_case
from boneage.reading import read
from boneage.reading.kinds import DICOM, kind_of
from boneage.reports.exports import FORMATS, Export, ReportOptions, export
from boneage.reports.identity import Identity
from boneage.reports.record import Record, record


def read_film(
    assessor: Assessor, film: UploadedFilm, options: RequestOptions, owner: str
) -> HeldAssessment:
    """Assess an image as ``boneage assess`` does.

    Raises
    ------
    HttpProblem
        When there is no answer, whatever the reason.
    WeightsError
        When the weights cannot be used.
    """
    session = assess_case(
        assessor,
        film.file(),
        sex=options.sex,
        child=options.child,
        level=options.level,
        force=options.force,
    )
    if isinstance(session.outcome, Failure):
        raise problem_of(session.outcome)
    return HeldAssessment(film, options, session.outcome, session.fingerprint, owner)


def record_of(stored: HeldAssessment, expires: datetime) -> Record:
    """The record of ``boneage assess --json``, and where the exports are."""
    links = {"self": f"/v1/assessments/{stored.id}"}
    is_dicom = kind_of(stored.film.data, stored.film.name) == DICOM
    for one in FORMATS.values():
        if is_dicom or not one.of_dicom:
            links[one.name.replace("/", "_")] = f"{links['self']}/{one.name}"
    plain: dict[str, Any] = {**record(stored.assessment), "id": stored.id}
    return {**plain, "expires": expires.isoformat(timespec="seconds"), "links": links}


def export_of(stored: HeldAssessment, name: str, weights_date: str | None) -> Export:
    """Write one export of a stored answer, on its image, decoded anew.

    Raises
    ------
    BoneageError
        When it cannot be written.
    ModuleNotFoundError
        When the server lacks an extra.
    """
    wanted, film = stored.options, stored.film
    FORMATS[name].require()
    session = Session(stored.assessment, read(film.file()), film.data)
    identity = Identity(wanted.pseudonym)
    options = ReportOptions(wanted.paper, wanted.language, identity, weights_date)
    return export(session, name, options)


def file_name(name: str, made: Export) -> str:
    """Name the file of an export so that it says nothing: ``boneage-report.dcm``."""
    part = name.partition("/")[2]
    return f"boneage{'-' * bool(part)}{part}.{made.suffix.rpartition('.')[2]}"
