"""``boneage suitability``: what tells films of hands from everything else, fitted to weights."""

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
    help="At most so many training films, evenly spaced. Default: all.",
)
@out_option("Where suitability.json and suitability.csv go, and what a stopped run goes on from.")
def suitability(data: Path, refusal: Path, weights: Path, films: int | None, out: Path) -> None:
    """Fit what judges films before they are read, and say what it does.

    The whole hand's feature, which the attention network computes anyway,
    tells whether a picture shows a hand and how it lies. What it says is
    fitted on training films and on images to refuse, its limits are set on
    films and images left out of the fit, and both are put beside the
    weights, which stay as they are. Held-back films are only counted.

    A run that was stopped goes on where it stopped.

    \b
    boneage suitability --data films/ --refusal refusal/ --weights runs/mine/weights --out evidence
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.training.fit_quality.suit import fit_suitability, summary  # noqa: PLC0415  opens fast

    make_folder(out, "--out")
    outcome = fit_suitability(weights, data, refusal, out, films=films, say=_tell)
    echo(summary(outcome))
    echo(f"written: {weights / 'suitability.json'}, {out / 'suitability.json'}")


def _tell(text: str) -> None:
    echo(text, err=True)
