"""``boneage token``: a token for a program that asks the server."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.output import echo
from boneage.apps.service.access import add_token, new_token


@click.command()
@click.argument("name")
@click.option(
    "--tokens",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Add its line to this file; without it, the line is printed too.",
)
def token(name: str, tokens: Path | None) -> None:
    """Make a token for the program NAME, and show it this once.

    The file holds only its sha256. Whoever has the token may ask; to take it
    back, delete its line and start the server again.
    """
    if tokens is not None:
        echo(add_token(tokens, name))
        return
    made, line = new_token(name)
    echo(f"token: {made}")
    echo(f"line for the file of --tokens: {line}")
