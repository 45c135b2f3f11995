"""``boneage ablate``: what each part of the method is worth."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click

from boneage.apps.cli.batch import make_folder
from boneage.apps.cli.options import data_option, initial_weights_option, out_option
from boneage.apps.cli.output import echo

SHORT_SECONDS = 180.0
"""Four backbones in about ten minutes on two cores that have nothing else to do."""
SHORT_EPOCHS = 12
"""Six networks in about twenty minutes on two cores."""


@click.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A finished run of boneage train; nothing is written there.",
)
@data_option
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help="compact, convnext, reference, or a TOML file. [default: the run's own]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="inputs, networks, backbones, or a single variant, compared with its baseline. May be "
    "repeated. Default: inputs and networks.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=SHORT_EPOCHS,
    show_default=True,
    metavar="N",
    help="How long each of the networks is trained anew.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SHORT_SECONDS,
    show_default=True,
    metavar="S",
    help="How much processor time each of the backbones gets.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train and measure those networks on at most N films of each split: to try it small.",
)
@initial_weights_option
@out_option("Where the results go; an interrupted command goes on from there.")
def ablate(
    run_folder: Path,
    data: Path,
    profile: str | None,
    only: tuple[str, ...],
    epochs: int,
    seconds: float,
    limit: int | None,
    initial_weights: Path | None,
    out: Path,
) -> None:
    """Leave out one part of the method at a time and measure the held-back films.

    Trains the small head of the fusion anew on fewer inputs (inputs), and the
    whole-hand network without CBAM, with other CLAHE and without the sex, on a
    short schedule (networks). Asked for by name, compares backbones that are
    trained equally long, by folds of the training films alone (backbones); of
    --run this needs the profile only. Writes ablation.json, ablation.csv,
    predictions.csv, figures/ablation.png and ablation.html.

    Needs two extras: pip install "boneage[train,evaluate]".

    \b
    boneage ablate --run runs/mine --data rsna/ --only inputs --out ablation
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.evaluation.ablation.report import Setting, write_ablation  # noqa: PLC0415  slow
    from boneage.training.ablation.ablation import ablate as train_variants  # noqa: PLC0415  Keras, slower

    make_folder(out, "--out")
    trained, studies = train_variants(
        run_folder,
        data,
        out,
        profile_name=profile,
        only=only,
        epochs=epochs,
        seconds=seconds,
        limit=limit,
        initial_weights=initial_weights,
        report=echo,
    )
    names = run_folder.resolve().name, trained.name, data.resolve().name
    table = write_ablation(out, studies, Setting(*names, date.today()))
    echo(summary(table))
    echo(f"written: {out / 'ablation.html'}")


def summary(table: dict[str, Any]) -> str:
    """Report the error of every variant that ``ablation.json`` holds."""
    lines = []
    for name, study in table["studies"].items():
        lines.append(f"{name}: mean absolute error in months, n = {study['films']}")
        width = max(len(variant) for variant in study["variants"])
        for variant, values in study["variants"].items():
            mae, difference = values["mae_months"], values["difference_months"]
            says = "baseline" if difference is None else f"{difference['value']:+.1f}"
            lines.append(f"  {variant:<{width}}  {mae['value']:5.1f}  {says}")
    return "\n".join(lines)
