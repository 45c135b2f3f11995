"""Commands that fit something: ``calibrate``, ``reference``, ``fit`` and ``suitability``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from boneage.apps.cli import options
from boneage.apps.cli.measuring import open_assessor, with_progress
from boneage.apps.cli.output import echo, make_folder, open_output
from boneage.clinical.bone_age_references import HealthyChild, reference_table
from boneage.datasets.films import load_films
from boneage.datasets.labels import in_words
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.storage.delimited import read_delimited
from boneage.storage.parallel import default_workers
from boneage.training.fit_uncertainty.clinic import fit_clinic, text_summary, write_calibration
from boneage.training.fit_uncertainty.error_model import estimate_films

REFERENCE_COLUMNS = ("sex", "chronological_age_months", "age_months")


@click.command()
@options.data_option
@options.weights_option
@click.option(
    "--out",
    required=True,
    type=options.OUT_FILE,
    help="The JSON file to write; an earlier one is replaced.",
)
@click.option("--name", default="", metavar="CLINIC", help="Its name, shown with every assessment.")
@options.workers_option
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


@click.command()
@click.option(
    "--table",
    required=True,
    type=options.IN_FILE,
    help="Assessments of healthy children, as 'boneage assess --csv' writes them: the columns sex, "
    "chronological_age_months and age_months.",
)
@click.option("--out", required=True, type=options.OUT_FILE, help="The CSV table to write.")
def reference(table: Path, out: Path) -> None:
    """Make a reference of the SDS from a clinic's own healthy children.

    At every half year of age, mean and SD of the bone age of the children around
    it, for each sex: at least 20 within a year. Rows without an age or a bone
    age are left out. The SDS is then centred on the mean of these children.

    \b
    boneage assess --table healthy.csv --csv healthy-ages.csv
    boneage reference --table healthy-ages.csv --out "St Anna.csv"
    boneage assess hand.dcm --sds-reference "St Anna.csv"
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    rows = read_delimited(table, ragged=True)
    for column in REFERENCE_COLUMNS:
        if column not in rows.columns:
            raise DataError(f"the table {str(table)!r} has no column {column!r}")
    cells = [[row.cells[column] for column in REFERENCE_COLUMNS] for row in rows.rows]
    children = [
        HealthyChild(Sex.parse(sex), float(age), float(bone_age))
        for sex, age, bone_age in cells
        if age and bone_age
    ]
    with ExitStack() as stack:
        file = open_output(stack, out, "--out")
        file.write(reference_table(children).encode())
    left_out = len(cells) - len(children)
    echo(f"written: {out}, of {len(children)} children; {left_out} rows without an age left out")


def _fitting_options(command: Callable[..., None]) -> Callable[..., None]:
    """What both commands that fit to weights are told."""
    for option in (
        options.out_option(
            "Where suitability.json and suitability.csv go; an interrupted run resumes from there."
        ),
        click.option(
            "--films",
            type=click.IntRange(min=20),
            metavar="N",
            help="Use at most N training radiographs, evenly spaced. Default: all.",
        ),
        click.option(
            "--weights",
            required=True,
            type=options.IN_FOLDER,
            help="The folder of the weights; what is fitted is written there.",
        ),
        click.option(
            "--refusal",
            required=True,
            type=options.IN_FOLDER,
            help="A folder of images to refuse, with catalog.csv: file, category, expected, "
            "source, group.",
        ),
        options.data_option,
    ):
        command = option(command)
    return command


@click.command()
@_fitting_options
@options.workers_option
def fit(
    data: Path, refusal: Path, weights: Path, films: int | None, out: Path, workers: int | None
) -> None:
    """Fit the quality check, then the prediction interval, to weights.

    The networks stay unchanged. The quality check is fitted as 'boneage
    suitability' does; the interval on the radiographs that were held out when
    the weights were trained. Both are written into the folder of the weights,
    whose checksum is another one afterwards.

    An interrupted run resumes where it stopped.

    \b
    boneage fit --data films/ --refusal refusal/ --weights runs/mine/weights --out evidence
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.training.fit_uncertainty.weights_interval import fit_interval  # noqa: PLC0415

    _fit_quality(data, refusal, weights, films, out)
    fit_interval(
        weights, load_films(data), out, workers=workers or default_workers(), report=_on_stderr
    )
    echo(f"written: the interval, in {weights / 'manifest.json'}")


@click.command()
@_fitting_options
def suitability(data: Path, refusal: Path, weights: Path, films: int | None, out: Path) -> None:
    """Fit the quality check that images go through before they are assessed.

    Classifiers find from the attention network's feature of the whole hand
    whether an image shows a hand, its orientation, and whether its growth
    plates are fused. They are fitted on training radiographs and on images to
    refuse; thresholds are set on others, left out of the fit. Both are written
    beside the weights, which stay unchanged. Held-out radiographs are only
    counted. 'boneage fit' fits the prediction interval as well.

    An interrupted run resumes where it stopped.

    \b
    boneage suitability --data films/ --refusal refusal/ --weights runs/mine/weights --out evidence
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    _fit_quality(data, refusal, weights, films, out)


def _fit_quality(data: Path, refusal: Path, weights: Path, films: int | None, out: Path) -> None:
    from boneage.training.fit_quality.fit import (  # noqa: PLC0415  opens fast
        fit_quality_model,
        text_summary,
    )

    make_folder(out, "--out")
    fitted = fit_quality_model(weights, data, refusal, out, films=films, report=_on_stderr)
    echo(text_summary(fitted))
    echo(f"written: {weights / 'suitability.json'}, {out / 'suitability.json'}")


def _on_stderr(text: str) -> None:
    echo(text, err=True)
