"""``python -m tools.bench``: seconds, memory and size on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import weights_option
from boneage.apps.cli.output import echo
from boneage.storage.files import write_json

EXAMPLE = Path("examples/synthetic_hand_girl_10y.png")


@click.command()
@click.option(
    "--film",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=EXAMPLE,
    show_default=True,
    help="The image to analyse; copies of fixed sizes are made of it.",
)
@click.option(
    "--install",
    is_flag=True,
    help="Also install the package in this folder into a clean environment (a minute or two).",
)
@click.option(
    "--run",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A training run, to read from its logs how fast it went.",
)
@click.option(
    "--service",
    "of_service",
    is_flag=True,
    help="Measure 'boneage serve' instead: images a second, seconds, memory.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=10),
    default=10_000,
    show_default=True,
    help="With --service: so many, while the memory is watched.",
)
@click.option(
    "--load-requests",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="With --service: so many by each number of clients.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The JSON file to write.",
)
@click.option(
    "--folder",
    "of_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead, measure how a big batch goes: pictures of this folder, named again and again.",
)
@click.option(
    "--films",
    type=click.IntRange(min=50),
    default=100_000,
    show_default=True,
    help="With --folder: how many images.",
)
@click.option(
    "--kills",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="With --folder: how often the command is killed on the way.",
)
@click.option(
    "--training",
    "of_training",
    type=click.Path(exists=True, path_type=Path),
    help="Instead, measure what training costs beside the bare network, on these labelled images.",
)
@weights_option
def bench(
    film: Path,
    install: bool,
    run: Path | None,
    of_service: bool,
    requests: int,
    load_requests: int,
    out: Path,
    of_folder: Path | None,
    films: int,
    kills: int,
    of_training: Path | None,
    weights: Path | None,
) -> None:
    """Measure how long an image takes, how much memory, and how big the package is.

    With --folder: images a second by one and by two processes, the memory every 1,000 images,
    and whether a command that is killed and given again has one row for each image.

    With --training: images a second of the compact profile's training, whole, and of the same
    networks by train_on_batch alone; processor time, too. Takes the labelled images that
    'boneage train --data' takes.

    Exit status: 0 when all was measured, 2 when something could not be.
    """
    # Each needs extras of its own.
    if of_training is not None:
        from tools.bench import training  # noqa: PLC0415

        table = training.measure(of_training, echo)
    elif of_folder is not None:
        from tools.bench import folder  # noqa: PLC0415

        table = folder.measure(of_folder, films, kills, weights, echo)
    elif of_service:
        from tools.bench import service  # noqa: PLC0415

        table = service.measure(film, weights, requests, load_requests)
        echo("\n".join(service.in_short(table)))
    else:
        from tools.bench import single  # noqa: PLC0415

        table = single.measure(film, run, weights, install=install)
        echo("\n".join(single.in_short(table)))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, table)
    echo(f"written: {out}")


if __name__ == "__main__":
    bench()
