"""``python -m tools.bench``: seconds, memory and size on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import COUNT, IN_FILE, IN_FOLDER, OUT_FILE, weights_option
from boneage.apps.cli.output import echo
from boneage.storage.files import write_json

EXAMPLE = Path("examples/synthetic_hand_girl.png")


@click.command(context_settings={"show_default": True})
@click.option(
    "--film", type=IN_FILE, default=EXAMPLE, help="The image to assess, in copies of fixed sizes."
)
@click.option(
    "--install",
    is_flag=True,
    help="Also measure the installation into a clean environment (a minute or two).",
)
@click.option("--run", type=IN_FOLDER, help="A training run, whose logs give the training speed.")
@click.option(
    "--service",
    "of_service",
    is_flag=True,
    help="Instead, measure 'boneage serve': throughput, latency, memory.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=10),
    default=10_000,
    help="With --service: requests for the measurement of memory.",
)
@click.option(
    "--load-requests",
    type=COUNT,
    default=200,
    help="With --service: requests for each number of clients.",
)
@click.option("--out", required=True, type=OUT_FILE, help="The JSON file to write.")
@click.option(
    "--folder",
    "of_folder",
    type=IN_FOLDER,
    help="Instead, measure a large batch of repeated images of this folder.",
)
@click.option(
    "--films",
    type=click.IntRange(min=50),
    default=100_000,
    help="With --folder: the number of images.",
)
@click.option(
    "--kills",
    type=click.IntRange(min=0),
    default=5,
    help="With --folder: how often the command is killed.",
)
@click.option(
    "--training",
    "of_training",
    type=click.Path(exists=True, path_type=Path),
    help="Instead, measure the overhead of training on these labelled images.",
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
    """Measure the time and memory of an assessment, and the size of the package.

    With --folder: images per second with one and two processes, the memory every 1,000 images,
    and whether a command that is killed and repeated has one row for each image.

    With --training: images per second and processor time of the compact profile's training, and
    of the same networks by train_on_batch alone, on data as for 'boneage train --data'.

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
