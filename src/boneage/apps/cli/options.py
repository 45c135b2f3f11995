"""What the subcommands share: the ways to say a sex, a set of weights and a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from boneage.domain.radiograph import Sex
from boneage.errors import SexError

Command = TypeVar("Command", bound=Callable[..., Any])


def parse_sex(_ctx: click.Context, param: click.Parameter, text: str | None) -> Sex | None:
    """Read a sex as people write it; anything else is wrong usage."""
    try:
        return None if text is None else Sex.parse(text)
    except SexError as error:
        raise click.BadParameter(str(error), param=param) from error


data_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER|TABLE",
    help="Labelled films: a folder in the layout of the RSNA challenge, or a CSV table with "
    "path, sex and boneage (months), and split if it has one.",
)

calibration_option = click.option(
    "--calibration",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A clinic's calibration that 'boneage calibrate' wrote, instead of $BONEAGE_CALIBRATION.",
)

weights_option = click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of weights, instead of $BONEAGE_WEIGHTS or those that ship with boneage.",
)

workers_option = click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Films read at a time. Default: one for each processor core.",
)

initial_weights_option = click.option(
    "--initial-weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the weights files that the profile starts from.",
)


def split_option(default: str, text: str) -> Callable[[Command], Command]:
    """Which of the labelled films a command takes."""
    return click.option(
        "--split",
        type=click.Choice(["validation", "train", "all"]),
        default=default,
        show_default=True,
        help=text,
    )


def out_option(text: str) -> Callable[[Command], Command]:
    """The folder that a command writes into."""
    return click.option(
        "--out",
        required=True,
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help=text,
    )
