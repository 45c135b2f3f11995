"""The documents of a checkout, from its evidence: ``python -m tools.documents``."""

from __future__ import annotations

import click

from boneage.apps.cli import CommandLine
from tools.documents.card_command import card
from tools.documents.figures_command import figures


@click.group(cls=CommandLine)
def main() -> None:
    """Write what was measured into README.md and MODEL_CARD.md."""


main.add_command(card)
main.add_command(figures)

if __name__ == "__main__":
    main()
