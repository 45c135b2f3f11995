"""``python -m tools.documents figures``: the measured numbers, into the documents of a checkout."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.output import echo


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when a document differs.")
@click.argument(
    "checkout",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
)
def figures(checkout: Path, check: bool) -> None:
    """Write the measured numbers into README.md and MODEL_CARD.md.

    They come from docs/evidence, as 'boneage evaluate', 'ruler', 'stress',
    'ablate', 'analyse' and 'bench' left it, and from the manifest of the
    bundled weights. README.md is renewed between its marks, MODEL_CARD.md
    whole. 'python -m tools.documents card' also makes the card's pictures anew.

    Exit status: 0; 1 when --check finds a document that differs.
    """
    from tools.documents.renew import renew  # noqa: PLC0415  opens fast

    changed = renew(checkout, write=not check)
    state = "differs: run 'make figures'" if check else "renewed"
    for name, differs in changed.items():
        echo(f"{name}: {state if differs else 'as it was'}")
    if check and any(changed.values()):
        raise click.exceptions.Exit(EXIT_FAILED)
