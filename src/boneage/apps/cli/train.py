"""``boneage train``: weights from labelled films.

With ``--distributed`` the networks are trained by JAX. What comes after them, the export
to ONNX, needs TensorFlow, of which a process can't have both: so the first process then
becomes the same command again, without ``--distributed``, which finds all of them trained.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from boneage.apps.cli.options import data_option, initial_weights_option

PROGRAM = ("-m", "boneage")
"""What Python runs to be this program."""
WITHOUT_NETWORKS = frozenset({None, "export", "calibration"})
"""Stages to stop after that come later than the last network."""
TOGETHER = {
    "coordinator": "BONEAGE_COORDINATOR",
    "processes": "BONEAGE_PROCESSES",
    "process": "BONEAGE_PROCESS",
}
"""Options of processes that train together, and the environment variable of each."""


@click.command()
@click.option(
    "--profile",
    metavar="NAME|FILE",
    help="How to train: compact, convnext, long, reference, or a TOML file of your own. "
    "[default: compact; with --from, as those weights were trained]",
)
@data_option
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the run keeps everything; an interrupted one resumes from there.",
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
@click.option(
    "--fold",
    metavar="K/N",
    help="Hold fold K of N of the training ids, such as 0/10, out of every network: training is "
    "watched on it, and the combining weights and the interval are fitted on it. Instead of the "
    "profile's calibration.share.",
)
@click.option(
    "--images",
    "shared_images",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of prepared images that several runs share. [default: in the run's folder]",
)
@initial_weights_option
@click.option(
    "--from",
    "start_from",
    metavar="bundled|DIR",
    help="Fine-tune pretrained weights on these films: those that ship with boneage, or a folder "
    "of others. Only the last phase of each network is trained, gently.",
)
@click.option("--few", is_flag=True, help="With --from: fine-tune on fewer than 200 films, too.")
@click.option(
    "--distributed",
    is_flag=True,
    help="Train by JAX, on all GPUs of this computer at once (or all devices that JAX finds).",
)
@click.option(
    "--coordinator",
    envvar=TOGETHER["coordinator"],
    metavar="HOST:PORT",
    help="With others, on this computer or more: where process 0 listens for them. Start the "
    "same command for each process, with its own --process. Implies --distributed.",
)
@click.option(
    "--processes",
    envvar=TOGETHER["processes"],
    type=click.IntRange(min=1),
    metavar="N",
    help="With --coordinator: how many processes there are.",
)
@click.option(
    "--process",
    envvar=TOGETHER["process"],
    type=click.IntRange(min=0),
    metavar="I",
    help="With --coordinator: which of them this is, from 0. The three may also stand in "
    "BONEAGE_COORDINATOR, BONEAGE_PROCESSES and BONEAGE_PROCESS.",
)
@click.pass_context
def train(
    context: click.Context,
    /,
    profile: str | None,
    data: Path,
    run_folder: Path,
    distributed: bool,
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    **options: Any,
) -> None:
    """Train weights from labelled films, or fine-tune pretrained ones.

    Needs an extra; in the checkout: pip install ".[train]".

    \b
    boneage train --data rsna/ --run runs/mine
    boneage train --profile reference --data rsna/ --run runs/try --epochs 1 --limit 64
    boneage train --from bundled --data clinic.csv --run runs/ours
    boneage train --profile reference --data rsna/ --run runs/gpus --distributed
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    if options["start_from"] and options["initial_weights"]:
        raise click.UsageError(
            "--from gives every network its weights; leave --initial-weights out"
        )
    if options["few"] and not options["start_from"]:
        raise click.UsageError("--few is for fine-tuning; it needs --from")
    if options["fold"] and options["start_from"]:
        raise click.UsageError("--fold is for a training from the beginning; leave out --from")
    if options["fold"]:
        from boneage.datasets.films import Fold  # noqa: PLC0415  of the training extra

        options["fold"] = Fold.parse(options["fold"])
    together = _together(coordinator, processes, process)
    if not (distributed or together or os.environ.get("KERAS_BACKEND") == "jax"):
        from boneage.training.stages import train as run_training  # noqa: PLC0415  Keras is slow

        run_training(profile, data, run_folder, **options)
        return
    _train_distributed(together, profile, data, run_folder, options)
    if options["stage"] in WITHOUT_NETWORKS and not process:
        _resume_with_tensorflow(context)


def _together(
    coordinator: str | None, processes: int | None, process: int | None
) -> tuple[str, int, int] | None:
    """The three options, all of them or none."""
    given = {"coordinator": coordinator, "processes": processes, "process": process}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if coordinator is None or processes is None or process is None:
        raise click.UsageError(
            "processes that train together need --coordinator, --processes and --process, or "
            f"{', '.join(TOGETHER.values())}; missing: "
            + ", ".join(f"--{name}" for name in missing)
        )
    return coordinator, processes, process


def _train_distributed(
    together: tuple[str, int, int] | None,
    profile: str | None,
    data: Path,
    run_folder: Path,
    options: dict[str, Any],
) -> None:
    """Train the networks by JAX, on all devices of all processes."""
    from boneage.training.distributed.jax_group import Membership, process_group  # noqa: PLC0415  chooses Keras's backend

    with process_group(Membership(*together) if together else None) as group:
        from boneage.training.stages import train as run_training  # noqa: PLC0415

        stage = "fusion" if options["stage"] in WITHOUT_NETWORKS else options["stage"]
        devices, processes = group.devices, group.processes
        print(f"training on {devices} devices of {processes} processes")  # noqa: T201
        run_training(profile, data, run_folder, **options | {"stage": stage, "group": group})


def _resume_with_tensorflow(context: click.Context) -> NoReturn:
    """Become the same command with another backend of Keras, and give the GPUs back."""
    ours = {"distributed", *TOGETHER}
    options = [
        text
        for option in context.command.params
        if isinstance(option, click.Option) and option.name not in ours
        for text in _as_given(option, context.params.get(option.name or ""))
    ]
    variables = {k: v for k, v in os.environ.items() if k not in TOGETHER.values()}
    variables["KERAS_BACKEND"] = "tensorflow"
    sys.stdout.flush()
    command = [sys.executable, *PROGRAM, "train", *options]
    os.execve(sys.executable, command, variables)  # noqa: S606  this program itself


def _as_given(option: click.Option, value: Any) -> list[str]:
    """An option as on the command line; nothing where it was not given."""
    if value is None or value is False:
        return []
    return [option.opts[-1]] if value is True else [option.opts[-1], str(value)]
