"""``boneage stress``: the same radiographs changed, and how far the answer moves."""

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

JOURNAL = "stress.journal.jsonl"


@click.command()
@options.data_option
@options.split_option("validation", "Which of the radiographs to change.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N only.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="A change, or a kind of changes, such as position; may be given several times. "
    "Default: all.",
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
    """Test the robustness: change radiographs and see how far the answers move.

    Every radiograph is turned, mirrored, brightened, blurred, cropped, given a border
    and saved in other ways, and read anew: by how many months its answer moves,
    and whether the program refuses it or warns.

    A run that was stopped resumes where it stopped, and one with more radiographs
    or changes does only what is new: what is done lies in
    stress.journal.jsonl in --out.

    Exit status: 0 when every radiograph was read unchanged; 1 when some were not
    (they are named, and left out); 2 for wrong usage, unusable weights or
    data without labelled radiographs.
    """
    from boneage.evaluation.cases import films_to_read  # noqa: PLC0415  the command line opens fast
    from boneage.evaluation.report import Experiment  # noqa: PLC0415
    from boneage.evaluation.robustness import report  # noqa: PLC0415
    from boneage.evaluation.robustness.cases import change_films, recipe  # noqa: PLC0415
    from boneage.evaluation.robustness.changes import chosen  # noqa: PLC0415
    from boneage.storage.many import Journal  # noqa: PLC0415

    changes = chosen(only)
    assessor = open_assessor(weights)
    films = films_to_read(data, split)
    make_folder(out, "--out")
    with Journal(out / JOURNAL, recipe(assessor, films)) as journal:
        taken = films[:limit]
        results = change_films(assessor, taken, changes, journal, count_workers(workers))
        found, failures = collected(results, len(taken))
    experiment = Experiment(assessor.weights.name, data.resolve().name, split, limit, date.today())
    test = report.RobustnessTest(experiment, changes, found, failures)
    report.write_report(out, test)
    echo(report.text_summary(test))
    written = (out / name for name in (report.PAGE, report.SUMMARY, report.TABLE))
    echo(f"written: {', '.join(map(str, written))}")
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)
