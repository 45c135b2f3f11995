"""What ``boneage assess`` writes of a film beside its answer: report, DICOM, FHIR."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage.apps.cli.batch import make_folder
from boneage.errors import BoneageError, LanguageError, OutputError
from boneage.storage.files import is_stream, reason_of

if TYPE_CHECKING:
    from boneage.domain.assessment import Assessment
    from boneage.domain.radiograph import Radiograph
    from boneage.reports.dicom.source import SourceDataset
    from boneage.reports.documents import Files
    from boneage.reports.identity import Identity


@dataclass(frozen=True)
class Documents:
    """What was asked for, and where it goes: a file for one film, or a folder."""

    report: Path | None = None
    paper: str = "a4"
    language: str = "en"
    dicom: Path | None = None
    fhir: Path | None = None
    pseudonym: str | None = None
    identify: bool = False
    """Whether to write who the child is, as the film states it."""

    @property
    def wanted(self) -> bool:
        """Whether anything was asked for."""
        return any((self.report, self.dicom, self.fhir))

    def prepare(self, *, many: bool) -> None:
        """Make the folders and load the libraries, before the work begins.

        Raises
        ------
        click.UsageError
            When an output cannot be written, or is one file for many films.
        ModuleNotFoundError
            When an extra is not installed.
        """
        if self.report is not None:
            import reportlab  # noqa: F401, PLC0415

            _prepare(self.report, ".pdf", "--report", many=many)
        if self.dicom is not None:
            import highdicom  # noqa: F401, PLC0415

            make_folder(self.dicom, "--dicom-out")
        if self.fhir is not None:
            _prepare(self.fhir, ".json", "--fhir", many=many)

    def write(
        self,
        film: Path,
        answer: Assessment,
        *,
        pseudonym: str | None = None,
        weights_date: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """Write all of it for one film.

        Parameters
        ----------
        film : Path
        answer : Assessment
        pseudonym : str, optional
            Of the child on this film; stronger than that of all films.
        weights_date : str, optional
            When the weights were made.

        Yields
        ------
        what, why : str
            For each document that could not be written. The answer stands without it.
        """
        from boneage.reading import read  # noqa: PLC0415

        try:
            radiograph = read(film)  # once more: answers don't carry the pixels
            source = self._source(film)
            identity = self._identity(source, pseudonym or self.pseudonym)
        except (BoneageError, OSError) as error:
            yield "report, DICOM or FHIR", reason_of(error)
            return
        writers: tuple[tuple[Path | None, str, Callable[[], None]], ...] = (
            (
                self.report,
                "report",
                lambda: self._report(answer, radiograph, identity, weights_date),
            ),
            (self.dicom, "DICOM", lambda: self._dicom(film, answer, radiograph, source)),
            (self.fhir, "FHIR", lambda: self._fhir(answer, radiograph, identity)),
        )
        for path, what, write in writers:
            if path is None:
                continue
            try:
                write()
            except (BoneageError, OSError) as error:
                yield what, reason_of(error)

    def _source(self, film: Path) -> SourceDataset | None:
        """Read what a DICOM film states; None where it is another file, or nobody needs it."""
        if self.dicom is None and not self.identify:
            return None
        from boneage.reports.dicom.source import read_source  # noqa: PLC0415

        try:
            return read_source(film)
        except OutputError:
            if self.identify:
                raise
            return None  # said where the DICOM is written; the others can be

    def _identity(self, source: SourceDataset | None, pseudonym: str | None) -> Identity:
        from boneage.reports.identity import Identity  # noqa: PLC0415

        if source is None or not self.identify:
            return Identity(pseudonym)
        from boneage.reports.dicom.source import identity_of  # noqa: PLC0415

        return identity_of(source, pseudonym)

    def _report(
        self,
        answer: Assessment,
        radiograph: Radiograph,
        identity: Identity,
        weights_date: str | None,
    ) -> None:
        from boneage.reports.documents import report_files  # noqa: PLC0415
        from boneage.reports.pdf.writing import ReportForm  # noqa: PLC0415

        form = ReportForm(self.paper, self.language, weights_date)
        _write(self.report, radiograph, report_files(answer, radiograph, form, identity))

    def _dicom(
        self, film: Path, answer: Assessment, radiograph: Radiograph, source: SourceDataset | None
    ) -> None:
        from boneage.reports.dicom.source import read_source  # noqa: PLC0415
        from boneage.reports.documents import dicom_answers  # noqa: PLC0415

        source = source or read_source(film)
        files = dicom_answers(answer, radiograph, source)
        _write(self.dicom, radiograph, files, mark=str(source.SOPInstanceUID))

    def _fhir(self, answer: Assessment, radiograph: Radiograph, identity: Identity) -> None:
        from boneage.reports.documents import fhir_files  # noqa: PLC0415

        _write(self.fhir, radiograph, fhir_files(answer, radiograph, identity))


def _prepare(path: Path, suffix: str, option: str, *, many: bool) -> None:
    """One film may go into a file of that suffix; anything else is a folder."""
    through = is_stream(path)
    if not through and (path.suffix.lower() != suffix or path.is_dir()):
        make_folder(path, option)
        return
    if many:
        raise click.BadParameter(
            f"{str(path)!r} is one file, but there are several films; give a folder",
            param_hint=option,
        )
    if through:
        return
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise click.BadParameter(
            f"{str(path)!r} cannot be written: its folder does not exist or is read-only",
            param_hint=option,
        )


def _write(out: Path | None, radiograph: Radiograph, files: Files, mark: str | None = None) -> None:
    from boneage.reports.identity import fingerprint  # noqa: PLC0415
    from boneage.storage.files import atomically  # noqa: PLC0415
    from boneage.storage.naming import write_named  # noqa: PLC0415

    if out is None:
        return
    for suffix, content in files.items():
        if out.is_dir():
            write_named(out, radiograph.name, suffix, mark or fingerprint(radiograph), content)
        else:
            with atomically(out) as file:
                file.write(content)


def document_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about documents, as one argument ``documents``."""

    @wraps(command)
    def with_documents(
        *arguments: Any,
        report: Path | None,
        paper: str,
        language: str,
        dicom_out: Path | None,
        fhir: Path | None,
        pseudonym: str | None,
        identify: bool,
        **others: Any,
    ) -> Any:
        documents = Documents(report, paper, language, dicom_out, fhir, pseudonym, identify)
        return command(*arguments, documents=documents, **others)

    for option in reversed(OPTIONS):
        with_documents = option(with_documents)
    return with_documents


def _parse_language(_ctx: click.Context, param: click.Parameter, text: str) -> str:
    from boneage.i18n.words import words_of  # noqa: PLC0415

    try:
        return words_of(text.lower()).language
    except LanguageError as error:
        raise click.BadParameter(str(error), param=param) from error


def _parse_pseudonym(_ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    if text is not None and not text.strip():
        raise click.BadParameter("a pseudonym has at least one letter", param=param)
    return text


OPTIONS = (
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        metavar="FILE.pdf|DIR",
        help="Write a report of one page a film; of several films, into a folder.",
    ),
    click.option(
        "--paper",
        type=click.Choice(["a4", "letter"], case_sensitive=False),
        default="a4",
        show_default=True,
        help="The size of the report.",
    ),
    click.option(
        "--language",
        metavar="en|de",
        default="en",
        show_default=True,
        callback=_parse_language,
        help="The language of the report.",
    ),
    click.option(
        "--dicom-out",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="Write the picture and a structured report as DICOM, in the study of a DICOM film "
        "and with its patient.",
    ),
    click.option(
        "--fhir",
        type=click.Path(path_type=Path),
        metavar="FILE.json|DIR",
        help="Write an HL7 FHIR R4 Observation a film.",
    ),
    click.option(
        "--pseudonym",
        metavar="TEXT",
        callback=_parse_pseudonym,
        help="What to call the child in the report, the FHIR observation and the history; "
        "a column 'pseudonym' of the table is stronger.",
    ),
    click.option(
        "--identify",
        is_flag=True,
        help="Write name, id and dates, as a DICOM film states them, into the report and the "
        "FHIR observation; without it none is.",
    ),
)
