"""``boneage calibrate``: a site calibration from a clinic's own labelled radiographs."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.measuring import open_assessor, with_progress
from boneage.apps.cli.options import OUT_FILE, data_option, weights_option, workers_option
from boneage.apps.cli.output import echo
from boneage.datasets.films import load_films
from boneage.datasets.labels import in_words
from boneage.storage.parallel import default_workers
from boneage.training.fit_uncertainty.clinic import fit_clinic, text_summary, write_calibration
from boneage.training.fit_uncertainty.error_model import estimate_films


@click.command()
@data_option
@weights_option
@click.option(
    "--out",
    required=True,
    type=OUT_FILE,
    metavar="FILE",
    help="The JSON file to write; an earlier one is replaced.",
)
@click.option("--name", default="", metavar="CLINIC", help="Its name, shown with every assessment.")
@workers_option
def calibrate(data: Path, weights: Path | None, out: Path, name: str, workers: int | None) -> None:
    """Calibrate the estimates to a clinic's own labelled radiographs: 50 to 500, at least 30.

    Fits a linear correction for each sex, used only where it lowers the error
    of radiographs that it was not fitted on; and new prediction intervals. The
    file holds no image and no label. It applies where it is named, by
    --calibration or $BONEAGE_CALIBRATION, to these weights only, and every
    assessment states it.

    Do not use radiographs that the weights were trained on: the intervals
    would be too narrow.

    Exit status: 0 when the file was written; 2 for wrong usage, unusable
    weights or data, or fewer than 30 readable radiographs.

    \b
    boneage calibrate --data radiographs.csv --name "St Anna" --out st-anna.json
    boneage assess hand.png --sex female --calibration st-anna.json
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    assessor = open_assessor(weights)
    found = load_films(data)
    if found.problems:
        echo(f"left out: {in_words(found.problems)}", err=True)
    films = [film for film in found.films if not film.squeezed]
    if not out.parent.is_dir():  # before the images are read
        raise click.BadParameter(
            f"the folder {str(out.parent)!r} does not exist", param_hint="--out"
        )
    readings = estimate_films(assessor, films, workers=workers or default_workers())
    answers = list(with_progress(readings, len(films)))
    fit = fit_clinic(answers, assessor, data.resolve().name, name)
    write_calibration(out, fit)
    echo(text_summary(fit))
    echo(f"written: {out}, for the weights {assessor.weights.name.name} only")
