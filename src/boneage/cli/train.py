"""``boneage train``: weights from labelled films."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.cli.options import data_option, initial_weights_option


@click.command()
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help="How to train: compact, convnext, reference, or a TOML file of your own. "
    "[default: compact; with --from, as those weights were trained]",
)
@data_option
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the run keeps everything; an interrupted one goes on from there.",
)
@click.option(
    "--stage",
    metavar="S",
    help="Stop after this stage: attention, regions, region-networks, fusion, export or "
    "calibration. Earlier ones are found finished, or finished first. "
    "[default: calibration, the last]",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Train every stage for N epochs, whatever the profile says: to try one small.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Use at most N films of each kind: likewise.",
)
@click.option("--strict", is_flag=True, help="Stop at the first label or film that is no good.")
@initial_weights_option
@click.option(
    "--from",
    "start_from",
    metavar="bundled|DIR",
    help="Fine-tune finished weights on these films: those that ship with boneage, or a folder "
    "of others. Only the last phase of each network is trained, gently.",
)
@click.option("--few", is_flag=True, help="With --from: fine-tune on fewer than 200 films, too.")
def train(
    profile: str | None,
    data: Path,
    run_folder: Path,
    stage: str | None,
    epochs: int | None,
    limit: int | None,
    strict: bool,
    initial_weights: Path | None,
    start_from: str | None,
    few: bool,
) -> None:
    """Train weights from labelled films, or fine-tune finished ones.

    Needs the training extra: pip install "boneage[train]".

    \b
    boneage train --data rsna/ --run runs/mine
    boneage train --profile reference --data rsna/ --run runs/try --epochs 1 --limit 64
    boneage train --from bundled --data clinic.csv --run runs/ours
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    if start_from and initial_weights:
        raise click.UsageError(
            "--from gives every network its weights; leave --initial-weights out"
        )
    if few and not start_from:
        raise click.UsageError("--few is for fine-tuning; it needs --from")
    from boneage.training.stages import train as run_training  # noqa: PLC0415  Keras takes seconds

    run_training(
        profile,
        data,
        run_folder,
        stage=stage,
        epochs=epochs,
        limit=limit,
        strict=strict,
        initial_weights=initial_weights,
        start_from=start_from,
        few=few,
    )
