"""``boneage calibrate``: a clinic's own line and intervals, from its own labelled films."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli.options import data_option, weights_option, workers_option
from boneage.apps.cli.output import Progress, echo

if TYPE_CHECKING:
    from boneage.domain.assessment import Failure
    from boneage.training.fit_uncertainty.film_errors import FilmEstimate


@click.command()
@data_option
@weights_option
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The JSON file to write; a calibration of another run is replaced.",
)
@click.option("--name", default="", metavar="CLINIC", help="What to call it in every answer.")
@workers_option
def calibrate(data: Path, weights: Path | None, out: Path, name: str, workers: int | None) -> None:
    """Fit the answers to a clinic's own labelled films: 50 to 500, and 30 at the least.

    For each sex a line that moves the answers, kept only where it lowers the
    error of films that it was not fitted on; and fresh intervals. The file holds
    no film and no label. It is used where it is named, by --calibration or
    $BONEAGE_CALIBRATION, with these weights alone; every answer then says so.

    The films must not be those that the weights were trained on, or the
    intervals come out too narrow.

    Exit status: 0 when the file was written; 2 for wrong usage, unusable
    weights, data that cannot be used, or fewer than 30 films that can be read.

    \b
    boneage calibrate --data films.csv --name "St Anna" --out st-anna.json
    boneage assess hand.png --sex female --calibration st-anna.json
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.datasets.films import load_films  # noqa: PLC0415  the command line opens fast
    from boneage.datasets.problems import in_words  # noqa: PLC0415
    from boneage.domain.assessment import Failure  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415
    from boneage.storage.many import default_workers  # noqa: PLC0415
    from boneage.training.fit_uncertainty.clinic import fit_clinic, text_summary, write_calibration  # noqa: PLC0415
    from boneage.training.fit_uncertainty.film_errors import estimate_films  # noqa: PLC0415

    assessor = Assessor(weights, threads=1, calibration="")
    found = load_films(data)
    if found.problems:
        echo(f"left out: {in_words(found.problems)}", err=True)
    films = [film for film in found.films if not film.squeezed]
    if not out.parent.is_dir():  # before the films are read
        raise click.BadParameter(
            f"the folder {str(out.parent)!r} does not exist", param_hint="--out"
        )
    answers: list[FilmEstimate | Failure] = []
    with Progress(len(films)) as progress:
        for answer in estimate_films(assessor, films, workers=workers or default_workers()):
            answers.append(answer)
            if isinstance(answer, Failure):
                progress.fail(answer)
            else:
                progress.step()
    fit = fit_clinic(answers, assessor, data.resolve().name, name)
    write_calibration(out, fit)
    echo(text_summary(fit))
    echo(f"written: {out}, for the weights {assessor.weights.name.name} alone")
