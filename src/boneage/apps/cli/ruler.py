"""``boneage ruler``: where the attention looks, against what people marked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import EXIT_FAILED, options
from boneage.apps.cli.measuring import collected, count_workers, open_assessor
from boneage.apps.cli.output import echo, make_folder

if TYPE_CHECKING:
    from boneage.evaluation.cases import Split
    from boneage.evaluation.localization.cases import MarkedCopies

JOURNAL = "ruler.jsonl"
REGIONS = "regions"


@click.command()
@options.data_option
@click.option(
    "--annotations",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where ossification_boxes.csv and hand_keypoints.csv are, instead of regions/ in --data.",
)
@click.option(
    "--films",
    "copies",
    type=click.Choice(["detailed", "squeezed", "all"]),
    default="all",
    show_default=True,
    help="Detailed copies of the radiographs, squeezed ones, or of each the better one.",
)
@options.split_option("all", "Which of the radiographs to measure; no marks were ever trained on.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure N radiographs only, evenly spread over them.",
)
@options.workers_option
@options.out_option("Where the table, the figures and the page go.")
@options.weights_option
def ruler(
    data: Path,
    annotations: Path | None,
    copies: MarkedCopies,
    split: Split,
    limit: int | None,
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Measure the localization: where the attention looks, against marked bones.

    How much of the carpus lies in the carpal crop, how much of the metacarpals
    in the metacarpal crop, and how much else. Writes ruler.csv, a row a radiograph
    and target, ruler.json, figures and ruler.html. Begun again after a stop,
    it resumes where it was.

    Exit status: 0 when every radiograph was measured; 1 when some were not (they are
    named, and the others measured); 2 for wrong usage, unusable weights or
    a folder without marked radiographs.
    """
    from boneage.datasets.films import load_films  # noqa: PLC0415
    from boneage.evaluation.localization import cases, report  # noqa: PLC0415
    from boneage.evaluation.localization.marks import load_annotations  # noqa: PLC0415
    from boneage.evaluation.report import Experiment  # noqa: PLC0415
    from boneage.storage.many import Journal  # noqa: PLC0415  the command line opens fast

    assessor = open_assessor(weights)
    found = load_films(data).films
    folder = data if data.is_dir() else data.parent
    marks = load_annotations(annotations or folder / REGIONS, cases.true_shape(found))
    unfit = cases.unfit_copies(folder)
    films = cases.films_to_measure(found, marks.marks, unfit, copies, split, limit)
    if copies != cases.SQUEEZED:
        marks = marks.with_unfit(unfit)
    make_folder(out, "--out")
    experiment = Experiment(
        assessor.weights.name,
        data.resolve().name,
        split,
        limit,
        date.today(),
        {"films": copies, "marked": marks.sources},
    )
    with Journal(out / JOURNAL, report.recipe(experiment, marks)) as journal:
        results = cases.measure_films(assessor, films, marks, journal, count_workers(workers))
        measured, failures = collected(results, len(films), verb="measured")
    test = report.LocalizationTest(experiment, marks, measured, failures)
    report.write_report(out, test)
    (out / JOURNAL).unlink()
    echo(f"{len(measured)} of {len(films)} radiographs measured with {experiment.weights.name}")
    echo("\n".join(report.text_summary(test)))
    echo(
        "written: "
        + ", ".join(str(out / name) for name in (report.PAGE, report.SUMMARY, report.TABLE))
    )
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)
