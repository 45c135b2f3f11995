"""``python -m tools.documents``: the documents of a checkout, from its evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from boneage.apps.cli import EXIT_FAILED, CommandLine
from boneage.apps.cli.options import IN_FOLDER, OUT_FILE, OUT_FOLDER
from boneage.apps.cli.output import echo
from boneage.storage.files import write_text


@click.group(cls=CommandLine)
def main() -> None:
    """Write the measured figures into README.md, MODEL_CARD.md and docs/."""


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; fail when a document differs.")
@click.argument("checkout", type=IN_FOLDER, default=Path())
def figures(checkout: Path, check: bool) -> None:
    """Write the measured figures into README.md, MODEL_CARD.md and docs/.

    They come from docs/evidence and from the manifest of the bundled weights.
    README.md and docs/ are updated between their marks, MODEL_CARD.md as a whole.
    'python -m tools.documents card' also draws the card's pictures again.

    Exit status: 0; 1 when --check finds a document that differs.
    """
    from tools.documents.render import renew  # noqa: PLC0415  needs Jinja2, an extra

    changed = renew(checkout, write=not check)
    state = "differs: run 'make figures'" if check else "updated"
    for name, differs in changed.items():
        echo(f"{name}: {state if differs else 'unchanged'}")
    if check and any(changed.values()):
        raise click.exceptions.Exit(EXIT_FAILED)


@main.command()
@click.argument("checkout", type=IN_FOLDER, default=Path())
@click.option(
    "--weights",
    type=IN_FOLDER,
    metavar="DIR",
    help="A folder of weights, instead of those that ship with CHECKOUT.",
)
@click.option(
    "--evidence",
    "folder",
    type=IN_FOLDER,
    metavar="DIR",
    help="What was measured with them, laid out as docs/evidence is; measurements may be "
    "missing.  [default: docs/evidence of CHECKOUT]",
)
@click.option(
    "--out", type=OUT_FILE, metavar="FILE", help="The card.  [default: MODEL_CARD.md of CHECKOUT]"
)
@click.option(
    "--pictures",
    type=OUT_FOLDER,
    metavar="DIR",
    help="Where the pictures of failures go.  [default: failures/ in the evidence]",
)
def card(
    checkout: Path,
    weights: Path | None,
    folder: Path | None,
    out: Path | None,
    pictures: Path | None,
) -> None:
    """Write the model card: what the weights are, how good they are, where they fail.

    For CHECKOUT, by default this folder; or for --weights, with --evidence and
    --out. The card states what was not measured. Failures are shown on a
    synthetic radiograph.

    \b
    python -m tools.documents card
    python -m tools.documents card --weights mine/weights --evidence mine/evidence --out mine/C.md

    Exit status: 0; 2 for wrong usage or weights or evidence that cannot be used.
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.inference.assessor import Assessor  # noqa: PLC0415  needs an extra, as below
    from tools.documents import evidence as read  # noqa: PLC0415
    from tools.documents.failure_pictures import draw_failures  # noqa: PLC0415
    from tools.documents.render import CARD, model_card  # noqa: PLC0415

    if weights and not (folder and out):
        raise click.UsageError("--weights needs --evidence, and --out for the card")
    folder = folder or checkout / read.EVIDENCE
    out = out or checkout / CARD
    pictures = pictures or (folder / read.FILES["failures"]).parent
    evidence = (
        read.read_folders(weights, folder) if weights else read.read_checkout(checkout, folder)
    )
    assessor = Assessor(weights or checkout / read.BUNDLE, calibration="")
    out.parent.mkdir(parents=True, exist_ok=True)
    shown = draw_failures(assessor, evidence.tables.get("stress"), pictures)
    known = replace(evidence, tables={**evidence.tables, "failures": shown})
    write_text(out, model_card(known, folder, out.parent, pictures))
    echo(f"written: {out}, pictures in {pictures}")


if __name__ == "__main__":
    main()
