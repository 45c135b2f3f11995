"""``boneage assess``: films in, bone ages out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.batch import Progress, make_folder, open_output, report_left_out, sum_up
from boneage.apps.cli.child_options import child_options
from boneage.apps.cli.documents import Documents, document_options
from boneage.apps.cli.options import calibration_option, parse_sex, weights_option
from boneage.apps.cli.output import echo
from boneage.apps.cli.results import Big, assess_into, results_options
from boneage.apps.cli.stopping import cause_of, status_of
from boneage.batch.cases import cases_of, read_cases
from boneage.errors import OutputError, WeightsError
from boneage.reading.folders import LeftOut
from boneage.storage.files import is_standard_output, reason_of
from boneage.storage.printable import file_label, printable

if TYPE_CHECKING:
    from boneage.batch.settings import Settings
    from boneage.domain.assessment import Assessment, Case, Failure
    from boneage.domain.child import Child
    from boneage.domain.radiograph import Sex
    from boneage.history.store import History
    from boneage.inference.assessor import Assessor
    from boneage.reports.table import Row, TableWriter


@click.command()
@click.argument(
    "films",
    nargs=-1,
    metavar="[FILM|FOLDER]...",
    # A film that may not be read fails alone; click would stop the whole command.
    type=click.Path(readable=False, path_type=Path),
)
@click.option(
    "--sex",
    metavar="male|female",
    callback=parse_sex,
    help="Whose standard to read by; needed where neither the table nor the film states it, "
    "and stronger than what the film states.",
)
@click.option(
    "--table",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Read the films of a table: columns path, sex and, if known, "
    "chronological_age_months (or age), birth_date, study_date, height_cm or height_in. "
    "Paths are relative to the table.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for scripts.")
@click.option(
    "--csv",
    "table_out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a table, one row a film, with those that failed and why; - is standard output, "
    "and what else is said then goes to standard error.",
)
@click.option(
    "--picture",
    "pictures",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Draw each answer on its film, as DIR/<film>.boneage.png.",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="Of the interval: the share of such films whose bone age it holds. [default: 0.9]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Read films that are refused all the same; every output shows the refusal.",
)
@click.option(
    "--history",
    metavar="FILE|URL",
    help="Keep the answer in a SQLite file (made where it is missing) or a database, under the "
    "child's pseudonym: of --pseudonym, or of the table's column of that name.",
)
@child_options
@document_options
@results_options
@weights_option
@calibration_option
def assess(
    films: tuple[Path, ...],
    sex: Sex | None,
    table: Path | None,
    as_json: bool,
    table_out: Path | None,
    pictures: Path | None,
    level: float | None,
    force: bool,
    history: str | None,
    child: Child,
    documents: Documents,
    big: Big,
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Read the bone age of films: PNG, JPEG, TIFF, WebP, BMP or DICOM.

    A FOLDER stands for all films in it and its subfolders; hidden files and
    files that obviously are no films are skipped. A film that cannot be read,
    or is refused because it does not show a hand, never stops the others.

    What a FOLDER holds beside films is named on standard error.

    Exit status: 0 when every film was read; 1 when some were refused or
    failed (they are named); 2 for wrong usage or unusable weights; 128 and
    the number of the signal when one ended it: what was read is written.

    \b
    boneage assess hand.png --sex female --picture out/
    boneage assess hand.png --sex female --age 11y4m --height-cm 142.5
    boneage assess hand.dcm --report hand.pdf --dicom-out out/ --fhir hand.json
    boneage assess hand.dcm --history children.sqlite --pseudonym K17
    boneage assess films/ --csv ages.csv --level 0.8
    boneage assess --table cases.csv --json > ages.json
    boneage assess films/ --sex male --out ages/ --format parquet --workers 8
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.inference.assessor import Assessor  # noqa: PLC0415  the command line opens fast

    if bool(films) == (table is not None):
        raise click.UsageError("give films or folders, or a table of them with --table")
    if big.out is not None:
        if any((as_json, table_out, pictures, history, documents.wanted)):
            raise click.UsageError(
                "--out writes rows alone: give --json, --csv, --picture, --report, --dicom-out, "
                "--fhir and --history in another command"
            )
        settings = _settings(weights, calibration, level, sex, child, force=force)
        assess_into(big, settings, films, table)
        return
    left_out = LeftOut()
    cases = read_cases(table) if table else cases_of(films, left_out)
    report_left_out(left_out)
    assessor = Assessor(weights, level=level, calibration=calibration)
    batch = Batch(assessor, child, as_json=as_json, many=len(cases) > 1, force=force)
    if history is not None:
        batch.history = _opened(history, cases, documents.pseudonym)
    with ExitStack() as stack:
        if pictures is not None:
            batch.pictures = make_folder(pictures, "--picture")
        documents.prepare(many=batch.many)
        batch.documents = documents
        if table_out is not None:
            file = open_output(stack, table_out, "--csv", keep=True)
            batch.write_table(file, table_out)
        stopped = batch.run(cases, sex)
    if stopped is not None:
        raise click.exceptions.Exit(status_of(stopped))
    if batch.failed or batch.refused or batch.not_written:
        raise click.exceptions.Exit(EXIT_FAILED)


def _settings(
    weights: Path | None,
    calibration: Path | None,
    level: float | None,
    sex: Sex | None,
    child: Child,
    *,
    force: bool,
) -> Settings:
    """Gather what every film of a folder of results is read with."""
    from boneage.batch.settings import Settings  # noqa: PLC0415  loads the assessor
    from boneage.domain.child import Child  # noqa: PLC0415

    if child != Child(centre=child.centre):
        raise click.UsageError(
            "with --out, ages, dates and heights come from the films or from the columns of --table"
        )
    return Settings(
        weights=str(weights.resolve()) if weights else None,
        calibration=str(calibration.resolve()) if calibration else None,
        level=level,
        sex=sex,
        force=force,
        centre=child.centre,
    )


def _opened(history: str, cases: Sequence[Case | Failure], pseudonym: str | None) -> History:
    """Open a history before the work begins; every film needs a pseudonym."""
    from boneage.domain.assessment import Case  # noqa: PLC0415
    from boneage.history.entry import checked_pseudonym  # noqa: PLC0415
    from boneage.history.store import History  # noqa: PLC0415  needs the extra

    for case in cases:
        if isinstance(case, Case):
            named = case.pseudonym or pseudonym
            if named is None:
                raise click.UsageError(
                    "a history needs the pseudonym of each child: give it with --pseudonym, or "
                    "in a column 'pseudonym' of the table"
                )
            checked_pseudonym(named)
    return History(history)


class Batch:
    """The films of one command, and where their answers go."""

    def __init__(
        self,
        assessor: Assessor,
        child: Child,
        *,
        as_json: bool,
        many: bool,
        force: bool = False,
    ) -> None:
        self.assessor, self.child, self.as_json = assessor, child, as_json
        self.many, self.force = many, force
        self.pictures: Path | None = None
        self.documents = Documents()
        self.history: History | None = None
        self.table: TableWriter | None = None
        self._table_path = Path()
        self._output_taken = as_json
        self.read = self.refused = self.failed = self.not_written = 0

    def write_table(self, file: BinaryIO, path: Path) -> None:
        """Write a row of every answer, as soon as it is there, to a file."""
        from boneage.reports.table import TableWriter  # noqa: PLC0415

        self.table, self._table_path = TableWriter(file), path
        self._output_taken |= is_standard_output(path)

    def run(self, cases: Sequence[Case | Failure], sex: Sex | None) -> KeyboardInterrupt | None:
        """Read the films one by one; what is done is written whatever ends it.

        Returns
        -------
        KeyboardInterrupt or None
            What stopped it.

        Raises
        ------
        OutputError
            When the table cannot be written on.
        """
        from boneage.reports.record import Record, batch, record  # noqa: PLC0415
        from boneage.reports.table import row  # noqa: PLC0415

        records: list[Record] = []
        ended: KeyboardInterrupt | OutputError | None = None
        done = 0
        try:
            with Progress(len(cases)) as progress:
                for answer in self._answers(cases, sex):
                    self._add_row(row(answer))
                    if self.as_json:  # as plain values: heat maps would fill the memory
                        records.append(record(answer))
                    done += 1
                    self._tell(answer, progress)
        except (KeyboardInterrupt, OutputError) as error:
            ended = error
            self.failed += len(cases) - done
        except WeightsError:  # found with the first film that can be read: nothing was
            if self.table is not None and not self.read:
                self.table.forget()
            raise
        if self.table is not None and not isinstance(ended, OutputError):
            self.table.finish()
        if isinstance(ended, KeyboardInterrupt):
            echo(f"{cause_of(ended)}; {len(cases) - done} films were not read", err=True)
        if self.as_json:
            echo(batch(records))
        if self.many:
            weights = self.assessor.weights.name
            sum_up(self.read, self.refused, self.failed, weights, err=self._output_taken)
        if isinstance(ended, OutputError):
            raise ended
        return ended

    def _add_row(self, cells: Row) -> None:

        if self.table is None:
            return
        try:
            self.table.add(cells)
        except BrokenPipeError:
            raise
        except OSError as error:
            held = f"; it holds the first {self.table.rows} films" if self.table.rows else ""
            raise OutputError(
                f"{str(self._table_path)!r} cannot be written on: {reason_of(error)}{held}"
            ) from error

    def _answers(
        self, cases: Sequence[Case | Failure], sex: Sex | None
    ) -> Iterator[Assessment | Failure]:
        from boneage.batch.answering import answer_case, named  # noqa: PLC0415
        from boneage.domain.assessment import Case, Failure  # noqa: PLC0415

        for case in cases:
            answer = answer_case(self.assessor, case, sex, self.child, force=self.force)
            if isinstance(case, Case):
                if not isinstance(answer, Failure):
                    self._write(case, answer)
                answer = named(answer, file_label(case.film))
            yield answer

    def _write(self, case: Case, answer: Assessment) -> None:
        """Write what was asked for of one film; the answer stands without it."""
        problems: list[tuple[str, str]] = []
        if self.pictures is not None:
            problems += self._draw(case, answer, self.pictures)
        if self.documents.wanted:
            made = self.assessor.weights.manifest.date
            problems += self.documents.write(
                Path(case.film), answer, pseudonym=case.pseudonym, weights_date=made
            )
        if self.history is not None:
            problems += self._keep(case, answer, self.history)
        for what, why in problems:
            echo(f"{printable(file_label(case.film))}: no {what}: {printable(why)}", err=True)
        self.not_written += len(problems)

    def _keep(self, case: Case, answer: Assessment, history: History) -> Iterator[tuple[str, str]]:
        from boneage.errors import HistoryError  # noqa: PLC0415
        from boneage.history.entry import entry_of  # noqa: PLC0415

        try:
            history.add(case.pseudonym or self.documents.pseudonym or "", entry_of(answer))
        except HistoryError as error:
            yield "entry in the history", str(error)

    def _draw(self, case: Case, answer: Assessment, folder: Path) -> Iterator[tuple[str, str]]:
        """Draw on the film, read once more: answers don't carry its pixels."""
        from boneage.errors import BoneageError  # noqa: PLC0415
        from boneage.reading import read  # noqa: PLC0415
        from boneage.reports.picture import save_picture  # noqa: PLC0415

        try:
            save_picture(answer, read(case.film), folder)
        except (BoneageError, OSError) as error:
            yield "picture", reason_of(error)

    def _tell(self, answer: Assessment | Failure, progress: Progress) -> None:
        from boneage.domain.assessment import Failure  # noqa: PLC0415
        from boneage.reports.text import full_text, one_line  # noqa: PLC0415

        if isinstance(answer, Failure):
            if answer.refused:
                self.refused += 1
            else:
                self.failed += 1
            progress.step(one_line(answer), err=True)
            return
        self.read += 1
        if self.as_json:
            progress.step()
        else:
            text = one_line(answer) if self.many else full_text(answer)
            progress.step(text, err=self._output_taken)
