"""``boneage ruler``: how well the attention localizes the bones, against marks by people."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import EXIT_FAILED, options
from boneage.apps.cli.measuring import collect, open_assessor
from boneage.apps.cli.output import echo, echo_written, make_folder
from boneage.datasets.films import load_films
from boneage.storage.parallel import Journal, default_workers

if TYPE_CHECKING:
    from boneage.evaluation.cases import Split
    from boneage.evaluation.localization.cases import MarkedCopies

JOURNAL = "ruler.jsonl"
REGIONS = "regions"


@click.command()
@options.data_option
@click.option(
    "--annotations",
    type=options.IN_FOLDER,
    metavar="FOLDER",
    help="Where ossification_boxes.csv and hand_keypoints.csv are, instead of regions/ in --data.",
)
@click.option(
    "--films",
    "copies",
    type=click.Choice(["detailed", "squeezed", "all"]),
    default="all",
    show_default=True,
    help="Which copies: the detailed ones, the squeezed ones, or the better of each radiograph.",
)
@options.split_option("all", "Which of the radiographs to measure; no training used the marks.")
@options.limit_option("Measure only N radiographs, evenly spaced.")
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
    """Measure the localization: detected regions against bones marked by people.

    How much of the carpus is in the carpal crop, how much of the metacarpals
    in the metacarpal crop, and how much else. Writes ruler.csv (a row for each
    radiograph and target), ruler.json, figures and ruler.html. An interrupted
    run resumes where it stopped.

    Exit status: 0 when every radiograph was measured; 1 when some were not (they are
    named, and the others measured); 2 for wrong usage, unusable weights or
    a folder without marked radiographs.
    """
    from boneage.evaluation.localization import cases, report  # noqa: PLC0415  needs the extra
    from boneage.evaluation.localization.marks import load_annotations  # noqa: PLC0415
    from boneage.evaluation.report import Experiment  # noqa: PLC0415

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
        workers = workers or default_workers()
        results = cases.measure_films(assessor, films, marks, journal, workers)
        measured, failures = collect(results, len(films), verb="measured")
    test = report.LocalizationTest(experiment, marks, measured, failures)
    report.write_report(out, test)
    (out / JOURNAL).unlink()
    echo(f"{len(measured)} of {len(films)} radiographs measured with {experiment.weights.name}")
    echo("\n".join(report.text_summary(test)))
    echo_written(out, report.PAGE, report.SUMMARY, report.TABLE)
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)
