"""``boneage token``: an access token for a client of the server."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import OUT_FILE
from boneage.apps.cli.output import echo
from boneage.apps.service.access import add_token, new_token


@click.command()
@click.argument("name")
@click.option(
    "--tokens",
    type=OUT_FILE,
    metavar="FILE",
    help="Add its line to this file. Default: print the line.",
)
def token(name: str, tokens: Path | None) -> None:
    """Create a token for the client NAME, and show it this once.

    The file holds only its sha256. Whoever has the token has access; to revoke
    it, delete its line and restart the server.
    """
    if tokens is not None:
        echo(add_token(tokens, name))
        return
    made, line = new_token(name)
    echo(f"token: {made}")
    echo(f"line for the file of --tokens: {line}")
