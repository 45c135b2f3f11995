"""``boneage stress``: the same films changed, and how far the answer moves."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.batch import make_folder
from boneage.apps.cli.measuring import collected, count_workers, open_assessor
from boneage.apps.cli.options import (
    data_option,
    out_option,
    split_option,
    weights_option,
    workers_option,
)
from boneage.apps.cli.output import echo

if TYPE_CHECKING:
    from boneage.evaluation.cases import Split

JOURNAL = "stress.journal.jsonl"


@click.command()
@data_option
@split_option("validation", "Which of the films to change.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N only.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="A change, or a kind of changes, such as position; may be given several times. "
    "Default: all.",
)
@workers_option
@out_option("Where stress.json, stress.csv, stress.html and the figures go.")
@weights_option
def stress(
    data: Path,
    split: Split,
    limit: int | None,
    only: tuple[str, ...],
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Test the robustness: change films and see how far the answers move.

    Every film is turned, mirrored, brightened, blurred, cropped, given a border
    and saved in other ways, and read anew: by how many months its answer moves,
    and whether the program refuses it or warns.

    A run that was stopped resumes where it stopped, and one with more films
    or changes does only what is new: what is done lies in
    stress.journal.jsonl in --out.

    Exit status: 0 when every film was read unchanged; 1 when some were not
    (they are named, and left out); 2 for wrong usage, unusable weights or
    data without labelled films.
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
    test = report.robustness_test(experiment, changes, found, failures)
    report.write_report(out, test)
    echo(report.in_short(test))
    written = (out / name for name in (report.PAGE, report.SUMMARY, report.TABLE))
    echo(f"written: {', '.join(map(str, written))}")
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)
