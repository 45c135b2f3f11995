"""``boneage weights``: which weights answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from boneage.cli.options import weights_option

SAID_ABOVE = frozenset(
    {"format", "name", "profile", "networks", "preparation", "regions", "fusion"}
)
"""Parts of a manifest that are for the program, or printed already."""


@click.command()
@weights_option
def weights(weights: Path | None) -> None:
    """Say which weights answer: name, profile, checksum, data and metrics.

    Every network file is checked against the checksum its manifest states.
    """
    from boneage.weights import Weights  # noqa: PLC0415  the command line opens fast

    chosen = Weights(weights)
    for network in chosen.manifest.networks:
        chosen.session(network)
    name = chosen.name
    click.echo(f"name      {name.name}")
    click.echo(f"profile   {name.profile}")
    click.echo(f"sha256    {name.sha256}")
    click.echo(f"folder    {chosen.folder}")
    click.echo(f"networks  {', '.join(chosen.manifest.networks)} (files verified)")
    for line in _lines({k: v for k, v in chosen.manifest.table.items() if k not in SAID_ABOVE}):
        click.echo(line)


def _lines(table: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """Print a nested table as indented lines."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{key}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{key}: {value}"
