"""``boneage regions``: the automatic annotation of a folder of images."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.measuring import with_progress
from boneage.apps.cli.options import IN_FOLDER, out_option, weights_option
from boneage.apps.cli.output import echo, images, make_folder, report_left_out
from boneage.batch.annotation import Annotation
from boneage.domain.assessment import Failure
from boneage.inference.assessor import Assessor


@click.command()
@click.argument("folder", metavar="FOLDER", type=IN_FOLDER)
@out_option("Where regions.csv, regions.json (COCO) and crops/ go.")
@weights_option
def regions(folder: Path, out: Path, weights: Path | None) -> None:
    """Detect the regions of all images in FOLDER and its subfolders, and save them.

    Writes the boxes as a table and as COCO JSON, in pixels of the original
    images, and each region as a PNG cut from the image at full resolution. The
    regions are detected by the network's attention; nothing is drawn by hand.
    Run again to resume after an interruption or to add images; other weights
    start anew.

    Exit status: 0 when every image was annotated; 1 when some were not (they
    are named); 2 for wrong usage or unusable weights.
    """
    annotation = Annotation(folder, make_folder(out, "--out"), Assessor(weights, calibration=""))
    report_left_out(annotation.left_out)
    if annotation.done:
        echo(f"{images(len(annotation.done))} done before", err=True)
    missing = len(annotation.missing)
    failed = sum(isinstance(image, Failure) for image in with_progress(annotation.run(), missing))
    echo(f"{images(missing)}: {missing - failed} annotated, {failed} failed; {out}")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)
