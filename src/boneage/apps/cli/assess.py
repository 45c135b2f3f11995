"""``boneage assess``: radiographs in, bone ages out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import options
from boneage.apps.cli.exporting import prepare_outputs, write_exports
from boneage.apps.cli.output import (
    Progress,
    echo,
    images,
    open_output,
    print_summary,
    report_left_out,
)
from boneage.apps.cli.program import EXIT_FAILED, exit_status, stop_reason
from boneage.batch.cases import cases_of, read_cases
from boneage.domain.assessment import Assessment, Case, Failure
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex
from boneage.errors import HistoryError, OutputError, WeightsError
from boneage.history.entry import checked_pseudonym, visit_of
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session, assess_case
from boneage.reading.folders import LeftOut
from boneage.reports.record import Record, batch, record
from boneage.reports.table import Row, TableWriter, row
from boneage.reports.text import full_text, one_line
from boneage.storage.files import is_standard_output, reason_of
from boneage.storage.printable import file_label, printable

if TYPE_CHECKING:
    from boneage.history.store import History


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    metavar="[IMAGE|FOLDER]...",
    # An image that may not be read fails alone; click would stop the whole command.
    type=click.Path(readable=False, path_type=Path),
)
@click.option(
    "--sex",
    metavar="male|female",
    callback=options.parse_sex,
    help="Sex of the child, whose standard applies; needed where neither the table nor the image "
    "states it, and takes precedence over the image.",
)
@click.option(
    "--table",
    type=options.IN_FILE,
    metavar="CSV",
    help="Assess the images of a table: columns path, sex and, if known, "
    "chronological_age_months (or age), birth_date, study_date, height_cm or height_in. "
    "Paths are relative to the table.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for scripts.")
@click.option(
    "--csv",
    "table_out",
    type=options.OUT_FILE,
    help="Write a table, one row per image, with the reason for failures. Use - for standard "
    "output (messages then go to standard error).",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    metavar="P",
    help="Coverage of the prediction interval.  [default: 0.9]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Assess images despite a failed quality check; every output shows the refusal.",
)
@click.option(
    "--history",
    metavar="FILE|URL",
    help="Save the assessment in a SQLite file (created if missing) or a database, under the "
    "child's pseudonym: that of --pseudonym, or of the table's column of that name.",
)
@options.child_options
@options.output_options
@options.batch_options
@options.weights_option
@options.calibration_option
def assess(
    paths: tuple[Path, ...],
    sex: Sex | None,
    table: Path | None,
    as_json: bool,
    table_out: Path | None,
    level: float | None,
    force: bool,
    history: str | None,
    child: Child,
    outputs: options.Outputs,
    batch_out: options.BatchOptions,
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Assess the bone age of hand radiographs: PNG, JPEG, TIFF, WebP, BMP or DICOM.

    A FOLDER stands for all images in it and its subfolders; hidden files and
    files of other kinds are skipped, and named on standard error. An image that
    cannot be read, or fails the quality check, does not stop the others.

    Exit status: 0 when every image was assessed; 1 when some were refused or
    failed (they are named); 2 for wrong usage or unusable weights; 128 plus
    the number of the signal that stopped it: finished results are written.

    \b
    boneage assess hand.png --sex female --picture out/
    boneage assess hand.png --sex female --age 11y4m --height-cm 142.5
    boneage assess hand.dcm --report hand.pdf --dicom-out out/ --fhir hand.json
    boneage assess hand.dcm --history children.sqlite --pseudonym K17
    boneage assess images/ --csv ages.csv --level 0.8
    boneage assess --table cases.csv --json > ages.json
    boneage assess images/ --sex male --out ages/ --format parquet --workers 8
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    if bool(paths) == (table is not None):
        raise click.UsageError("give images or folders, or a table of images with --table")
    if batch_out.folder is not None:
        from boneage.apps.cli.assess_batch import assess_batch  # noqa: PLC0415  slow to load
        from boneage.batch.run import BatchSettings  # noqa: PLC0415

        if any((as_json, table_out, history, outputs.paths)):
            raise click.UsageError(
                "--out writes tables only: give --json, --csv, --picture, --report, --dicom-out, "
                "--fhir and --history in another command"
            )
        if child != Child(centre=child.centre):
            raise click.UsageError(
                "with --out, ages, dates and heights come from the images or the columns of --table"
            )
        where = [str(one.resolve()) if one else None for one in (weights, calibration)]
        settings = BatchSettings(where[0], where[1], level, sex, force, child.centre)
        assess_batch(batch_out.folder, batch_out, settings, paths, table)
        return
    left_out = LeftOut()
    cases = [case for _, case in read_cases(table)] if table else [*cases_of(paths, left_out)]
    report_left_out(left_out)
    assessor = Assessor(weights, level=level, calibration=calibration)
    run = AssessRun(assessor, child, outputs, as_json, len(cases) > 1, force, table_out)
    if history is not None:
        run.history = _open_history(history, cases, outputs.pseudonym)
    with ExitStack() as stack:
        prepare_outputs(outputs, many=run.many)
        if table_out is not None:
            run.table = TableWriter(open_output(stack, table_out, "--csv", keep_partial=True))
        stopped = run.assess(cases, sex)
    if stopped is not None:
        raise click.exceptions.Exit(exit_status(stopped))
    if run.failed or run.refused or run.not_written:
        raise click.exceptions.Exit(EXIT_FAILED)


def _open_history(history: str, cases: Sequence[Case | Failure], pseudonym: str | None) -> History:
    """Open the history before the work begins; every child needs a pseudonym."""
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


@dataclass
class AssessRun:
    """The images of one command, and where their results go."""

    assessor: Assessor
    child: Child
    outputs: options.Outputs
    as_json: bool
    many: bool
    force: bool
    table_path: Path | None
    table: TableWriter | None = None
    """Gets a row for each image, as soon as it is assessed."""
    history: History | None = None
    read: int = 0
    refused: int = 0
    failed: int = 0
    not_written: int = 0

    @property
    def _stdout_taken(self) -> bool:
        return self.as_json or (self.table_path is not None and is_standard_output(self.table_path))

    def assess(self, cases: Sequence[Case | Failure], sex: Sex | None) -> KeyboardInterrupt | None:
        """Assess the images one by one; finished results are written whatever ends it.

        Returns what stopped it, if anything. Raises an `OutputError` when the table cannot be
        written further.
        """
        records: list[Record] = []
        ended: KeyboardInterrupt | OutputError | None = None
        done = 0
        try:
            with Progress(len(cases)) as progress:
                for case in cases:
                    outcome = self._outcome(case, sex)
                    self._add_row(row(outcome))
                    if self.as_json:  # as plain values: heat maps would fill the memory
                        records.append(record(outcome))
                    done += 1
                    self._report(outcome, progress)
        except (KeyboardInterrupt, OutputError) as error:
            ended = error
            self.failed += len(cases) - done
        except WeightsError:  # found with the first image that can be decoded: nothing was assessed
            if self.table is not None and not self.read:
                self.table.clear()
            raise
        if self.table is not None and not isinstance(ended, OutputError):
            self.table.finish()
        if isinstance(ended, KeyboardInterrupt):
            echo(f"{stop_reason(ended)}; {images(len(cases) - done)} not assessed", err=True)
        if self.as_json:
            echo(batch(records))
        if self.many:
            name = self.assessor.weights.name
            print_summary(self.read, self.refused, self.failed, name, err=self._stdout_taken)
        if isinstance(ended, OutputError):
            raise ended
        return ended

    def _outcome(self, case: Case | Failure, sex: Sex | None) -> Assessment | Failure:
        """Assess an image and write its exports; its pixels are released on return."""
        label = None if isinstance(case, Failure) else file_label(case.film)
        session = assess_case(
            self.assessor, case, sex=sex, child=self.child, force=self.force, name=label
        )
        if isinstance(case, Case) and isinstance(session.outcome, Assessment):
            for what, why in self._write(session, case.pseudonym):
                self.not_written += 1
                name = printable(session.outcome.film)
                echo(f"{name}: the {what} could not be written: {printable(why)}", err=True)
        return session.outcome

    def _write(self, session: Session, pseudonym: str | None) -> Iterator[tuple[str, str]]:
        """Write the exports of one image; yield what could not be written, and why."""
        made = self.assessor.weights.manifest.date
        yield from write_exports(session, self.outputs, pseudonym=pseudonym, weights_date=made)
        if self.history is not None:
            try:
                whose = pseudonym or self.outputs.pseudonym or ""
                self.history.add(whose, visit_of(session.assessment, session.fingerprint))
            except HistoryError as error:
                yield "entry in the history", str(error)

    def _add_row(self, cells: Row) -> None:
        if self.table is None:
            return
        try:
            self.table.add(cells)
        except BrokenPipeError:
            raise
        except OSError as error:
            first = f"; it contains the first {images(self.table.rows)}" if self.table.rows else ""
            reason = f"{reason_of(error)}{first}"
            raise OutputError(
                f"{str(self.table_path)!r} cannot be written further: {reason}"
            ) from error

    def _report(self, outcome: Assessment | Failure, progress: Progress) -> None:
        if isinstance(outcome, Failure):
            if outcome.refused:
                self.refused += 1
            else:
                self.failed += 1
            progress.step(one_line(outcome), err=True)
            return
        self.read += 1
        if self.as_json:
            progress.step()
        else:
            text = one_line(outcome) if self.many else full_text(outcome)
            progress.step(text, err=self._stdout_taken)
