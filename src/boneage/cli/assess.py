"""``boneage assess``: films in, bone ages out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from boneage.cases import cases_of, read_cases
from boneage.cli import EXIT_FAILED
from boneage.cli.batch import Progress, film_label, make_folder, open_output
from boneage.cli.options import calibration_option, parse_sex, weights_option

if TYPE_CHECKING:
    from boneage.assessment import Assessment, Case, Failure
    from boneage.assessor import Assessor
    from boneage.radiograph import Sex


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
    "chronological_age_months (or age). Paths are relative to the table.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, for scripts.")
@click.option(
    "--csv",
    "table_out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a table, one row a film, with those that failed and why.",
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
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Read the bone age of films: PNG, JPEG, TIFF, WebP, BMP or DICOM.

    A FOLDER stands for all films in it and its subfolders; hidden files and
    files that obviously are no films are skipped. A film that cannot be read,
    or is refused because it does not show a hand, never stops the others.

    Exit status: 0 when every film was read; 1 when some were refused or
    failed (they are named); 2 for wrong usage or unusable weights.

    \b
    boneage assess hand.png --sex female --picture out/
    boneage assess films/ --csv ages.csv --level 0.8
    boneage assess --table cases.csv --json > ages.json
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.assessor import Assessor  # noqa: PLC0415  the command line opens fast

    if bool(films) == (table is not None):
        raise click.UsageError("give films or folders, or a table of them with --table")
    cases = read_cases(table) if table else cases_of(films)
    assessor = Assessor(weights, level=level, calibration=calibration)
    batch = Batch(assessor, as_json=as_json, many=len(cases) > 1, force=force)
    with ExitStack() as stack:
        if pictures is not None:
            batch.pictures = make_folder(pictures, "--picture")
        if table_out is not None:
            batch.table_out = open_output(stack, table_out, "--csv")
        batch.run(cases, sex)
    if batch.failed or batch.refused or batch.not_drawn:
        raise click.exceptions.Exit(EXIT_FAILED)


class Batch:
    """The films of one command, and where their answers go."""

    def __init__(
        self, assessor: Assessor, *, as_json: bool, many: bool, force: bool = False
    ) -> None:
        self.assessor, self.as_json, self.many, self.force = assessor, as_json, many, force
        self.pictures: Path | None = None
        self.table_out: BinaryIO | None = None
        self.read = self.refused = self.failed = self.not_drawn = 0

    def run(self, cases: Sequence[Case | Failure], sex: Sex | None) -> None:
        """Read the films one by one; what is done is written even when interrupted."""
        from boneage.writing.record import Record, batch, record  # noqa: PLC0415
        from boneage.writing.table import Row, row, write_table  # noqa: PLC0415

        records: list[Record] = []
        rows: list[Row] = []
        try:
            with Progress(len(cases)) as progress:
                # Kept as plain rows: heat maps of thousands of films would fill the memory.
                for answer in self._answers(cases, sex):
                    rows.append(row(answer))
                    records.append(record(answer))
                    self._tell(answer, progress)
        except KeyboardInterrupt:
            click.echo(f"stopped; {len(cases) - len(rows)} films were not read", err=True)
            self.failed += len(cases) - len(rows)
        if self.table_out is not None:
            write_table(self.table_out, rows)
        if self.as_json:
            click.echo(batch(records))
        if self.many:
            self._sum_up()

    def _answers(
        self, cases: Sequence[Case | Failure], sex: Sex | None
    ) -> Iterator[Assessment | Failure]:
        from boneage.assessment import Case, Failure  # noqa: PLC0415

        for case in cases:
            if not isinstance(case, Case):
                yield case
                continue
            answer = next(self.assessor.assess_many([case], sex, force=self.force))
            if self.pictures is not None and not isinstance(answer, Failure):
                self._draw(case, answer, self.pictures)
            yield replace(answer, film=film_label(case.film))

    def _draw(self, case: Case, answer: Assessment, folder: Path) -> None:
        """Draw on the film, read once more: answers don't carry its pixels."""
        from boneage.errors import BoneageError  # noqa: PLC0415
        from boneage.reading import read  # noqa: PLC0415
        from boneage.writing.picture import save_picture  # noqa: PLC0415

        try:
            save_picture(answer, read(case.film), folder)
        except (BoneageError, OSError) as error:  # the answer stands without it
            self.not_drawn += 1
            click.echo(f"{film_label(case.film)}: no picture: {error}", err=True)

    def _tell(self, answer: Assessment | Failure, progress: Progress) -> None:
        from boneage.assessment import Failure  # noqa: PLC0415
        from boneage.writing.text import full_text, one_line  # noqa: PLC0415

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
            progress.step(one_line(answer) if self.many else full_text(answer))

    def _sum_up(self) -> None:
        from boneage.writing.text import DISCLAIMER, weights_text  # noqa: PLC0415

        for line in (
            f"{self.read + self.refused + self.failed} films: {self.read} read, "
            + (f"{self.refused} refused, " if self.refused else "")
            + f"{self.failed} failed",
            f"Weights {weights_text(self.assessor.weights.name)}",
            DISCLAIMER,
        ):
            click.echo(line, err=self.as_json)
