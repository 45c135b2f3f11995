"""``python -m tools.documents card``: the model card of a set of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from boneage.apps.cli.output import echo, make_folder


@click.command()
@click.argument(
    "checkout", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path()
)
@click.option(
    "--weights",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of weights, instead of those that ship with CHECKOUT.",
)
@click.option(
    "--evidence",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="What was measured of them: metrics.json, ruler/ruler.json, stress/stress.json, "
    "ablation/ablation.json, comparison/comparison.json, analysis/analysis.json, bench.json, as "
    "far as there.  [default: docs/evidence of CHECKOUT]",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The card.  [default: MODEL_CARD.md of CHECKOUT]",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
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
    """Write the model card: what the weights are, what was measured, where they fail.

    All of CHECKOUT, which is this folder unless another is named; or of
    --weights, with the --evidence for them and --out. What was not measured
    yet, the card says. The failures are shown on a drawn hand, nobody's, read
    by the weights.

    \b
    python -m tools.documents card
    python -m tools.documents card --weights mine/weights --evidence mine/evidence --out mine/C.md

    Exit status: 0; 2 for wrong usage or weights or evidence that cannot be used.
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.inference.assessor import Assessor  # noqa: PLC0415  opens fast
    from tools.documents import evidence as read  # noqa: PLC0415
    from tools.documents.failure_pictures import draw_failures  # noqa: PLC0415
    from tools.documents.failures import failures_folder  # noqa: PLC0415
    from tools.documents.renew import CARD, card_of, write_text  # noqa: PLC0415

    if weights and not (folder and out):
        raise click.UsageError("--weights needs --evidence, and --out for the card")
    folder = folder or checkout / read.EVIDENCE
    out = out or checkout / CARD
    pictures = pictures or failures_folder(folder)
    evidence = (
        read.read_folders(weights, folder) if weights else read.read_checkout(checkout, folder)
    )
    assessor = Assessor(weights or checkout / read.BUNDLE, calibration="")
    make_folder(pictures, "--pictures")
    make_folder(out.parent, "--out")
    shown = draw_failures(assessor, evidence.stress, pictures)
    text = card_of(replace(evidence, failures=shown), folder, pictures, out.parent)
    write_text(out, text)
    echo(f"written: {out}, pictures in {pictures}")
