"""``boneage stress``: how far the bone age moves when a radiograph is perturbed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from boneage.apps.cli import EXIT_FAILED, options
from boneage.apps.cli.measuring import collect, open_assessor
from boneage.apps.cli.output import echo, echo_written, make_folder
from boneage.evaluation.cases import Split, films_to_read
from boneage.storage.parallel import Journal, default_workers

JOURNAL = "stress.journal.jsonl"


@click.command()
@options.data_option
@options.split_option("validation", "Which of the radiographs to perturb.")
@options.limit_option("Use only the first N.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="A perturbation, or a kind of them, such as position; may be repeated. Default: all.",
)
@options.workers_option
@options.out_option("Where stress.json, stress.csv, stress.html and the figures go.")
@options.weights_option
def stress(
    data: Path,
    split: Split,
    limit: int | None,
    only: tuple[str, ...],
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Measure the robustness: perturb radiographs and see how far the bone age moves.

    Every radiograph is rotated, mirrored, brightened, blurred, cropped, given a
    border, saved in other formats, and assessed again: by how many months its
    bone age moves, and whether it is refused or warned about.

    An interrupted run resumes where it stopped, and one with more radiographs
    or perturbations measures only what is new; the journal is
    stress.journal.jsonl in --out.

    Exit status: 0 when every unchanged radiograph was assessed; 1 when some were not
    (they are named, and left out); 2 for wrong usage, unusable weights or
    data without labelled radiographs.
    """
    from boneage.evaluation.report import Experiment  # noqa: PLC0415  needs the extra, as below
    from boneage.evaluation.robustness import report  # noqa: PLC0415
    from boneage.evaluation.robustness.cases import change_films, recipe  # noqa: PLC0415
    from boneage.evaluation.robustness.changes import chosen  # noqa: PLC0415

    changes = chosen(only)
    assessor = open_assessor(weights)
    films = films_to_read(data, split)
    make_folder(out, "--out")
    with Journal(out / JOURNAL, recipe(assessor, films)) as journal:
        taken = films[:limit]
        workers = workers or default_workers()
        results = change_films(assessor, taken, changes, journal, workers)
        found, failures = collect(results, len(taken))
    experiment = Experiment(assessor.weights.name, data.resolve().name, split, limit, date.today())
    test = report.RobustnessTest(experiment, changes, found, failures)
    report.write_report(out, test)
    echo(report.text_summary(test))
    echo_written(out, report.PAGE, report.SUMMARY, report.TABLE)
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)
