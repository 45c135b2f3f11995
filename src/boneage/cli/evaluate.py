"""``boneage evaluate``: how far the readings lie from the labels of a data set."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage.cli import EXIT_FAILED
from boneage.cli.batch import Progress, make_folder
from boneage.cli.options import data_option, weights_option

if TYPE_CHECKING:
    from boneage.assessor import Assessor
    from boneage.evaluation.validation import Split, Validation
    from boneage.training.films import Film


@click.command()
@data_option
@click.option(
    "--split",
    type=click.Choice(["validation", "train", "all"]),
    default="validation",
    show_default=True,
    help="Which of the films to read.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read the first N only.")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where cases.csv and metrics.json go.",
)
@weights_option
def evaluate(data: Path, split: Split, limit: int | None, out: Path, weights: Path | None) -> None:
    """Read every labelled film of a folder and measure the errors.

    Writes cases.csv, one row a film, and metrics.json, with the mean absolute
    error, R² and the like overall, by sex and for each network alone.

    Exit status: 0 when every film was read; 1 when some were not (they are
    named, and the others measured); 2 for wrong usage, unusable weights or
    a folder without labelled films.
    """
    from boneage.assessor import Assessor  # noqa: PLC0415  the command line opens fast
    from boneage.evaluation.evidence import Setting, write_evidence  # noqa: PLC0415
    from boneage.evaluation.validation import films_to_read  # noqa: PLC0415

    assessor = Assessor(weights)
    films = films_to_read(data, split, limit)
    make_folder(out, "--out")
    validation = _read(assessor, films)
    if not validation.readings:
        click.echo(f"none of {validation.films} films could be read; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    setting = Setting(assessor.weights.name, data.resolve().name, split, limit, date.today())
    click.echo(summary(write_evidence(out, validation, setting)))
    click.echo(f"written: {out / 'cases.csv'}, {out / 'metrics.json'}")
    if validation.failures:
        raise click.exceptions.Exit(EXIT_FAILED)


def _read(assessor: Assessor, films: tuple[Film, ...]) -> Validation:
    from boneage.assessment import Failure  # noqa: PLC0415
    from boneage.evaluation.validation import collect, read_each  # noqa: PLC0415

    answers = []
    with Progress(len(films)) as progress:
        for answer in read_each(assessor, films):
            answers.append(answer)
            if isinstance(answer, Failure):
                progress.step(f"{answer.film}: failed: {answer.message}", err=True)
            else:
                progress.step()
    return collect(answers)


def summary(table: dict[str, Any]) -> str:
    """Say what a person wants first of what ``metrics.json`` holds."""
    films = table["films"]
    lines = [f"{films['read']} of {films['tried']} films read with {table['weights']['name']}"]
    for group, metrics in table["metrics"].items():
        mae, r2 = metrics["mae_months"], metrics["r2"]["value"]
        spread = "" if mae["low"] is None else f" ({mae['low']:.1f} to {mae['high']:.1f})"
        fit = "" if r2 is None else f", R² {r2:.3f}"
        within = metrics["within_12"]["value"]
        lines.append(
            f"{group:>8}: mean absolute error {mae['value']:.1f}{spread} months{fit}, "
            f"{within:.0%} within 12 months, n = {metrics['count']}"
        )
    return "\n".join(lines)
