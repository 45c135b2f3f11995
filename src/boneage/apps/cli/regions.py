"""``boneage regions``: the automatic annotation of a folder of films."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.options import out_option, weights_option
from boneage.apps.cli.output import Progress, echo, make_folder, report_left_out


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@out_option("Where regions.csv, regions.json (COCO) and crops/ go.")
@weights_option
def regions(folder: Path, out: Path, weights: Path | None) -> None:
    """Find the regions of all films in FOLDER and its subfolders, and save them.

    Writes the boxes as a table and as COCO JSON, in pixels of the original
    films, and each region as a PNG cut from the film at full resolution.
    Nobody draws anything: the network's attention finds the regions. Run
    again to go on after an interruption, or with films added; a change of
    weights starts anew.

    Exit status: 0 when every film was read; 1 when some were not (they are
    named); 2 for wrong usage or unusable weights.
    """
    from boneage.batch.annotating import Annotation  # noqa: PLC0415  the command line opens fast
    from boneage.domain.assessment import Failure  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415

    annotation = Annotation(folder, make_folder(out, "--out"), Assessor(weights, calibration=""))
    report_left_out(annotation.left_out)
    if annotation.done:
        echo(f"{len(annotation.done)} films were done before", err=True)
    failed = 0
    missing = len(annotation.missing)
    with Progress(missing) as progress:
        for film in annotation.run():
            if isinstance(film, Failure):
                failed += 1
                progress.fail(film)
            else:
                progress.step()
    echo(f"{missing} films: {missing - failed} annotated, {failed} failed; {out}")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)
