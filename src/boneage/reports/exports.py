"""The files that can be written of an assessed image: one list for every interface.

The command line, the dashboard, the service and the DICOM node build their choices from
:data:`FORMATS`; a new export is one entry there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from boneage.i18n.words import ENGLISH
from boneage.inference.session import Session
from boneage.reading.folders import DICOM_SUFFIX, PICTURE_SUFFIX
from boneage.reports.identity import ANONYMOUS, Identity
from boneage.storage.files import as_json, atomically, write_named

PAPERS = ("a4", "letter")


@dataclass(frozen=True)
class ReportOptions:
    """Layout and language of the exports, and what they may state of the child."""

    paper: str = PAPERS[0]
    language: str = ENGLISH
    identity: Identity = ANONYMOUS
    """DICOM files identify the child as the image does, whatever this is."""
    weights_date: str | None = None
    """Date of the weights in their manifest."""


@dataclass(frozen=True)
class Export:
    """One file of an assessed image."""

    content: bytes
    suffix: str
    """Appended to the image's name."""
    media_type: str
    mark: str
    """ASCII text that every such file of this image contains, and no other image's."""


Writer: TypeAlias = Callable[[Session, ReportOptions], tuple[bytes, str]]
"""Gives content and mark of a file."""


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file that can be written of an assessed image."""

    name: str
    text: str
    """Description, one sentence."""
    suffix: str
    media_type: str
    write: Writer
    library: str | None = None
    """Python module that must be installed; :mod:`boneage.extras` names the extra."""
    of_dicom: bool = False
    """Whether it needs a DICOM image, whose study it joins."""

    def require(self) -> None:
        """Load the library, before the work begins; a `ModuleNotFoundError` where it is missing."""
        if self.library is not None:
            import_module(self.library)


def export(session: Session, name: str, options: ReportOptions | None = None) -> Export:
    """Write one of :data:`FORMATS`.

    Raises an `OutputError` when the image's patient and study data cannot be written as DICOM, and
    a `LanguageError` when no translation ships for the language, and a `ModuleNotFoundError` when
    an extra is not installed.
    """
    kind = FORMATS[name]
    kind.require()
    content, mark = kind.write(session, options or ReportOptions())
    return Export(content, kind.suffix, kind.media_type, mark)


def save(exported: Export, session: Session, out: Path) -> Path:
    """Write an export into a file, or into a folder under its image's name; give where it is.

    The same image written again replaces its file; another image of the same name gets a number
    after its name. Raises an `OSError` when it cannot be written.
    """
    if out.is_dir():
        return write_named(
            out, session.image.name, exported.suffix, exported.mark, exported.content
        )
    with atomically(out) as file:
        file.write(exported.content)
    return out


def identity_in(session: Session, pseudonym: str | None = None) -> Identity:
    """The identity that a DICOM image states; an `OutputError` when it is not such an image."""
    from boneage.reports.dicom.source import identity_of, read_source  # noqa: PLC0415

    return identity_of(read_source(session.file()), pseudonym)


def _picture(session: Session, _options: ReportOptions) -> tuple[bytes, str]:
    from boneage.reports.picture import png  # noqa: PLC0415  loads Pillow

    return png(session.assessment, session.image)


def _report(session: Session, options: ReportOptions) -> tuple[bytes, str]:
    from boneage.reports.pdf.writing import report  # noqa: PLC0415  an extra

    content = report(
        session.assessment,
        session.image,
        paper=options.paper,
        language=options.language,
        identity=options.identity,
        weights_date=options.weights_date,
    )
    return content, session.fingerprint


def _fhir(session: Session, options: ReportOptions) -> tuple[bytes, str]:
    from boneage.reports.fhir import observation  # noqa: PLC0415

    resource = observation(session.assessment, session.fingerprint, options.identity)
    return as_json(resource).encode(), session.fingerprint


def _dicom(kind: str) -> Writer:
    def write(session: Session, _options: ReportOptions) -> tuple[bytes, str]:
        from boneage.reports.dicom.source import read_source  # noqa: PLC0415
        from boneage.reports.dicom.writing import dicom_file  # noqa: PLC0415  an extra

        # Read again for each file: a writer may have changed it before it failed.
        source = read_source(session.file())
        content = dicom_file(kind, session.assessment, session.image, source)
        return content, str(source.SOPInstanceUID)

    return write


PICTURE, REPORT, FHIR = "picture", "report", "fhir"
DICOM_PICTURE, DICOM_REPORT = "dicom/picture", "dicom/report"
FORMATS: Mapping[str, ExportFormat] = {
    one.name: one
    for one in (
        ExportFormat(
            PICTURE,
            "The radiograph with regions and bone age (PNG).",
            PICTURE_SUFFIX,
            "image/png",
            _picture,
        ),
        ExportFormat(
            *(REPORT, "A one-page report (PDF).", ".boneage.pdf", "application/pdf", _report),
            library="reportlab",
        ),
        ExportFormat(
            *(FHIR, "An HL7 FHIR R4 Observation.", ".boneage.json", "application/fhir+json"),
            write=_fhir,
        ),
        *(
            ExportFormat(
                *(f"dicom/{kind}", text, f".{kind}{DICOM_SUFFIX}", "application/dicom"),
                write=_dicom(kind),
                library="highdicom",
                of_dicom=True,
            )
            for kind, text in (
                ("picture", "A secondary capture in the study of a DICOM image."),
                ("report", "A structured report in the study of a DICOM image."),
            )
        ),
    )
}
"""Every export, by its name."""
