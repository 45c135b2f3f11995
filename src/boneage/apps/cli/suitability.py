"""``boneage suitability``: the image quality check, fitted to weights."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import IN_FOLDER, data_option, out_option
from boneage.apps.cli.output import echo, make_folder


@click.command()
@data_option
@click.option(
    "--refusal",
    required=True,
    type=IN_FOLDER,
    metavar="DIR",
    help="A folder of images to refuse, with catalog.csv: file, category, expected, source, group.",
)
@click.option(
    "--weights",
    required=True,
    type=IN_FOLDER,
    metavar="DIR",
    help="The weights; suitability.json and its arrays are written into their folder.",
)
@click.option(
    "--films",
    type=click.IntRange(min=20),
    metavar="N",
    help="Use at most N training radiographs, evenly spaced. Default: all.",
)
@out_option("Where suitability.json and suitability.csv go; an interrupted run resumes from there.")
def suitability(data: Path, refusal: Path, weights: Path, films: int | None, out: Path) -> None:
    """Fit the quality check that images go through before they are assessed.

    Classifiers find from the attention network's feature of the whole hand
    whether an image shows a hand, and its orientation. They are fitted on
    training radiographs and on images to refuse; thresholds are set on others,
    left out of the fit. Both are written beside the weights, which stay
    unchanged. Held-out radiographs are only counted.

    An interrupted run resumes where it stopped.

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
