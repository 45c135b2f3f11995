"""``boneage suitability``: the image quality check, fitted to weights."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import data_option, out_option
from boneage.apps.cli.output import echo, make_folder


@click.command()
@data_option
@click.option(
    "--refusal",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of images to refuse, with catalog.csv: file, category, expected, source, group.",
)
@click.option(
    "--weights",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of weights that gets suitability.json and its arrays.",
)
@click.option(
    "--films",
    type=click.IntRange(min=20),
    metavar="N",
    help="At most so many training images, evenly spaced. Default: all.",
)
@out_option("Where suitability.json and suitability.csv go, and what a stopped run resumes from.")
def suitability(data: Path, refusal: Path, weights: Path, films: int | None, out: Path) -> None:
    """Fit the quality check that images go through before they are analysed.

    The whole hand's feature, which the attention network computes anyway,
    tells whether an image shows a hand, and its orientation. Classifiers are
    fitted on training images and on images to refuse, limits are set on
    images left out of the fit, and both are put beside the
    weights, which stay as they are. Held-out images are only counted.

    A run that was stopped resumes where it stopped.

    \b
    boneage suitability --data films/ --refusal refusal/ --weights runs/mine/weights --out evidence
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.training.fit_quality.fit import fit_quality_model, text_summary  # noqa: PLC0415  opens fast

    make_folder(out, "--out")
    fit = fit_quality_model(
        weights, data, refusal, out, films=films, report=lambda text: echo(text, err=True)
    )
    echo(text_summary(fit))
    echo(f"written: {weights / 'suitability.json'}, {out / 'suitability.json'}")
