"""``boneage train``: train weights on labelled radiographs.

With ``--distributed`` JAX trains the networks. The export to ONNX afterwards needs TensorFlow,
which cannot share a process with JAX: so the first process then replaces itself by the same
command without ``--distributed``, which resumes after the trained networks.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from boneage.apps.cli.options import (
    COUNT,
    OUT_FOLDER,
    data_option,
    initial_weights_option,
    limit_option,
)
from boneage.apps.cli.output import echo
from boneage.datasets.films import Fold

PROGRAM = ("-m", "boneage")
"""How Python runs this program."""
WITHOUT_NETWORKS = frozenset({None, "export", "calibration"})
"""Values of ``--stage`` that include stages after the last network."""
GROUP_VARIABLES = {
    "coordinator": "BONEAGE_COORDINATOR",
    "processes": "BONEAGE_PROCESSES",
    "process": "BONEAGE_PROCESS",
}
"""Options of distributed processes, and the environment variable of each."""


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
    type=OUT_FOLDER,
    help="The folder of the run; an interrupted run resumes from there.",
)
@click.option(
    "--stage",
    metavar="S",
    help="Stop after this stage: attention, regions, region-networks, fusion, export or "
    "calibration. Earlier stages that are not complete are trained first. "
    "[default: calibration, the last]",
)
@click.option(
    "--epochs",
    type=COUNT,
    help="Train every stage for N epochs instead of the profile's, as a trial.",
)
@limit_option("Use at most N radiographs of each kind, as a trial.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable label or radiograph.")
@click.option(
    "--fold",
    metavar="K/N",
    help="Hold out fold K of N of the training ids, such as 0/10, from every network: it is used "
    "for monitoring, and to fit the combining weights and the interval. Replaces the profile's "
    "calibration.share.",
)
@click.option(
    "--images",
    "shared_images",
    type=OUT_FOLDER,
    help="A cache of prepared images that several runs share. [default: in the run's folder]",
)
@initial_weights_option
@click.option(
    "--from",
    "start_from",
    metavar="bundled|DIR",
    help="Fine-tune pretrained weights on these radiographs: those that ship with boneage, or a "
    "folder of others. Only the last phase of each network is trained, at a low learning rate.",
)
@click.option("--few", is_flag=True, help="With --from: allow fewer than 200 radiographs.")
@click.option(
    "--distributed",
    is_flag=True,
    help="Train with JAX on all GPUs of this computer (or all devices that JAX finds).",
)
@click.option(
    "--coordinator",
    envvar=GROUP_VARIABLES["coordinator"],
    metavar="HOST:PORT",
    help="To train in several processes, on one or more computers: where process 0 listens. Start "
    "the same command for each process, with its own --process. Implies --distributed.",
)
@click.option(
    "--processes",
    envvar=GROUP_VARIABLES["processes"],
    type=COUNT,
    help="With --coordinator: the number of processes.",
)
@click.option(
    "--process",
    envvar=GROUP_VARIABLES["process"],
    type=click.IntRange(min=0),
    metavar="I",
    help="With --coordinator: the index of this process, from 0. The three can also be set by "
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
    """Train weights on labelled radiographs, or fine-tune pretrained ones.

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
        options["fold"] = Fold.parse(options["fold"])
    membership = _membership(coordinator, processes, process)
    options |= {"folder": run_folder, "data": data}
    if not (distributed or membership or os.environ.get("KERAS_BACKEND") == "jax"):
        _train(profile, **options)
        return
    _train_distributed(membership, profile, options)
    if options["stage"] in WITHOUT_NETWORKS and not process:
        _resume_with_tensorflow(context)


def _membership(
    coordinator: str | None, processes: int | None, process: int | None
) -> tuple[str, int, int] | None:
    """The three options of a distributed process, all of them or none."""
    given = {"coordinator": coordinator, "processes": processes, "process": process}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if coordinator is None or processes is None or process is None:
        raise click.UsageError(
            "processes that train together need --coordinator, --processes and --process, or "
            f"{', '.join(GROUP_VARIABLES.values())}; missing: "
            + ", ".join(f"--{name}" for name in missing)
        )
    return coordinator, processes, process


def _train(
    profile: str | None, *, stage: str | None, start_from: str | None, few: bool, **options: Any
) -> None:
    from boneage.training.run import Run  # noqa: PLC0415  Keras is slow
    from boneage.training.stages import train  # noqa: PLC0415

    train(profile, Run(**options), stage=stage, start_from=start_from, few=few)


def _train_distributed(
    membership: tuple[str, int, int] | None, profile: str | None, options: dict[str, Any]
) -> None:
    """Train the networks with JAX on all devices of all processes."""
    from boneage.training.distributed.jax_group import Membership, process_group  # noqa: PLC0415  chooses Keras's backend

    with process_group(Membership(*membership) if membership else None) as group:
        stage = "fusion" if options["stage"] in WITHOUT_NETWORKS else options["stage"]
        devices, processes = group.devices, group.processes
        echo(f"training on {devices} devices of {processes} processes")
        _train(profile, **options | {"stage": stage, "group": group})


def _resume_with_tensorflow(context: click.Context) -> NoReturn:
    """Replace this process by the same command with Keras on TensorFlow; frees the GPUs."""
    ours = {"distributed", *GROUP_VARIABLES}
    options = [
        text
        for option in context.command.params
        if isinstance(option, click.Option) and option.name not in ours
        for text in _as_given(option, context.params.get(option.name or ""))
    ]
    variables = {k: v for k, v in os.environ.items() if k not in GROUP_VARIABLES.values()}
    variables["KERAS_BACKEND"] = "tensorflow"
    sys.stdout.flush()
    command = [sys.executable, *PROGRAM, "train", *options]
    os.execve(sys.executable, command, variables)  # noqa: S606  this program itself


def _as_given(option: click.Option, value: Any) -> list[str]:
    """An option as on the command line; empty where it was not given."""
    if value is None or value is False:
        return []
    return [option.opts[-1]] if value is True else [option.opts[-1], str(value)]
