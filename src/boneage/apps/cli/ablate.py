"""``boneage ablate``: what each part of the method contributes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from boneage.apps.cli import options
from boneage.apps.cli.output import echo, make_folder

SHORT_SECONDS = 180.0
"""Four backbones in about ten minutes on two idle cores."""
SHORT_EPOCHS = 12
"""Six networks in about twenty minutes on two cores."""


@click.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=options.IN_FOLDER,
    metavar="DIR",
    help="A completed run of boneage train; nothing is written there.",
)
@options.data_option
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
    type=options.COUNT,
    default=SHORT_EPOCHS,
    show_default=True,
    metavar="N",
    help="Epochs for each retrained network.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SHORT_SECONDS,
    show_default=True,
    metavar="S",
    help="Processor time for each backbone, in seconds.",
)
@options.limit_option("Train and measure on at most N radiographs of each split, as a trial.")
@options.initial_weights_option
@options.out_option("Where the results go; an interrupted command resumes from there.")
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
    """Leave out one part of the method at a time and measure the held-out radiographs.

    inputs: retrains the fusion head on fewer inputs. networks: retrains the
    whole-hand network without CBAM, with other CLAHE and without the sex, on a
    short schedule. backbones: compares backbones trained equally long, on folds
    of the training radiographs; it uses only the profile of --run. Writes
    ablation.json, ablation.csv, predictions.csv, figures/ablation.png and
    ablation.html.

    Needs two extras; in the checkout: pip install ".[train,evaluate]".

    \b
    boneage ablate --run runs/mine --data rsna/ --only inputs --out ablation
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.evaluation import ablation as report  # noqa: PLC0415  slow
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
    table = report.write_ablation(out, studies, report.AblationRun(*names, date.today()))
    echo(report.text_summary(table))
    echo(f"written: {out / report.PAGE}")
