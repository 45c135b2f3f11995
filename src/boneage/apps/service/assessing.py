"""From an uploaded image and its options to an assessment, and to its record and exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from boneage.apps.service.form import ImageUpload, RequestOptions
from boneage.apps.service.problems import problem_of
from boneage.apps.service.store import RecentAssessment
from boneage.domain.assessment import Failure
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session, assess_case
from boneage.reading import read
from boneage.reading.accepted import DICOM, kind_of
from boneage.reports.exports import FORMATS, Export, ReportOptions, export
from boneage.reports.identity import Identity
from boneage.reports.record import Record, record


def assess_upload(
    assessor: Assessor, upload: ImageUpload, options: RequestOptions, owner: str
) -> RecentAssessment:
    """Assess an uploaded image as ``boneage assess`` does.

    Raises
    ------
    HttpProblem
        When it cannot be assessed, whatever the reason.
    WeightsError
        When the weights cannot be used.
    """
    session = assess_case(
        assessor,
        upload.file(),
        sex=options.sex,
        child=options.child,
        level=options.level,
        force=options.force,
    )
    if isinstance(session.outcome, Failure):
        raise problem_of(session.outcome)
    return RecentAssessment(upload, options, session.outcome, session.fingerprint, owner)


def record_of(recent: RecentAssessment, expires: datetime) -> Record:
    """The record of ``boneage assess --json``, and the links to the exports."""
    links = {"self": f"/v1/assessments/{recent.id}"}
    is_dicom = kind_of(recent.upload.data) == DICOM
    for one in FORMATS.values():
        if is_dicom or not one.of_dicom:
            links[one.name.replace("/", "_")] = f"{links['self']}/{one.name}"
    plain: dict[str, Any] = {**record(recent.assessment), "id": recent.id}
    return {**plain, "expires": expires.isoformat(timespec="seconds"), "links": links}


def export_of(recent: RecentAssessment, name: str, weights_date: str | None) -> Export:
    """Write one export of a recent assessment, with its image decoded again.

    Raises
    ------
    BoneageError
        When it cannot be written.
    ModuleNotFoundError
        When the server lacks an extra.
    """
    chosen, upload = recent.options, recent.upload
    FORMATS[name].require()
    session = Session(recent.assessment, read(upload.file()), upload.data)
    identity = Identity(chosen.pseudonym)
    options = ReportOptions(chosen.paper, chosen.language, identity, weights_date)
    return export(session, name, options)


def export_file_name(name: str, exported: Export) -> str:
    """Name the file of an export without anything of the child: ``boneage-report.dcm``."""
    part = name.partition("/")[2]
    return f"boneage{'-' * bool(part)}{part}.{exported.suffix.rpartition('.')[2]}"
